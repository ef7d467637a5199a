//! Servers, clients, connections, calls and pools, without sockets
