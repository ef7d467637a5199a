//! Headers of Thrift on the tape: one string, `name LF value LF name LF value LF …`.
//!
//! Values by number stand among them under `:N`. A backslash in a name or value is written `\\`, a line feed `\n`, for peers may send
//! anything.

use std::time::Duration;

use bytes::Bytes;
use volo_js_tape::{AllocError, HEADERS, Malformed, Message, OutMessage, OutTape};
use volo_js_thrift::Headers;

/// Numbers of TTHeader's values: Kitex's `metakey`.
pub(crate) mod int {
    /// Name of the service that calls.
    pub(crate) const FROM_SERVICE: u16 = 3;
    /// Name of the service that is called.
    pub(crate) const TO_SERVICE: u16 = 6;
    /// Name of the method.
    pub(crate) const TO_METHOD: u16 = 9;
    /// Milliseconds the caller waits, in decimal digits.
    pub(crate) const RPC_TIMEOUT: u16 = 12;
    /// Kind of the message, in decimal digits; Kitex tells it, Volo does not.
    pub(crate) const MESSAGE_TYPE: u16 = 22;
}

/// String key of the service in the IDL, where a server has several.
pub(crate) const IDL_SERVICE: &[u8] = b"isn";

/// String key of an answer, `1`: its connection is about to be closed and takes no further calls.
const LAST_ANSWER: &[u8] = b"crrst";

/// Flag of TTHeader: its sender takes answers in any order.
pub(crate) const OUT_OF_ORDER: u16 = 1;

/// Ends a name or value.
const END: u8 = b'\n';
/// Begins what stands for a byte that cannot stand for itself.
const ESCAPE: u8 = b'\\';

/// Slots of a message's tail beside those of its connection: the headers' text, and the time left in ms.
const TAIL: usize = 2;

/// How long the caller waits, if it says so.
pub(crate) fn timeout_of(headers: &Headers<'_>) -> Option<Duration> {
    let digits = std::str::from_utf8(headers.int(int::RPC_TIMEOUT)?).ok()?;
    digits.parse().ok().filter(|ms| *ms > 0).map(Duration::from_millis)
}

/// What [`int::RPC_TIMEOUT`] says of a time, if it is limited. Less than a millisecond is still some time.
pub(crate) fn millis(time: Duration, digits: &mut itoa::Buffer) -> Option<&[u8]> {
    let ms = time.as_nanos().div_ceil(1_000_000);
    (ms > 0).then(|| digits.format(ms).as_bytes())
}

/// What [`int::MESSAGE_TYPE`] says of a call.
pub(crate) fn message_type(oneway: bool) -> &'static [u8] {
    if oneway { b"4" } else { b"1" }
}

/// Tells the peer that it should not call on this connection any more.
pub(crate) const FAREWELL: (&[u8], &[u8]) = (LAST_ANSWER, b"1");

/// Is a string about the end of the connection it came by?
pub(crate) fn is_leave(name: &[u8]) -> bool {
    name == LAST_ANSWER
}

/// Does an answer tell that?
pub(crate) fn is_last_answer(headers: Option<&Headers<'_>>) -> bool {
    headers.and_then(|headers| headers.string(LAST_ANSWER)).is_some_and(|value| value == b"1")
}

/// Lays headers behind a message's body, and how long their sender waits.
pub(crate) fn put_tail(
    message: &mut Message<'_>,
    headers: &Headers<'_>,
    time: Option<Duration>,
    text: &mut Vec<u8>,
) -> Result<(), AllocError> {
    text.clear();
    write_text(headers, text);
    let tail = message.alloc(TAIL)?;
    message.put_string(tail, text)?;
    message.set_f64(tail + 1, time.map_or(0.0, |time| time.as_secs_f64() * 1e3));
    Ok(())
}

/// Does a client have something to tell its caller of these?
pub(crate) fn tells<'h, 'a>(headers: Option<&'h Headers<'a>>) -> Option<&'h Headers<'a>> {
    headers.filter(|headers| !headers.strings.is_empty())
}

fn write_text(headers: &Headers<'_>, text: &mut Vec<u8>) {
    write_with(headers, text, |string, text| text.extend_from_slice(string));
    // Hardly ever is there anything to escape: all at once is looked through faster than one by one.
    let marks = text.iter().filter(|byte| matches!(**byte, END | ESCAPE)).count();
    if marks > 2 * (headers.ints.len() + headers.strings.len()) {
        text.clear();
        write_with(headers, text, escape);
    }
}

fn write_with(headers: &Headers<'_>, text: &mut Vec<u8>, put: impl Fn(&[u8], &mut Vec<u8>)) {
    for (key, value) in &headers.ints {
        text.push(b':');
        text.extend_from_slice(itoa::Buffer::new().format(*key).as_bytes());
        text.push(END);
        put(value, text);
        text.push(END);
    }
    for (name, value) in &headers.strings {
        for string in [name, value] {
            put(string, text);
            text.push(END);
        }
    }
}

fn escape(string: &[u8], text: &mut Vec<u8>) {
    for byte in string {
        match *byte {
            END => text.extend_from_slice(b"\\n"),
            ESCAPE => text.extend_from_slice(b"\\\\"),
            byte => text.push(byte),
        }
    }
}

/// The strings that JavaScript has laid behind a message's body, and the time left; nothing where it has no tail.
pub(crate) fn take_tail(
    tape: &OutTape<'_>,
    message: &OutMessage,
) -> Result<(Vec<(Bytes, Bytes)>, Duration), Malformed> {
    if message.header.method & HEADERS == 0 {
        return Ok((Vec::new(), Duration::ZERO));
    }
    let tail = message.end.checked_sub(TAIL).filter(|tail| *tail >= message.body);
    let tail = tail.ok_or(Malformed("a message has no room for its headers"))?;
    let ms = tape.f64(tail + 1)?;
    let time = Duration::try_from_secs_f64(ms / 1e3).unwrap_or_default();
    Ok((read_text(&tape.str(tail)?.to_bytes()), time))
}

/// Has a message headers and nothing else? Then they tell all there is to tell, and its struct is empty.
pub(crate) fn is_tail_alone(message: &OutMessage) -> bool {
    message.header.method & HEADERS != 0 && message.body + TAIL == message.end
}

fn read_text(text: &[u8]) -> Vec<(Bytes, Bytes)> {
    let mut items =
        text.split_inclusive(|byte| *byte == END).map(|item| read(item.strip_suffix(&[END]).unwrap_or(item)));
    std::iter::from_fn(|| Some((items.next()?, items.next()?))).collect()
}

fn read(item: &[u8]) -> Bytes {
    if !item.contains(&ESCAPE) {
        return Bytes::copy_from_slice(item);
    }
    let mut bytes = Vec::with_capacity(item.len());
    let mut rest = item.iter();
    while let Some(&byte) = rest.next() {
        bytes.push(match byte {
            ESCAPE => match rest.next() {
                Some(b'n') => END,
                Some(&other) => other,
                None => ESCAPE,
            },
            byte => byte,
        });
    }
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mirror::in_place;

    #[test]
    fn anything_comes_back() {
        let pair = |name: &'static [u8], value: &'static [u8]| (Bytes::from_static(name), Bytes::from_static(value));
        let strings = vec![pair(b"", b""), pair(b"a\nb", b"\\"), pair(b"\\n", b"\n\n"), pair(b"last", b"\xFF")];
        let mut text = Vec::new();
        write_text(&Headers { strings: in_place(&strings), ..Headers::default() }, &mut text);
        assert_eq!(text.split(|byte| *byte == END).count(), 2 * strings.len() + 1);
        assert_eq!(read_text(&text), strings);
        assert_eq!(read_text(b""), []);
    }

    #[test]
    fn numbers_stand_among_the_names() {
        let mut text = Vec::new();
        let ints: [(u16, &[u8]); 2] = [(int::FROM_SERVICE, b"shop"), (int::RPC_TIMEOUT, b"250")];
        let headers = Headers { ints: ints.into_iter().collect(), ..Headers::default() };
        write_text(&headers, &mut text);
        assert_eq!(text, b":3\nshop\n:12\n250\n");
        assert_eq!(timeout_of(&headers), Some(Duration::from_millis(250)));
    }
}
