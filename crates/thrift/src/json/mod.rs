//! Apache's JSON protocol (`TJSONProtocol`): a message is `[1,"name",kind,sequence,struct]`, a struct `{"id":{"type":value},…}`, a list or set
//! `["type",count,element,…]`, a map `["type","type",count,{key:value,…}]`. Bools are 0 and 1, numbers in the place of a key stand in quotes, binaries are base64.

mod head;
mod input;
mod lexer;
mod output;
mod types;

pub(crate) use head::{end_len, read_head};
pub(crate) use input::JsonInput;
pub(crate) use output::JsonOutput;

/// First element of a message.
const VERSION: i64 = 1;

/// Doubles that are no numbers in JSON.
const NAN: &str = "NaN";
const INFINITY: &str = "Infinity";
const NEGATIVE_INFINITY: &str = "-Infinity";
