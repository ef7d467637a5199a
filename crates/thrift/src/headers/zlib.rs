//! `THeader`'s transform 1: the message in zlib's format (RFC 1950).

use std::io::{Read as _, Write as _};

use bytes::{BufMut as _, Bytes, BytesMut};
use flate2::Compression;
use flate2::bufread::ZlibDecoder;
use flate2::write::ZlibEncoder;

use crate::error::FrameError;

/// What decompression reserves at first. More follows what comes out.
const PIECE: usize = 16 << 10;

/// Appends a message, compressed.
pub(super) fn compress(message: &[u8], out: &mut BytesMut) -> std::io::Result<()> {
    let mut encoder = ZlibEncoder::new(out.writer(), Compression::fast());
    encoder.write_all(message)?;
    encoder.finish()?;
    Ok(())
}

/// A message as it was, up to `limit` bytes.
pub(super) fn decompress(compressed: &[u8], limit: usize) -> Result<Bytes, FrameError> {
    let mut decoder = ZlibDecoder::new(compressed);
    let mut message = Vec::with_capacity(PIECE.min(limit + 1));
    // One byte more shows that there are more.
    let read = (&mut decoder).take(limit as u64 + 1).read_to_end(&mut message);
    read.map_err(|_| FrameError::Malformed("it is no valid zlib"))?;
    if message.len() > limit {
        return Err(FrameError::TooLarge { size: message.len(), limit });
    }
    if !decoder.into_inner().is_empty() {
        return Err(FrameError::Malformed("bytes follow the end of its zlib"));
    }
    Ok(message.into())
}
