//! Status codes, and what stands for them elsewhere. "Responses" and "HTTP2 Transport Mapping" in gRPC over HTTP/2.

use h2::Reason;
use http::{HeaderMap, HeaderValue};

/// Codes of gRPC that this side gives itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
#[allow(missing_docs)]
pub enum Code {
    Ok = 0,
    Cancelled = 1,
    Unknown = 2,
    DeadlineExceeded = 4,
    NotFound = 5,
    PermissionDenied = 7,
    ResourceExhausted = 8,
    Unimplemented = 12,
    Internal = 13,
    Unavailable = 14,
    Unauthenticated = 16,
}

/// The name of a header that carries the code.
pub const GRPC_STATUS: &str = "grpc-status";
/// The name of a header that carries words.
pub const GRPC_MESSAGE: &str = "grpc-message";

/// Longest status message that is sent, in bytes before encoding; more helps nobody and may not fit the peer's headers.
const LONGEST: usize = 2 << 10;

/// What an HTTP status means where gRPC's is missing.
pub fn code_of_http(status: u16) -> Code {
    match status {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502 | 503 | 504 => Code::Unavailable,
        _ => Code::Unknown,
    }
}

/// What the code of an `RST_STREAM` means.
pub fn code_of_reset(reason: Reason) -> Code {
    match reason {
        Reason::REFUSED_STREAM => Code::Unavailable,
        Reason::CANCEL => Code::Cancelled,
        Reason::ENHANCE_YOUR_CALM => Code::ResourceExhausted,
        Reason::INADEQUATE_SECURITY => Code::PermissionDenied,
        _ => Code::Internal,
    }
}

/// Puts a status into trailers.
pub fn put_status(trailers: &mut HeaderMap, code: i32, message: &str) {
    let code = match code {
        0 => HeaderValue::from_static("0"),
        other => HeaderValue::from(other),
    };
    trailers.insert(GRPC_STATUS, code);
    if !message.is_empty() {
        let mut end = message.len().min(LONGEST);
        while !message.is_char_boundary(end) {
            end -= 1;
        }
        // What is encoded is printable ASCII.
        if let Ok(value) = HeaderValue::from_str(&encode_message(&message[..end])) {
            trailers.insert(GRPC_MESSAGE, value);
        }
    }
}

/// The status that headers carry, if they do. A code that is no number is UNKNOWN.
pub fn status_of(headers: &HeaderMap) -> Option<(i32, String)> {
    let code = headers.get(GRPC_STATUS)?;
    let code = code.to_str().ok().and_then(|code| code.parse().ok()).unwrap_or(Code::Unknown as i32);
    let message = headers.get(GRPC_MESSAGE).map_or_else(String::new, |value| decode_message(value.as_bytes()));
    Some((code, message))
}

/// Percent-encodes a status message: what is not printable ASCII, and `%`.
pub fn encode_message(message: &str) -> String {
    use std::fmt::Write as _;
    let mut encoded = String::with_capacity(message.len());
    for byte in message.bytes() {
        match byte {
            b'%' => encoded.push_str("%25"),
            b' '..=b'~' => encoded.push(byte as char),
            _ => {
                // Writing to a string does not fail.
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

/// Reads a status message. What is not encoded right is taken as it is, for a message that is hard to read is better than none.
pub fn decode_message(encoded: &[u8]) -> String {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        if first == b'%'
            && let Some(two) = behind.first_chunk::<2>()
            && let Some(byte) = std::str::from_utf8(two).ok().and_then(|two| u8::from_str_radix(two, 16).ok())
            && two[0] != b'+'
        {
            bytes.push(byte);
            rest = &behind[2..];
        } else {
            bytes.push(first);
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_travel_percent_encoded() {
        let table = [("", ""), ("plain ~", "plain ~"), ("50% ü\n", "50%25 %C3%BC%0A"), ("\u{1F600}", "%F0%9F%98%80")];
        for (message, encoded) in table {
            assert_eq!(encode_message(message), encoded);
            assert_eq!(decode_message(encoded.as_bytes()), message);
        }
        for (encoded, message) in
            [("%", "%"), ("%4", "%4"), ("%zz", "%zz"), ("%+1", "%+1"), ("%c3", "\u{FFFD}"), ("a%41", "aA")]
        {
            assert_eq!(decode_message(encoded.as_bytes()), message);
        }
    }

    #[test]
    fn a_status_is_read_from_headers() {
        let mut headers = HeaderMap::new();
        assert_eq!(status_of(&headers), None);
        put_status(&mut headers, 5, "no such item: ü");
        assert_eq!(status_of(&headers), Some((5, "no such item: ü".to_owned())));
        put_status(&mut headers, 0, "");
        headers.insert(GRPC_STATUS, HeaderValue::from_static("five"));
        assert_eq!(status_of(&headers).map(|status| status.0), Some(2));
    }

    #[test]
    fn the_specification_s_tables() {
        let http =
            [(200, 2), (400, 13), (401, 16), (403, 7), (404, 12), (429, 14), (502, 14), (503, 14), (504, 14), (500, 2)];
        for (status, code) in http {
            assert_eq!(code_of_http(status) as i32, code, "{status}");
        }
        let resets = [(0, 13), (1, 13), (2, 13), (3, 13), (6, 13), (7, 14), (8, 1), (11, 8), (12, 7)];
        for (reason, code) in resets {
            assert_eq!(code_of_reset(Reason::from(reason)) as i32, code, "{reason}");
        }
    }
}
