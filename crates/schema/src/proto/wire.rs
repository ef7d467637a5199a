//! The outer shape of a `FileDescriptorSet`: files as bytes, so that options nobody here knows stay in what reflection serves.

use std::ops::Range;

/// `FileDescriptorSet.file`
const SET_FILE: u32 = 1;
/// `FileDescriptorProto.source_code_info`
const SOURCE_INFO: u32 = 9;
/// `FileDescriptorProto.syntax`
const SYNTAX: u32 = 12;
/// `FileDescriptorProto.edition`
const EDITION: u32 = 14;

const LENGTH_PREFIXED: u64 = 2;

/// A field of a message: its tag, where it lies with it, and where its content lies.
type Piece = (u64, Range<usize>, Range<usize>);

/// The files of a set; none if these bytes are no set.
pub(crate) fn files(set: &[u8]) -> Option<Vec<&[u8]>> {
    let pieces = pieces(set)?;
    let file = u64::from(SET_FILE) << 3 | LENGTH_PREFIXED;
    Some(pieces.into_iter().filter(|(tag, ..)| *tag == file).map(|(_, _, content)| &set[content]).collect())
}

/// A set of files.
pub(crate) fn set<'a>(files: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for file in files {
        put_bytes(&mut out, SET_FILE, file);
    }
    out
}

/// A file without its source info, and, with an edition, of this edition.
pub(crate) fn bare(file: &[u8], edition: Option<i32>) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(file.len());
    for (tag, whole, _) in pieces(file)? {
        let number = u32::try_from(tag >> 3).ok()?;
        let replaced = edition.is_some() && matches!(number, SYNTAX | EDITION);
        if number != SOURCE_INFO && !replaced {
            out.extend_from_slice(&file[whole]);
        }
    }
    if let Some(edition) = edition {
        put_bytes(&mut out, SYNTAX, b"editions");
        put_varint(&mut out, u64::from(EDITION) << 3);
        put_varint(&mut out, edition as u64);
    }
    Some(out)
}

fn pieces(bytes: &[u8]) -> Option<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let tag = varint(bytes, &mut at)?;
        let length = match tag & 7 {
            0 => {
                let begin = at;
                varint(bytes, &mut at)?;
                let length = at - begin;
                at = begin;
                length
            }
            1 => 8,
            LENGTH_PREFIXED => usize::try_from(varint(bytes, &mut at)?).ok()?,
            5 => 4,
            // Nothing of descriptor.proto is a group.
            _ => return None,
        };
        let end = at.checked_add(length).filter(|end| *end <= bytes.len())?;
        pieces.push((tag, start..end, at..end));
        at = end;
    }
    Some(pieces)
}

fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn put_bytes(out: &mut Vec<u8>, number: u32, bytes: &[u8]) {
    put_varint(out, u64::from(number) << 3 | LENGTH_PREFIXED);
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_is_taken_apart_and_put_together() {
        let whole = set([&b"\x0a\x01a"[..], b"", &[0x62; 200]].into_iter());
        assert_eq!(files(&whole), Some(vec![&b"\x0a\x01a"[..], b"", &[0x62; 200]]));
        assert_eq!(files(b"\x08\x01\x0a\x00"), Some(vec![&b""[..]]));
    }

    #[test]
    fn a_file_loses_its_source_info_and_gets_an_edition() {
        let file = b"\x0a\x01a\x4a\x02\x0a\x00\x62\x06proto2\x70\x01";
        assert_eq!(bare(file, None).as_deref(), Some(&b"\x0a\x01a\x62\x06proto2\x70\x01"[..]));
        assert_eq!(bare(file, Some(1000)).as_deref(), Some(&b"\x0a\x01a\x62\x08editions\x70\xe8\x07"[..]));
    }

    #[test]
    fn what_is_cut_off_is_none() {
        for bytes in [
            &b"\x0a"[..],
            b"\x0a\x05abc",
            b"\x80",
            b"\x0b",
            b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x09\x00",
        ] {
            assert_eq!(files(bytes), None, "{bytes:?}");
        }
    }
}
