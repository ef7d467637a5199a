//! Tasks of a thread: how they are counted, woken and made to wait for one another.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    task::{Context, Waker},
};

/// Wakes the one task that listens. It may ring any number of times.
#[derive(Debug, Default)]
pub(crate) struct Bell(RefCell<Option<Waker>>);

impl Bell {
    /// The task of this context wants to hear it.
    pub(crate) fn listen(&self, cx: &Context<'_>) {
        let mut listener = self.0.borrow_mut();
        match &mut *listener {
            Some(listener) => listener.clone_from(cx.waker()),
            none => *none = Some(cx.waker().clone()),
        }
    }

    pub(crate) fn ring(&self) {
        // Waking puts the task into a queue and runs nothing, so the borrow meets no other.
        if let Some(listener) = &*self.0.borrow() {
            listener.wake_by_ref();
        }
    }
}

/// Counts tasks that are not over.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    count: Cell<usize>,
    fewer: Bell,
}

impl Tasks {
    /// One more, until what this gives is dropped.
    pub(crate) fn begin(self: &Rc<Self>) -> Task {
        self.count.set(self.count.get() + 1);
        Task(self.clone())
    }

    /// True once there is none; until then the task of this context is woken whenever one ends.
    pub(crate) fn are_over(&self, cx: &Context<'_>) -> bool {
        self.fewer.listen(cx);
        self.count.get() == 0
    }
}

/// A task that is not over.
#[derive(Debug)]
pub(crate) struct Task(Rc<Tasks>);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.count.set(self.0.count.get() - 1);
        self.0.fewer.ring();
    }
}

/// Lets every task run that can. A task that wakes itself would run again before all others.
pub(crate) async fn let_others_run() {
    monoio::spawn(async {}).await;
}
