//! Head of a message: protocol, version and kind, sequence number, name.

use super::input::CompactInput;
use super::{PROTOCOL_ID, VERSION, VERSION_BITS};
use crate::error::{DecodeError, Fail};
use crate::head::{MessageHead, MessageKind};

pub(crate) fn read_head(message: &[u8]) -> Result<MessageHead<'_>, DecodeError> {
    let Some(([protocol, version], rest)) = message.split_first_chunk::<2>() else {
        return Err(DecodeError::Malformed("its head is cut short"));
    };
    if *protocol != PROTOCOL_ID || version & VERSION_BITS != VERSION {
        return Err(DecodeError::Malformed("it does not begin with the compact protocol's version"));
    }
    let kind = MessageKind::from_wire(version >> 5)?;
    let mut input = CompactInput::new(rest);
    let (sequence, name) = sequence_and_name(&mut input).map_err(|fail| fail.explain(0))?;
    Ok(MessageHead { name, kind, sequence, len: message.len() - input.left() })
}

fn sequence_and_name<'b>(input: &mut CompactInput<'b>) -> Result<(i32, &'b [u8]), Fail> {
    // Its 32 bits as an unsigned number, without regard to the sign.
    let sequence = u32::try_from(input.varint()?).map_err(|_| Fail::Malformed(&"its sequence number is too long"))?;
    let length = input.size()?;
    Ok((sequence as i32, input.take(length)?))
}
