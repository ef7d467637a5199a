//! What a connection receives.

use std::{io, rc::Rc};

use bytes::BytesMut;
use monoio::{
    io::{CancelableAsyncReadRent as _, OwnedReadHalf},
    net::TcpStream,
};
use volo_js_io_threads::Driver;

use crate::{
    buffers::{LARGEST, SMALLEST},
    connection::{Connection, is_cancelled},
    reactor::Reactor,
    tasks::let_others_run,
};

/// Reads in a row after which others come first, where a read that finds bytes takes no detour through the kernel's queue.
const IN_A_ROW: u32 = 16;

/// Reads until the connection is closed.
///
/// An active connection has a read under way with a buffer, which takes one operation a request. An idle one waits with a read of no bytes,
/// which the kernel answers when there are some, and holds no memory.
pub(crate) async fn read(reactor: &Rc<Reactor>, connection: &Connection, half: &mut OwnedReadHalf<TcpStream>) {
    let mut buffer = BytesMut::new();
    let mut size = SMALLEST;
    let mut in_a_row = 0;
    // A new peer has something to say, most likely.
    let mut idle = false;
    loop {
        match what_to_do(reactor, connection).await {
            Do::End => break,
            Do::Look => {
                look(reactor, connection);
                continue;
            }
            Do::Read if idle => {
                idle = false;
                // Whether it is bytes, the end or an error, the next read will tell.
                let _ = half.cancelable_read(BytesMut::new(), connection.read_handle()).await;
                continue;
            }
            Do::Read => {}
        }
        reactor.buffers.prepare(&mut buffer, size);
        let room = buffer.capacity();
        connection.set_reading_since(Some(reactor.ticks.get()));
        let (result, filled) = half.cancelable_read(buffer, connection.read_handle()).await;
        connection.set_reading_since(None);
        buffer = filled;
        match result {
            // While the bytes were on their way the engine may have had enough. Then they wait; who wants a look sees them.
            Ok(_) if matches!(what_to_do(reactor, connection).await, Do::End) => {
                connection.came_too_late(&buffer);
                break;
            }
            Ok(0) => reactor.tell(|engine| engine.ended(connection.id)),
            Ok(count) => {
                if count == room && size < LARGEST {
                    size = (size * 4).min(LARGEST);
                }
                connection.take_look();
                reactor.receive(connection.id, buffer.split().freeze());
                in_a_row += 1;
                if in_a_row == IN_A_ROW && reactor.driver != Driver::IoUring {
                    in_a_row = 0;
                    let_others_run().await;
                }
            }
            Err(_) if connection.is_closed() => break,
            Err(error) if is_cancelled(&error) => {
                reactor.buffers.release(std::mem::take(&mut buffer));
                size = SMALLEST;
                idle = true;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => reactor.tell(|engine| engine.closed(connection.id, &error.to_string())),
        }
    }
    reactor.buffers.release(buffer);
}

enum Do {
    Read,
    Look,
    End,
}

/// Waits for something to do.
async fn what_to_do(reactor: &Rc<Reactor>, connection: &Connection) -> Do {
    let wants_bytes = || reactor.shard.borrow_mut().engine().interest(connection.id).read;
    connection.set_unwatched(true);
    let is_open = connection.until(|| connection.wants_look() || wants_bytes()).await;
    connection.set_unwatched(false);
    match is_open {
        false => Do::End,
        true if connection.wants_look() => Do::Look,
        true => Do::Read,
    }
}

/// Tells the engine what is there to read now. No read is under way.
fn look(reactor: &Rc<Reactor>, connection: &Connection) {
    connection.take_look();
    match connection.read_now() {
        Ok(bytes) if bytes.is_empty() => reactor.tell(|engine| engine.ended(connection.id)),
        Ok(bytes) => reactor.receive(connection.id, bytes),
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => reactor.tell(|engine| engine.looked(connection.id)),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => connection.look(),
        Err(error) => reactor.tell(|engine| engine.closed(connection.id, &error.to_string())),
    }
}
