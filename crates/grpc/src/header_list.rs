//! How many headers a peer takes. RFC 9113, 6.5.2 and 10.5.1.

use http::{HeaderMap, Request};

use crate::{GRPC_MESSAGE, GRPC_STATUS};

/// What one header costs beyond its name and value.
const OVERHEAD: usize = 32;
/// `:status`.
const RESPONSE: usize = 7 + 3 + OVERHEAD;

/// The size of headers as `SETTINGS_MAX_HEADER_LIST_SIZE` counts it.
pub fn header_list_size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + OVERHEAD).sum()
}

/// The size of a request's head, pseudo-headers included.
pub(crate) fn request_size(head: &Request<()>) -> usize {
    let uri = head.uri();
    let pseudo = [
        (":method", head.method().as_str()),
        (":scheme", uri.scheme_str().unwrap_or_default()),
        (":authority", uri.authority().map_or("", |authority| authority.as_str())),
        (":path", uri.path()),
    ];
    pseudo.iter().map(|(name, value)| name.len() + value.len() + OVERHEAD).sum::<usize>()
        + header_list_size(head.headers())
}

/// Would a peer that takes `most` take these as the headers of a response?
pub fn fits(headers: &HeaderMap, most: Option<u32>) -> bool {
    most.is_none_or(|most| header_list_size(headers) + RESPONSE <= most as usize)
}

/// Leaves out what a peer that takes `most` would not take, so that the status arrives: first the metadata, then the message.
pub fn fit_trailers(trailers: &mut HeaderMap, most: Option<u32>) {
    if fits(trailers, most) {
        return;
    }
    let status = trailers.remove(GRPC_STATUS);
    let message = trailers.remove(GRPC_MESSAGE);
    // The head of a response that is nothing else.
    let kind = trailers.remove(http::header::CONTENT_TYPE);
    trailers.clear();
    let kept = [(GRPC_STATUS, status), (http::header::CONTENT_TYPE.as_str(), kind), (GRPC_MESSAGE, message)];
    for (name, value) in kept {
        if let Some(value) = value {
            trailers.insert(name, value);
            if name == GRPC_MESSAGE && !fits(trailers, most) {
                trailers.remove(name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn trailers(details: usize, message: usize) -> HeaderMap {
        let mut trailers = HeaderMap::new();
        let long = |length: usize| HeaderValue::from_bytes(&vec![b'x'; length]).expect("text");
        trailers.insert(GRPC_STATUS, HeaderValue::from_static("5"));
        trailers.insert(GRPC_MESSAGE, long(message));
        trailers.insert("grpc-status-details-bin", long(details));
        trailers
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<_> = headers.keys().map(http::HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn the_status_is_what_survives() {
        let table = [
            (100, 100, vec![GRPC_MESSAGE, GRPC_STATUS, "grpc-status-details-bin"]),
            (8000, 100, vec![GRPC_MESSAGE, GRPC_STATUS]),
            (8000, 8000, vec![GRPC_STATUS]),
        ];
        for (details, message, kept) in table {
            let mut trailers = trailers(details, message);
            fit_trailers(&mut trailers, Some(4096));
            assert_eq!(names(&trailers), kept);
            assert!(header_list_size(&trailers) <= 4096);
        }
        let mut all = trailers(8000, 8000);
        fit_trailers(&mut all, None);
        assert_eq!(all.len(), 3);
    }
}
