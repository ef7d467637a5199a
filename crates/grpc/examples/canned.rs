//! Answers every unary call with the same bytes: `canned ours 5001` through this crate, `canned bare 5002` with `h2` on Tokio alone. What the
//! first loses against the second is what this crate costs.

#![allow(clippy::unwrap_used, missing_docs)]

use std::{env, time::Instant};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Response};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use volo_js_grpc::{Connection, Event, Http2Options};

const REPLY: &[u8] = b"\0\0\0\0\x28\x0a\x26\x08\x2a\x12\x0aHello gRPC\x1a\x0fPowered by Volo\x22\x05abcde";

fn head() -> Response<()> {
    let mut head = Response::new(());
    head.headers_mut().insert("content-type", HeaderValue::from_static("application/grpc"));
    head
}

fn trailers() -> HeaderMap {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    trailers
}

async fn ours(mut socket: TcpStream) {
    let mut connection = Connection::server(Http2Options::default(), 4 << 20, Instant::now());
    let (mut input, mut output) = (BytesMut::new(), BytesMut::new());
    loop {
        while connection.has_input() || connection.is_touched() {
            let has_read = connection.turn(true, &mut output, 0);
            while let Some(event) = connection.next_event() {
                if let Event::End(stream, _) = event {
                    connection.answer(stream, head(), Bytes::from_static(REPLY), trailers());
                }
            }
            if !has_read {
                break;
            }
        }
        if !output.is_empty() {
            if socket.write_all(&output).await.is_err() {
                return;
            }
            output.clear();
        }
        if connection.ended().is_some() {
            return;
        }
        input.reserve(64 << 10);
        match socket.read_buf(&mut input).await {
            Ok(0) | Err(_) => connection.end(),
            Ok(_) => connection.feed(input.split().freeze(), Instant::now()),
        }
    }
}

async fn bare(socket: TcpStream) {
    let options = Http2Options::default();
    let mut connection = h2::server::Builder::new()
        .max_concurrent_streams(options.max_concurrent_streams)
        .initial_window_size(options.stream_window)
        .initial_connection_window_size(options.connection_window)
        .handshake::<_, Bytes>(socket)
        .await
        .unwrap();
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        tokio::spawn(async move {
            let mut body = request.into_body();
            while let Some(Ok(data)) = body.data().await {
                let _ = body.flow_control().release_capacity(data.len());
            }
            let mut send = respond.send_response(head(), false).unwrap();
            send.send_data(Bytes::from_static(REPLY), false).unwrap();
            send.send_trailers(trailers()).unwrap();
        });
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = env::args().collect();
    let listener = TcpListener::bind(("127.0.0.1", arguments[2].parse().unwrap())).await.unwrap();
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        socket.set_nodelay(true).unwrap();
        if arguments[1] == "bare" {
            tokio::spawn(bare(socket));
        } else {
            tokio::spawn(ours(socket));
        }
    }
}
