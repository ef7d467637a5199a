//! Output that is not all in one place: bytes of the protocol, and between them arrays of JavaScript that are lent for as long as a submission takes.

use std::io::IoSlice;

use bytes::{BufMut as _, BytesMut};
use volo_js_tape::Gap;

use crate::{
    ConnectionId, Engine,
    connection::{Connection, Role},
    owners::Owner,
};

/// Bytes that stand in these gaps.
pub(crate) fn lent(gaps: &[Gap]) -> usize {
    gaps.iter().map(|gap| gap.len).sum()
}

/// What is to be written, in order: pieces of `out`, and arrays where there are gaps.
fn pieces<'a>(out: &'a [u8], gaps: &'a [Gap], arrays: &'a [&'a [u8]]) -> impl Iterator<Item = &'a [u8]> {
    let ends = gaps.iter().map(|gap| gap.at).chain([out.len()]);
    let begins = [0].into_iter().chain(gaps.iter().map(|gap| gap.at));
    let filling = gaps.iter().map(|gap| arrays.get(gap.array as usize).copied().unwrap_or_default());
    let between = begins.zip(ends).map(|(begin, end)| out.get(begin..end).unwrap_or_default());
    between.zip(filling.chain([&[][..]])).flat_map(|(piece, array)| [piece, array]).filter(|piece| !piece.is_empty())
}

/// The same in one place, but for the first `written` bytes.
fn filled(out: &[u8], gaps: &[Gap], arrays: &[&[u8]], written: usize) -> BytesMut {
    let total = out.len() + lent(gaps);
    let mut whole = BytesMut::with_capacity(total - written.min(total));
    let mut skip = written;
    for piece in pieces(out, gaps, arrays) {
        let skipped = skip.min(piece.len());
        skip -= skipped;
        whole.put_slice(&piece[skipped..]);
    }
    whole
}

/// Copies the arrays to where they are to stand.
pub(crate) fn fill(out: &mut BytesMut, gaps: &mut Vec<Gap>, arrays: &[&[u8]]) {
    if !gaps.is_empty() {
        *out = filled(out, gaps, arrays, 0);
        gaps.clear();
    }
}

impl Connection {
    /// May output be left in several places until the submission is over?
    pub(crate) fn may_lend(&self) -> bool {
        let is_plain = self.tls.is_none() && self.memory_peer.is_none() && self.http2.is_none();
        is_plain && !self.blocked && !matches!(self.role, Role::Client { connected: false, .. })
    }

    /// Bytes of output that stand in gaps.
    pub(crate) fn lent(&self) -> usize {
        lent(&self.gaps)
    }
}

impl Engine {
    /// Whether the reactor writes what connections have in several places, see [`Engine::next_gapped`]. Where it does not, everything is copied to one.
    pub fn set_lends(&mut self, lends: bool) {
        self.lends = lends;
    }

    /// Notes gaps that were left in the output of a connection, before which it had `before` bytes.
    pub(crate) fn note_gaps(&mut self, id: ConnectionId, before: usize, gaps: Vec<Gap>) {
        let connection = &mut self.connections[id as usize];
        if connection.gaps.is_empty() {
            self.gapped.push(id);
        }
        connection.gaps.extend(gaps.into_iter().map(|gap| Gap { at: before + gap.at, ..gap }));
    }

    /// A connection with output in several places. Its [`Engine::pieces`] are to be written at once, and [`Engine::wrote_pieces`] told.
    pub fn next_gapped(&mut self) -> Option<ConnectionId> {
        loop {
            let id = self.gapped.pop()?;
            if self.connections.get(id as usize).is_some_and(|connection| !connection.gaps.is_empty()) {
                return Some(id);
            }
        }
    }

    /// What is to be written on a connection that has gaps, given the arrays of the tape that left them.
    pub fn pieces<'a>(&'a self, id: ConnectionId, arrays: &'a [&'a [u8]]) -> Vec<IoSlice<'a>> {
        let Some(connection) = self.connections.get(id as usize) else { return Vec::new() };
        pieces(&connection.out, &connection.gaps, arrays).map(IoSlice::new).collect()
    }

    /// `count` bytes of the pieces have been written. What is left is copied to one place: JavaScript may change its arrays from now on.
    pub fn wrote_pieces(&mut self, id: ConnectionId, count: usize, arrays: &[&[u8]]) {
        let Some(connection) = self.connections.get_mut(id as usize) else { return };
        let rest = filled(&connection.out, &connection.gaps, arrays, count);
        connection.gaps.clear();
        self.buffers.release(&mut connection.out);
        connection.out = rest;
        connection.out_share.note(connection.out.capacity());
        self.written(id, count);
        let Some(connection) = self.connections.get(id as usize) else { return };
        if let Owner::Server(server) = &self.owners[connection.owner as usize]
            && connection.unwritten() > server.options.max_unwritten
            && !connection.paused
        {
            self.pause(id);
        }
    }

    /// Copies everything to one place where pieces cannot be written.
    pub(crate) fn fill_gaps(&mut self, id: ConnectionId, arrays: &[&[u8]]) {
        let Some(connection) = self.connections.get_mut(id as usize) else { return };
        fill(&mut connection.out, &mut connection.gaps, arrays);
        connection.out_share.note(connection.out.capacity());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARRAYS: [&[u8]; 2] = [b"AAAA", b"B"];

    fn gap(at: usize, array: u32) -> Gap {
        Gap { at, array, len: ARRAYS[array as usize].len() }
    }

    #[test]
    fn what_is_left_begins_where_writing_has_stopped() {
        let cases: [(&[Gap], &[u8]); 5] = [
            (&[], b"abcdef"),
            (&[gap(0, 0)], b"AAAAabcdef"),
            (&[gap(6, 1)], b"abcdefB"),
            (&[gap(2, 0), gap(2, 1)], b"abAAAABcdef"),
            (&[gap(1, 1), gap(4, 0), gap(6, 1)], b"aBbcdAAAAefB"),
        ];
        for (gaps, whole) in cases {
            assert_eq!(pieces(b"abcdef", gaps, &ARRAYS).collect::<Vec<_>>().concat(), whole);
            assert!(pieces(b"abcdef", gaps, &ARRAYS).all(|piece| !piece.is_empty()));
            for written in 0..=whole.len() {
                assert_eq!(filled(b"abcdef", gaps, &ARRAYS, written), &whole[written..]);
            }
            let (mut out, mut left) = (BytesMut::from(&b"abcdef"[..]), gaps.to_vec());
            fill(&mut out, &mut left, &ARRAYS);
            assert_eq!((&out[..], left.len()), (whole, 0));
        }
    }
}
