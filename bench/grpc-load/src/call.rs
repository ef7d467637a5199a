//! One call, and whether it was answered rightly.

use bytes::Bytes;
use h2::client::SendRequest;
use http::{HeaderMap, Method as HttpMethod, Request, Version};

use crate::{
    args::{Args, Method},
    expected::{Expected, PREFIX},
};

/// Makes a call and reads its answer to the end; gives the number of messages.
pub async fn call(
    mut send: SendRequest<Bytes>,
    args: &Args,
    expected: &Expected,
    id: u64,
) -> Result<(SendRequest<Bytes>, u64), String> {
    let (response, mut body) = send.send_request(request(args)?, false).map_err(said("request"))?;
    body.send_data(Bytes::from(Expected::request(id)), true).map_err(said("request"))?;
    let (head, mut stream) = response.await.map_err(said("response"))?.into_parts();
    if head.status != 200 {
        return Err(format!("HTTP status {}", head.status));
    }
    let first = match args.method {
        Method::GetItem => expected.item(id),
        Method::StreamItems => expected.streamed(id, 1),
    };
    let mut messages = Messages::new(first);
    while let Some(chunk) = stream.data().await {
        let chunk = chunk.map_err(said("data"))?;
        stream.flow_control().release_capacity(chunk.len()).map_err(said("window"))?;
        messages.take(&chunk)?;
    }
    let trailers = stream.trailers().await.map_err(said("trailers"))?;
    let status = |headers: &HeaderMap| headers.get("grpc-status").map(|value| value.as_bytes() == b"0");
    if trailers.as_ref().and_then(status).or_else(|| status(&head.headers)) != Some(true) {
        return Err(format!("the call failed: {:?}", trailers.unwrap_or(head.headers)));
    }
    let wanted = match args.method {
        Method::GetItem => 1,
        Method::StreamItems => args.stream_items,
    };
    if messages.count != wanted || messages.have != 0 {
        return Err(format!("{} messages instead of {wanted}", messages.count));
    }
    let send = send.ready().await.map_err(said("connection"))?;
    Ok((send, messages.count))
}

fn request(args: &Args) -> Result<Request<()>, String> {
    let method = match args.method {
        Method::GetItem => "GetItem",
        Method::StreamItems => "StreamItems",
    };
    Request::builder()
        .method(HttpMethod::POST)
        .version(Version::HTTP_2)
        .uri(format!("http://{}/volo.example.ItemService/{method}", args.address))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(())
        .map_err(|error| error.to_string())
}

fn said<E: std::fmt::Display>(what: &'static str) -> impl Fn(E) -> String {
    move |error| format!("{what}: {error}")
}

/// Tells messages apart in what arrives in pieces, and compares the first; the others are told by their lengths.
struct Messages {
    first: Vec<u8>,
    /// Bytes of the first message that were compared.
    compared: usize,
    prefix: [u8; PREFIX],
    /// Bytes of the message under way that have come, its prefix included.
    have: usize,
    /// Its length with the prefix, once that is known.
    length: usize,
    count: u64,
}

impl Messages {
    fn new(first: Vec<u8>) -> Self {
        Self { first, compared: 0, prefix: [0; PREFIX], have: 0, length: 0, count: 0 }
    }

    fn take(&mut self, mut chunk: &[u8]) -> Result<(), String> {
        while !chunk.is_empty() {
            let step = if self.have < PREFIX {
                let step = chunk.len().min(PREFIX - self.have);
                self.prefix[self.have..self.have + step].copy_from_slice(&chunk[..step]);
                if self.have + step == PREFIX {
                    let [flag, length @ ..] = self.prefix;
                    if flag != 0 {
                        return Err("a compressed message".to_owned());
                    }
                    self.length = PREFIX + u32::from_be_bytes(length) as usize;
                }
                step
            } else {
                chunk.len().min(self.length - self.have)
            };
            if self.count == 0 {
                let wanted = self.first.get(self.compared..self.compared + step);
                if wanted != Some(&chunk[..step]) {
                    return Err("a wrong message".to_owned());
                }
                self.compared += step;
            }
            self.have += step;
            chunk = &chunk[step..];
            if self.have >= PREFIX && self.have == self.length {
                self.have = 0;
                self.count += 1;
            }
        }
        Ok(())
    }
}
