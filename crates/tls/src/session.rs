//! One connection's TLS.

use std::io::{Read as _, Write as _};

use bytes::{BufMut as _, BytesMut};
use rustls::Connection;

use crate::TlsError;

/// Room made for plain text at a time: a record and a little.
const RECORD: usize = 17 << 10;

/// What came of bytes of the peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    /// The handshake is complete since these bytes.
    pub established: bool,
    /// The peer has said that it sends no more.
    pub ended: bool,
}

/// What was agreed on, for who wants to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// `TLSv1_3`, `TLSv1_2`
    pub version: String,
    /// Name of the cipher suite.
    pub cipher: String,
    /// The application protocol (ALPN).
    pub alpn: Option<Vec<u8>>,
    /// The name that the client asked for (SNI); servers only.
    pub server_name: Option<String>,
    /// The peer's certificate, as DER, if it showed one.
    pub peer_certificate: Option<Vec<u8>>,
}

/// One connection's TLS: cipher text on one side, plain text on the other.
#[derive(Debug)]
pub struct Session {
    connection: Connection,
    established: bool,
}

impl Session {
    pub(crate) fn new(mut connection: Connection) -> Self {
        // What is written is at most what a protocol has bounded already; a limit here would only cut it.
        connection.set_buffer_limit(None);
        Self { connection, established: false }
    }

    /// Is the handshake over?
    pub fn is_established(&self) -> bool {
        self.established
    }

    /// Takes bytes of the peer; what they say is appended to `plain`. Afterwards there may be something to [send](Self::take).
    ///
    /// # Errors
    /// Why the connection is over; what is still to be [sent](Self::take) tells the peer.
    pub fn receive(&mut self, mut bytes: &[u8], plain: &mut BytesMut) -> Result<Received, TlsError> {
        let before = self.established;
        let mut ended = false;
        while !bytes.is_empty() {
            // Fails only where plain text is not read, which it is.
            self.connection.read_tls(&mut bytes).map_err(|error| TlsError::Protocol(error.to_string()))?;
            let state = self.connection.process_new_packets()?;
            ended |= state.peer_has_closed();
            self.read_plain(state.plaintext_bytes_to_read(), plain)?;
            if ended {
                break;
            }
        }
        self.established = !self.connection.is_handshaking();
        Ok(Received { established: self.established && !before, ended })
    }

    fn read_plain(&mut self, count: usize, plain: &mut BytesMut) -> Result<(), TlsError> {
        let mut left = count;
        while left > 0 {
            let room = left.min(RECORD);
            let at = plain.len();
            plain.put_bytes(0, room);
            let read = self
                .connection
                .reader()
                .read(&mut plain[at..])
                .map_err(|error| TlsError::Protocol(error.to_string()))?;
            plain.truncate(at + read);
            if read == 0 {
                break;
            }
            left -= read;
        }
        Ok(())
    }

    /// Encrypts; before the handshake is over it waits.
    ///
    /// # Errors
    /// If rustls refuses, which it does not without a limit.
    pub fn send(&mut self, plain: &[u8]) -> Result<(), TlsError> {
        self.connection.writer().write_all(plain).map_err(|error| TlsError::Protocol(error.to_string()))
    }

    /// Appends what is to be sent to the peer.
    ///
    /// # Errors
    /// None: writing to memory does not fail.
    pub fn take(&mut self, out: &mut BytesMut) -> Result<(), TlsError> {
        while self.connection.wants_write() {
            self.connection.write_tls(&mut out.writer()).map_err(|error| TlsError::Protocol(error.to_string()))?;
        }
        Ok(())
    }

    /// Is there anything to [take](Self::take)?
    pub fn has_output(&self) -> bool {
        self.connection.wants_write()
    }

    /// Tells the peer that no more comes.
    pub fn close(&mut self) {
        self.connection.send_close_notify();
    }

    /// What was agreed on.
    pub fn summary(&self) -> Summary {
        let connection = &self.connection;
        let server_name = match connection {
            Connection::Server(server) => server.server_name().map(str::to_owned),
            Connection::Client(_) => None,
        };
        Summary {
            version: connection.protocol_version().map(|version| format!("{version:?}")).unwrap_or_default(),
            cipher: connection
                .negotiated_cipher_suite()
                .map(|suite| format!("{:?}", suite.suite()))
                .unwrap_or_default(),
            alpn: connection.alpn_protocol().map(<[u8]>::to_vec),
            server_name,
            peer_certificate: connection.peer_certificates().and_then(<[_]>::first).map(|first| first.to_vec()),
        }
    }
}
