//! Peers that mean harm: each costs little, and is told to go where its floods have no end.
#![allow(clippy::unwrap_used)]

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use volo_js_grpc::{Connection, Ended, Event, Flood, Http2Options};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// HPACK without a table: `:method POST`, `:scheme http`, `:path /a/b`, `content-type application/grpc`.
fn head() -> Vec<u8> {
    let mut block = vec![0x83, 0x86, 0x04, 4];
    block.extend(b"/a/b");
    block.extend([0x0f, 0x10, 16]);
    block.extend(b"application/grpc");
    block
}

fn literal(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut block = vec![0x00, name.len() as u8];
    block.extend(name);
    assert!(value.len() < 127);
    block.push(value.len() as u8);
    block.extend(value);
    block
}

/// A server's connection under attack.
struct Target {
    connection: Connection,
    output: BytesMut,
    /// Events since the beginning, by kind.
    requests: usize,
    messages: usize,
    most_output: usize,
    answers: bool,
}

impl Target {
    fn new(options: Http2Options) -> Self {
        let mut target = Self {
            connection: Connection::server(options, 4 << 20, Instant::now()),
            output: BytesMut::new(),
            requests: 0,
            messages: 0,
            most_output: 0,
            answers: true,
        };
        target.send(PREFACE);
        target.send(&frame(4, 0, 0, &[]));
        target.send(&frame(4, 1, 0, &[]));
        target
    }

    /// True while the connection lives.
    fn send(&mut self, bytes: &[u8]) -> bool {
        self.connection.feed(Bytes::copy_from_slice(bytes), Instant::now());
        while self.connection.has_input() || self.connection.is_touched() {
            let has_read = self.connection.turn(true, &mut self.output, 0);
            while let Some(event) = self.connection.next_event() {
                match event {
                    Event::Request(..) => self.requests += 1,
                    Event::Message(..) => self.messages += 1,
                    _ => {}
                }
            }
            self.most_output = self.most_output.max(self.output.len());
            if self.answers {
                self.output.clear();
            } else if !has_read {
                break;
            }
        }
        self.connection.ended().is_none()
    }

    /// Sends this up to so many times; how often it took.
    fn flood(&mut self, most: usize, mut what: impl FnMut(u32) -> Vec<u8>) -> usize {
        (0..most).find(|n| !self.send(&what(*n as u32))).unwrap_or(most)
    }

    fn why(&self) -> String {
        self.connection.ended().map_or_else(|| "alive".to_owned(), ToString::to_string)
    }
}

fn open(n: u32) -> Vec<u8> {
    frame(1, END_HEADERS | END_STREAM, n * 2 + 1, &head())
}

#[test]
fn rapid_reset_ends_the_connection() {
    for together in [1, 300] {
        let mut target = Target::new(Http2Options::default());
        let count = target.flood(10_000, |n| {
            (0..together)
                .flat_map(|m| [open(n * together + m), frame(3, 0, (n * together + m) * 2 + 1, &[0, 0, 0, 8])].concat())
                .collect()
        });
        assert!(count * together as usize <= 600, "after {count} times {together}: {}", target.why());
        assert!(target.requests <= 600);
    }
}

#[test]
fn endless_continuations_end_the_connection() {
    for payload in [Vec::new(), literal(b"a", b"b")] {
        let mut target = Target::new(Http2Options::default());
        target.send(&frame(1, END_STREAM, 1, &head()));
        let count = target.flood(100_000, |_| frame(9, 0, 1, &payload));
        assert!(count < 100, "after {count}");
        assert_eq!(target.requests, 0);
    }
}

#[test]
fn a_small_block_of_many_headers_is_refused() {
    let mut target = Target::new(Http2Options::default());
    // One large header in the table, then thousands of references to it.
    let mut block = head();
    block.extend([0x40, 1, b'x', 0x7f, 0xa1, 0x1e]);
    block.extend([b'v'; 4000]);
    block.extend(vec![0x80 | 0x3e; 12_000]);
    target.send(&frame(1, END_HEADERS | END_STREAM, 1, &block));
    assert_eq!(target.requests, 0, "{}", target.why());
}

#[test]
fn pings_and_settings_end_the_connection_and_their_answers_do_not_pile_up() {
    for kind in [6, 4] {
        let payload: &[u8] = if kind == 6 { &[0; 8] } else { &[] };
        let mut target = Target::new(Http2Options::default());
        target.answers = false;
        let count = target.flood(1_000_000, |_| frame(kind, 0, 0, payload).repeat(50));
        assert!(count * 50 <= 200, "after {count}");
        assert!(target.most_output < 4096);
        let expected = if kind == 6 { Flood::Pings } else { Flood::Settings };
        assert_eq!(target.connection.ended(), Some(&Ended::Flood(expected)));
        let tail = &target.output[target.output.len() - 14..];
        assert!(std::str::from_utf8(tail).is_ok_and(|text| text.ends_with(if kind == 6 {
            "many_pings"
        } else {
            "settings"
        })));
    }
}

#[test]
fn empty_data_ends_the_connection() {
    let mut target = Target::new(Http2Options::default());
    target.send(&frame(1, END_HEADERS, 1, &head()));
    let count = target.flood(100_000, |_| frame(0, 0, 1, &[]));
    assert!(count <= 101, "after {count}");
}

#[test]
fn a_message_in_frames_of_one_byte_is_only_slow() {
    let mut target = Target::new(Http2Options::default());
    target.send(&frame(1, END_HEADERS, 1, &head()));
    let mut message = b"\0\0\0\x4e\x20".to_vec();
    message.extend(vec![7; 20_000]);
    let frames: Vec<u8> = message.iter().flat_map(|byte| frame(0, 0, 1, &[*byte])).collect();
    // All at once, as one read of a socket would bring it, and again in pieces that cut the frames.
    for piece in [frames.len(), 7] {
        for bytes in frames.chunks(piece) {
            assert!(target.send(bytes), "{}", target.why());
        }
    }
    assert_eq!(target.messages, 2);
}

#[test]
fn streams_beyond_the_limit_are_refused_and_cost_nothing() {
    let options = Http2Options { max_concurrent_streams: 10, ..Http2Options::default() };
    let mut target = Target::new(options);
    let count = target.flood(2000, |n| frame(1, END_HEADERS, n * 2 + 1, &head()));
    assert_eq!(target.requests, 10);
    assert!(target.connection.streams() <= 10);
    assert!(count <= 1100, "who never stops is told to go: {count}");
}

#[test]
fn what_a_peer_does_not_take_is_bounded() {
    // A window as large as can be, and a peer that reads nothing.
    let mut target = Target::new(Http2Options::default());
    target.answers = false;
    target.send(&frame(4, 0, 0, &[0, 4, 0x7f, 0xff, 0xff, 0xff]));
    target.send(&frame(8, 0, 0, &[0x7f, 0, 0, 0]));
    target.send(&open(0));
    let connection = &mut target.connection;
    connection.respond(0, volo_js_grpc::response_head(volo_js_grpc::http::HeaderMap::new()), false);
    for _ in 0..100 {
        connection.output(0).unwrap().extend_from_slice(&vec![0; 100_000]);
        connection.mark(0, 1);
        connection.flush(0);
        for _ in 0..10 {
            connection.turn(false, &mut target.output, 0);
        }
    }
    assert!(target.output.len() <= (256 << 10) + (32 << 10), "{}", target.output.len());
    assert!(connection.waiting(0) > 9_000_000, "the sender is not told that it has left");
}

#[test]
fn garbage_ends_the_connection() {
    for bytes in [
        frame(0, 0, 0, b"x"),
        frame(1, END_HEADERS, 2, &head()),
        frame(1, END_HEADERS, 1, &[0xff; 20]),
        vec![0xff; 100],
        frame(8, 0, 0, &[0; 4]),
    ] {
        let mut target = Target::new(Http2Options::default());
        assert!(
            !target.send(&bytes) || {
                target.connection.end();
                !target.send(b"")
            },
            "{bytes:?}"
        );
        assert_eq!(target.requests, 0);
    }
    let mut connection = Connection::server(Http2Options::default(), 4 << 20, Instant::now());
    connection.feed(Bytes::from_static(b"GET / HTTP/1.1\r\n\r\n"), Instant::now());
    connection.turn(true, &mut BytesMut::new(), 0);
    assert!(connection.ended().is_some());
}
