//! gRPC over real sockets, as far as a reactor may matter to it.
#![allow(missing_docs, clippy::unwrap_used)]

use std::{
    io::Write,
    sync::atomic::{AtomicU32, Ordering},
};

use volo_js_tape::Kind;
use volo_js_transport::{Address, ClientOptions, GrpcOptions, ServerOptions};

use crate::{CALL, Harness, Make, call_bytes, connect, read, reply_bytes};

/// Unix sockets of this process.
static SOCKETS: AtomicU32 = AtomicU32::new(0);

/// Where a Unix socket holds little, so that both directions are soon full.
fn narrow_address() -> Address {
    if cfg!(not(unix)) {
        return Address::Tcp("127.0.0.1:0".parse().unwrap());
    }
    let name = format!("volo-js-grpc-{}-{}.sock", std::process::id(), SOCKETS.fetch_add(1, Ordering::Relaxed));
    Address::Unix(std::env::temp_dir().join(name))
}

/// Neither end may stop reading because the other one does.
pub fn large_messages_pass_both_ways_at_once(make: Make) {
    const CALLS: u32 = 80;
    const AT_ONCE: u32 = 32;
    let mut harness = Harness::new(make());
    let (owner, address) = harness.listen_both(&narrow_address(), ServerOptions::default(), GrpcOptions::default());
    let client = harness.grpc_client(ClientOptions::new(address), GrpcOptions::default());
    // Of several sizes, so that some are answered while others are still on their way.
    let text = |slot: u32| format!("{slot}:{}", "x".repeat(100_000 * (slot as usize % 8 + 1)));
    for slot in 0..AT_ONCE {
        harness.request(client, slot, 1, &text(slot));
    }
    let (mut answered, mut asked) = (0, AT_ONCE);
    while answered < CALLS {
        let messages = harness.until(|message| matches!(message.kind, Kind::Request | Kind::Response | Kind::Failure));
        for message in &messages {
            match message.kind {
                Kind::Request => {
                    harness.respond(message, &message.text);
                    harness.send();
                }
                Kind::Response => {
                    assert!(message.text == text(message.call));
                    answered += 1;
                    if asked < CALLS {
                        harness.request(client, asked, 1, &text(asked));
                        asked += 1;
                    }
                }
                Kind::Failure => panic!("{message:?}"),
                _ => {}
            }
        }
    }
    assert_eq!(harness.server_stats(owner).replies, u64::from(CALLS));
}

pub fn thrift_and_grpc_share_a_port(make: Make) {
    let mut harness = Harness::new(make());
    let any = Address::Tcp("127.0.0.1:0".parse().unwrap());
    let (owner, address) = harness.listen_both(&any, ServerOptions::default(), GrpcOptions::default());
    let Address::Tcp(port) = address else { panic!("bound {address}") };
    let grpc = harness.grpc_client(ClientOptions::new(address), GrpcOptions::default());
    for (generation, framed) in (1..).zip([true, false]) {
        let mut thrift = connect(port);
        for byte in call_bytes("Echo", CALL, 7, Some("thrift"), framed) {
            thrift.write_all(&[byte]).unwrap();
            harness.subject.poll();
        }
        let call = harness.kind(Kind::Call);
        assert_eq!(call.text, "thrift");
        harness.request(grpc, 0, generation, "grpc");
        let request = harness.kind(Kind::Request);
        assert_eq!(request.text, "grpc");
        harness.respond(&request, "of grpc");
        harness.reply(&call, "of thrift");
        harness.send();
        assert_eq!(harness.kind(Kind::Response).text, "of grpc");
        let reply = reply_bytes(7, "of thrift");
        let reply = if framed { &reply[..] } else { &reply[4..] };
        assert_eq!(read(&mut thrift, reply.len()), reply);
    }
    // What is neither is told as what it most likely was meant to be.
    let mut neither = connect(port);
    neither.write_all(b"PRI * HTTP/1.0\r\n\r\n").unwrap();
    let event = harness.kind(Kind::Event);
    assert!(event.text.contains("closed the connection"), "{event:?}");
    assert_eq!(harness.server_stats(owner).replies, 4);
}
