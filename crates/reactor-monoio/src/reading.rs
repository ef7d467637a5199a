//! What a connection receives.

use std::rc::Rc;

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

/// Reads until the peer ends or the connection is closed.
///
/// An active connection has a read under way with a buffer, which takes one operation a request. An idle one waits with a read of no bytes,
/// which the kernel answers when there are some, and holds no memory.
pub(crate) async fn read(reactor: &Rc<Reactor>, connection: &Connection, half: &mut OwnedReadHalf<TcpStream>) {
    let mut buffer = BytesMut::new();
    let mut size = SMALLEST;
    let mut in_a_row = 0;
    loop {
        if !is_to_read(reactor, connection).await {
            break;
        }
        reactor.buffers.prepare(&mut buffer, size);
        let room = buffer.capacity();
        connection.set_reading_since(Some(reactor.ticks.get()));
        let (result, filled) = half.cancelable_read(buffer, connection.read_handle()).await;
        connection.set_reading_since(None);
        buffer = filled;
        // While the bytes were on their way the engine may have had enough.
        if result.is_ok() && !is_to_read(reactor, connection).await {
            break;
        }
        match result {
            Ok(0) => {
                connection.set_unwatched(true);
                reactor.tell(|engine| engine.ended(connection.id));
                break;
            }
            Ok(count) => {
                if count == room && size < LARGEST {
                    size = (size * 4).min(LARGEST);
                }
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
                // Without a buffer until there is something to read. Whether that is bytes, the end or an error, the next read will tell.
                let _ = half.cancelable_read(BytesMut::new(), connection.read_handle()).await;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => {
                reactor.tell(|engine| engine.closed(connection.id, &error.to_string()));
                break;
            }
        }
    }
    reactor.buffers.release(buffer);
}

/// Waits until the engine wants what the connection has. False if the connection is closed.
async fn is_to_read(reactor: &Rc<Reactor>, connection: &Connection) -> bool {
    connection.set_unwatched(true);
    let is_open = connection.until(|| reactor.shard.borrow_mut().engine().interest(connection.id).read).await;
    connection.set_unwatched(false);
    is_open
}
