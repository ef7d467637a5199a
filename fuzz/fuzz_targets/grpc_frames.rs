//! A peer's bytes on a connection of gRPC: whatever they are, and however they are cut, the connection gives the same answer and never panics.
#![no_main]

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use volo_js_grpc::{Assembler, Connection, Event, Http2Options};

const GREETING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// `:method POST`, `:scheme http`, `:path /a/b`, and a stream that goes on.
const HEAD: &[u8] = b"\0\0\x09\x01\x04\0\0\0\x01\x83\x86\x04\x04/a/b\x00";

/// Messages of a stream of bytes, cut at these lengths.
fn messages(bytes: &[u8], cuts: &[u8]) -> (Vec<(bool, Bytes)>, bool) {
    let mut assembler = Assembler::new(1 << 16);
    let (mut all, mut rest, mut cuts) = (Vec::new(), bytes, cuts.iter().cycle());
    while !rest.is_empty() {
        let cut = usize::from(*cuts.next().unwrap_or(&255)).clamp(1, rest.len());
        assembler.push(Bytes::copy_from_slice(&rest[..cut]));
        rest = &rest[cut..];
        loop {
            match assembler.take() {
                Ok(Some(message)) => all.push((message.compressed, message.body)),
                Ok(None) => break,
                Err(_) => return (all, true),
            }
        }
    }
    (all, false)
}

fuzz_target!(|input: (Vec<u8>, Vec<u8>, bool)| {
    let (bytes, cuts, is_framed) = input;
    assert_eq!(messages(&bytes, &cuts), messages(&bytes, &[]));

    let now = Instant::now();
    let mut connection = Connection::server(Http2Options::default(), 1 << 16, now);
    let mut output = BytesMut::new();
    connection.feed(Bytes::from_static(GREETING), now);
    if is_framed {
        connection.feed(Bytes::from_static(&HEAD[..HEAD.len() - 1]), now);
    }
    let (mut rest, mut cuts) = (&bytes[..], cuts.iter().cycle());
    let mut turns = 0;
    loop {
        while connection.has_input() || connection.is_touched() {
            connection.turn(true, &mut output, 0);
            while let Some(event) = connection.next_event() {
                if let Event::Message(stream, _) = event {
                    connection.pause(stream, turns % 3 == 1);
                }
            }
            output.clear();
            turns += 1;
            assert!(turns < 100_000, "a connection comes to rest");
        }
        if rest.is_empty() {
            break;
        }
        let cut = usize::from(*cuts.next().unwrap_or(&255)).clamp(1, rest.len());
        connection.feed(Bytes::copy_from_slice(&rest[..cut]), now);
        rest = &rest[cut..];
    }
});
