//! How connections end.

use bytes::{BufMut as _, BytesMut};
use h2::Reason;

use crate::Flood;

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// In order.
    #[error("the connection was closed in order")]
    Done,
    /// The peer sends too much of a kind.
    #[error("{0}")]
    Flood(Flood),
    /// This side found the peer to break the protocol, or the peer says so of this side.
    #[error("{0}")]
    Protocol(String),
    /// The peer is gone.
    #[error("the peer closed the connection")]
    Lost,
}

impl Ended {
    pub(crate) fn of(error: Option<&h2::Error>) -> Self {
        match error {
            None => Self::Done,
            Some(error) if error.is_io() => Self::Lost,
            Some(error) => Self::Protocol(error.to_string()),
        }
    }
}

/// Appends a GOAWAY with words, which `h2` cannot do.
pub(crate) fn put_go_away(output: &mut BytesMut, reason: Reason, debug_data: &str) {
    output.put_uint(8 + debug_data.len() as u64, 3);
    output.put_slice(&[7, 0, 0, 0, 0, 0]);
    // The last stream: all there may have been, for what became of them is not known here.
    output.put_u32(u32::MAX >> 1);
    output.put_u32(reason.into());
    output.put_slice(debug_data.as_bytes());
}
