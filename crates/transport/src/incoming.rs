//! A message as it came.

use bytes::{Buf as _, Bytes};
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

    /// Its headers, where its transport has some, and the message as its protocol has it. The headers are put into `place`, where they stay: they
    /// are large to be handed around.
    #[inline]
    pub(crate) fn open<'p, 'a>(
        &'a self,
        limits: &Limits,
        place: &'p mut Option<Headers<'a>>,
    ) -> Result<(Option<&'p Headers<'a>>, Bytes), FrameError> {
        let mut message = self.whole.clone();
        message.advance(self.frame.header);
        if !self.frame.wire.has_headers() {
            return Ok((None, message));
        }
        let headers = place.get_or_insert_default();
        headers.read(self.frame.wire, &self.whole[..self.frame.header])?;
        let message = untransform(headers, message, limits)?;
        Ok((Some(headers), message))
    }
}
