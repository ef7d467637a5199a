//! What a connection sends.

use std::{io, rc::Rc};

use bytes::{Buf as _, BytesMut};
use monoio::{
    io::{CancelableAsyncWriteRent as _, OwnedWriteHalf},
    net::TcpStream,
};

use crate::{connection::Connection, reactor::Reactor};

/// Writes what there is whenever there is something, until the connection is closed or breaks. One write is under way at most, with everything
/// that has been gathered until it begins.
pub(crate) async fn write(reactor: &Rc<Reactor>, connection: &Connection, half: &mut OwnedWriteHalf<TcpStream>) {
    while connection.until(|| connection.take_output_mark()).await {
        loop {
            let output = reactor.shard.borrow_mut().engine().take_output(connection.id);
            let Some(output) = output else { break };
            let outcome = write_all(reactor, connection, half, output).await;
            if connection.is_closed() {
                return;
            }
            match outcome {
                Ok(output) => reactor.tell(|engine| engine.gave_back(connection.id, output)),
                Err(error) => return reactor.tell(|engine| engine.closed(connection.id, &error.to_string())),
            }
        }
    }
}

/// Gives the buffer back, empty.
async fn write_all(
    reactor: &Rc<Reactor>,
    connection: &Connection,
    half: &mut OwnedWriteHalf<TcpStream>,
    mut output: BytesMut,
) -> io::Result<BytesMut> {
    while !output.is_empty() {
        let (result, rest) = half.cancelable_write(output, connection.write_handle()).await;
        output = rest;
        if connection.is_closed() {
            // The id may be another connection's by now.
            return Ok(output);
        }
        match result {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                output.advance(count);
                if !output.is_empty() {
                    reactor.tell(|engine| engine.wrote_part(connection.id, count));
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(output)
}
