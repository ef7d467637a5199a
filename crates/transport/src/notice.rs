//! Messages for JavaScript that no frame carries: failures, endings, events. They wait here until the tape has room.

use bytes::Bytes;
use volo_js_tape::{Full, Header, InTape, Kind, Message};

use crate::{Connectivity, calls::CallId};

/// gRPC's numbers for why a call failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum FailureCode {
    /// The peer gave it up.
    Cancelled = 1,
    /// What the peer answered says nothing that is known.
    Unknown = 2,
    /// The peer does not allow it.
    PermissionDenied = 7,
    /// Beyond a limit of this side.
    ResourceExhausted = 8,
    /// The peer does not know it.
    Unimplemented = 12,
    /// The peer answered with bytes that make no sense.
    Internal = 13,
    /// No connection, or it broke.
    Unavailable = 14,
    /// The peer does not know who calls.
    Unauthenticated = 16,
}

impl FailureCode {
    /// Its name in gRPC.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Cancelled => "CANCELLED",
            Self::Unknown => "UNKNOWN",
            Self::PermissionDenied => "PERMISSION_DENIED",
            Self::ResourceExhausted => "RESOURCE_EXHAUSTED",
            Self::Unimplemented => "UNIMPLEMENTED",
            Self::Internal => "INTERNAL",
            Self::Unavailable => "UNAVAILABLE",
            Self::Unauthenticated => "UNAUTHENTICATED",
        }
    }
}

/// May the peer have processed the request?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Sent {
    /// Certainly not.
    No = 0,
    /// It was written, at least in part.
    Maybe = 1,
    /// It was answered.
    Yes = 2,
}

/// How much an operator should care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum Level {
    /// Something was refused or lost; the server goes on.
    Warn = 1,
    /// Something needs attention.
    Error = 2,
}

#[derive(Debug)]
pub(crate) enum Notice {
    Failure {
        call: CallId,
        owner: u32,
        code: FailureCode,
        sent: Sent,
        message: String,
    },
    /// A oneway call has been written.
    Written {
        call: CallId,
        owner: u32,
    },
    Gone {
        call: CallId,
        owner: u32,
    },
    Closed {
        owner: u32,
    },
    Event {
        owner: u32,
        level: Level,
        text: String,
    },
    /// It has changed whether a client can reach its server.
    State {
        owner: u32,
        state: Connectivity,
    },
    /// A connection is on its way to another server.
    Handed {
        owner: u32,
        socket: u32,
        unread: Bytes,
    },
}

impl Notice {
    /// Lays the notice on the tape.
    pub(crate) fn put(&self, tape: &mut InTape<'_>) -> Result<(), Full> {
        let header =
            |kind, call: CallId, owner| Header { kind, call: call.slot, generation: call.generation, method: 0, owner };
        let none = CallId { slot: 0, generation: 0 };
        match self {
            Self::Failure { call, owner, code, sent, message } => {
                put_text(tape, &header(Kind::Failure, *call, *owner), *code as i32, *sent as i32, message)
            }
            Self::Event { owner, level, text } => {
                put_text(tape, &header(Kind::Event, none, *owner), *level as i32, 0, text)
            }
            Self::Handed { owner, socket, unread } => {
                let mut message = tape.begin(&header(Kind::Handed, none, *owner), usize::MAX)?;
                // As in `put_text`.
                let body = message.alloc(2).map_err(|_| Full)?;
                message.set_i32(body, *socket as i32, 0);
                // Of the slots there are enough, as `begin` was told.
                message.put_bytes(body + 1, unread).map_err(|_| Full)?;
                message.commit();
                Ok(())
            }
            Self::State { owner, state } => {
                let mut message = tape.begin(&header(Kind::State, none, *owner), usize::MAX)?;
                // As in `put_text`.
                let body = message.alloc(1).map_err(|_| Full)?;
                message.set_i32(body, *state as i32, 0);
                message.commit();
                Ok(())
            }
            Self::Written { call, owner } => put_bare(tape, &header(Kind::Reply, *call, *owner)),
            Self::Gone { call, owner } => put_bare(tape, &header(Kind::Gone, *call, *owner)),
            Self::Closed { owner } => put_bare(tape, &header(Kind::Closed, none, *owner)),
        }
    }
}

impl Notice {
    /// Bytes it takes on a tape at most, beside its slots.
    pub(crate) fn size(&self) -> usize {
        match self {
            Self::Failure { message: text, .. } | Self::Event { text, .. } => text.len(),
            Self::Handed { unread, .. } => unread.len(),
            Self::Written { .. } | Self::Gone { .. } | Self::Closed { .. } | Self::State { .. } => 0,
        }
    }
}

fn put_bare(tape: &mut InTape<'_>, header: &Header) -> Result<(), Full> {
    tape.begin(header, usize::MAX)?.commit();
    Ok(())
}

/// Lays a message whose body is two numbers and a text: FAILURE, EXCEPTION, EVENT.
pub(crate) fn put_text(tape: &mut InTape<'_>, header: &Header, low: i32, high: i32, text: &str) -> Result<(), Full> {
    let mut message = tape.begin(header, usize::MAX)?;
    lay_text(&mut message, low, high, text.as_bytes())?;
    message.commit();
    Ok(())
}

/// Lays two numbers and a text.
pub(crate) fn lay_text(message: &mut Message<'_>, low: i32, high: i32, text: &[u8]) -> Result<(), Full> {
    // Without a slot limit the only error is a full tape.
    let body = message.alloc(2).map_err(|_| Full)?;
    message.set_i32(body, low, high);
    message.put_string(body + 1, text)
}
