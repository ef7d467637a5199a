//! The calls a server has in flight. A slot carries a generation, so that a late or double reply never reaches another caller.

use std::sync::Arc;

use bytes::BytesMut;

use crate::{ConnectionId, PoolCounters};

/// What names a call on the tape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CallId {
    pub slot: u32,
    pub generation: u32,
}

/// One call of a server.
#[derive(Debug)]
pub(crate) struct ServerCall {
    generation: u32,
    live: bool,
    pub connection: ConnectionId,
    pub owner: u32,
    pub method: u32,
    pub sequence: i32,
    pub oneway: bool,
    /// The reply is in `held` and waits for the replies before it.
    pub done: bool,
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
        sequence: i32,
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
            call.sequence = sequence;
            call.oneway = oneway;
            call.done = false;
            return CallId { slot, generation: call.generation };
        }
        let slot = (self.calls.len() as u32) << self.shift | self.place;
        self.calls.push(ServerCall {
            generation: 1,
            live: true,
            connection,
            owner,
            method,
            sequence,
            oneway,
            done: false,
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
        let slots: Vec<u32> = (0..4).map(|n| calls[n % 2].insert(0, 0, 0, 1, false).slot).collect();
        assert_eq!(slots, [0, 1, 2, 3]);
        calls[1].remove(3);
        assert_eq!(calls[1].insert(0, 0, 0, 1, false).slot, 3);
    }

    #[test]
    fn an_id_dies_with_its_call() {
        let mut calls = ServerCalls::default();
        let first = calls.insert(7, 0, 0, 1, false);
        calls.remove(first.slot);
        assert!(calls.get_mut(first).is_none());
        let second = calls.insert(8, 0, 0, 1, false);
        assert_eq!(second.slot, first.slot);
        assert!(calls.get_mut(first).is_none(), "a late reply must not reach the new call");
        assert_eq!(calls.get_mut(second).map(|call| call.connection), Some(8));
    }
}
