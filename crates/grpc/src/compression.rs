//! Messages made smaller: gzip (RFC 1952), deflate (which is zlib's format, RFC 1950, as in HTTP) and zstd (RFC 8878).

use std::io::{self, Read, Write};

use bytes::{BufMut as _, Bytes, BytesMut};
use flate2::{
    Compression,
    bufread::{MultiGzDecoder, ZlibDecoder},
    write::{GzEncoder, ZlibEncoder},
};

use crate::Encoding;

/// What decompression may reserve at once: an announced size is not believed.
const PIECE: usize = 16 << 10;
/// zstd's frames may ask for a window of this many bytes at most, as a power of two (8 MiB). RFC 8878, 3.1.1.1.2.
const ZSTD_WINDOW: u32 = 23;

/// Why a message cannot be made large again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompressionError {
    /// It would be larger than this side takes.
    #[error("a message is larger than {0} bytes when it is decompressed")]
    TooLarge(usize),
    /// It is not what its encoding says.
    #[error("a message is no valid {}: {reason}", encoding.name())]
    Malformed {
        /// The encoding.
        encoding: Encoding,
        /// What is wrong.
        reason: String,
    },
}

/// Appends a message, compressed.
///
/// # Errors
/// The compressor has no memory.
pub fn compress(encoding: Encoding, message: &[u8], out: &mut BytesMut) -> io::Result<()> {
    let writer = out.writer();
    match encoding {
        Encoding::Gzip => {
            let mut encoder = GzEncoder::new(writer, Compression::fast());
            encoder.write_all(message)?;
            encoder.finish()?;
        }
        Encoding::Deflate => {
            let mut encoder = ZlibEncoder::new(writer, Compression::fast());
            encoder.write_all(message)?;
            encoder.finish()?;
        }
        Encoding::Zstd => {
            let mut encoder = zstd::stream::write::Encoder::new(writer, zstd::DEFAULT_COMPRESSION_LEVEL)?;
            encoder.set_pledged_src_size(Some(message.len() as u64))?;
            encoder.write_all(message)?;
            encoder.finish()?;
        }
    }
    Ok(())
}

/// Makes a message large again, up to `limit` bytes. Memory grows with what comes out, never with what is announced.
///
/// # Errors
/// It is larger, or no such thing.
pub fn decompress(encoding: Encoding, message: &[u8], limit: usize) -> Result<Bytes, CompressionError> {
    let malformed = |error: io::Error| CompressionError::Malformed { encoding, reason: error.to_string() };
    match encoding {
        Encoding::Gzip => read_all(MultiGzDecoder::new(message), encoding, limit),
        Encoding::Deflate => {
            let mut decoder = ZlibDecoder::new(message);
            let all = read_all(&mut decoder, encoding, limit)?;
            if decoder.into_inner().is_empty() {
                return Ok(all);
            }
            Err(malformed(io::Error::other("bytes follow its end")))
        }
        Encoding::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(message).map_err(malformed)?;
            decoder.window_log_max(ZSTD_WINDOW).map_err(malformed)?;
            read_all(decoder, encoding, limit)
        }
    }
}

fn read_all(mut from: impl Read, encoding: Encoding, limit: usize) -> Result<Bytes, CompressionError> {
    let mut all = BytesMut::new();
    loop {
        let before = all.len();
        let piece = PIECE.max(before).min(limit - before + 1);
        all.resize(before + piece, 0);
        let mut end = before;
        while end < all.len() {
            match from.read(&mut all[end..]) {
                Ok(0) => {
                    all.truncate(end);
                    return Ok(all.freeze());
                }
                Ok(count) => end += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(CompressionError::Malformed { encoding, reason: error.to_string() }),
            }
        }
        if end > limit {
            return Err(CompressionError::TooLarge(limit));
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_is_made_small_can_be_made_large_up_to_the_limit() {
        for encoding in Encoding::ALL {
            for size in [0, 1, 1000, PIECE, 100_000] {
                let message: Vec<u8> = (0..size).map(|n| (n % 251) as u8).collect();
                let mut small = BytesMut::new();
                compress(encoding, &message, &mut small).unwrap();
                assert_eq!(decompress(encoding, &small, size).unwrap(), message, "{encoding:?} {size}");
                if size > 0 {
                    assert_eq!(decompress(encoding, &small, size - 1), Err(CompressionError::TooLarge(size - 1)));
                    assert!(decompress(encoding, &small[..small.len() - 1], size).is_err(), "{encoding:?} cut");
                }
            }
        }
    }

    #[test]
    fn a_bomb_ends_at_the_limit() {
        for encoding in Encoding::ALL {
            let mut small = BytesMut::new();
            compress(encoding, &vec![0; 16 << 20], &mut small).unwrap();
            assert!(small.len() < 1 << 20, "{encoding:?}: {}", small.len());
            assert_eq!(decompress(encoding, &small, 4 << 20), Err(CompressionError::TooLarge(4 << 20)));
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for encoding in Encoding::ALL {
            for bytes in [&b"no such thing"[..], &[0; 40], &[0xff; 3]] {
                assert!(decompress(encoding, bytes, 1000).is_err(), "{encoding:?} {bytes:?}");
            }
        }
    }
}
