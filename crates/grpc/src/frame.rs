//! Messages in a stream of bytes: a flag, four bytes of length, the message. "Length-Prefixed-Message" in gRPC over HTTP/2.

use std::mem;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

/// Bytes before a message.
pub const PREFIX: usize = 5;

/// One message as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawMessage {
    /// It is compressed with the stream's `grpc-encoding`.
    pub compressed: bool,
    /// The message.
    pub body: Bytes,
}

/// Why there is no message. Nothing more can be read from the stream then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// It is announced as longer than this side takes.
    #[error("received a message of {length} bytes, the limit is {limit}")]
    TooLarge {
        /// What was announced.
        length: usize,
        /// What is allowed.
        limit: usize,
    },
    /// The flag is neither 0 nor 1.
    #[error("a message has the flag {0}; only 0 and 1 are known")]
    Flag(u8),
    /// The stream ended.
    #[error("the stream ended in the middle of a message")]
    Truncated,
}

/// Cuts a stream of bytes into messages. What arrives whole is not copied.
#[derive(Debug)]
pub struct Assembler {
    limit: usize,
    /// What arrived last, while `rest` is empty.
    chunk: Bytes,
    /// What had to be put together.
    rest: BytesMut,
}

impl Assembler {
    /// For messages of at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { limit, chunk: Bytes::new(), rest: BytesMut::new() }
    }

    /// More bytes of the stream.
    pub fn push(&mut self, data: Bytes) {
        if self.rest.is_empty() && self.chunk.is_empty() {
            self.chunk = data;
            return;
        }
        if !self.chunk.is_empty() {
            let chunk = mem::take(&mut self.chunk);
            self.rest.extend_from_slice(&chunk);
        }
        self.rest.extend_from_slice(&data);
    }

    fn bytes(&self) -> &[u8] {
        if self.rest.is_empty() { &self.chunk } else { &self.rest }
    }

    /// Bytes that are in no message yet.
    pub fn len(&self) -> usize {
        self.bytes().len()
    }

    /// Is nothing there?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Memory that what was put together takes.
    pub fn memory(&self) -> usize {
        self.rest.capacity()
    }

    /// Length of the next message with its prefix, once it is complete.
    ///
    /// # Errors
    /// The flag or the length is not acceptable.
    pub fn complete(&self) -> Result<Option<usize>, FrameError> {
        let Some(&[flag, a, b, c, d]) = self.bytes().first_chunk::<PREFIX>() else { return Ok(None) };
        if flag > 1 {
            return Err(FrameError::Flag(flag));
        }
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length > self.limit {
            return Err(FrameError::TooLarge { length, limit: self.limit });
        }
        Ok(Some(PREFIX + length).filter(|whole| self.len() >= *whole))
    }

    /// The next message, once it is complete.
    ///
    /// # Errors
    /// The flag or the length is not acceptable.
    pub fn take(&mut self) -> Result<Option<RawMessage>, FrameError> {
        let Some(whole) = self.complete()? else { return Ok(None) };
        let mut message =
            if self.rest.is_empty() { self.chunk.split_to(whole) } else { self.rest.split_to(whole).freeze() };
        if self.rest.is_empty() {
            // An empty remainder would hold the memory of all that was put together.
            self.rest = BytesMut::new();
        }
        if self.chunk.is_empty() {
            self.chunk = Bytes::new();
        }
        let compressed = message[0] == 1;
        message.advance(PREFIX);
        Ok(Some(RawMessage { compressed, body: message }))
    }

    /// Forgets what is there.
    pub fn clear(&mut self) {
        self.chunk = Bytes::new();
        self.rest = BytesMut::new();
    }
}

/// Appends the prefix of a message of `length` bytes.
///
/// # Errors
/// The length does not fit the prefix.
pub fn put_prefix(out: &mut BytesMut, compressed: bool, length: usize) -> Result<(), FrameError> {
    let limit = u32::MAX as usize;
    let short = u32::try_from(length).map_err(|_| FrameError::TooLarge { length, limit })?;
    out.put_u8(u8::from(compressed));
    out.put_u32(short);
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(body: &[u8]) -> RawMessage {
        RawMessage { compressed: false, body: Bytes::copy_from_slice(body) }
    }

    #[test]
    fn messages_are_found_wherever_they_are_cut() {
        type Row = (&'static [u8], Result<Option<RawMessage>, FrameError>);
        let table: [Row; 9] = [
            (b"", Ok(None)),
            (b"\0\0\0\0", Ok(None)),
            (b"\0\0\0\0\0", Ok(Some(message(b"")))),
            (b"\0\0\0\0\x03ab", Ok(None)),
            (b"\0\0\0\0\x03abc", Ok(Some(message(b"abc")))),
            (b"\x01\0\0\0\x01a", Ok(Some(RawMessage { compressed: true, body: Bytes::from_static(b"a") }))),
            (b"\x02\0\0\0\x01a", Err(FrameError::Flag(2))),
            (b"\0\0\0\0\x0b", Err(FrameError::TooLarge { length: 11, limit: 10 })),
            (b"\0\xff\xff\xff\xff", Err(FrameError::TooLarge { length: u32::MAX as usize, limit: 10 })),
        ];
        for (bytes, expected) in table {
            let mut assembler = Assembler::new(10);
            assembler.push(Bytes::from_static(bytes));
            assert_eq!(assembler.take(), expected, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn any_cut_gives_the_same_messages(
            bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..12),
            cuts in proptest::collection::vec(1_usize..30, 1..20),
            lazy in any::<bool>(),
        ) {
            let mut stream = BytesMut::new();
            for body in &bodies {
                put_prefix(&mut stream, false, body.len()).unwrap();
                stream.extend_from_slice(body);
            }
            let mut stream = stream.freeze();
            let mut assembler = Assembler::new(40);
            let mut got = Vec::new();
            let mut cuts = cuts.iter().cycle();
            while !stream.is_empty() {
                let cut = (*cuts.next().unwrap()).min(stream.len());
                assembler.push(stream.split_to(cut));
                while !lazy && let Some(message) = assembler.take().unwrap() {
                    got.push(message.body.to_vec());
                }
            }
            while let Some(message) = assembler.take().unwrap() {
                got.push(message.body.to_vec());
            }
            prop_assert_eq!(got, bodies);
            prop_assert!(assembler.is_empty());
        }
    }
}
