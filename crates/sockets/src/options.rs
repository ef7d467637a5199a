//! What can be set on sockets.

use std::{io, time::Duration};

use socket2::{SockRef, TcpKeepalive};

use crate::{Handle, held::HeldId};

/// How to listen.
#[derive(Debug, Clone, Default)]
pub struct ListenOptions {
    /// Connections the kernel may queue. Default 1024.
    pub backlog: Option<i32>,
    /// Lets several processes or isolates share the port. Default off. Without effect where the system has no `SO_REUSEPORT`.
    pub reuse_port: bool,
    /// Serves on a duplicate of this held socket instead of binding a new one; the address is not looked at then.
    pub held: Option<HeldId>,
    /// Options of accepted sockets.
    pub socket: SocketOptions,
}

/// Options of a connection's socket.
#[derive(Debug, Clone, Copy)]
pub struct SocketOptions {
    /// `TCP_NODELAY`. Default on.
    pub no_delay: bool,
    /// TCP keepalive after this idle time. Default off.
    pub keep_alive: Option<Duration>,
}

impl Default for SocketOptions {
    fn default() -> Self {
        Self { no_delay: true, keep_alive: None }
    }
}

impl SocketOptions {
    /// Sets the options on a TCP socket.
    ///
    /// # Errors
    /// The system's; `InvalidInput` for a socket whose peer has reset it already.
    pub fn apply(&self, socket: &Handle) -> io::Result<()> {
        let socket = SockRef::from(socket);
        socket.set_tcp_nodelay(self.no_delay)?;
        match self.keep_alive {
            Some(idle) => socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(idle)),
            None => Ok(()),
        }
    }
}
