//! Letters from one thread to another, taken all at once.

use std::{
    mem,
    sync::PoisonError,
    task::{Context, Poll, Waker},
};

use crate::sync::Mutex;

/// An unbounded queue with one reader, which is a task. What bounds it is what it carries: a batch of replies follows a batch of calls.
#[derive(Debug)]
pub struct Mailbox<T>(Mutex<Inner<T>>);

#[derive(Debug)]
struct Inner<T> {
    letters: Vec<T>,
    rung: bool,
    reader: Option<Waker>,
}

impl<T> Default for Mailbox<T> {
    fn default() -> Self {
        Self(Mutex::new(Inner { letters: Vec::new(), rung: false, reader: None }))
    }
}

impl<T> Mailbox<T> {
    /// Adds a letter and wakes the reader.
    pub fn push(&self, letter: T) {
        self.wake_after(|inner| inner.letters.push(letter));
    }

    /// Wakes the reader without a letter.
    pub fn ring(&self) {
        self.wake_after(|inner| inner.rung = true);
    }

    fn wake_after(&self, change: impl FnOnce(&mut Inner<T>)) {
        let reader = {
            let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            change(&mut inner);
            inner.reader.take()
        };
        // Outside of the lock: waking may run the reader at once.
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Moves all letters into `into`, which is empty. Ready if there were some or the bell was rung.
    pub fn poll_take(&self, into: &mut Vec<T>, cx: &mut Context<'_>) -> Poll<()> {
        debug_assert!(into.is_empty());
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        mem::swap(&mut inner.letters, into);
        if mem::take(&mut inner.rung) || !into.is_empty() {
            return Poll::Ready(());
        }
        match &mut inner.reader {
            Some(reader) => reader.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

#[cfg(all(test, not(volo_loom)))]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        task::Wake,
    };

    use super::*;

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn many_letters_wake_a_waiting_reader_once() {
        let mailbox = Mailbox::default();
        let count = Arc::new(Count::default());
        let waker = Waker::from(count.clone());
        let mut cx = Context::from_waker(&waker);
        let mut letters = Vec::new();
        assert!(mailbox.poll_take(&mut letters, &mut cx).is_pending());
        mailbox.push(1);
        mailbox.push(2);
        mailbox.ring();
        assert_eq!(count.0.load(Ordering::Relaxed), 1);
        assert!(mailbox.poll_take(&mut letters, &mut cx).is_ready());
        assert_eq!(letters, [1, 2]);
        letters.clear();
        assert!(mailbox.poll_take(&mut letters, &mut cx).is_pending());
        mailbox.ring();
        assert_eq!(count.0.load(Ordering::Relaxed), 2);
        assert!(mailbox.poll_take(&mut letters, &mut cx).is_ready());
        assert!(letters.is_empty());
    }
}
