//! What stands before and behind the struct of a message: `[1,"name",kind,sequence,` and `]`.

use super::VERSION;
use super::lexer::Lexer;
use crate::error::{DecodeError, Fail};
use crate::head::{MessageHead, MessageKind};

pub(crate) fn read_head(message: &[u8]) -> Result<MessageHead<'_>, DecodeError> {
    let mut text = Lexer::new(message);
    let parts = parts(&mut text).map_err(|fail| fail.explain(0))?;
    if parts.version != VERSION {
        return Err(DecodeError::Malformed("it is of another version of the JSON protocol"));
    }
    let kind = u8::try_from(parts.kind).map_or(MessageKind::from_wire(0), MessageKind::from_wire)?;
    let sequence =
        i32::try_from(parts.sequence).map_err(|_| DecodeError::Malformed("its sequence number is too long"))?;
    Ok(MessageHead { name: parts.name, kind, sequence, len: message.len() - text.left() })
}

struct Parts<'b> {
    version: i64,
    name: &'b [u8],
    kind: i64,
    sequence: i64,
}

fn parts<'b>(text: &mut Lexer<'b>) -> Result<Parts<'b>, Fail> {
    text.expect(b'[')?;
    let version = text.integer()?;
    text.expect(b',')?;
    let (name, escapes) = text.raw_string()?;
    if escapes {
        return Err(Fail::Malformed(&"its name has an escape, as no name of a method needs"));
    }
    text.expect(b',')?;
    let kind = text.integer()?;
    text.expect(b',')?;
    let sequence = text.integer()?;
    text.expect(b',')?;
    Ok(Parts { version, name, kind, sequence })
}

/// Bytes of the end of a message and the white space behind it.
pub(crate) fn end_len(rest: &[u8]) -> Result<usize, DecodeError> {
    let mut text = Lexer::new(rest);
    text.expect(b']').map_err(|fail| fail.explain(0))?;
    text.space();
    Ok(rest.len() - text.left())
}
