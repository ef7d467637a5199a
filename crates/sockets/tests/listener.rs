//! Listeners over real sockets.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::{
    io::{self, ErrorKind},
    net::TcpStream,
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::PathBuf,
    time::{Duration, Instant},
};

use volo_js_sockets::{Handle, ListenOptions, Listener, SocketOptions, connect};
use volo_js_transport::{Address, Peer};

fn anywhere() -> Address {
    Address::Tcp("127.0.0.1:0".parse().unwrap())
}

fn path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("volo-sockets-{name}-{}", std::process::id()))
}

fn accept(listener: &Listener) -> io::Result<(Handle, Peer)> {
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        match listener.accept()? {
            Some(accepted) => return Ok(accepted),
            None if Instant::now() > until => return Err(ErrorKind::TimedOut.into()),
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

fn port(address: &Address) -> std::net::SocketAddr {
    let Address::Tcp(address) = address else { panic!("{address} is not TCP") };
    *address
}

#[test]
fn accepts_what_connects() {
    let (listener, bound) = Listener::bind(&anywhere(), &ListenOptions::default()).unwrap();
    assert!(listener.accept().unwrap().is_none());
    assert_eq!(listener.address().unwrap(), bound);
    let client = connect(&bound, &SocketOptions::default()).unwrap();
    let (accepted, peer) = accept(&listener).unwrap();
    assert!(matches!(peer, Peer::Tcp(peer) if peer.port() != 0));
    assert!(rustix::net::sockopt::tcp_nodelay(&accepted).unwrap());
    assert!(rustix::net::sockopt::tcp_nodelay(&client.socket).unwrap());
}

#[test]
fn every_interface_takes_both_families() {
    let (listener, bound) =
        Listener::bind(&Address::Tcp("[::]:0".parse().unwrap()), &ListenOptions::default()).unwrap();
    let port = port(&bound).port();
    let _client = TcpStream::connect(("127.0.0.1", port)).unwrap();
    accept(&listener).unwrap();
}

#[test]
fn a_port_is_shared_only_on_request() {
    let shared = ListenOptions { reuse_port: true, ..ListenOptions::default() };
    let (_first, bound) = Listener::bind(&anywhere(), &shared).unwrap();
    Listener::bind(&bound, &shared).unwrap();
    let refused = Listener::bind(&bound, &ListenOptions::default()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AddrInUse);
}

#[test]
fn a_clone_keeps_the_queue() {
    let (listener, bound) = Listener::bind(&anywhere(), &ListenOptions::default()).unwrap();
    let clone = listener.try_clone().unwrap();
    let _client = TcpStream::connect(port(&bound)).unwrap();
    drop(listener);
    accept(&clone).unwrap();
}

#[test]
fn a_listening_descriptor_is_taken_over() {
    let std = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = std.local_addr().unwrap();
    let listener = Listener::from_handle(OwnedFd::from(std), None, SocketOptions::default()).unwrap();
    assert!(listener.accept().unwrap().is_none());
    let client = TcpStream::connect(address).unwrap();
    accept(&listener).unwrap();
    let refused = Listener::from_handle(OwnedFd::from(client), None, SocketOptions::default()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
}

#[test]
fn the_file_goes_with_its_owner() {
    let path = path("owner");
    let address = Address::Unix(path.clone());
    let (listener, _) = Listener::bind(&address, &ListenOptions::default()).unwrap();
    assert_eq!(
        Listener::bind(&address, &ListenOptions::default()).unwrap_err().kind(),
        ErrorKind::AddrInUse,
        "a path that answers is not taken"
    );
    assert_eq!(listener.address().unwrap(), address);
    drop(listener.try_clone().unwrap());
    assert!(path.exists());
    drop(listener);
    assert!(!path.exists());
    let (mut listener, _) = Listener::bind(&address, &ListenOptions::default()).unwrap();
    listener.leave_path();
    drop(listener);
    assert!(path.exists());
    let (listener, _) = Listener::bind(&address, &ListenOptions::default()).expect("nobody answers on a stale file");
    let _client = UnixStream::connect(&path).unwrap();
    // The stale check of a bind that was refused may have left a connection in the queue; this listener is new.
    assert_eq!(accept(&listener).unwrap().1, Peer::Unix);
}

#[test]
fn memory_has_no_socket() {
    let address = Address::Memory("item".into());
    assert_eq!(Listener::bind(&address, &ListenOptions::default()).unwrap_err().kind(), ErrorKind::InvalidInput);
    assert_eq!(connect(&address, &SocketOptions::default()).unwrap_err().kind(), ErrorKind::InvalidInput);
}
