//! Headers of any bytes: what is read is within the limits, and written again it reads the same.
//!
//! The first byte chooses the transport; the rest is what stands behind the length of a frame.

#![no_main]

use bytes::{BufMut, Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use volo_js_thrift::{
    FrameReader, Headers, Limits, MAX_HEADERS, Protocol, Transport, Wire, begin_frame, end_frame, read_headers,
    untransform,
};

const TRANSPORTS: [Transport; 4] =
    [Transport::TtHeader, Transport::TtHeaderFramed, Transport::Header, Transport::HeaderFramed];

fuzz_target!(|data: &[u8]| {
    let Some((&choice, content)) = data.split_first() else { return };
    let transport = TRANSPORTS[usize::from(choice) % TRANSPORTS.len()];
    let limits = Limits { frame: 1 << 16, ..Limits::default() };
    let mut bytes = (content.len() as u32).to_be_bytes().to_vec();
    bytes.extend(content);
    if let Some(magic) = bytes.get_mut(4..6) {
        let is_apache = matches!(transport, Transport::Header | Transport::HeaderFramed);
        magic.copy_from_slice(if is_apache { &[0x0F, 0xFF] } else { &[0x10, 0x00] });
    }
    if transport == Transport::HeaderFramed {
        bytes.splice(..0, (bytes.len() as u32).to_be_bytes());
    }
    // Whatever a frame reader would say to it.
    let _ = read_headers(Wire::new(transport, Protocol::Binary), &bytes);

    let Ok(Some(frame)) = FrameReader::detect(limits).next(&bytes) else { return };
    assert_eq!(frame.total(), bytes.len());
    let Ok(headers) = read_headers(frame.wire, &bytes[..frame.header]) else { return };
    assert!(headers.strings.len() + headers.ints.len() <= MAX_HEADERS);
    let message = Bytes::copy_from_slice(&bytes[frame.header..]);
    let Ok(message) = untransform(&headers, message, &limits) else { return };
    assert!(message.len() <= limits.frame);
    if message.is_empty() {
        return;
    }

    let written = write(frame.wire, &headers, &message);
    let again = FrameReader::fixed(frame.wire, Limits::default()).next(&written).expect("a frame").expect("all of it");
    assert_eq!((again.wire, again.total()), (frame.wire, written.len()));
    assert_eq!(read_headers(again.wire, &written[..again.header]), Ok(headers.clone()));
    let plain = untransform(&headers, Bytes::copy_from_slice(&written[again.header..]), &limits);
    assert_eq!(plain, Ok(message));
});

/// What was read fits what is written: lengths only become shorter.
fn write(wire: Wire, headers: &Headers<'_>, message: &[u8]) -> BytesMut {
    let mut out = BytesMut::new();
    let mark = begin_frame(wire, headers, &mut out).expect("headers that fit");
    if wire.transport == Transport::TtHeaderFramed {
        out.put_u32(message.len() as u32);
    }
    out.put_slice(message);
    end_frame(mark, 0, &mut out).expect("a frame that fits");
    out
}
