//! Helpers of the tests of every front end.

use std::fs;
use std::path::PathBuf;

/// A directory that goes when the test ends.
pub(crate) struct Folder {
    pub path: PathBuf,
}

impl Folder {
    /// One of its own; no two tests may name theirs the same.
    pub(crate) fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("volo-js-schema-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).expect("a folder for the test");
        Self { path }
    }

    /// Writes a file below it.
    pub(crate) fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder for the file");
        fs::write(&path, text).expect("the file is written");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left behind lies in the system's folder for such things.
        drop(fs::remove_dir_all(&self.path));
    }
}

/// xorshift64*: a fixed seed makes every failure come again.
pub(crate) struct Random(pub u64);

impl Random {
    /// 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below a limit.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() >> 33) as usize % limit.max(1)
    }
}
