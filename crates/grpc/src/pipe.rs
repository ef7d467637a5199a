//! The stream that `h2` believes to be a socket: bytes that have arrived on one side, bytes to be written on the other.

use std::{
    collections::VecDeque,
    io, mem,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll},
};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

#[derive(Debug, Default)]
struct State {
    input: VecDeque<Bytes>,
    /// Bytes of `input` that may be read in this turn.
    allowed: usize,
    ended: bool,
    output: BytesMut,
    /// Length of `output` beyond which writing waits.
    room: usize,
    /// Bytes that were read in this turn.
    read: usize,
    /// Writing has had to wait in this turn.
    blocked: bool,
}

/// What passed while [`PipeEnd::with`] let it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Passed {
    /// Bytes that were read.
    pub read: usize,
    /// Writing had to wait.
    pub blocked: bool,
}

/// `h2`'s end. Nobody is woken through it: its owner turns the connection when there is input, or room for output.
#[derive(Debug)]
pub(crate) struct Pipe(Arc<Mutex<State>>);

/// The owner's end.
#[derive(Debug)]
pub(crate) struct PipeEnd(Arc<Mutex<State>>);

/// Both ends of a new one.
pub(crate) fn pipe() -> (Pipe, PipeEnd) {
    let state = Arc::new(Mutex::default());
    (Pipe(state.clone()), PipeEnd(state))
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PipeEnd {
    pub(crate) fn feed(&self, bytes: Bytes) {
        if !bytes.is_empty() {
            lock(&self.0).input.push_back(bytes);
        }
    }

    pub(crate) fn end(&self) {
        lock(&self.0).ended = true;
    }

    /// Is there anything to read?
    pub(crate) fn has_input(&self) -> bool {
        let state = lock(&self.0);
        !state.input.is_empty() || state.ended
    }

    /// Gives the memory of the queue back, if nothing waits in it.
    pub(crate) fn shrink(&self) {
        let mut state = lock(&self.0);
        if state.input.is_empty() {
            state.input = VecDeque::new();
        }
    }

    /// Lets up to `allowed` bytes be read, and `output` grow until it is about `room` long, while `work` runs.
    pub(crate) fn with<T>(
        &self,
        allowed: usize,
        output: &mut BytesMut,
        room: usize,
        work: impl FnOnce() -> T,
    ) -> (T, Passed) {
        {
            let mut state = lock(&self.0);
            state.allowed = allowed;
            state.room = room;
            state.read = 0;
            state.blocked = false;
            mem::swap(&mut state.output, output);
        }
        let result = work();
        let mut state = lock(&self.0);
        mem::swap(&mut state.output, output);
        state.allowed = 0;
        state.room = 0;
        (result, Passed { read: state.read, blocked: state.blocked })
    }
}

impl AsyncRead for Pipe {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let state = &mut *lock(&self.0);
        let before = into.filled().len();
        while state.allowed > 0
            && into.remaining() > 0
            && let Some(chunk) = state.input.front_mut()
        {
            let count = chunk.len().min(into.remaining()).min(state.allowed);
            into.put_slice(&chunk[..count]);
            chunk.advance(count);
            state.allowed -= count;
            state.read += count;
            if chunk.is_empty() {
                state.input.pop_front();
            }
        }
        if into.filled().len() > before || (state.ended && state.input.is_empty() && state.allowed > 0) {
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let state = &mut *lock(&self.0);
        if state.output.len() >= state.room {
            state.blocked = true;
            return Poll::Pending;
        }
        state.output.extend_from_slice(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
