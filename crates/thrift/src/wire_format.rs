//! How a message is written, and what frames it.

use crate::detect::LENGTH;

/// How a message and its struct are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Protocol {
    /// Thrift's binary protocol, strict: a message begins with a version.
    #[default]
    Binary,
    /// The binary protocol with the old head, which begins with the length of the name and has no version. Structs are the same.
    BinaryNonStrict,
    /// Thrift's compact protocol (`TCompactProtocol`, version 1).
    Compact,
    /// Apache's JSON protocol (`TJSONProtocol`, version 1).
    Json,
}

/// How messages follow each other on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Transport {
    /// One message right behind the other (`TBufferedTransport`); only its content tells where a message ends.
    Buffered,
    /// Four bytes of length before every message (`TFramedTransport`).
    #[default]
    Framed,
    /// ByteDance's TTHeader: a length, a header that names protocol, caller, callee and more, the message.
    TtHeader,
    /// TTHeader whose message has a length of its own in front.
    TtHeaderFramed,
    /// Apache's and fbthrift's `THeader`: a length, a header that names protocol, transforms and key-values, the message.
    Header,
    /// THeader's frame in a frame (`THeaderTransport` over `TFramedTransport`): a length in front of all that.
    HeaderFramed,
}

/// What is spoken on a connection. The default is the framed binary protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Wire {
    /// What frames a message.
    pub transport: Transport,
    /// How the message is written.
    pub protocol: Protocol,
}

impl Wire {
    /// A transport and a protocol.
    #[inline]
    pub const fn new(transport: Transport, protocol: Protocol) -> Self {
        Self { transport, protocol }
    }

    /// What stands behind the header of a transport that has one: the same protocol, framed where the message has a length of
    /// its own. A wire without a header is its own.
    #[inline]
    #[must_use]
    pub const fn inner(self) -> Self {
        let transport = match self.transport {
            Transport::Framed | Transport::TtHeaderFramed => Transport::Framed,
            Transport::Buffered | Transport::TtHeader | Transport::Header | Transport::HeaderFramed => {
                Transport::Buffered
            }
        };
        Self { transport, protocol: self.protocol }
    }

    /// Whether headers travel with its messages.
    #[inline]
    pub const fn has_headers(self) -> bool {
        !matches!(self.transport, Transport::Buffered | Transport::Framed)
    }

    /// Bytes of length in front of the frame that headers have by themselves.
    #[inline]
    pub(crate) const fn outer_length(self) -> usize {
        if matches!(self.transport, Transport::HeaderFramed) { LENGTH } else { 0 }
    }

    /// Whether four bytes of length stand right before the message.
    #[inline]
    pub(crate) const fn has_length(self) -> bool {
        matches!(self.transport, Transport::Framed | Transport::TtHeaderFramed)
    }
}

#[cfg(test)]
mod tests {
    use super::{Protocol, Transport, Wire};

    #[test]
    fn what_stands_behind_a_header() {
        for (outer, inner) in [
            (Transport::Buffered, Transport::Buffered),
            (Transport::Framed, Transport::Framed),
            (Transport::TtHeader, Transport::Buffered),
            (Transport::TtHeaderFramed, Transport::Framed),
            (Transport::Header, Transport::Buffered),
            (Transport::HeaderFramed, Transport::Buffered),
        ] {
            let wire = Wire::new(outer, Protocol::Compact);
            assert_eq!(wire.inner(), Wire::new(inner, Protocol::Compact));
        }
    }
}
