//! The canned reply and the two places in it that differ from call to call.

/// Offset in a frame of the sequence id: after the frame length, the version and the name `GetItem` with its length.
const SEQ: usize = 4 + 4 + 4 + 7;
/// Offset of the id in a request: two field headers of three bytes follow the sequence id.
const REQUEST_ID: usize = SEQ + 4 + 3 + 3;
/// Offset of the id in a reply: three field headers follow the sequence id.
const REPLY_ID: usize = SEQ + 4 + 3 + 3 + 3;
/// Shortest frame, length prefix included, that holds an id.
pub const SHORTEST: usize = REQUEST_ID + 8;
/// Longest frame this loop takes, length prefix included; a peer that announces more is disconnected.
pub const LONGEST: usize = 64 * 1024;

/// A whole reply frame for item 0 with sequence id 0.
pub fn reply(content: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 4];
    out.extend(0x8001_0002u32.to_be_bytes());
    out.extend(7u32.to_be_bytes());
    out.extend(b"GetItem\0\0\0\0");
    out.extend([12, 0, 0, 12, 0, 1, 10, 0, 1]);
    out.extend([0; 8]);
    for (id, text) in [(2u8, &b"Hello Volo"[..]), (3, content)] {
        out.extend([11, 0, id]);
        out.extend((text.len() as u32).to_be_bytes());
        out.extend(text);
    }
    out.extend([0, 0, 0]);
    let length = out.len() as u32 - 4;
    out[..4].copy_from_slice(&length.to_be_bytes());
    out
}

/// Appends the reply to `request`, one whole frame of at least [`SHORTEST`] bytes.
pub fn answer(out: &mut Vec<u8>, template: &[u8], request: &[u8]) {
    let start = out.len();
    out.extend_from_slice(template);
    out[start + SEQ..][..4].copy_from_slice(&request[SEQ..SEQ + 4]);
    out[start + REPLY_ID..][..8].copy_from_slice(&request[REQUEST_ID..REQUEST_ID + 8]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_sequence_and_id_whatever_the_length() {
        let mut request = vec![0; 4];
        request.extend(0x8001_0001u32.to_be_bytes());
        request.extend(7u32.to_be_bytes());
        request.extend(b"GetItem\0\0\0\x2a");
        request.extend([12, 0, 1, 10, 0, 1]);
        request.extend(77i64.to_be_bytes());
        request.extend([11, 0, 9, 0, 0, 0, 1, b'?', 0, 0]);
        let template = reply(b"abc");
        let mut out = Vec::new();
        answer(&mut out, &template, &request);
        assert_eq!(out.len(), template.len());
        assert_eq!(out[SEQ..SEQ + 4], [0, 0, 0, 42]);
        assert_eq!(out[REPLY_ID..REPLY_ID + 8], 77i64.to_be_bytes());
        assert_eq!(u32::from_be_bytes(out[..4].try_into().unwrap()) as usize, out.len() - 4);
    }
}
