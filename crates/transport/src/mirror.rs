//! Answers look like what they answer.

use bytes::{Bytes, BytesMut};
use volo_js_grpc::StreamKey;
use volo_js_thrift::{EncodeError, Headers, Ints, Strings, Transport, Wire, begin_frame, end_frame};

use crate::header_text::OUT_OF_ORDER;

/// What an answer repeats of its request: wire, sequence ids, and of headers the flags and the compression.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Mirror {
    pub wire: Wire,
    /// Of the message.
    pub sequence: i32,
    header_sequence: i32,
    flags: u16,
    pub zlib: bool,
    /// Who has asked takes answers in any order.
    pub out_of_order: bool,
}

impl Mirror {
    pub(crate) fn new(wire: Wire, sequence: i32, headers: Option<&Headers<'_>>) -> Self {
        let Some(headers) = headers else { return Self { wire, sequence, ..Self::default() } };
        let is_tt_header = matches!(wire.transport, Transport::TtHeader | Transport::TtHeaderFramed);
        let Headers { sequence: header_sequence, flags, zlib, .. } = headers.answer();
        Self {
            wire,
            sequence,
            header_sequence,
            flags,
            zlib,
            out_of_order: is_tt_header && headers.flags & OUT_OF_ORDER != 0,
        }
    }

    /// Of a call of gRPC, whose answer goes to its stream.
    pub(crate) fn of_stream(stream: StreamKey) -> Self {
        Self { sequence: stream as i32, ..Self::default() }
    }

    /// The stream of a call of gRPC.
    pub(crate) fn stream(self) -> StreamKey {
        self.sequence as StreamKey
    }

    /// Appends an answer that `write` writes, framed as its request was. On an error `out` is as before.
    #[inline]
    pub(crate) fn frame(
        self,
        strings: &[(Bytes, Bytes)],
        out: &mut BytesMut,
        write: impl FnOnce(Wire, &mut BytesMut) -> Result<usize, EncodeError>,
    ) -> Result<(), EncodeError> {
        if !self.wire.has_headers() {
            return write(self.wire, out).map(drop);
        }
        self.frame_with(Ints::default(), in_place(strings), out, write)
    }

    /// The same with values by number, too, which only TTHeader has.
    #[inline]
    pub(crate) fn frame_with(
        self,
        ints: Ints<'_>,
        strings: Strings<'_>,
        out: &mut BytesMut,
        write: impl FnOnce(Wire, &mut BytesMut) -> Result<usize, EncodeError>,
    ) -> Result<(), EncodeError> {
        if !self.wire.has_headers() {
            return write(self.wire, out).map(drop);
        }
        let Self { header_sequence: sequence, flags, zlib, .. } = self;
        let headers = Headers { sequence, flags, zlib, ints, strings, token: None };
        put_with_headers(self.wire, &headers, out, write)
    }
}

/// Strings without their ownership.
#[inline]
pub(crate) fn in_place(strings: &[(Bytes, Bytes)]) -> Strings<'_> {
    strings.iter().map(|(name, value)| (&name[..], &value[..])).collect()
}

/// Appends a message that `write` writes, with headers in front; it tells how many bytes of it are lent, and so not in `out`. On an error `out`
/// is as before.
pub(crate) fn put_with_headers(
    wire: Wire,
    headers: &Headers<'_>,
    out: &mut BytesMut,
    write: impl FnOnce(Wire, &mut BytesMut) -> Result<usize, EncodeError>,
) -> Result<(), EncodeError> {
    let start = out.len();
    let mark = begin_frame(wire, headers, out)?;
    match write(wire.inner(), out) {
        Ok(lent) => end_frame(mark, lent, out),
        Err(error) => {
            out.truncate(start);
            Err(error)
        }
    }
}
