//! What the isolate's thread and one I/O thread share.

use std::{
    fmt,
    sync::{Arc, OnceLock, PoisonError},
};

use volo_js_transport::{ConnectionKey, Peer, Peers, PoolCounters, PoolStats};

use crate::{
    Batch, Command, Mailbox, Submission, TapeSize,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

/// Wakes the isolate's thread. Called from I/O threads; several calls may come to one.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// Batches kept for reuse.
const SPARE: usize = 2;

#[derive(Debug, Default)]
struct Shelf {
    /// Waits for the isolate.
    full: Option<Batch>,
    /// Empty again.
    spare: Vec<Batch>,
    /// The thread has more and wants to know when `full` is taken.
    asked: bool,
}

/// Both ends of one I/O thread.
pub struct Link {
    mailbox: Mailbox<Command>,
    shelf: Mutex<Shelf>,
    wake: Wake,
    /// Sizes of a batch that serves for most messages.
    standing: TapeSize,
    /// Letters that may make the thread busy: sent, and worked off.
    sent: AtomicU64,
    worked_off: AtomicU64,
    busy: AtomicBool,
    /// A batch lies on the shelf.
    laid: AtomicBool,
    failed: AtomicBool,
    peers: OnceLock<Arc<Peers>>,
    pools: OnceLock<Arc<PoolCounters>>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("busy", &self.busy).field("failed", &self.failed).finish_non_exhaustive()
    }
}

impl Link {
    /// A link whose isolate is woken like this, and whose batches have these sizes unless a message needs more.
    pub fn new(wake: Wake, standing: TapeSize) -> Self {
        Self {
            mailbox: Mailbox::default(),
            shelf: Mutex::default(),
            wake,
            standing,
            sent: AtomicU64::new(0),
            worked_off: AtomicU64::new(0),
            busy: AtomicBool::new(false),
            laid: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            peers: OnceLock::new(),
            pools: OnceLock::new(),
        }
    }

    // ---- the isolate's end ----

    /// Tells the thread something.
    pub fn send(&self, command: Command) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        self.mailbox.push(command);
    }

    /// Gives the thread messages of the tape out.
    pub fn submit(&self, submission: Submission) {
        self.send(Command::Submit(submission));
    }

    /// The batch that waits, if one does. [Give it back](Self::give_back) once it is read.
    pub fn take(&self) -> Option<Batch> {
        let (batch, asked) = {
            let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
            let batch = shelf.full.take()?;
            self.laid.store(false, Ordering::Relaxed);
            (batch, std::mem::take(&mut shelf.asked))
        };
        if asked {
            self.mailbox.ring();
        }
        Some(batch)
    }

    /// A batch that was read, for reuse. One that was made for a message larger than most is not kept.
    pub fn give_back(&self, mut batch: Batch) {
        if batch.size() != self.standing {
            return;
        }
        batch.clear();
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        if shelf.spare.len() < SPARE {
            shelf.spare.push(batch);
        }
    }

    /// Does the thread hold anything that keeps the process alive, has it been told something that may, or has it something to tell?
    pub fn is_busy(&self) -> bool {
        // In this order: the thread lays a batch down and says that it is busy before it says that it has worked a letter off.
        let worked_off = self.worked_off.load(Ordering::Acquire);
        worked_off != self.sent.load(Ordering::Relaxed)
            || self.busy.load(Ordering::Acquire)
            || self.laid.load(Ordering::Acquire)
    }

    /// The thread has ended because of a defect.
    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }

    /// Who is at the other end of a connection of this thread.
    pub fn peer(&self, key: ConnectionKey) -> Option<Peer> {
        self.peers.get()?.get(key)
    }

    /// What TLS has agreed on with the peer of a connection.
    pub fn peer_tls(&self, key: ConnectionKey) -> Option<volo_js_transport::TlsSummary> {
        self.peers.get()?.tls(key)
    }

    /// What is pooled on this thread.
    pub fn pools(&self) -> PoolStats {
        self.pools.get().map(|pools| pools.read()).unwrap_or_default()
    }

    // ---- the thread's end ----

    pub(crate) fn mailbox(&self) -> &Mailbox<Command> {
        &self.mailbox
    }

    pub(crate) fn show(&self, peers: Arc<Peers>, pools: Arc<PoolCounters>) {
        // A thread has one engine, so this is the first and only time.
        let _ = self.peers.set(peers);
        let _ = self.pools.set(pools);
    }

    /// A new batch of the size that serves for most messages.
    pub(crate) fn empty_batch(&self) -> Batch {
        Batch::new(self.standing)
    }

    /// Lays a filled batch on the shelf, and puts an empty one in its place. False if the one before is still there; then the mailbox is rung
    /// when it is taken.
    pub(crate) fn put(&self, batch: &mut Batch) -> bool {
        {
            let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
            if shelf.full.is_some() {
                shelf.asked = true;
                return false;
            }
            let next = shelf.spare.pop().unwrap_or_else(|| self.empty_batch());
            self.laid.store(true, Ordering::Release);
            shelf.full = Some(std::mem::replace(batch, next));
        }
        (self.wake)();
        true
    }

    /// At the end of a turn: is the thread busy, and how many letters has it worked off?
    pub(crate) fn report(&self, busy: bool, worked_off: u64) {
        let was_busy = self.busy.swap(busy, Ordering::AcqRel);
        self.worked_off.fetch_add(worked_off, Ordering::Release);
        if !busy && (was_busy || worked_off > 0) {
            // The isolate may be waiting for nothing else.
            (self.wake)();
        }
    }

    pub(crate) fn fail(&self) {
        self.failed.store(true, Ordering::Release);
        (self.wake)();
    }
}
