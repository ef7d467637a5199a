//! The calls a server has in flight. A slot carries a generation, so that a late or double reply never reaches another caller.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};

use crate::{ConnectionId, PoolCounters, mirror::Mirror};

/// What names a call on the tape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CallId {
    pub slot: u32,
    pub generation: u32,
}

/// Where the reply of a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    /// There is none yet.
    Open,
    /// It is in `held` and waits for the replies before it.
    Held,
    /// It has gone out before those of calls that came earlier.
    Left,
}

/// One call of a server.
#[derive(Debug)]
pub(crate) struct ServerCall {
    generation: u32,
    live: bool,
    pub connection: ConnectionId,
    pub owner: u32,
    pub method: u32,
    /// What its answer repeats.
    pub mirror: Mirror,
    /// Name of a method that no schema has.
    pub name: Bytes,
    pub oneway: bool,
    /// The call made for it, where it is passed on.
    pub passed: Option<CallId>,
    pub reply: Reply,
    pub held: BytesMut,
}

/// All calls of all servers of an engine.
#[derive(Debug, Default)]
pub(crate) struct ServerCalls {
    calls: Vec<ServerCall>,
    free: Vec<u32>,
    /// Slots outside are `index << shift | place`, so that the threads of a server name their calls differently and the names stay dense.
    shift: u32,
    place: u32,
    counters: Arc<PoolCounters>,
}

impl ServerCalls {
    /// The calls of the engine at `place` among `1 << shift` of them.
    pub(crate) fn of_place(place: u32, shift: u32, counters: Arc<PoolCounters>) -> Self {
        Self { shift, place, counters, ..Self::default() }
    }

    fn index(&self, slot: u32) -> usize {
        (slot >> self.shift) as usize
    }

    pub(crate) fn insert(
        &mut self,
        connection: ConnectionId,
        owner: u32,
        method: u32,
        mirror: Mirror,
        oneway: bool,
    ) -> CallId {
        self.counters.contexts_in_use.add(1);
        if let Some(slot) = self.free.pop() {
            self.counters.contexts_spare.set(self.free.len() as u64);
            let index = self.index(slot);
            let call = &mut self.calls[index];
            call.live = true;
            call.connection = connection;
            call.owner = owner;
            call.method = method;
            call.mirror = mirror;
            call.name = Bytes::new();
            call.oneway = oneway;
            call.passed = None;
            call.reply = Reply::Open;
            return CallId { slot, generation: call.generation };
        }
        let slot = (self.calls.len() as u32) << self.shift | self.place;
        self.calls.push(ServerCall {
            generation: 1,
            live: true,
            connection,
            owner,
            method,
            mirror,
            name: Bytes::new(),
            oneway,
            passed: None,
            reply: Reply::Open,
            held: BytesMut::new(),
        });
        CallId { slot, generation: 1 }
    }

    /// The call, unless it is over.
    pub(crate) fn get_mut(&mut self, id: CallId) -> Option<&mut ServerCall> {
        let index = self.index(id.slot);
        self.calls.get_mut(index).filter(|call| call.live && call.generation == id.generation)
    }

    /// Is the call not over?
    pub(crate) fn is_live(&self, id: CallId) -> bool {
        self.calls.get(self.index(id.slot)).is_some_and(|call| call.live && call.generation == id.generation)
    }

    /// The call in a slot that its connection still lists.
    pub(crate) fn listed(&mut self, slot: u32) -> &mut ServerCall {
        let index = self.index(slot);
        &mut self.calls[index]
    }

    pub(crate) fn id(&self, slot: u32) -> CallId {
        CallId { slot, generation: self.calls[self.index(slot)].generation }
    }

    /// Ends all calls of a server that is gone: handlers of oneway methods may go on, and its id may be another one's soon.
    pub(crate) fn forget(&mut self, owner: u32) {
        for index in 0..self.calls.len() {
            if self.calls[index].live && self.calls[index].owner == owner {
                self.remove((index as u32) << self.shift | self.place);
            }
        }
    }

    /// Ends a listed call if its reply has left; true if so.
    pub(crate) fn remove_if_left(&mut self, slot: u32) -> bool {
        let left = self.listed(slot).reply == Reply::Left;
        if left {
            self.remove(slot);
        }
        left
    }

    /// Ends a call; its id means nothing from now on.
    pub(crate) fn remove(&mut self, slot: u32) {
        let index = self.index(slot);
        let call = &mut self.calls[index];
        debug_assert!(call.live, "a call ends once");
        call.live = false;
        call.generation = call.generation.wrapping_add(1);
        self.free.push(slot);
        self.counters.contexts_spare.set(self.free.len() as u64);
        self.counters.contexts_in_use.sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn engines_beside_each_other_never_share_a_slot() {
        let mut calls = [0, 1].map(|place| ServerCalls::of_place(place, 1, Arc::default()));
        let slots: Vec<u32> = (0..4).map(|n| calls[n % 2].insert(0, 0, 0, Mirror::default(), false).slot).collect();
        assert_eq!(slots, [0, 1, 2, 3]);
        calls[1].remove(3);
        assert_eq!(calls[1].insert(0, 0, 0, Mirror::default(), false).slot, 3);
    }

    #[test]
    fn an_id_dies_with_its_call() {
        let mut calls = ServerCalls::default();
        let first = calls.insert(7, 0, 0, Mirror::default(), false);
        calls.remove(first.slot);
        assert!(calls.get_mut(first).is_none());
        let second = calls.insert(8, 0, 0, Mirror::default(), false);
        assert_eq!(second.slot, first.slot);
        assert!(calls.get_mut(first).is_none(), "a late reply must not reach the new call");
        assert_eq!(calls.get_mut(second).map(|call| call.connection), Some(8));
    }
}
