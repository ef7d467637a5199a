//! What a server does when the process has no descriptor left. To be called in a process of its own.
#![allow(missing_docs, clippy::unwrap_used)]

use std::{fs::File, net::TcpStream, time::Duration};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use socket2::{Domain, Socket, Type};
use volo_js_tape::Kind;
use volo_js_transport::ServerOptions;

use crate::{Harness, Make, PATIENCE, connect, read, reply_bytes, send_call};

pub fn accepting_rests_without_descriptors_and_goes_on(make: Make) {
    let mut harness = Harness::new(make());
    let (owner, address) = harness.listen(ServerOptions::default());
    // The peers' sockets are made before there are none left.
    let mut first = connect(address);
    harness.eventually("the first is there", |harness| harness.server_stats(owner).connections == 1);
    let sockets: Vec<Socket> = (0..3).map(|_| Socket::new(Domain::IPV4, Type::STREAM, None).unwrap()).collect();
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(256), maximum }).unwrap();
    let filling: Vec<File> = std::iter::from_fn(|| File::open("/dev/null").ok()).collect();
    let mut peers: Vec<TcpStream> = sockets
        .into_iter()
        .map(|socket| {
            // The system takes the connection; it is the server that cannot.
            socket.connect(&address.into()).unwrap();
            socket.set_read_timeout(Some(PATIENCE)).unwrap();
            TcpStream::from(socket)
        })
        .collect();
    let event = harness.kind(Kind::Event);
    assert!(event.text.contains("cannot accept connections"), "{}", event.text);
    assert_eq!(harness.server_stats(owner).connections, 1);
    // Those who are there are served meanwhile.
    send_call(&mut first, 1, "x");
    let call = harness.until(|message| message.kind == Kind::Call).pop().unwrap();
    harness.reply(&call, "y");
    harness.send();
    let expected = reply_bytes(1, "y");
    assert_eq!(read(&mut first, expected.len()), expected);
    // It rests between two attempts: far fewer of them than a loop would make.
    let before = harness.server_stats(owner).refused;
    for _ in 0..60 {
        harness.turn();
        std::thread::sleep(Duration::from_millis(10));
    }
    let attempts = harness.server_stats(owner).refused - before;
    assert!(attempts <= 30, "{attempts} attempts");
    drop(filling);
    for peer in &mut peers {
        send_call(peer, 1, "x");
    }
    for call in &harness.kinds(Kind::Call, peers.len()) {
        harness.reply(call, "y");
    }
    harness.send();
    for peer in &mut peers {
        assert_eq!(read(peer, expected.len()), expected);
    }
}
