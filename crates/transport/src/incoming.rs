//! A message as it came.

use bytes::Bytes;
use volo_js_tape::{Array, LARGE};
use volo_js_thrift::{Frame, FrameError, Headers, Limits, Wire, untransform};

/// A message of Thrift with what frames it.
#[derive(Debug)]
pub(crate) struct Incoming {
    whole: Bytes,
    /// Which memory of JavaScript's it lies in, if it does.
    number: Option<u32>,
    frame: Frame,
}

impl Incoming {
    /// What [`volo_js_thrift::FrameReader`] has found, and its bytes, [`Frame::total`] of them.
    pub(crate) fn new(whole: Bytes, number: Option<u32>, frame: Frame) -> Self {
        Self { whole, number, frame }
    }

    /// Has it memory of its own?
    pub(crate) fn is_large(&self) -> bool {
        self.whole.len() >= LARGE
    }

    /// What its binaries are views of, if it is large.
    pub(crate) fn array(&self) -> Option<Array> {
        self.is_large().then(|| Array { bytes: self.whole.clone(), number: self.number })
    }

    /// How it is written and framed.
    pub(crate) fn wire(&self) -> Wire {
        self.frame.wire
    }

    /// The message as its protocol has it, with its headers where its transport has some. What is read stays in `kept`: headers are large to be
    /// handed around.
    #[inline]
    pub(crate) fn open<'p, 'a: 'p>(
        &'a self,
        limits: &Limits,
        kept: &'p mut Kept<'a>,
    ) -> Result<Opened<'p, 'a>, FrameError> {
        let start = self.frame.header;
        if !self.frame.wire.has_headers() {
            return Ok(Opened { headers: None, bytes: &self.whole, start });
        }
        let Kept { headers, inflated } = kept;
        let headers = headers.get_or_insert_default();
        headers.read(self.frame.wire, &self.whole[..start])?;
        if !headers.zlib {
            return Ok(Opened { headers: Some(headers), bytes: &self.whole, start });
        }
        let inflated = inflated.insert(untransform(headers, self.whole.slice(start..), limits)?);
        Ok(Opened { headers: Some(headers), bytes: inflated, start: 0 })
    }
}

/// Where what [`Incoming::open`] finds is kept.
#[derive(Default)]
pub(crate) struct Kept<'a> {
    headers: Option<Headers<'a>>,
    inflated: Option<Bytes>,
}

/// A message with its headers read. It borrows the bytes: counting a reference takes as long as reading the head of a small message.
pub(crate) struct Opened<'p, 'a> {
    pub headers: Option<&'p Headers<'a>>,
    bytes: &'p Bytes,
    start: usize,
}

impl<'p> Opened<'p, '_> {
    pub(crate) fn message(&self) -> &'p [u8] {
        &self.bytes[self.start..]
    }

    /// What follows its first `head` bytes.
    pub(crate) fn body(&self, head: usize) -> Bytes {
        self.bytes.slice(self.start + head..)
    }

    /// A part of the message.
    pub(crate) fn part(&self, part: &[u8]) -> Bytes {
        self.bytes.slice_ref(part)
    }
}
