//! Deals the messages of the tape out to those they are for.

use volo_js_tape::{HEADER_SLOTS, Header, Malformed, OUT_PROLOGUE, OutTape};

/// Copies every message to the part that `part_of` names; parts are empty before, and become tapes out that share the text and bytes of this
/// one. `None` drops a message.
///
/// Tells how many of the bytes the messages use.
///
/// # Errors
/// [`Malformed`] if the tape is damaged; messages before the damage have been dealt.
pub fn split(
    tape: &OutTape<'_>,
    parts: &mut [Vec<u64>],
    mut part_of: impl FnMut(&Header) -> Option<usize>,
) -> Result<usize, Malformed> {
    let (slots, end) = (tape.slots(), tape.end());
    let mut used = 0;
    for message in tape.messages() {
        let message = message?;
        used = message.bytes.min(tape.all_bytes().len());
        let Some(part) = part_of(&message.header).and_then(|index| parts.get_mut(index)) else { continue };
        if part.is_empty() {
            // Most often one thread gets all of it: once, instead of growing again and again.
            part.reserve(end);
            part.extend_from_slice(&slots[..OUT_PROLOGUE]);
        }
        // Pointers are relative to the slot they stand in, so a message can be moved as it is.
        part.extend_from_slice(&slots[message.body - HEADER_SLOTS..message.end]);
        part[0] = part.len() as u64;
    }
    Ok(used)
}
