//! Calls of the standard services on their streams.

use bytes::Bytes;
use volo_js_grpc::{
    CallHead, Code, Encoding, Event, FrameError, RawMessage, StreamKey, http::HeaderMap, put_prefix, put_status,
    response_head, trailers_only,
};

use super::{
    ServingStatus,
    health::{HEALTH, asked, response},
    reflection::REFLECTION,
};
use crate::{ConnectionId, Engine, GrpcServerSetup, grpc_message::plain, http2::Http2, owners::Owner};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StandardMethod {
    Check,
    List,
    Watch,
    Reflection,
}

/// A call of a standard service.
#[derive(Debug)]
pub(crate) struct StandardCall {
    method: StandardMethod,
    /// How its requests are compressed.
    encoding: Option<Encoding>,
    /// The one message of a call that does not stream its requests.
    request: Option<Bytes>,
    /// The service that is watched, once that is known.
    watched: Option<String>,
    /// What was told of it.
    told: Option<ServingStatus>,
    /// A response has not left yet: no further one is made meanwhile, so that a peer that does not read costs one.
    unsent: bool,
}

impl GrpcServerSetup {
    /// The standard method of this path, if this server has it.
    fn standard(&self, path: &str) -> Option<StandardMethod> {
        let (service, method) = path.strip_prefix('/')?.rsplit_once('/')?;
        match method {
            _ if service == HEALTH => {
                self.health.as_ref()?;
                match method {
                    "Check" => Some(StandardMethod::Check),
                    "List" => Some(StandardMethod::List),
                    "Watch" => Some(StandardMethod::Watch),
                    _ => None,
                }
            }
            "ServerReflectionInfo" if REFLECTION.contains(&service) => {
                self.reflection.as_ref().map(|_| StandardMethod::Reflection)
            }
            _ => None,
        }
    }
}

impl Http2 {
    fn put_standard(&mut self, stream: StreamKey, message: &[u8]) {
        if !self.link.has_responded(stream) {
            self.link.respond(stream, response_head(HeaderMap::new()), false);
        }
        if let Some(out) = self.link.output(stream)
            && put_prefix(out, false, message.len()).is_ok()
        {
            out.extend_from_slice(message);
            self.link.mark(stream, 1);
            self.unflushed(stream);
        }
    }
}

impl Engine {
    /// Takes a call that is one of a standard service; false if it is not.
    pub(crate) fn standard_began(&mut self, id: ConnectionId, stream: StreamKey, path: &str, head: &CallHead) -> bool {
        let connection = &mut self.connections[id as usize];
        let Some(Owner::Server(server)) = self.owners.get(connection.owner as usize) else { return false };
        let Some(method) = server.grpc.as_ref().and_then(|grpc| grpc.standard(path)) else { return false };
        let Some(http2) = &mut connection.http2 else { return false };
        server.counters.calls.add(1);
        connection.idle_since = self.now;
        let call =
            StandardCall { method, encoding: head.encoding, request: None, watched: None, told: None, unsent: false };
        http2.standard.insert(stream, call);
        true
    }

    /// Something happened on a server's stream; false if it is not that of a standard service.
    pub(crate) fn standard_event(&mut self, id: ConnectionId, event: &Event) -> bool {
        let (Event::Message(stream, _)
        | Event::End(stream, _)
        | Event::Failed(stream, _)
        | Event::Left(stream, _)
        | Event::Gone(stream, _)) = event
        else {
            return false;
        };
        let stream = *stream;
        let Some(http2) = self.http2(id) else { return false };
        let Some(call) = http2.standard.get_mut(stream) else { return false };
        match event {
            Event::Message(_, message) => self.standard_message(id, stream, message),
            Event::End(..) => self.standard_ended(id, stream),
            Event::Failed(_, error) => {
                let code = match error {
                    FrameError::TooLarge { .. } => Code::ResourceExhausted,
                    FrameError::Flag(_) | FrameError::Truncated => Code::Internal,
                };
                self.end_standard(id, stream, code, &error.to_string());
            }
            Event::Left(..) => {
                call.unsent = false;
                http2.link.pause(stream, false);
                self.tell_watcher(id, stream);
            }
            _ => {
                http2.standard.remove(stream);
                let owner = self.connections[id as usize].owner;
                self.abandon_standard(owner, 1);
            }
        }
        true
    }

    fn standard_message(&mut self, id: ConnectionId, stream: StreamKey, message: &RawMessage) {
        let connection = &mut self.connections[id as usize];
        let Some(Owner::Server(server)) = self.owners.get(connection.owner as usize) else { return };
        let (Some(grpc), Some(http2)) = (&server.grpc, &mut connection.http2) else { return };
        let Some(call) = http2.standard.get_mut(stream) else { return };
        let request = match plain(message, call.encoding, grpc.options.max_receive_message) {
            Ok(request) => request,
            Err((code, text)) => return self.end_standard(id, stream, code, &text),
        };
        let StandardMethod::Reflection = call.method else {
            if call.request.replace(request).is_some() {
                let text = "more than one message in the request of a method that takes one";
                self.end_standard(id, stream, Code::Internal, text);
            }
            return;
        };
        match grpc.reflection.as_ref().map(|reflection| reflection.answer(&request)) {
            Some(Ok(response)) => {
                http2.put_standard(stream, &response);
                http2.link.pause(stream, true);
                self.touch(id);
            }
            _ => self.end_standard(id, stream, Code::Internal, "the request cannot be read: it is no message"),
        }
    }

    fn standard_ended(&mut self, id: ConnectionId, stream: StreamKey) {
        let connection = &mut self.connections[id as usize];
        let Some(Owner::Server(server)) = self.owners.get(connection.owner as usize) else { return };
        let (Some(grpc), Some(http2)) = (&server.grpc, &mut connection.http2) else { return };
        let Some(call) = http2.standard.get_mut(stream) else { return };
        if call.method == StandardMethod::Reflection {
            return self.end_standard(id, stream, Code::Ok, "");
        }
        let (Some(request), Some(health)) = (call.request.take(), &grpc.health) else {
            let text = "the request of a method that takes one message has none";
            return self.end_standard(id, stream, Code::Internal, text);
        };
        let Ok(service) = asked(&request) else {
            return self.end_standard(id, stream, Code::Internal, "the request cannot be read: it is no message");
        };
        let closing = server.closing.is_some();
        let message = match call.method {
            StandardMethod::Watch => {
                call.watched = Some(service);
                return self.tell_watcher(id, stream);
            }
            StandardMethod::Check => health.status(&service, closing).map(response),
            StandardMethod::List | StandardMethod::Reflection => Some(health.list(closing)),
        };
        match message {
            Some(message) => {
                http2.put_standard(stream, &message);
                self.end_standard(id, stream, Code::Ok, "");
            }
            None => self.end_standard(id, stream, Code::NotFound, &format!("unknown service {service}")),
        }
    }

    /// Tells a watcher what it does not know yet, unless it has not read what it was told before.
    fn tell_watcher(&mut self, id: ConnectionId, stream: StreamKey) {
        let connection = &mut self.connections[id as usize];
        let Some(Owner::Server(server)) = self.owners.get(connection.owner as usize) else { return };
        let (Some(grpc), Some(http2)) = (&server.grpc, &mut connection.http2) else { return };
        let (Some(call), Some(health)) = (http2.standard.get_mut(stream), &grpc.health) else { return };
        let Some(service) = &call.watched else { return };
        let closing = server.closing.is_some();
        let status = health.status(service, closing).unwrap_or(ServingStatus::ServiceUnknown);
        if !call.unsent && call.told != Some(status) {
            call.told = Some(status);
            call.unsent = true;
            http2.put_standard(stream, &response(status));
            self.touch(id);
        }
        if closing {
            self.end_standard(id, stream, Code::Unavailable, "the server closes");
        }
    }

    /// Ends a call with a status. What the peer still sends of it is not wanted.
    fn end_standard(&mut self, id: ConnectionId, stream: StreamKey, code: Code, text: &str) {
        let now = self.now;
        let connection = &mut self.connections[id as usize];
        connection.idle_since = now;
        let owner = connection.owner;
        let Some(http2) = &mut connection.http2 else { return };
        http2.standard.remove(stream);
        if http2.link.has_responded(stream) {
            let mut trailers = HeaderMap::new();
            put_status(&mut trailers, code as i32, text);
            http2.unflushed(stream);
            http2.link.finish(stream, trailers);
        } else {
            http2.link.respond(stream, trailers_only(code as i32, text, HeaderMap::new()), true);
        }
        http2.link.ignore(stream);
        if let Some(Owner::Server(server)) = self.owners.get(owner as usize) {
            let counter = if code == Code::Ok { &server.counters.replies } else { &server.counters.exceptions };
            counter.add(1);
        }
        self.touch(id);
    }

    /// The peers of so many calls are gone before they were answered.
    pub(crate) fn abandon_standard(&mut self, owner: u32, calls: usize) {
        if let Some(Owner::Server(server)) = self.owners.get(owner as usize) {
            server.counters.abandoned.add(calls as u64);
        }
    }

    /// The server of a connection closes: its watchers are told, and streams that would never end do so.
    pub(crate) fn end_standard_streams(&mut self, id: ConnectionId) {
        let Some(http2) = self.http2(id) else { return };
        let streams: Vec<_> = http2.standard.iter().map(|(stream, _)| stream).collect();
        for stream in streams {
            let method = self.http2(id).and_then(|http2| http2.standard.get_mut(stream)).map(|call| call.method);
            match method {
                Some(StandardMethod::Reflection) => {
                    self.end_standard(id, stream, Code::Unavailable, "the server closes");
                }
                Some(StandardMethod::Watch) => self.tell_watcher(id, stream),
                // These end by themselves.
                Some(StandardMethod::Check | StandardMethod::List) | None => {}
            }
        }
    }

    /// Sets the status of a service of a server, and tells it to those who watch.
    pub fn set_health(&mut self, owner: u32, service: &str, status: ServingStatus) {
        let Some(Owner::Server(server)) = self.owners.get_mut(owner as usize) else { return };
        let Some(health) = server.grpc.as_mut().and_then(|grpc| grpc.health.as_mut()) else { return };
        health.set(service, status);
        let watched: Vec<_> = self
            .connections
            .iter()
            .filter(|(_, connection)| connection.owner == owner)
            .filter_map(|(id, connection)| Some((id as ConnectionId, connection.http2.as_ref()?)))
            .flat_map(|(id, http2)| http2.standard.iter().map(move |(stream, _)| (id, stream)))
            .collect();
        for (id, stream) in watched {
            self.tell_watcher(id, stream);
        }
    }
}
