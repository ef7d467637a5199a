//! All streams of a connection.

use std::collections::VecDeque;

use slab::Slab;

use crate::{Event, Gone, StreamKey, ready::Ready, stream::Stream};

#[derive(Default)]
pub(crate) struct Streams {
    slab: Slab<Stream>,
    ready: Ready,
    /// Those with something to tell.
    telling: VecDeque<StreamKey>,
    /// Memory of all streams together.
    memory: usize,
}

impl Streams {
    pub(crate) fn insert(&mut self, stream: Stream) -> StreamKey {
        let key = self.slab.insert(stream) as StreamKey;
        self.pump(key);
        key
    }

    pub(crate) fn get(&self, key: StreamKey) -> Option<&Stream> {
        self.slab.get(key as usize)
    }

    pub(crate) fn get_mut(&mut self, key: StreamKey) -> Option<&mut Stream> {
        self.slab.get_mut(key as usize)
    }

    /// Memory of all streams together, as it was when each was last looked after.
    pub(crate) fn memory(&self) -> usize {
        self.memory
    }

    /// Memory of the records, those that wait for the next stream included.
    pub(crate) fn records(&self) -> usize {
        self.slab.capacity() * size_of::<Stream>()
    }

    /// Gives the memory of the records back, if there is no stream. What `h2` still wakes is of streams that are over.
    pub(crate) fn shrink(&mut self) {
        if self.slab.is_empty() && self.slab.capacity() > 0 {
            *self = Self::default();
        }
    }

    fn remove(&mut self, key: StreamKey) {
        self.memory -= self.slab.remove(key as usize).counted;
    }

    pub(crate) fn len(&self) -> usize {
        self.slab.len()
    }

    /// Looks after one stream: see [`Stream::pump`].
    pub(crate) fn pump(&mut self, key: StreamKey) {
        let Some(stream) = self.slab.get_mut(key as usize) else { return };
        stream.pump(self.ready.waker(key));
        self.settle(key);
    }

    /// After something was done to a stream: is it over, does it have something to tell?
    pub(crate) fn settle(&mut self, key: StreamKey) {
        let Some(stream) = self.slab.get_mut(key as usize) else { return };
        let holds = stream.memory();
        self.memory = self.memory - std::mem::replace(&mut stream.counted, holds) + holds;
        if !stream.listed && stream.has_event() {
            stream.listed = true;
            self.telling.push_back(key);
        } else if !stream.listed && stream.is_over() {
            self.remove(key);
        }
    }

    /// Looks after those that `h2` woke. True if there were any.
    pub(crate) fn pump_woken(&mut self) -> bool {
        let woken = self.ready.take();
        let any = !woken.is_empty();
        for &key in &woken {
            self.pump(key);
        }
        if any {
            self.ready.give_back(woken);
        }
        any
    }

    /// Tells every stream that does not know yet that the connection is lost.
    pub(crate) fn lose(&mut self, gone: &Gone) {
        self.pump_woken();
        let keys: Vec<_> = self.slab.iter().map(|(key, _)| key as StreamKey).collect();
        for key in keys {
            if let Some(stream) = self.get_mut(key) {
                stream.lose(gone.clone());
            }
            self.settle(key);
        }
    }

    pub(crate) fn has_event(&self) -> bool {
        !self.telling.is_empty()
    }

    pub(crate) fn next_event(&mut self) -> Option<Event> {
        loop {
            let key = *self.telling.front()?;
            let stream = self.slab.get_mut(key as usize)?;
            if let Some(event) = stream.next_event(key) {
                if matches!(event, Event::Gone(..)) {
                    self.telling.pop_front();
                    self.remove(key);
                }
                return Some(event);
            }
            stream.listed = false;
            self.telling.pop_front();
            if self.slab[key as usize].is_over() {
                self.remove(key);
            }
        }
    }
}
