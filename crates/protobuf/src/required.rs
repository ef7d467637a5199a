//! Required fields. A message may come in parts, each without what another brings, so they are looked for once all is read, and
//! only if a part lacked one.

use volo_js_tape::Message;

use crate::program::{Program, Shape};
use crate::ty::Ty;

/// The first required field that is missing in the message at `base` or in one inside of it, with the message's index.
#[cold]
pub(crate) fn missing(program: &Program, tape: &Message<'_>, index: u32, base: usize) -> Option<(u32, usize)> {
    let message = program.message(index);
    for (word, required) in message.required.iter().enumerate() {
        let absent = required & !tape.presence_word(base, word);
        if absent != 0 {
            return Some((index, word * 64 + absent.trailing_zeros() as usize));
        }
    }
    for (n, field) in message.fields.iter().enumerate() {
        let (Ty::Message(inner) | Ty::Group(inner)) = field.ty else { continue };
        if tape.presence_word(base, n / 64) >> (n % 64) & 1 == 0 {
            continue;
        }
        let slot = base + message.presence + n;
        let (first, count) = tape.target(slot);
        let found = match field.shape {
            Shape::One => missing(program, tape, inner, first),
            Shape::Many | Shape::Packed => {
                (first..first + count as usize).find_map(|at| missing(program, tape, inner, tape.target(at).0))
            }
            Shape::Map(_) => {
                (0..count as usize).find_map(|pair| missing(program, tape, inner, tape.target(first + 2 * pair + 1).0))
            }
        };
        if found.is_some() {
            return found;
        }
    }
    None
}
