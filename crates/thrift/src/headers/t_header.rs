//! Apache's and fbthrift's `THeader` (Apache Thrift, `doc/specs/HeaderFormat.md`).
//!
//! All numbers are varints of 32 bits: protocol id, number of transforms, their ids; then infos, each with an id: key-values,
//! their number in front. An info of another kind ends them, and so does padding, zeros up to a multiple of four.

use bytes::{Buf as _, BufMut as _, BytesMut};

use super::{CUT_SHORT, Headers, Start, TOO_LARGE, check_count, take};
use crate::error::FrameError;
use crate::wire_format::Protocol;

pub(crate) const MAGIC: u16 = 0x0FFF;

// Ids of protocols (`TProtocolTypes.h`).
const BINARY: u32 = 0;
const JSON: u32 = 1;
const COMPACT: u32 = 2;

// Ids of transforms.
const NONE: u32 = 0;
const ZLIB: u32 = 1;
const HMAC: u32 = 2;
const SNAPPY: u32 = 3;

/// Id of key-values, the one kind of info there is.
const KEY_VALUES: u32 = 1;

fn id(protocol: Protocol) -> u32 {
    match protocol {
        Protocol::Binary | Protocol::BinaryNonStrict => BINARY,
        Protocol::Compact => COMPACT,
        Protocol::Json => JSON,
    }
}

/// The protocol of a message, by what frames it. Where it may be the one that is expected, it is.
pub(super) fn protocol(framing: &[u8], expected: Option<Protocol>) -> Result<Protocol, FrameError> {
    let mut block = framing.get(Start::LEN..).ok_or(FrameError::Malformed(CUT_SHORT))?;
    let found = varint(&mut block)?;
    if let Some(expected) = expected.filter(|expected| id(*expected) == found) {
        return Ok(expected);
    }
    match found {
        BINARY => Ok(Protocol::Binary),
        JSON => Ok(Protocol::Json),
        COMPACT => Ok(Protocol::Compact),
        _ => Err(FrameError::Unsupported("a protocol of THeader that is neither binary nor compact nor JSON")),
    }
}

/// Reads the headers' content.
pub(super) fn read<'a>(mut block: &'a [u8], headers: &mut Headers<'a>) -> Result<(), FrameError> {
    varint(&mut block)?;
    for _ in 0..varint(&mut block)? {
        match varint(&mut block)? {
            NONE => {}
            // Once more would make nothing smaller, but cost as much again.
            ZLIB if headers.zlib => return Err(FrameError::Unsupported("zlib twice in THeader")),
            ZLIB => headers.zlib = true,
            HMAC => return Err(FrameError::Unsupported("HMAC in THeader")),
            SNAPPY => return Err(FrameError::Unsupported("Snappy in THeader")),
            _ => return Err(FrameError::Unsupported("a transform of THeader other than zlib")),
        }
    }
    while !block.is_empty() && varint(&mut block)? == KEY_VALUES {
        let count = varint(&mut block)? as usize;
        // Two lengths each at least.
        if count > block.len() / 2 {
            return Err(FrameError::Malformed(CUT_SHORT));
        }
        check_count(headers.strings.len() + count)?;
        for _ in 0..count {
            headers.strings.push((string(&mut block)?, string(&mut block)?));
        }
    }
    Ok(())
}

/// Writes the headers' content, but for the padding.
pub(super) fn write(protocol: Protocol, headers: &Headers<'_>, out: &mut BytesMut) -> Result<(), &'static str> {
    put_varint(id(protocol), out);
    put_varint(u32::from(headers.zlib), out);
    if headers.zlib {
        put_varint(ZLIB, out);
    }
    if !headers.strings.is_empty() {
        put_varint(KEY_VALUES, out);
        put_len(headers.strings.len(), out)?;
        for (name, value) in &headers.strings {
            for string in [name, value] {
                put_len(string.len(), out)?;
                out.put_slice(string);
            }
        }
    }
    Ok(())
}

fn varint(block: &mut &[u8]) -> Result<u32, FrameError> {
    let mut number = 0;
    for shift in (0..).step_by(7) {
        let byte = block.try_get_u8().map_err(|_| FrameError::Malformed(CUT_SHORT))?;
        // The fifth byte has room for four bits.
        if shift == 28 && byte > 0x0F {
            break;
        }
        number |= u32::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(FrameError::Malformed("a number of its headers is longer than 32 bits"))
}

fn string<'a>(block: &mut &'a [u8]) -> Result<&'a [u8], FrameError> {
    let len = varint(block)? as usize;
    take(block, len)
}

fn put_varint(mut number: u32, out: &mut BytesMut) {
    while number > 0x7F {
        out.put_u8(number as u8 | 0x80);
        number >>= 7;
    }
    out.put_u8(number as u8);
}

fn put_len(len: usize, out: &mut BytesMut) -> Result<(), &'static str> {
    put_varint(u32::try_from(len).map_err(|_| TOO_LARGE)?, out);
    Ok(())
}
