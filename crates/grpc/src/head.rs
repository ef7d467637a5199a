//! Heads of requests and responses. "Requests" and "Responses" in gRPC over HTTP/2.

use std::time::Duration;

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};

use crate::{Code, put_status, timeout::read_timeout};

/// What a request's head says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallHead {
    /// `grpc-timeout`.
    pub timeout: Option<Duration>,
    /// `grpc-encoding`, unless it is `identity`.
    pub encoding: Option<Encoding>,
    /// What of `grpc-accept-encoding` this side can make.
    pub accepts: Encodings,
}

/// How messages can be compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Encoding {
    Gzip,
    Deflate,
    Zstd,
}

impl Encoding {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Gzip, Self::Deflate, Self::Zstd];

    /// As it stands in a header.
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Zstd => "zstd",
        }
    }

    fn bit(self) -> u8 {
        1 << self as u8
    }

    /// By its name.
    pub fn of_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|encoding| encoding.name().as_bytes() == name)
    }
}

/// Some encodings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Encodings(u8);

impl Encodings {
    /// Does it have this one?
    pub fn has(self, encoding: Encoding) -> bool {
        self.0 & encoding.bit() != 0
    }

    fn of_header(headers: &HeaderMap) -> Self {
        let mut encodings = Self::default();
        for value in headers.get_all("grpc-accept-encoding") {
            for name in value.as_bytes().split(|byte| *byte == b',') {
                if let Some(encoding) = Encoding::of_name(name.trim_ascii()) {
                    encodings.0 |= encoding.bit();
                }
            }
        }
        encodings
    }
}

/// What this side can read.
pub const ACCEPT_ENCODING: HeaderValue = HeaderValue::from_static("identity,gzip,deflate,zstd");
/// What a body is.
pub const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/grpc");

/// Is this a body of gRPC in Protobuf?
pub fn is_grpc(headers: &HeaderMap) -> bool {
    let Some(value) = headers.get(header::CONTENT_TYPE) else { return false };
    let Some(behind) = value.as_bytes().strip_prefix(b"application/grpc") else { return false };
    let behind = behind.strip_prefix(b"+proto").unwrap_or(behind);
    matches!(behind.first(), None | Some(b';' | b' '))
}

/// The encoding that headers name.
///
/// # Errors
/// Its name, if nothing is known of it.
pub fn encoding_of(headers: &HeaderMap) -> Result<Option<Encoding>, String> {
    match headers.get("grpc-encoding").map(HeaderValue::as_bytes) {
        None | Some(b"identity" | b"") => Ok(None),
        Some(name) => Encoding::of_name(name).map(Some).ok_or_else(|| String::from_utf8_lossy(name).into_owned()),
    }
}

/// Reads a request's head.
///
/// # Errors
/// The whole response to what is no request of gRPC, or none that can be answered.
pub fn read_call<T>(request: &Request<T>) -> Result<CallHead, Box<Response<()>>> {
    let headers = request.headers();
    if request.method() != Method::POST {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED);
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        return Err(Box::new(response));
    }
    if !is_grpc(headers) {
        return Err(Box::new(plain(StatusCode::UNSUPPORTED_MEDIA_TYPE)));
    }
    let timeout = match headers.get("grpc-timeout") {
        None => None,
        Some(value) => Some(read_timeout(value.as_bytes()).ok_or_else(|| {
            Box::new(trailers_only(
                Code::Internal as i32,
                &format!("malformed grpc-timeout: {value:?}"),
                HeaderMap::new(),
            ))
        })?),
    };
    let encoding = encoding_of(headers).map_err(|name| {
        let text = format!("this server cannot read the grpc-encoding {name:?}");
        let mut response = trailers_only(Code::Unimplemented as i32, &text, HeaderMap::new());
        response.headers_mut().insert("grpc-accept-encoding", ACCEPT_ENCODING);
        Box::new(response)
    })?;
    Ok(CallHead { timeout, encoding, accepts: Encodings::of_header(headers) })
}

fn plain(status: StatusCode) -> Response<()> {
    let mut response = Response::new(());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}

/// What goes with a head that refuses what is no call: words for who looks at it with a tool of the web. None goes with a status of gRPC.
pub fn refusal_body(head: &Response<()>) -> &'static [u8] {
    match head.status() {
        StatusCode::METHOD_NOT_ALLOWED => b"This is a gRPC server: calls are made with POST.\n",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            b"This is a gRPC server: requests have the content-type application/grpc.\n"
        }
        _ => b"",
    }
}

/// A response's head. `headers` are its metadata.
pub fn response_head(headers: HeaderMap) -> Response<()> {
    let mut response = Response::new(());
    *response.headers_mut() = headers;
    response.headers_mut().insert(header::CONTENT_TYPE, CONTENT_TYPE);
    response
}

/// A response that is only a status. `headers` are its metadata.
pub fn trailers_only(code: i32, message: &str, headers: HeaderMap) -> Response<()> {
    let mut response = response_head(headers);
    put_status(response.headers_mut(), code, message);
    response
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn request(method: &str, headers: &[(&'static str, &'static str)]) -> Request<()> {
        let mut builder = Request::builder().method(method).uri("/a.B/C");
        for (name, value) in headers {
            builder = builder.header(*name, *value);
        }
        builder.body(()).unwrap()
    }

    #[test]
    fn heads_are_read() {
        const GRPC: (&str, &str) = ("content-type", "application/grpc");
        for kind in ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"] {
            assert!(read_call(&request("POST", &[("content-type", kind)])).is_ok(), "{kind}");
        }
        for kind in ["application/grpc-web", "application/grpc+json", "application/json", "application/grpcx"] {
            let refused = read_call(&request("POST", &[("content-type", kind)])).unwrap_err();
            assert_eq!(refused.status(), 415, "{kind}");
        }
        assert_eq!(read_call(&request("POST", &[])).unwrap_err().status(), 415);
        assert_eq!(read_call(&request("GET", &[GRPC])).unwrap_err().status(), 405);
        let head = read_call(&request(
            "POST",
            &[GRPC, ("grpc-timeout", "5S"), ("grpc-encoding", "gzip"), ("grpc-accept-encoding", "identity, zstd,br")],
        ));
        let head = head.unwrap();
        assert_eq!(head.timeout, Some(Duration::from_secs(5)));
        assert_eq!(head.encoding, Some(Encoding::Gzip));
        assert!(head.accepts.has(Encoding::Zstd) && !head.accepts.has(Encoding::Gzip));
        let refused = read_call(&request("POST", &[GRPC, ("grpc-encoding", "br")])).unwrap_err();
        assert_eq!(refused.headers()["grpc-status"], "12");
        assert!(refused.headers().contains_key("grpc-accept-encoding"));
        let refused = read_call(&request("POST", &[GRPC, ("grpc-timeout", "5s")])).unwrap_err();
        assert_eq!(refused.headers()["grpc-status"], "13");
    }
}
