//! Values nobody wants.

use crate::error::Fail;
use crate::input::{Container, Input};
use crate::wire;

/// Passes a value of this type code. `depth` is the nesting of what holds it.
pub(crate) fn skip<I: Input>(input: &mut I, code: u8, depth: usize, limit: usize) -> Result<(), Fail> {
    match code {
        wire::STRUCT => {
            let depth = deeper(depth, limit)?;
            let mut scope = I::Scope::default();
            loop {
                let (code, _) = input.field(&mut scope)?;
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
        _ => input.pass(code),
    }
}

/// Passes the elements of a list or set; `depth` is its own.
pub(crate) fn skip_list<I: Input>(input: &mut I, list: &Container, depth: usize, limit: usize) -> Result<(), Fail> {
    if input.pass_items(list)? {
        return Ok(());
    }
    for _ in 0..list.count {
        input.item()?;
        skip(input, list.key, depth, limit)?;
    }
    input.end_list()
}

/// Passes the pairs of a map; `depth` is its own.
pub(crate) fn skip_map<I: Input>(input: &mut I, map: &Container, depth: usize, limit: usize) -> Result<(), Fail> {
    if input.pass_pairs(map)? {
        return Ok(());
    }
    for n in 0..map.count {
        input.key(n == 0)?;
        skip(input, map.key, depth, limit)?;
        input.value()?;
        skip(input, map.value, depth, limit)?;
    }
    input.end_map()
}

/// One level down.
#[inline]
pub(crate) fn deeper(depth: usize, limit: usize) -> Result<usize, Fail> {
    if depth >= limit { Err(Fail::Depth) } else { Ok(depth + 1) }
}
