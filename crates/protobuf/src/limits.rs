//! What one message may cost.

/// Deepest nesting that can be allowed; a larger [`Limits::depth`] counts as this.
pub const MAX_DEPTH: usize = 512;
/// Largest message there can be, in bytes (2 GiB − 1).
pub const MAX_MESSAGE: usize = i32::MAX as usize;

/// What one inbound message may cost. How many bytes it may have is for those to say who know them before all have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Tape slots of a message, header included. Bytes alone do not bound them: an empty message of a repeated field takes two bytes
    /// on the wire and a slot a field on the tape. Default 4 Mi (32 MiB).
    pub slots: usize,
    /// Messages, groups and map entries inside each other, the outermost message not counted. Default 100, as other implementations'.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { slots: 4 << 20, depth: 100 }
    }
}

impl Limits {
    pub(crate) fn allowed_depth(&self) -> usize {
        self.depth.min(MAX_DEPTH)
    }
}
