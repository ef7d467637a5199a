//! Apache's JSON protocol: strings, brackets, and which of them are a struct or a container.
//!
//! A message is `[1,"name",kind,sequence,STRUCT]`, a struct `{"id":{"type":VALUE},…}`, a list or set `["type",count,VALUE,…]`, a
//! map `["key","value",count,{KEY:VALUE,…}]`. Only brackets are followed: they say where a message ends and how deep it is. What
//! stands between them the decoder looks at.

use crate::error::FrameError;
use crate::limits::Limits;

/// State of a scan.
#[derive(Debug, Default)]
pub(crate) struct Json {
    /// Bytes looked at.
    at: usize,
    /// Open brackets, the innermost last.
    open: Vec<Bracket>,
    /// Open structs and containers.
    levels: usize,
    text: Text,
    done: bool,
    /// Bytes or runs of bytes looked at since it was new.
    #[cfg(test)]
    pub(super) steps: usize,
}

/// What an open bracket belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Message,
    Struct,
    /// A field's type and value.
    Field,
    /// A container of which no more than the first element has come, a type.
    Container,
    /// A container at its second element, which in a map is a type, too.
    Second,
    List,
    Map,
    /// The content of a map.
    Pairs,
}

/// Where in a string the scan is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Text {
    #[default]
    Outside,
    Inside,
    /// Behind a backslash.
    Escaped,
}

const MISPLACED: FrameError = FrameError::Malformed("a bracket stands where the JSON protocol has none");

impl Json {
    #[inline]
    pub(crate) fn restart(&mut self) {
        self.at = 0;
        self.open.clear();
        self.levels = 0;
        self.text = Text::Outside;
        self.done = false;
    }

    pub(crate) fn scan(&mut self, bytes: &[u8], limits: &Limits) -> Result<Option<usize>, FrameError> {
        let limit = limits.allowed_frame();
        // What lies beyond the limit is not looked at, so that pieces do not matter.
        let end = bytes.len().min(limit);
        while !self.done {
            let Some(rest) = bytes.get(self.at..end).filter(|rest| !rest.is_empty()) else {
                let over = bytes.len() > limit;
                return if over { Err(FrameError::TooLarge { size: limit + 1, limit }) } else { Ok(None) };
            };
            #[cfg(test)]
            {
                self.steps += 1;
            }
            self.at += match self.text {
                Text::Outside => {
                    self.sign(rest[0], limits.allowed_depth())?;
                    1
                }
                Text::Escaped => {
                    self.text = Text::Inside;
                    1
                }
                Text::Inside => match rest.iter().position(|byte| matches!(byte, b'"' | b'\\')) {
                    None => rest.len(),
                    Some(place) => {
                        self.text = if rest[place] == b'"' { Text::Outside } else { Text::Escaped };
                        place + 1
                    }
                },
            };
        }
        Ok(Some(self.at))
    }

    /// A byte outside of strings.
    fn sign(&mut self, byte: u8, depth: usize) -> Result<(), FrameError> {
        let Some(inner) = self.open.last_mut() else {
            match byte {
                // A line's end behind the message before.
                b' ' | b'\t' | b'\r' | b'\n' => {}
                b'[' => self.open.push(Bracket::Message),
                _ => return Err(FrameError::NotThrift("a message does not begin with the JSON protocol's bracket")),
            }
            return Ok(());
        };
        match byte {
            b'{' | b'[' => {
                let bracket = match (*inner, byte) {
                    (Bracket::Message | Bracket::Field | Bracket::List | Bracket::Pairs, b'{') => Bracket::Struct,
                    (Bracket::Struct, b'{') => Bracket::Field,
                    (Bracket::Map, b'{') => Bracket::Pairs,
                    (Bracket::Field | Bracket::List | Bracket::Pairs, b'[') => Bracket::Container,
                    _ => return Err(MISPLACED),
                };
                if bracket.is_level() {
                    if self.levels >= depth {
                        return Err(FrameError::DepthLimit(depth));
                    }
                    self.levels += 1;
                }
                self.open.push(bracket);
            }
            b'}' | b']' => {
                if inner.end() != byte {
                    return Err(MISPLACED);
                }
                if inner.is_level() {
                    self.levels -= 1;
                }
                self.open.pop();
                self.done = self.open.is_empty();
            }
            b'"' => {
                self.text = Text::Inside;
                if *inner == Bracket::Second {
                    *inner = Bracket::Map;
                }
            }
            b',' => match *inner {
                Bracket::Container => *inner = Bracket::Second,
                Bracket::Second => *inner = Bracket::List,
                _ => {}
            },
            b':' | b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E' | b' ' | b'\t' | b'\r' | b'\n' => {}
            _ => return Err(FrameError::Malformed("what stands outside of strings is no JSON protocol")),
        }
        Ok(())
    }
}

impl Bracket {
    /// Whether it counts towards the depth.
    fn is_level(self) -> bool {
        matches!(self, Self::Struct | Self::Container | Self::Second | Self::List | Self::Map)
    }

    fn end(self) -> u8 {
        match self {
            Self::Struct | Self::Field | Self::Pairs => b'}',
            Self::Message | Self::Container | Self::Second | Self::List | Self::Map => b']',
        }
    }
}
