//! Messages of the tape in, read as JavaScript would.
#![allow(clippy::unwrap_used)]

use volo_js_tape::Kind;

/// A message of the tape in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it says.
    pub kind: Kind,
    /// The call's slot.
    pub call: u32,
    /// The call's generation.
    pub generation: u32,
    /// The server or client.
    pub owner: u32,
    /// Code and whether it was sent, of a failure; type of an exception; level of an event.
    pub numbers: (i32, i32),
    /// The string argument or result, or the text of a failure, exception or event.
    pub text: String,
    /// What was read already of a connection that is handed over; its number is the first of `numbers`.
    pub unread: Vec<u8>,
}

/// The failure of the call in a slot: code, whether it was sent, text.
pub fn failure(messages: &[Message], slot: u32) -> (i32, i32, String) {
    let failure = messages.iter().find(|message| message.kind == Kind::Failure && message.call == slot).unwrap();
    (failure.numbers.0, failure.numbers.1, failure.text.clone())
}

/// All messages of a tape.
pub fn read_messages(slots: &[u64], text: &[u8], bytes: &[u8]) -> Vec<Message> {
    let (mut at, end) = (1, slots[0] as u32 as usize);
    let mut messages = Vec::new();
    while at < end {
        let low = |slot: usize| slots[slot] as u32;
        let high = |slot: usize| (slots[slot] >> 32) as u32;
        let kind = Kind::try_from(low(at) as i32).unwrap();
        let size = high(at) as usize;
        let chunk = low(at + 3) as usize;
        let string = |slot: usize| {
            let (offset, length) = (low(slot) as usize, high(slot));
            let bytes = if length >> 31 == 1 { &bytes[offset..] } else { &text[chunk + offset..] };
            String::from_utf8_lossy(&bytes[..(length & 0x3fff_ffff) as usize]).into_owned()
        };
        let (numbers, text) = match kind {
            Kind::Call | Kind::Reply if size > 4 => {
                ((0, 0), if low(at + 4) & 1 == 1 { string(at + 5) } else { String::new() })
            }
            Kind::Request | Kind::Response if low(at + 4) != 0 => {
                let base = at + 4 + low(at + 4) as usize;
                ((0, 0), if low(base) & 1 == 1 { string(base + 1) } else { String::new() })
            }
            Kind::Failure | Kind::Exception | Kind::Event => {
                ((low(at + 4) as i32, high(at + 4) as i32), string(at + 5))
            }
            _ => ((0, 0), String::new()),
        };
        let (numbers, unread) = if kind == Kind::Handed {
            let (offset, length) = (low(at + 5) as usize, high(at + 5) as usize);
            ((low(at + 4) as i32, 0), bytes[offset..offset + length].to_vec())
        } else {
            (numbers, Vec::new())
        };
        messages.push(Message {
            kind,
            call: low(at + 1),
            generation: high(at + 1),
            owner: high(at + 2),
            numbers,
            text,
            unread,
        });
        at += size;
    }
    messages
}
