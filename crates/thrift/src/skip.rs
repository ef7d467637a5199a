//! Values nobody wants.

use crate::error::Fail;
use crate::reader::{Container, Reader};
use crate::wire;

/// Passes a value of this type code. `depth` is the nesting of what holds it.
pub(crate) fn skip(input: &mut Reader<'_>, code: u8, depth: usize, limit: usize) -> Result<(), Fail> {
    if let Some(size) = wire::fixed(code) {
        return input.pass(size);
    }
    match code {
        wire::BINARY => input.binary(|_| ()),
        wire::STRUCT => {
            let depth = deeper(depth, limit)?;
            loop {
                let (code, _) = input.field()?;
                if code == wire::STOP {
                    return Ok(());
                }
                skip(input, code, depth, limit)?;
            }
        }
        wire::LIST | wire::SET => {
            let depth = deeper(depth, limit)?;
            let list = input.list()?;
            skip_list(input, &list, depth, limit)
        }
        wire::MAP => {
            let depth = deeper(depth, limit)?;
            let map = input.map()?;
            skip_map(input, &map, depth, limit)
        }
        _ => Err(Fail::Malformed(&"a value is of no known type")),
    }
}

/// Passes the elements of a list or set; `depth` is its own.
pub(crate) fn skip_list(input: &mut Reader<'_>, list: &Container, depth: usize, limit: usize) -> Result<(), Fail> {
    if let Some(size) = wire::fixed(list.key) {
        return input.pass(list.count.saturating_mul(size));
    }
    for _ in 0..list.count {
        skip(input, list.key, depth, limit)?;
    }
    Ok(())
}

/// Passes the pairs of a map; `depth` is its own.
pub(crate) fn skip_map(input: &mut Reader<'_>, map: &Container, depth: usize, limit: usize) -> Result<(), Fail> {
    if let (Some(key), Some(value)) = (wire::fixed(map.key), wire::fixed(map.value)) {
        return input.pass(map.count.saturating_mul(key + value));
    }
    for _ in 0..map.count {
        skip(input, map.key, depth, limit)?;
        skip(input, map.value, depth, limit)?;
    }
    Ok(())
}

/// One level down.
#[inline]
pub(crate) fn deeper(depth: usize, limit: usize) -> Result<usize, Fail> {
    if depth >= limit { Err(Fail::Depth) } else { Ok(depth + 1) }
}
