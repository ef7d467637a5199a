//! Writing to a slice whose size is known.

/// A slice being filled. It panics where more is written than was sized, which is a defect here.
#[derive(Debug)]
pub(crate) struct Writer<'o> {
    out: &'o mut [u8],
    at: usize,
}

impl<'o> Writer<'o> {
    #[inline]
    pub(crate) fn new(out: &'o mut [u8]) -> Self {
        Self { out, at: 0 }
    }

    /// Bytes written.
    #[inline]
    pub(crate) fn written(&self) -> usize {
        self.at
    }

    #[inline]
    pub(crate) fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.out[self.at] = value as u8 | 0x80;
            self.at += 1;
            value >>= 7;
        }
        self.out[self.at] = value as u8;
        self.at += 1;
    }

    #[inline]
    pub(crate) fn put(&mut self, bytes: &[u8]) {
        copy(self.room(bytes.len()), bytes);
    }

    /// The next `n` bytes, to be filled.
    #[inline]
    pub(crate) fn room(&mut self, n: usize) -> &mut [u8] {
        self.at += n;
        &mut self.out[self.at - n..self.at]
    }
}

/// Copies to a slice of the same length. Most strings are short, and then a call to copy one costs more than the copy: two loads that may
/// overlap cover any length between one and two of their widths.
#[inline]
fn copy(to: &mut [u8], from: &[u8]) {
    macro_rules! ends {
        ($size:literal) => {
            if from.len() <= 2 * $size
                && let (Some(first), Some(last)) = (from.first_chunk::<$size>(), from.last_chunk::<$size>())
            {
                if let Some(to) = to.first_chunk_mut::<$size>() {
                    *to = *first;
                }
                if let Some(to) = to.last_chunk_mut::<$size>() {
                    *to = *last;
                }
                return;
            }
        };
    }
    ends!(16);
    ends!(8);
    ends!(4);
    if from.len() < 4 {
        for (to, from) in to.iter_mut().zip(from) {
            *to = *from;
        }
    } else {
        to.copy_from_slice(from);
    }
}

#[cfg(test)]
mod tests {
    use super::Writer;

    #[test]
    fn pieces_of_any_length() {
        let from: Vec<u8> = (0..100).collect();
        let (mut out, mut expected) = (vec![0; 4960], Vec::new());
        let mut writer = Writer::new(&mut out);
        for length in 0..from.len() {
            writer.put(&from[..length]);
            expected.extend(&from[..length]);
        }
        writer.varint(300);
        let written = writer.written();
        expected.extend([0xAC, 2]);
        assert_eq!((written, &out[..written]), (expected.len(), &expected[..]));
    }
}
