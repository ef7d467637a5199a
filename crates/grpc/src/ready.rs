//! Which streams of a connection have something to do: `h2` wakes them, one list collects them, so no turn looks at all of them.

use std::{
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Wake, Waker},
};

#[derive(Debug)]
struct StreamWaker {
    list: Arc<Mutex<Vec<u32>>>,
    key: u32,
    listed: AtomicBool,
}

impl Wake for StreamWaker {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.listed.swap(true, Ordering::AcqRel) {
            self.list.lock().unwrap_or_else(PoisonError::into_inner).push(self.key);
        }
    }
}

/// The streams of one connection that were woken, by key. Keys are used again, and a waker belongs to a key, so a stream may be woken for the one
/// before it: woken streams look, they never trust.
#[derive(Debug, Default)]
pub(crate) struct Ready {
    list: Arc<Mutex<Vec<u32>>>,
    wakers: Vec<(Arc<StreamWaker>, Waker)>,
    spare: Vec<u32>,
}

impl Ready {
    /// The waker of a key.
    pub(crate) fn waker(&mut self, key: u32) -> &Waker {
        while self.wakers.len() <= key as usize {
            let key = self.wakers.len() as u32;
            let waker = Arc::new(StreamWaker { list: self.list.clone(), key, listed: AtomicBool::new(false) });
            self.wakers.push((waker.clone(), waker.into()));
        }
        &self.wakers[key as usize].1
    }

    /// The keys that were woken since this was last asked; give the list [back](Self::give_back).
    pub(crate) fn take(&mut self) -> Vec<u32> {
        let woken = {
            let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
            if list.is_empty() {
                return Vec::new();
            }
            mem::replace(&mut *list, mem::take(&mut self.spare))
        };
        for key in &woken {
            self.wakers[*key as usize].0.listed.store(false, Ordering::Release);
        }
        woken
    }

    pub(crate) fn give_back(&mut self, mut list: Vec<u32>) {
        list.clear();
        self.spare = list;
    }
}
