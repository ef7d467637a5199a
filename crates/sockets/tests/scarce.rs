//! What waits in a queue where descriptors run out. A file of its own, for the limit is the process's.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

use std::{net::TcpStream, os::fd::AsRawFd};

use rustix::process::{Resource, getrlimit, setrlimit};
use volo_js_sockets::{
    ListenOptions, Listener,
    held::{self, Held},
};
use volo_js_transport::Address;

#[test]
fn what_cannot_be_accepted_stays_in_the_queue_and_what_was_is_told() {
    let (listener, bound) =
        Listener::bind(&Address::Tcp("127.0.0.1:0".parse().unwrap()), &ListenOptions::default()).unwrap();
    let Address::Tcp(address) = bound else { panic!("not TCP") };
    let id = held::hold(Held::Listener(listener));
    let clients: Vec<_> = (0..5).map(|_| TcpStream::connect(address).unwrap()).collect();

    let limit = getrlimit(Resource::Nofile);
    // Room for three: a second descriptor of the listener, and two connections.
    let room = [(); 3].map(|()| std::fs::File::open("/dev/null").unwrap());
    let highest = room.iter().map(AsRawFd::as_raw_fd).max().unwrap();
    let current = Some(u64::try_from(highest).unwrap() + 1);
    drop(room);
    setrlimit(Resource::Nofile, rustix::process::Rlimit { current, maximum: limit.maximum }).unwrap();
    let first = held::accept_waiting(id);
    setrlimit(Resource::Nofile, limit).unwrap();

    let first = first.unwrap();
    assert_eq!(first.len(), 2);
    assert_eq!(held::count(), 3);
    assert_eq!(held::accept_waiting(id).unwrap().len(), clients.len() - 2);
}
