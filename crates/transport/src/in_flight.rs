//! The calls of a client's connection that wait for their replies.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

/// A call written to a client's connection that is not over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InFlight {
    pub slot: u32,
    pub generation: u32,
    pub sequence: i32,
    /// Where its first byte lies in the connection's stream: tells whether the peer may have seen it.
    pub start: u64,
    /// Where its last byte lies: a oneway call is over once it is written.
    pub end: u64,
    /// A reply is still to come, wanted or not. Never for oneway calls.
    pub awaits_reply: bool,
    /// The caller still waits.
    pub live: bool,
}

impl InFlight {
    fn is_over(&self) -> bool {
        !self.live && !self.awaits_reply
    }
}

/// Entries a queue may have however few of them still matter.
const SLACK: usize = 64;
/// Entries of a queue for each that still matters, beyond the slack.
const SPARSE: usize = 4;

/// Calls by their sequence ids.
///
/// Sequence ids count up in the order of the queue, so a reply is found without a look-up, in whatever order replies come. Calls that are
/// answered out of turn leave their place empty; where one slow call would keep many empty places behind it, it is put aside.
#[derive(Debug, Default)]
pub(crate) struct InFlightCalls {
    queue: VecDeque<InFlight>,
    /// Calls of the queue that are not over.
    open: usize,
    /// Slow calls that are no more in the queue, all older than those that are.
    aside: FxHashMap<i32, InFlight>,
}

/// Where a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Queue(usize),
    Aside(i32),
}

impl InFlightCalls {
    /// Calls that are not over.
    pub(crate) fn len(&self) -> usize {
        self.open + self.aside.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a call whose sequence id is larger, wrapping, than any before it.
    pub(crate) fn push(&mut self, call: InFlight) {
        self.open += 1;
        self.queue.push_back(call);
    }

    /// The call that a reply with this sequence id belongs to.
    pub(crate) fn find(&self, sequence: i32) -> Option<Place> {
        let place = self.search(sequence).map(Place::Queue);
        let place = place.or_else(|| self.aside.contains_key(&sequence).then_some(Place::Aside(sequence)))?;
        self.at(place).awaits_reply.then_some(place)
    }

    fn search(&self, sequence: i32) -> Option<usize> {
        let first = self.queue.front()?.sequence;
        let distance = |other: i32| other.wrapping_sub(first) as u32;
        let wanted = distance(sequence);
        // With one client and one connection there is no gap between two ids.
        let guess = (wanted as usize).min(self.queue.len() - 1);
        if self.queue[guess].sequence == sequence {
            return Some(guess);
        }
        self.queue.binary_search_by_key(&wanted, |call| distance(call.sequence)).ok()
    }

    /// The call at a place that [`find`](Self::find) has told.
    pub(crate) fn at(&self, place: Place) -> &InFlight {
        match place {
            Place::Queue(index) => &self.queue[index],
            Place::Aside(sequence) => &self.aside[&sequence],
        }
    }

    /// Its reply has come.
    pub(crate) fn answered(&mut self, place: Place) {
        match place {
            Place::Aside(sequence) => {
                self.aside.remove(&sequence);
            }
            Place::Queue(index) => {
                let call = &mut self.queue[index];
                call.live = false;
                call.awaits_reply = false;
                self.open -= 1;
                self.tidy();
            }
        }
    }

    /// The caller of this call waits no more; its reply, if one comes, reaches nobody.
    pub(crate) fn abandon(&mut self, slot: u32, generation: u32) {
        let is_it = |call: &InFlight| call.slot == slot && call.generation == generation;
        if let Some(call) = self.aside.values_mut().find(|call| is_it(call)) {
            call.live = false;
            return;
        }
        for call in self.queue.iter_mut().filter(|call| call.live && is_it(call)) {
            call.live = false;
            // What nobody answers is over now.
            self.open -= usize::from(!call.awaits_reply);
        }
        self.tidy();
    }

    /// Ends the oneway calls that lie before `written`, telling each.
    pub(crate) fn written(&mut self, written: u64, mut over: impl FnMut(InFlight)) {
        let ends = |call: &InFlight| call.live && !call.awaits_reply && call.end <= written;
        self.aside.retain(|_, call| {
            let ends = ends(call);
            if ends {
                over(*call);
            }
            !ends
        });
        for call in self.queue.iter_mut().filter(|call| ends(call)) {
            call.live = false;
            self.open -= 1;
            over(*call);
        }
        self.tidy();
    }

    /// Takes all calls somebody waits for.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = InFlight> + '_ {
        self.open = 0;
        self.aside.drain().map(|(_, call)| call).chain(self.queue.drain(..)).filter(|call| call.live)
    }

    /// Lets go of what is over.
    fn tidy(&mut self) {
        loop {
            while self.queue.front().is_some_and(InFlight::is_over) {
                self.queue.pop_front();
            }
            if self.queue.len() <= SLACK + SPARSE * self.open {
                return;
            }
            let Some(slow) = self.queue.pop_front() else { return };
            self.open -= 1;
            self.aside.insert(slow.sequence, slow);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(sequence: i32) -> InFlight {
        InFlight { slot: 0, generation: sequence as u32, sequence, start: 0, end: 0, awaits_reply: true, live: true }
    }

    fn answer(calls: &mut InFlightCalls, sequence: i32) {
        let place = calls.find(sequence).expect("it waits");
        assert_eq!(calls.at(place).sequence, sequence);
        calls.answered(place);
        assert_eq!(calls.find(sequence), None, "a call is answered once");
    }

    #[test]
    fn replies_are_found_in_any_order_and_over_the_end_of_the_numbers() {
        let mut calls = InFlightCalls::default();
        // Every third is another connection's.
        let ids: Vec<i32> = (0..90_i32).filter(|n| n % 3 != 0).map(|n| (i32::MAX - 40).wrapping_add(n)).collect();
        for id in &ids {
            calls.push(call(*id));
        }
        assert_eq!(calls.find(ids[0].wrapping_sub(1)), None);
        assert_eq!(calls.find(ids[0].wrapping_add(2)), None);
        for id in ids.iter().rev().step_by(2).chain(ids.iter().rev().skip(1).step_by(2)) {
            answer(&mut calls, *id);
        }
        assert!(calls.is_empty() && calls.queue.is_empty());
    }

    #[test]
    fn a_slow_call_keeps_nothing_behind_it() {
        let mut calls = InFlightCalls::default();
        calls.push(call(0));
        for id in 1..10_000 {
            calls.push(call(id));
            answer(&mut calls, id);
            assert!(calls.queue.len() <= SLACK + SPARSE + 1, "{} places", calls.queue.len());
        }
        assert_eq!(calls.len(), 1);
        answer(&mut calls, 0);
        assert!(calls.is_empty());
    }

    #[test]
    fn a_call_given_up_still_waits_for_its_reply() {
        let mut calls = InFlightCalls::default();
        calls.push(call(1));
        calls.abandon(0, 1);
        assert_eq!(calls.len(), 1);
        assert!(!calls.at(calls.find(1).expect("the reply is to come")).live);
        answer(&mut calls, 1);
        assert!(calls.is_empty());
    }

    #[test]
    fn oneway_calls_end_when_they_are_written() {
        let mut calls = InFlightCalls::default();
        for (sequence, end) in [(1, 10), (2, 20)] {
            calls.push(InFlight { awaits_reply: false, end, ..call(sequence) });
        }
        let mut over = Vec::new();
        calls.written(10, |call| over.push(call.sequence));
        assert_eq!((over, calls.len()), (vec![1], 1));
        calls.abandon(0, 2);
        assert!(calls.is_empty());
    }
}
