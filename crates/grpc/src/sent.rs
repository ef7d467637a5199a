//! Follows what is written: was there anything of a stream in it?

const HEADER: usize = 9;
const DATA: u8 = 0;
const HEADERS: u8 = 1;

/// Follows one direction of a connection, in pieces of any size.
#[derive(Debug)]
pub(crate) struct Sent {
    /// Bytes to pass over: a preface, a payload.
    skip: usize,
    header: [u8; HEADER],
    have: usize,
}

impl Sent {
    /// `preface`: so many bytes come before the first frame.
    pub(crate) fn new(preface: usize) -> Self {
        Self { skip: preface, header: [0; HEADER], have: 0 }
    }

    /// More bytes are written. True if a frame of data or headers begins in them, which makes a peer measure how long they take.
    pub(crate) fn wrote(&mut self, mut bytes: &[u8]) -> bool {
        let mut found = false;
        while !bytes.is_empty() {
            let skipped = self.skip.min(bytes.len());
            self.skip -= skipped;
            bytes = &bytes[skipped..];
            let count = (HEADER - self.have).min(bytes.len());
            self.header[self.have..self.have + count].copy_from_slice(&bytes[..count]);
            self.have += count;
            bytes = &bytes[count..];
            if self.have == HEADER {
                let [a, b, c, kind, ..] = self.header;
                self.skip = u32::from_be_bytes([0, a, b, c]) as usize;
                self.have = 0;
                found |= kind == DATA || kind == HEADERS;
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, length: u8) -> Vec<u8> {
        let mut frame = vec![0, 0, length, kind, 0, 0, 0, 0, 1];
        frame.resize(HEADER + usize::from(length), 0);
        frame
    }

    #[test]
    fn frames_of_streams_are_found_in_pieces_of_any_size() {
        let (ping, data, settings) = (frame(6, 8), frame(DATA, 100), frame(4, 0));
        let control = [&settings[..], &ping, &ping].concat();
        let mixed = [&ping[..], &data, &settings].concat();
        for piece in 1..200 {
            let mut sent = Sent::new(24);
            assert!(!sent.wrote(&[0; 24]));
            assert!(!control.chunks(piece).any(|bytes| sent.wrote(bytes)), "in pieces of {piece}");
            assert_eq!(mixed.chunks(piece).filter(|bytes| sent.wrote(bytes)).count(), 1, "in pieces of {piece}");
            assert!(!sent.wrote(&control), "in pieces of {piece}");
        }
    }
}
