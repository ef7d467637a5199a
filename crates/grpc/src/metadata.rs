//! Metadata: headers and trailers that are not the protocol's own. Here they are one string, `name LF value LF name LF value`.

use http::{HeaderMap, HeaderName, HeaderValue, header::Entry};

/// A name or value that no header can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// A name.
    #[error("{0:?} is no name of metadata: use lower-case letters, digits, '-', '_' and '.'")]
    Name(String),
    /// A value.
    #[error(
        "the value of metadata {0} has characters that no header can carry; use a name that ends in -bin for bytes"
    )]
    Value(String),
}

/// Is a header the protocol's own, and so neither passed on nor taken?
fn is_reserved(name: &str) -> bool {
    match name.as_bytes() {
        [b':', ..] => true,
        [b'g', b'r', b'p', b'c', b'-', ..] => name != "grpc-status-details-bin",
        _ => matches!(
            name,
            "te" | "content-type"
                | "connection"
                | "transfer-encoding"
                | "keep-alive"
                | "proxy-connection"
                | "upgrade"
                | "content-length"
        ),
    }
}

/// Appends what headers carry for the user.
pub fn read_metadata(headers: &HeaderMap, into: &mut Vec<u8>) {
    for (name, value) in headers {
        if is_reserved(name.as_str()) {
            continue;
        }
        if !into.is_empty() {
            into.push(b'\n');
        }
        into.extend_from_slice(name.as_str().as_bytes());
        into.push(b'\n');
        into.extend_from_slice(value.as_bytes());
    }
}

/// Adds metadata to headers. Reserved names are passed over.
///
/// # Errors
/// A name or value cannot be sent.
pub fn write_metadata(metadata: &[u8], headers: &mut HeaderMap) -> Result<(), MetadataError> {
    if metadata.is_empty() {
        return Ok(());
    }
    let mut parts = metadata.split(|byte| *byte == b'\n');
    while let Some(name) = parts.next() {
        let value = parts.next().unwrap_or_default();
        let lossy = || String::from_utf8_lossy(name).into_owned();
        let header = HeaderName::from_bytes(name).map_err(|_| MetadataError::Name(lossy()))?;
        if is_reserved(header.as_str()) {
            continue;
        }
        let value = HeaderValue::from_bytes(value).map_err(|_| MetadataError::Value(lossy()))?;
        match headers.try_entry(header).map_err(|_| MetadataError::Name(lossy()))? {
            Entry::Occupied(mut entry) => entry.append(value),
            Entry::Vacant(entry) => {
                entry.insert(value);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn round(metadata: &str) -> String {
        let mut headers = HeaderMap::new();
        write_metadata(metadata.as_bytes(), &mut headers).unwrap();
        let mut back = Vec::new();
        read_metadata(&headers, &mut back);
        String::from_utf8(back).unwrap()
    }

    #[test]
    fn the_user_s_own_passes_and_the_protocol_s_does_not() {
        assert_eq!(round(""), "");
        assert_eq!(round("a\n1\nb-bin\nAAE\na\n2\nempty\n"), "a\n1\na\n2\nb-bin\nAAE\nempty\n");
        assert_eq!(
            round("te\nx\ngrpc-timeout\n1S\ncontent-type\nx\ngrpc-status-details-bin\nAA\nconnection\nclose"),
            "grpc-status-details-bin\nAA"
        );
    }

    #[test]
    fn what_no_header_can_carry_is_refused() {
        let mut headers = HeaderMap::new();
        assert_eq!(write_metadata(b"a b\n1", &mut headers), Err(MetadataError::Name("a b".to_owned())));
        assert_eq!(write_metadata(b"a\n\x01", &mut headers), Err(MetadataError::Value("a".to_owned())));
        assert_eq!(write_metadata(b":path\n/", &mut headers), Err(MetadataError::Name(":path".to_owned())));
    }
}
