//! gRPC's calling side.

use volo_js_grpc::Event;
use volo_js_tape::{Full, InTape, Malformed, OutMessage, OutTape};

use crate::{ConnectionId, Engine, calls::CallId};

/// A call of a client.
#[derive(Debug)]
pub(crate) struct ClientStream {}

impl Engine {
    pub(crate) fn client_event(&mut self, id: ConnectionId, event: &Event, tape: &mut InTape<'_>) -> Result<(), Full> {
        let _ = (id, event, tape);
        Ok(())
    }

    pub(crate) fn client_turned(&mut self, id: ConnectionId) {
        let _ = id;
    }

    pub(crate) fn call_grpc(&mut self, tape: &OutTape<'_>, message: &OutMessage, id: CallId) -> Result<(), Malformed> {
        let _ = (tape, message, id);
        Ok(())
    }

    pub(crate) fn go_on_grpc(&mut self, tape: &OutTape<'_>, message: &OutMessage, id: CallId) -> Result<(), Malformed> {
        let _ = (tape, message, id);
        Ok(())
    }
}
