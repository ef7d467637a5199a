//! Sockets between processes: what [`volo_js_sockets::passage`] blocks on, on threads of its own. See `Passage` in `js/core/addon.ts`.

use std::{
    os::fd::AsFd as _,
    path::Path,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use napi::{
    Error, Result, Status,
    bindgen_prelude::{Buffer, FnArgs, Uint8Array},
    threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode::NonBlocking},
};
use napi_derive::napi;
use volo_js_sockets::{
    held::{self, Held},
    passage::{Doorbell, Passage, listen_private},
};

use crate::core::{coded, error_code};

/// Body, held socket; both missing at the end, with the reason if there is one.
type OnMessage = ThreadsafeFunction<Received, (), Received, Status, false, true>;
type Received = FnArgs<(Option<Buffer>, Option<u32>, Option<String>)>;
/// A held connection, or why no more can come.
type OnVisitor = ThreadsafeFunction<Visitor, (), Visitor, Status, false, true>;
type Visitor = FnArgs<(Option<u32>, Option<String>)>;

/// How long accepting rests after it failed.
const RETRY: Duration = Duration::from_millis(100);

struct Outgoing {
    body: Vec<u8>,
    socket: Option<Held>,
}

/// One end of a passage: messages out and in, with a socket beside each.
#[napi]
pub struct NativePassage {
    passage: Arc<Passage>,
    outgoing: Option<mpsc::Sender<Outgoing>>,
}

#[napi]
impl NativePassage {
    /// Connects to the process that listens on `path`.
    #[napi(factory)]
    pub fn connect(path: String, on_message: OnMessage) -> Result<Self, String> {
        let passage = Passage::connect(Path::new(&path))
            .map_err(|error| coded(error_code(&error), format!("nobody hands over on {path}: {error}")))?;
        start(passage, on_message).map_err(|error| coded(error_code(&error), error.to_string()))
    }

    /// Takes a held connection, as [`NativeDoor`] gives it.
    #[napi(factory)]
    pub fn adopt(socket: u32, on_message: OnMessage) -> Result<Self, String> {
        held::take_connection(socket)
            .and_then(Passage::new)
            .and_then(|passage| start(passage, on_message))
            .map_err(|error| coded(error_code(&error), error.to_string()))
    }

    /// Sends a message, and a held socket beside it, which is held no longer. Never waits.
    #[napi]
    pub fn send(&self, body: Uint8Array, socket: Option<u32>) -> Result<()> {
        let socket = socket.map(held::take).transpose().map_err(|error| Error::from_reason(error.to_string()))?;
        if let Some(outgoing) = &self.outgoing {
            // Fails once the other end is gone, which the reader tells.
            let _ = outgoing.send(Outgoing { body: body.to_vec(), socket });
        }
        Ok(())
    }

    /// Closes after what was sent is on its way.
    #[napi]
    pub fn close(&mut self) {
        self.outgoing = None;
    }
}

impl Drop for NativePassage {
    fn drop(&mut self) {
        self.passage.close();
    }
}

fn start(passage: Passage, on_message: OnMessage) -> std::io::Result<NativePassage> {
    let passage = Arc::new(passage);
    let (outgoing, queue) = mpsc::channel::<Outgoing>();
    let writing = passage.clone();
    thread::Builder::new().name("volo-hand-out".into()).spawn(move || {
        for Outgoing { body, socket } in queue {
            let descriptor = socket.as_ref().map(|socket| match socket {
                Held::Listener(listener) => listener.as_fd(),
                Held::Connection(connection) => connection.as_fd(),
            });
            if writing.send(&body, descriptor).is_err() {
                break;
            }
        }
        writing.close();
    })?;
    let reading = passage.clone();
    thread::Builder::new().name("volo-hand-in".into()).spawn(move || {
        let end = loop {
            match reading.receive() {
                Ok(Some(message)) => {
                    let socket = match message.socket.map(Held::from_descriptor).transpose() {
                        Ok(socket) => socket.map(held::hold),
                        Err(error) => break Some(error.to_string()),
                    };
                    let told = on_message.call((Some(Buffer::from(message.body)), socket, None).into(), NonBlocking);
                    if told != Status::Ok {
                        // The environment has ended: nobody will take it.
                        if let Some(socket) = socket {
                            drop(held::take(socket));
                        }
                        break None;
                    }
                }
                Ok(None) => break None,
                Err(error) => break Some(error.to_string()),
            }
        };
        reading.close();
        on_message.call((None, None, end).into(), NonBlocking);
    })?;
    Ok(NativePassage { passage, outgoing: Some(outgoing) })
}

/// Where other processes of this user call to take sockets over.
#[napi]
pub struct NativeDoor {
    socket: u32,
    doorbell: Doorbell,
}

#[napi]
impl NativeDoor {
    /// Listens on `path`, or on a held socket that did so in another process.
    #[napi(factory)]
    pub fn open(path: String, socket: Option<u32>, on_visitor: OnVisitor) -> Result<Self, String> {
        let failed = |error: std::io::Error| coded(error_code(&error), format!("cannot hand over on {path}: {error}"));
        let socket = match socket {
            Some(socket) => socket,
            None => held::hold(Held::Listener(listen_private(Path::new(&path)).map_err(failed)?)),
        };
        let listener = held::duplicate(socket).map_err(failed)?;
        let (doorbell, rung) = Doorbell::pair().map_err(failed)?;
        thread::Builder::new()
            .name("volo-door".into())
            .spawn(move || {
                loop {
                    match rung.wait(&listener) {
                        Ok(true) => {}
                        Ok(false) => return,
                        Err(error) => {
                            on_visitor.call((None, Some(error.to_string())).into(), NonBlocking);
                            return;
                        }
                    }
                    let connection = match listener.accept() {
                        Ok(Some((connection, _))) => connection,
                        Ok(None) => continue,
                        Err(_) => {
                            // Out of descriptors, most likely; whoever calls is still there when some are free again.
                            thread::sleep(RETRY);
                            continue;
                        }
                    };
                    let socket = held::hold(Held::Connection(connection));
                    if on_visitor.call((Some(socket), None).into(), NonBlocking) != Status::Ok {
                        drop(held::take(socket));
                        return;
                    }
                }
            })
            .map_err(failed)?;
        Ok(Self { socket, doorbell })
    }

    /// The held socket it listens on.
    #[napi(getter)]
    pub fn socket(&self) -> u32 {
        self.socket
    }

    /// Lets nobody in any more. The socket stays held.
    #[napi]
    pub fn close(&self) {
        self.doorbell.ring();
    }
}

/// A second descriptor of a held listener, held too: to send away while this process goes on with the first.
#[napi]
pub fn duplicate_socket(socket: u32) -> Result<u32> {
    let listener = held::duplicate(socket).map_err(|error| Error::from_reason(error.to_string()))?;
    Ok(held::hold(Held::Listener(listener)))
}

/// The file of a held Unix listener goes with it from now on, or stays when it is closed.
#[napi]
pub fn own_path(socket: u32, owned: bool) -> Result<()> {
    held::own_path(socket, owned).map_err(|error| Error::from_reason(error.to_string()))
}
