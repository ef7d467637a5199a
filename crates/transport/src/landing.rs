//! Large messages are received into memory of their own, whose binaries JavaScript then sees without a copy.
//!
//! A reactor that can receive into any memory asks where the next bytes of a connection are to go, and tells when they are there. What a message
//! announces is only taken for true where little is lost if it is not.

use std::fmt;

use bytes::Bytes;
use volo_js_tape::{InTape, LARGE};

use crate::{ConnectionId, Engine, connection::Connection, engine::Next, incoming::Incoming, owners::Owner};

/// Messages up to this size get their memory as soon as they announce it, larger ones when a part has come.
const AT_ONCE: usize = (1 << 20) + (64 << 10);
/// That part of them.
const PART: usize = 4;
/// Bytes of all memory that one engine's messages are received into.
const MOST: usize = 64 << 20;

/// Memory that somebody else can see as well, once the message in it is whole.
pub trait Memory: AsRef<[u8]> + AsMut<[u8]> + Send {
    /// What it is called on the tape.
    fn number(&self) -> u32;
}

/// Gives memory of so many bytes, whatever is in them. None if there is none.
pub type Lender = Box<dyn FnMut(usize) -> Option<Box<dyn Memory>>>;

/// A message, being received into its memory.
pub(crate) struct Landing {
    memory: Box<dyn Memory>,
    filled: usize,
    /// The message is as large as its memory; before, it was only expected to be.
    is_certain: bool,
}

impl fmt::Debug for Landing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Landing").field("len", &self.len()).field("filled", &self.filled).finish_non_exhaustive()
    }
}

impl Landing {
    /// Bytes of its memory.
    pub(crate) fn len(&self) -> usize {
        self.memory.as_ref().as_ref().len()
    }

    /// What has come.
    pub(crate) fn received(&self) -> &[u8] {
        &self.memory.as_ref().as_ref()[..self.filled]
    }
}

/// What [`Bytes`] are made of.
struct Landed(Box<dyn Memory>);

impl AsRef<[u8]> for Landed {
    fn as_ref(&self) -> &[u8] {
        self.0.as_ref().as_ref()
    }
}

impl Engine {
    /// From now on large messages are received into memory of this lender's; see [`Engine::landing`].
    pub fn set_lender(&mut self, lender: Lender) {
        self.lender = Some(lender);
    }

    /// Where the next bytes of a connection are to be received, if its message has memory of its own. [`Engine::landed`] is told how many they are,
    /// even if there were none.
    pub fn landing(&mut self, id: ConnectionId) -> Option<&mut [u8]> {
        let connection = self.connections.get_mut(id as usize)?;
        if connection.landing.is_none() {
            if connection.expects == 0 || connection.has_input() || self.landing_bytes + connection.expects > MOST {
                return None;
            }
            if let Owner::Server(server) = &self.owners[connection.owner as usize]
                && !connection.share.resize(connection.expects, server.options.memory_budget)
            {
                return None;
            }
            let Some(memory) = self.lender.as_mut().and_then(|lend| lend(connection.expects)) else {
                connection.share.resize(0, usize::MAX);
                return None;
            };
            self.landing_bytes += connection.expects;
            connection.landing = Some(Box::new(Landing { memory, filled: 0, is_certain: false }));
        }
        let landing = connection.landing.as_mut()?;
        let filled = landing.filled;
        landing.memory.as_mut().as_mut().get_mut(filled..)
    }

    /// `count` bytes have come where [`Engine::landing`] said.
    pub fn landed(&mut self, id: ConnectionId, count: usize, tape: &mut InTape<'_>) {
        self.note_received(id, count);
        self.filled(id, count, tape);
    }

    /// Bytes of a message that has memory of its own have come elsewhere. What is left of them are the beginning of the next message, or all of them
    /// if there is no such message.
    pub(crate) fn fill_landing(&mut self, id: ConnectionId, chunk: &mut Bytes, tape: &mut InTape<'_>) {
        while !chunk.is_empty()
            && let Some(landing) = self.connections.get_mut(id as usize).and_then(|found| found.landing.as_mut())
        {
            let room = &mut landing.memory.as_mut().as_mut()[landing.filled..];
            let piece = chunk.split_to(room.len().min(chunk.len()));
            room[..piece.len()].copy_from_slice(&piece);
            self.filled(id, piece.len(), tape);
        }
    }

    /// `count` more bytes of a message lie in its memory.
    fn filled(&mut self, id: ConnectionId, count: usize, tape: &mut InTape<'_>) {
        let Some(connection) = self.connections.get_mut(id as usize) else { return };
        let Some(mut landing) = connection.landing.take() else { return };
        landing.filled += count;
        if landing.filled == 0 {
            self.landing_bytes -= landing.len();
            connection.share.resize(0, usize::MAX);
            return;
        }
        if landing.filled < landing.len() {
            let is_as_expected = landing.is_certain || {
                let received = landing.received();
                match connection.reader.next(received) {
                    Ok(None) => connection.reader.announced(received).is_none_or(|total| total == landing.len()),
                    // A smaller one. What is wrong with it will be found again.
                    Ok(Some(_)) | Err(_) => false,
                }
            };
            if is_as_expected {
                connection.landing = Some(landing);
                return self.settle(id);
            }
        }
        self.landing_bytes -= landing.len();
        connection.share.resize(0, usize::MAX);
        connection.frame_since = None;
        let len = landing.len();
        if landing.filled == len
            && let Ok(Some(frame)) = connection.reader.next(landing.received())
            && frame.total() == len
        {
            connection.consumed();
            connection.expects = len;
            let number = landing.memory.number();
            let whole = Bytes::from_owner(Landed(landing.memory));
            if !matches!(self.message(id, Incoming::new(whole, Some(number), frame), tape), Next::Over) {
                self.settle(id);
            }
            return;
        }
        connection.expects = 0;
        let received = Bytes::copy_from_slice(landing.received());
        self.receive_thrift(id, received, tape);
    }

    /// Receives the rest of a message into memory of its own. False if it has none, and nothing is done.
    pub(crate) fn land(&mut self, id: ConnectionId, begin: &[u8]) -> bool {
        let connection = &mut self.connections[id as usize];
        let may = connection.unread.is_empty() && connection.tls.is_none() && connection.memory_peer.is_none();
        let Some(lender) = self.lender.as_mut().filter(|_| may) else { return false };
        let Some(total) = connection.reader.announced(begin).filter(|total| *total >= LARGE && *total > begin.len())
        else {
            return false;
        };
        if (total > AT_ONCE && begin.len() < total / PART) || self.landing_bytes + total > MOST {
            return false;
        }
        if let Owner::Server(server) = &self.owners[connection.owner as usize]
            && !connection.share.resize(total, server.options.memory_budget)
        {
            // Whoever keeps the bytes finds that there is no room for them.
            return false;
        }
        let Some(mut memory) = lender(total) else {
            connection.share.resize(0, usize::MAX);
            return false;
        };
        memory.as_mut().as_mut()[..begin.len()].copy_from_slice(begin);
        self.landing_bytes += total;
        connection.landing = Some(Box::new(Landing { memory, filled: begin.len(), is_certain: true }));
        true
    }

    /// The same for what a connection has kept.
    pub(crate) fn land_unread(&mut self, id: ConnectionId) {
        if self.lender.is_none() || self.connections[id as usize].unread.len() < LARGE / PART {
            return;
        }
        let unread = std::mem::take(&mut self.connections[id as usize].unread);
        let landed = self.land(id, &unread);
        let connection = &mut self.connections[id as usize];
        connection.unread = unread;
        if landed {
            self.buffers.release(&mut connection.unread);
        }
    }

    /// Gives the memory back that a connection's message was to be received into.
    pub(crate) fn take_landing(&mut self, connection: &mut Connection) {
        if let Some(landing) = connection.landing.take() {
            self.landing_bytes -= landing.len();
        }
    }
}
