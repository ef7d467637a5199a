//! TLS between sockets and protocols, on rustls. No sockets: a [`Session`] takes what the peer sent and gives what is to be sent to it.

#![forbid(unsafe_code)]

mod client;
mod credentials;
mod error;
mod server;
mod session;

pub use client::{ClientTls, ClientTlsOptions};
pub use credentials::{Certificates, Identity};
pub use error::TlsError;
pub use server::{ClientAuth, ServerTls, ServerTlsOptions};
pub use session::{Received, Session, Summary};
