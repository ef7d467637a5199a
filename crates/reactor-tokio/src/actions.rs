//! What the engine wants done.

use std::{io, rc::Rc};

use volo_js_sockets::{
    Connecting,
    held::{self, Held},
};
use volo_js_transport::{Action, Address, ConnectionId};

use crate::{connection::Connection, thread::Thread};

impl Thread {
    /// Carries the engine's actions out.
    pub fn carry_out(self: &Rc<Self>) {
        loop {
            let action = self.shard.borrow_mut().engine().next_action();
            if let Some(action) = action {
                self.act(action);
                continue;
            }
            // Behind all actions, for one of them may let go of the socket whose id a new connection gets.
            let late = self.late.borrow_mut().pop();
            let Some((owner, socket, peer)) = late else { return };
            self.place(owner, socket, peer);
        }
    }

    fn act(self: &Rc<Self>, action: Action) {
        match action {
            Action::Interest(id) => {
                let interest = self.shard.borrow_mut().engine().interest(id);
                if let Some(Some(connection)) = self.connections.borrow().get(id as usize) {
                    connection.set_interest(interest);
                }
            }
            Action::Close(id) => {
                if let Some(connection) = self.connections.borrow_mut().get_mut(id as usize).and_then(Option::take) {
                    connection.close();
                }
            }
            Action::Look(id) => {
                if let Some(Some(connection)) = self.connections.borrow().get(id as usize) {
                    connection.look(self);
                }
            }
            Action::HandOver { id, owner, unread } => {
                let connection = self.connections.borrow_mut().get_mut(id as usize).and_then(Option::take);
                let socket = connection.ok_or_else(|| io::ErrorKind::NotConnected.into()).and_then(|connection| {
                    connection.close();
                    connection.duplicate()
                });
                let mut shard = self.shard.borrow_mut();
                shard.want_turn();
                match socket {
                    Ok(socket) => shard.engine().handed_over(owner, held::hold(Held::Connection(socket)), unread),
                    Err(error) => shard.engine().not_handed_over(owner, &error.to_string()),
                }
            }
            Action::Reset(id) => {
                if let Some(Some(connection)) = self.connections.borrow().get(id as usize) {
                    connection.reset();
                }
            }
            Action::StopListening(owner) => {
                let (ours, others): (Vec<_>, Vec<_>) =
                    self.listeners.take().into_iter().partition(|accepting| accepting.owner == owner);
                self.listeners.replace(others);
                let mut late = self.late.borrow_mut();
                for accepting in ours {
                    late.extend(accepting.stop().into_iter().map(|(socket, peer)| (owner, socket, peer)));
                }
            }
            Action::Connect(id, address) => {
                let outcome = self.connect(id, &address);
                let mut shard = self.shard.borrow_mut();
                shard.want_turn();
                match outcome {
                    Ok(true) => shard.engine().connected(id),
                    Ok(false) => {}
                    Err(error) => {
                        let why = shard.engine().cannot_connect(id, &error.to_string());
                        shard.engine().closed(id, &why);
                    }
                }
            }
        }
    }

    /// True if the connection was made at once.
    fn connect(self: &Rc<Self>, id: ConnectionId, address: &Address) -> io::Result<bool> {
        let Connecting { socket, connected } = self.shard.borrow_mut().connect(id, address)?;
        Connection::start(self, id, socket, !connected)?;
        Ok(connected)
    }
}
