//! Peers under the test's control, and their bytes.
#![allow(clippy::unwrap_used)]

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    time::Duration,
};

use volo_js_transport::{Address, ClientOptions, Mode};

/// The kind of a call, on the wire.
pub const CALL: u8 = 1;
/// The kind of a call that nobody waits for, on the wire.
pub const ONEWAY: u8 = 4;

/// A framed call, or a buffered one, as bytes.
pub fn call_bytes(name: &str, kind: u8, sequence: i32, text: Option<&str>, framed: bool) -> Vec<u8> {
    let mut message = vec![0x80, 1, 0, kind];
    message.extend((name.len() as u32).to_be_bytes());
    message.extend(name.as_bytes());
    message.extend(sequence.to_be_bytes());
    if let Some(text) = text {
        message.extend([11, 0, 1]);
        message.extend((text.len() as u32).to_be_bytes());
        message.extend(text.as_bytes());
    }
    message.push(0);
    if framed { [(message.len() as u32).to_be_bytes().to_vec(), message].concat() } else { message }
}

/// A message, which has no length of its own, behind a TTHeader with what Volo tells beside a call.
pub fn headed_bytes(message: &[u8]) -> Vec<u8> {
    let mut headers = vec![0, 0, 0x10, 0, 4];
    for (key, value) in [(3_u16, "caller"), (6, "callee"), (9, "Echo"), (12, "10000")] {
        headers.extend(key.to_be_bytes());
        headers.extend((value.len() as u16).to_be_bytes());
        headers.extend(value.as_bytes());
    }
    headers.extend(b"\x01\0\x01\0\x0DRPC_PERSIST_A\0\x01b");
    headers.resize(headers.len().next_multiple_of(4), 0);
    let mut bytes = ((10 + headers.len() + message.len()) as u32).to_be_bytes().to_vec();
    bytes.extend([0x10, 0, 0, 0, 0, 0, 0, 0]);
    bytes.extend(((headers.len() / 4) as u16).to_be_bytes());
    bytes.extend(headers);
    bytes.extend(message);
    bytes
}

/// The bytes of a framed reply of Echo.
pub fn reply_bytes(sequence: i32, text: &str) -> Vec<u8> {
    let mut bytes = call_bytes("Echo", 2, sequence, Some(text), true);
    let field = bytes.len() - 1 - text.len() - 4 - 2;
    bytes[field..field + 2].copy_from_slice(&[0, 0]);
    bytes
}

/// How long anything is waited for. Long, for sanitizers on a busy machine are slow, and only what fails waits so long.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Connects to a server. Reads fail when they have been [waited for](PATIENCE) long enough.
pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Calls Echo.
pub fn send_call(stream: &mut TcpStream, sequence: i32, text: &str) {
    stream.write_all(&call_bytes("Echo", CALL, sequence, Some(text), true)).unwrap();
}

/// So many bytes.
pub fn read(stream: &mut TcpStream, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

/// All bytes until the peer ends.
pub fn read_to_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    bytes
}

/// The sequence id of the next framed call.
pub fn read_call(stream: &mut TcpStream) -> i32 {
    let length = u32::from_be_bytes(read(stream, 4).try_into().unwrap());
    let message = read(stream, length as usize);
    let name = u32::from_be_bytes(message[4..8].try_into().unwrap()) as usize;
    i32::from_be_bytes(message[8 + name..12 + name].try_into().unwrap())
}

/// A server that does what the test does.
pub struct Peer {
    listener: TcpListener,
}

impl Peer {
    /// One that listens.
    #[allow(clippy::new_without_default)]
    pub fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").unwrap() }
    }

    /// Options of a client that calls it.
    pub fn options(&self, mode: Mode) -> ClientOptions {
        ClientOptions { mode, ..ClientOptions::new(Address::Tcp(self.listener.local_addr().unwrap())) }
    }

    /// The next connection. Reads fail when they have been [waited for](PATIENCE) long enough.
    pub fn accept(&self) -> TcpStream {
        self.listener.set_nonblocking(false).unwrap();
        let (stream, _) = self.listener.accept().unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// True if nobody connects within 50 ms.
    pub fn is_quiet(&self) -> bool {
        self.listener.set_nonblocking(true).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        self.listener.accept().is_err()
    }
}
