//! What one message may cost, and how strictly it is read.

/// Deepest nesting that can be allowed; a larger [`Limits::depth`] counts as this.
pub const MAX_DEPTH: usize = 512;
/// Largest message that can be allowed, in bytes (1 GiB − 1); a larger [`Limits::frame`] counts as this.
pub const MAX_FRAME: usize = (1 << 30) - 1;
/// Most names and values, or numbers and values, that the headers of one message may have. What they take in all is bounded by
/// the format, at 256 KiB, and by [`Limits::frame`].
pub const MAX_HEADERS: usize = 1024;

/// What one inbound message may cost, and how strictly it is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a message, together with its headers where the transport has some, and by itself when it is decompressed.
    /// Default 16 MiB, as Volo's.
    pub frame: usize,
    /// Tape slots of a message, header included. Bytes alone do not bound them: a list of empty structs takes a byte an
    /// element on the wire and a slot a field on the tape. Default 4 Mi (32 MiB).
    pub slots: usize,
    /// Structs and containers inside each other, the outermost struct included. Default 64, as Apache Thrift's.
    pub depth: usize,
    /// Strings that are not UTF-8 are an error; otherwise the reader puts U+FFFD in place of what is not. Default false, as Apache Thrift
    /// leaves it open.
    pub strict_utf8: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { frame: 16 << 20, slots: 4 << 20, depth: 64, strict_utf8: false }
    }
}

impl Limits {
    pub(crate) fn allowed_frame(&self) -> usize {
        self.frame.min(MAX_FRAME)
    }

    pub(crate) fn allowed_depth(&self) -> usize {
        self.depth.min(MAX_DEPTH)
    }
}
