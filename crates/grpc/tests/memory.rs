//! What a connection costs once its streams are over.
#![allow(missing_docs, clippy::unwrap_used)]

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use volo_js_grpc::{Connection, Event, Http2Options, http::Request, trailers_only};

#[test]
fn many_streams_at_once_leave_nothing_behind() {
    let now = Instant::now();
    let mut client = Connection::client(Http2Options::default(), 1 << 20, now);
    let mut server = Connection::server(Http2Options::default(), 1 << 20, now);
    let mut opened = 0;
    let mut open = Vec::new();
    for _ in 0..100 {
        let mut out = BytesMut::new();
        while client.is_touched() || client.has_input() {
            client.turn(true, &mut out, 0);
            while client.next_event().is_some() {}
        }
        server.feed(out.split().freeze(), now);
        while server.is_touched() || server.has_input() {
            server.turn(true, &mut out, 0);
            while let Some(event) = server.next_event() {
                if let Event::Request(stream, _) = event {
                    open.push(stream);
                }
            }
        }
        client.feed(out.split().freeze(), now);
        while opened < 900 && client.can_open() {
            let head = Request::post("http://test/a.B/C").body(()).unwrap();
            client.open(head, Bytes::new(), true).unwrap();
            opened += 1;
        }
        if open.len() == 900 {
            break;
        }
    }
    assert_eq!((open.len(), client.streams(), server.streams()), (900, 900, 900));
    let most = [client.memory(), server.memory()];
    assert!(most.iter().all(|most| *most > 100_000), "they count: {most:?}");
    for stream in open {
        server.respond(stream, trailers_only(0, "", http_headers()), true);
    }
    for _ in 0..10 {
        let mut out = BytesMut::new();
        while server.is_touched() || server.has_input() {
            server.turn(true, &mut out, 0);
            while server.next_event().is_some() {}
        }
        client.feed(out.split().freeze(), now);
        while client.is_touched() || client.has_input() {
            client.turn(true, &mut out, 0);
            while client.next_event().is_some() {}
        }
        server.feed(out.split().freeze(), now);
    }
    assert_eq!((client.streams(), server.streams()), (0, 0));
    client.shrink();
    server.shrink();
    assert_eq!((client.memory(), server.memory()), (0, 0));
    assert!(client.can_open());
}

fn http_headers() -> volo_js_grpc::http::HeaderMap {
    volo_js_grpc::http::HeaderMap::new()
}
