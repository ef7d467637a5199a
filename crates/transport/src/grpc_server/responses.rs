//! Answers from JavaScript.

use volo_js_grpc::{Code, StreamKey, fit_trailers, fits, http::HeaderMap, put_status, response_head, trailers_only};
use volo_js_tape::{Kind, Malformed, OutMessage, OutTape};

use super::Refusal;
use crate::{
    ConnectionId, Engine,
    calls::CallId,
    grpc_message::{FLAG_CREDIT, put_encoding, put_headers},
    owners::Owner,
};

impl Engine {
    /// A message about a server's call.
    pub(crate) fn serve_grpc(
        &mut self,
        tape: &OutTape<'_>,
        message: &OutMessage,
        call: CallId,
    ) -> Result<(), Malformed> {
        let Some(record) = self.server_calls.get_mut(call) else { return Ok(()) };
        let (owner, id, method, stream) = (record.owner, record.connection, record.method, record.mirror.stream());
        let Some(Owner::Server(server)) = self.owners.get(owner as usize) else { return Ok(()) };
        let Some(grpc) = &server.grpc else { return Ok(()) };
        let Some(http2) = self.connections.get_mut(id as usize).and_then(|connection| connection.http2.as_deref_mut())
        else {
            return Ok(());
        };
        let Some(record) = http2.served.get_mut(stream) else { return Ok(()) };
        let body = message.body;
        let most = http2.link.max_header_list();
        let refused = match message.header.kind {
            Kind::Credit => {
                record.credit.answered(tape.i32(body)?.max(0) as u32);
                if !record.credit.is_used_up() {
                    http2.link.pause(stream, false);
                }
                None
            }
            Kind::Headers => {
                let mut headers = HeaderMap::new();
                record.choose_encoding(tape.high(body + 1)?);
                match initial(tape, body, &mut headers, most)? {
                    Ok(()) => {
                        put_encoding(&mut headers, record.encoding);
                        http2.link.respond(stream, response_head(headers), false);
                        None
                    }
                    Err(error) => Some(error),
                }
            }
            Kind::StreamMessage => {
                if !http2.link.has_responded(stream) {
                    let mut headers = HeaderMap::new();
                    put_encoding(&mut headers, record.encoding);
                    http2.link.respond(stream, response_head(headers), false);
                }
                let index = grpc.program.method(method).result;
                match http2.link.output(stream) {
                    None => None,
                    Some(out) => match self.encoder.append(&grpc.program, index, tape, body, record.encoding, out) {
                        Ok(flags) => {
                            record.outgoing.sent += 1;
                            if flags & FLAG_CREDIT != 0 {
                                http2.link.mark(stream, std::mem::take(&mut record.outgoing.sent));
                            }
                            http2.unflushed(stream);
                            None
                        }
                        Err(error) => Some(error),
                    },
                }
            }
            Kind::StreamEnd => {
                let (status, text) = (tape.i32(body)?, tape.str(body + 1)?.to_bytes());
                let mut trailers = HeaderMap::new();
                let mut headers = HeaderMap::new();
                let wrong =
                    initial(tape, body + 3, &mut headers, most)?.and(put_headers(tape, body + 2, &mut trailers)?).err();
                if let Some(error) = wrong {
                    Some(error)
                } else {
                    let text = String::from_utf8_lossy(&text);
                    if http2.link.has_responded(stream) {
                        put_status(&mut trailers, status, &text);
                        fit_trailers(&mut trailers, most);
                        http2.unflushed(stream);
                        http2.link.finish(stream, trailers);
                    } else if headers.is_empty() {
                        let mut response = trailers_only(status, &text, trailers);
                        fit_trailers(response.headers_mut(), most);
                        http2.link.respond(stream, response, true);
                    } else {
                        http2.link.respond(stream, response_head(headers), false);
                        put_status(&mut trailers, status, &text);
                        fit_trailers(&mut trailers, most);
                        http2.link.finish(stream, trailers);
                    }
                    self.grpc_answered(id, stream, call, status == 0);
                    None
                }
            }
            _ => {
                let index = grpc.program.method(method).result;
                let mut trailers = HeaderMap::new();
                let mut headers = HeaderMap::new();
                let wrong =
                    initial(tape, body + 1, &mut headers, most)?.and(put_headers(tape, body + 2, &mut trailers)?).err();
                let encoded = match wrong {
                    Some(error) => Err(error),
                    None => {
                        if !http2.link.has_responded(stream) {
                            record.choose_encoding(tape.high(body)?);
                        }
                        put_encoding(&mut headers, record.encoding);
                        self.encoder.encode(&grpc.program, index, tape, body, record.encoding)
                    }
                };
                match encoded {
                    Err(error) => Some(error),
                    Ok(bytes) => {
                        put_status(&mut trailers, 0, "");
                        fit_trailers(&mut trailers, most);
                        if http2.link.has_responded(stream) {
                            if let Some(out) = http2.link.output(stream) {
                                out.extend_from_slice(&bytes);
                            }
                            http2.link.finish(stream, trailers);
                        } else {
                            http2.link.answer(stream, response_head(headers), bytes, trailers);
                        }
                        self.grpc_answered(id, stream, call, true);
                        None
                    }
                }
            }
        };
        if let Some(error) = refused {
            self.give_up(id, stream, Refusal(Code::Internal, error));
        }
        self.touch(id);
        if matches!(message.header.kind, Kind::Credit) && self.http2(id).is_some_and(|http2| http2.has_input()) {
            self.enlist(id);
        }
        Ok(())
    }

    /// A call is answered. What the peer still sends of it is not wanted.
    fn grpc_answered(&mut self, id: ConnectionId, stream: StreamKey, call: CallId, well: bool) {
        let now = self.now;
        let connection = &mut self.connections[id as usize];
        connection.idle_since = now;
        let owner = connection.owner;
        if let Some(http2) = &mut connection.http2 {
            http2.served.remove(stream);
            http2.link.ignore(stream);
        }
        self.server_calls.remove(call.slot);
        if let Some(Owner::Server(server)) = self.owners.get_mut(owner as usize) {
            server.counters.in_flight.sub(1);
            if well {
                server.counters.replies.add(1);
            } else {
                server.counters.exceptions.add(1);
            }
        }
    }
}

/// Takes initial metadata from the tape. The inner error is why they cannot be sent.
fn initial(
    tape: &OutTape<'_>,
    slot: usize,
    headers: &mut HeaderMap,
    most: Option<u32>,
) -> Result<Result<(), String>, Malformed> {
    let taken = put_headers(tape, slot, headers)?;
    Ok(taken.and_then(|()| {
        if fits(headers, most) {
            return Ok(());
        }
        Err(format!(
            "the initial metadata are more than the {} bytes of headers that the client takes",
            most.unwrap_or_default()
        ))
    }))
}
