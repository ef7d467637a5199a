//! Sockets that change hands, over real Unix sockets.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::fs::PermissionsExt as _,
    },
    path::PathBuf,
    thread,
};

use volo_js_sockets::{
    ListenOptions, Listener,
    held::{self, Held},
    passage::{LARGEST_MESSAGE, Passage, listen_private},
};
use volo_js_transport::Address;

fn path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("volo-passage-{name}-{}", std::process::id()))
}

fn listener() -> (Listener, std::net::SocketAddr) {
    let (listener, bound) =
        Listener::bind(&Address::Tcp("127.0.0.1:0".parse().unwrap()), &ListenOptions::default()).unwrap();
    let Address::Tcp(bound) = bound else { panic!("not TCP") };
    (listener, bound)
}

#[test]
fn messages_and_descriptors_keep_their_order() {
    let (one, other) = Passage::pair().unwrap();
    let (listener, address) = listener();
    let sender = thread::spawn(move || {
        for n in 0..200_u32 {
            let mut stream = TcpStream::connect(address).unwrap();
            let (accepted, _) = loop {
                if let Some(accepted) = listener.accept().unwrap() {
                    break accepted;
                }
            };
            stream.write_all(&n.to_le_bytes()).unwrap();
            one.send(&n.to_le_bytes(), Some(accepted.as_fd())).unwrap();
            // Ours is closed; the receiver's lives.
            drop(accepted);
            one.send(&vec![7; n as usize * 100], None).unwrap();
        }
    });
    for n in 0..200_u32 {
        let with = other.receive().unwrap().unwrap();
        assert_eq!(with.body, n.to_le_bytes());
        let mut stream = TcpStream::from(with.socket.unwrap());
        stream.set_nonblocking(false).unwrap();
        let mut said = [0; 4];
        stream.read_exact(&mut said).unwrap();
        assert_eq!(u32::from_le_bytes(said), n);
        let without = other.receive().unwrap().unwrap();
        assert_eq!(without.body.len(), n as usize * 100);
        assert!(without.socket.is_none());
    }
    sender.join().unwrap();
    assert!(other.receive().unwrap().is_none(), "the end is told once");
}

#[test]
fn closing_wakes_who_waits() {
    let (one, other) = Passage::pair().unwrap();
    let waiting = thread::spawn(move || other.receive().unwrap().is_none());
    one.close();
    assert!(waiting.join().unwrap());
    assert_eq!(one.send(b"late", None).unwrap_err().kind(), ErrorKind::BrokenPipe);
}

#[test]
fn what_is_no_message_is_an_error() {
    let (mut raw, end) = std::os::unix::net::UnixStream::pair().unwrap();
    let end = Passage::new(OwnedFd::from(end)).unwrap();
    raw.write_all(&[255; 64]).unwrap();
    assert_eq!(end.receive().unwrap_err().kind(), ErrorKind::InvalidData);
    let (mut raw, end) = std::os::unix::net::UnixStream::pair().unwrap();
    let end = Passage::new(OwnedFd::from(end)).unwrap();
    raw.write_all(&[4, 0, 0, 0, 0, 1]).unwrap();
    drop(raw);
    assert_eq!(end.receive().unwrap_err().kind(), ErrorKind::UnexpectedEof);
    // A descriptor is announced and none comes.
    let (mut raw, end) = std::os::unix::net::UnixStream::pair().unwrap();
    let end = Passage::new(OwnedFd::from(end)).unwrap();
    raw.write_all(&[0, 0, 0, 0, 1]).unwrap();
    assert_eq!(end.receive().unwrap_err().kind(), ErrorKind::InvalidData);
    let (one, _other) = Passage::pair().unwrap();
    assert_eq!(one.send(&vec![0; LARGEST_MESSAGE + 1], None).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_private_path_is_for_this_user_only() {
    let path = path("private");
    assert_eq!(Passage::connect(&path).unwrap_err().kind(), ErrorKind::NotFound);
    let listener = listen_private(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(listen_private(&path).unwrap_err().kind(), ErrorKind::AddrInUse);
    // The check whether somebody listens there left a connection behind.
    assert!(listener.accept().unwrap().is_some());
    let one = Passage::connect(&path).unwrap();
    let (other, _) = listener.accept().unwrap().unwrap();
    let other = Passage::new(other).unwrap();
    one.send(b"hello", None).unwrap();
    assert_eq!(other.receive().unwrap().unwrap().body, b"hello");
    drop(listener);
    assert!(!path.exists());
}

#[test]
fn held_sockets_are_taken_once() {
    let (listener, address) = listener();
    let id = held::hold(Held::Listener(listener));
    let (first, bound) = Listener::bind(
        &Address::Memory("ignored".into()),
        &ListenOptions { held: Some(id), ..ListenOptions::default() },
    )
    .unwrap();
    assert_eq!(bound, Address::Tcp(address));
    drop(first);
    let _client = TcpStream::connect(address).expect("the held socket listens while nobody serves on it");
    let waiting = held::accept_waiting(id).unwrap();
    assert_eq!(waiting.len(), 1);
    let connection = waiting[0];
    assert_eq!(held::take_connection(id).unwrap_err().kind(), ErrorKind::NotFound, "a listener is no connection");
    assert_eq!(held::duplicate(connection).unwrap_err().kind(), ErrorKind::NotFound, "a connection is no listener");
    held::take_connection(connection).unwrap();
    assert_eq!(held::take_connection(connection).unwrap_err().kind(), ErrorKind::NotFound);
    drop(held::take(id).unwrap());
    assert_eq!(held::take(id).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(TcpStream::connect(address).unwrap_err().kind(), ErrorKind::ConnectionRefused);
}

#[test]
fn a_message_is_received_whole_however_long() {
    let (one, other) = Passage::pair().unwrap();
    let body: Vec<u8> = (0..3_000_000_u32).map(|n| n as u8).collect();
    let sent = body.clone();
    let sender = thread::spawn(move || one.send(&sent, None).unwrap());
    assert_eq!(other.receive().unwrap().unwrap().body, body);
    sender.join().unwrap();
}

// Elsewhere a full queue refuses, as a dead server does.
#[cfg(target_os = "linux")]
#[test]
fn nobody_waits_for_who_listens_and_does_not_answer() {
    use socket2::{Domain, SockAddr, Socket, Type};

    let path = path("stopped");
    let server = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    server.bind(&SockAddr::unix(&path).unwrap()).unwrap();
    server.listen(0).unwrap();
    let mut waiting = Vec::new();
    // Its queue fills; then the next is told so at once.
    let refused = loop {
        match Passage::connect(&path) {
            Ok(passage) => waiting.push(passage),
            Err(error) => break error,
        }
    };
    assert_eq!(refused.kind(), ErrorKind::WouldBlock);
    assert_eq!(listen_private(&path).unwrap_err().kind(), ErrorKind::AddrInUse);
    assert!(path.exists(), "a server that does not answer keeps its file");
    drop(server);
    assert!(listen_private(&path).is_ok(), "and a dead one does not");
}

#[test]
fn what_cannot_be_told_from_a_server_stays() {
    let path = path("datagrams");
    let other = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    let error = listen_private(&path).unwrap_err();
    assert!(error.to_string().contains("is not known"), "{error}");
    assert!(path.exists());
    drop(other);
    std::fs::remove_file(&path).unwrap();
}
