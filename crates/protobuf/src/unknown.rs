//! Fields the schema does not know. They may lie anywhere in a message, and more may come when it is merged, so while a message is read it is
//! only written down where they are; once all is read they are put side by side into *bytes*.

use crate::decode::Decoder;
use crate::error::Fail;
use crate::runs::Pointers;
use crate::wire;
use crate::writer::Writer;

/// Bit of a piece's high half: it is no part of the input, but this enum number (low half) for the field with this number (rest of
/// the high half). Unknown numbers of a packed field are kept like this, for they have no key.
const NUMBER: u64 = 1 << 63;

/// Longest form of an enum number with its key.
const LONGEST: usize = 5 + 10;

impl Decoder<'_, '_, '_> {
    /// Keeps this part of the input for the message whose last slot is `slot`.
    pub(crate) fn keep(&mut self, slot: usize, begun: bool, part: &[u8]) -> Result<(), Fail> {
        let from = part.as_ptr() as usize - self.start;
        if begun {
            let (first, count) = self.tape.target(slot);
            let last = first + count as usize - 1;
            let piece = self.tape.get(last);
            // What follows on what was kept last belongs to the same piece.
            if piece & NUMBER == 0 && (piece as u32 as usize) + (piece >> 32) as usize == from {
                self.tape.set(last, piece + ((part.len() as u64) << 32));
                return Ok(());
            }
        }
        self.keep_piece(slot, begun, from as u64 | (part.len() as u64) << 32)
    }

    /// Keeps a number that is not one of an enum's.
    pub(crate) fn keep_number(&mut self, slot: usize, begun: bool, field: u32, number: i32) -> Result<(), Fail> {
        self.keep_piece(slot, begun, NUMBER | u64::from(field) << 32 | u64::from(number as u32))
    }

    fn keep_piece(&mut self, slot: usize, begun: bool, piece: u64) -> Result<(), Fail> {
        if !begun {
            // The messages that have such fields are a list.
            let node = self.tape.alloc(1)?;
            self.tape.set(node, self.unsettled as u64 | (slot as u64) << 32);
            self.unsettled = node;
        }
        let at = self.place(slot, begun, 1, Pointers::None, || 1)?;
        self.tape.set(at, piece);
        self.count(slot, 1);
        Ok(())
    }

    /// Puts what was kept of all messages where it belongs.
    #[cold]
    pub(crate) fn settle(&mut self, input: &[u8]) -> Result<(), Fail> {
        while self.unsettled != 0 {
            let node = self.tape.get(self.unsettled);
            self.unsettled = node as u32 as usize;
            let slot = (node >> 32) as usize;
            let (first, count) = self.tape.target(slot);
            self.tape.put_bytes(slot, &[])?;
            for at in first..first + count as usize {
                let piece = self.tape.get(at);
                if piece & NUMBER == 0 {
                    let from = piece as u32 as usize;
                    self.tape.append_bytes(slot, &input[from..from + (piece >> 32) as usize])?;
                } else {
                    let mut made = [0; LONGEST];
                    let mut writer = Writer::new(&mut made);
                    let field = ((piece & !NUMBER) >> 32) as u32;
                    writer.varint(u64::from(wire::key(field, wire::VARINT)));
                    writer.varint(piece as i32 as i64 as u64);
                    let length = writer.written();
                    self.tape.append_bytes(slot, &made[..length])?;
                }
            }
        }
        Ok(())
    }
}
