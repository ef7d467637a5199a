//! ByteDance's TTHeader, as Kitex and Volo speak it
//! (<https://www.cloudwego.io/docs/kitex/reference/transport_protocol_ttheader/>).
//!
//! Protocol id and number of transforms, a byte each, the transforms' ids; then infos, each with an id of a byte: string
//! key-values, int key-values, a token; zeros up to a multiple of four. Counts and lengths take two bytes.

use bytes::{Buf as _, BufMut as _, BytesMut};

use super::{CUT_SHORT, Headers, check_count, take};
use crate::detect::{self, Begin};
use crate::error::FrameError;
use crate::wire_format::{Protocol, Transport, Wire};

pub(crate) const MAGIC: u16 = 0x1000;

/// A flag: messages are pieces of a stream, not calls.
const STREAMING: u16 = 0x0002;

const NO_MESSAGE: FrameError = FrameError::Malformed("no message of the binary or compact protocol follows a TTHeader");

// Ids of protocols. Kitex and Volo write that of binary whatever they speak; it is the message that tells.
const BINARY: u8 = 0;
const COMPACT: u8 = 2;
/// fbthrift's version of it.
const COMPACT_V2: u8 = 3;
const PROTOBUF: u8 = 4;

// Ids of infos.
const PADDING: u8 = 0x00;
const STRINGS: u8 = 0x01;
const INTS: u8 = 0x10;
const ACL_TOKEN: u8 = 0x11;

/// What follows the headers: transport and protocol, as the message's first bytes tell them.
pub(super) fn wire(flags: u16, message: &[u8]) -> Result<Wire, FrameError> {
    if flags & STREAMING != 0 {
        return Err(FrameError::Unsupported("streams of TTHeader"));
    }
    if let Begin::Of(protocol @ (Protocol::Binary | Protocol::Compact)) = detect::message(message) {
        return Ok(Wire::new(Transport::TtHeader, protocol));
    }
    let Some((length, framed)) = message.split_first_chunk() else { return Err(NO_MESSAGE) };
    let protocol = match detect::message(framed) {
        Begin::Of(protocol @ (Protocol::Binary | Protocol::Compact)) => protocol,
        _ if framed.starts_with(&[0x90, 0x01]) => return Err(FrameError::Unsupported("Kitex's Protobuf")),
        _ => return Err(NO_MESSAGE),
    };
    if u32::from_be_bytes(*length) as usize != framed.len() {
        return Err(FrameError::Malformed("the frame behind a TTHeader does not end where TTHeader's own does"));
    }
    Ok(Wire::new(Transport::TtHeaderFramed, protocol))
}

/// Reads the headers' content.
pub(super) fn read<'a>(mut block: &'a [u8], headers: &mut Headers<'a>) -> Result<(), FrameError> {
    match byte(&mut block)? {
        BINARY | COMPACT | COMPACT_V2 => {}
        PROTOBUF => return Err(FrameError::Unsupported("Protobuf in TTHeader")),
        _ => return Err(FrameError::Unsupported("a protocol of TTHeader that is neither binary nor compact")),
    }
    // Ids of transforms. Kitex and Volo pass them over, none was ever given a meaning.
    for _ in 0..byte(&mut block)? {
        byte(&mut block)?;
    }
    while !block.is_empty() {
        match byte(&mut block)? {
            PADDING => {}
            STRINGS => {
                // Two lengths each at least.
                let count = count(&mut block, 4)?;
                check_count(headers.strings.len() + headers.ints.len() + count)?;
                for _ in 0..count {
                    headers.strings.push((string(&mut block)?, string(&mut block)?));
                }
            }
            INTS => {
                // A key and a length each at least.
                let count = count(&mut block, 4)?;
                check_count(headers.strings.len() + headers.ints.len() + count)?;
                for _ in 0..count {
                    headers.ints.push((word(&mut block)?, string(&mut block)?));
                }
            }
            ACL_TOKEN => headers.token = Some(string(&mut block)?),
            _ => return Err(FrameError::Malformed("an info of TTHeader is of no known kind")),
        }
    }
    Ok(())
}

/// Writes the headers' content, but for the padding.
pub(super) fn write(protocol: Protocol, headers: &Headers<'_>, out: &mut BytesMut) -> Result<(), &'static str> {
    let id = match protocol {
        Protocol::Binary => BINARY,
        Protocol::Compact => COMPACT,
        Protocol::BinaryNonStrict | Protocol::Json => {
            return Err("TTHeader is for the strict binary and the compact protocol");
        }
    };
    out.put_slice(&[id, 0]);
    if let Some(token) = headers.token {
        out.put_u8(ACL_TOKEN);
        put_string(token, out)?;
    }
    if !headers.strings.is_empty() {
        out.put_u8(STRINGS);
        put_count(headers.strings.len(), out)?;
        for (name, value) in &headers.strings {
            put_string(name, out)?;
            put_string(value, out)?;
        }
    }
    if !headers.ints.is_empty() {
        out.put_u8(INTS);
        put_count(headers.ints.len(), out)?;
        for (key, value) in &headers.ints {
            out.put_u16(*key);
            put_string(value, out)?;
        }
    }
    Ok(())
}

fn byte(block: &mut &[u8]) -> Result<u8, FrameError> {
    block.try_get_u8().map_err(|_| FrameError::Malformed(CUT_SHORT))
}

fn word(block: &mut &[u8]) -> Result<u16, FrameError> {
    block.try_get_u16().map_err(|_| FrameError::Malformed(CUT_SHORT))
}

/// A number of entries that take `least` bytes each at least.
fn count(block: &mut &[u8], least: usize) -> Result<usize, FrameError> {
    let count = usize::from(word(block)?);
    if count * least > block.len() { Err(FrameError::Malformed(CUT_SHORT)) } else { Ok(count) }
}

fn string<'a>(block: &mut &'a [u8]) -> Result<&'a [u8], FrameError> {
    let len = usize::from(word(block)?);
    take(block, len)
}

fn put_count(count: usize, out: &mut BytesMut) -> Result<(), &'static str> {
    out.put_u16(u16::try_from(count).map_err(|_| "there are more than 65535")?);
    Ok(())
}

fn put_string(string: &[u8], out: &mut BytesMut) -> Result<(), &'static str> {
    out.put_u16(u16::try_from(string.len()).map_err(|_| "a name or value is longer than 65535 bytes")?);
    out.put_slice(string);
    Ok(())
}
