//! The methods a server answers, by their names on the wire.

use rustc_hash::FxHashMap;
use volo_js_thrift::Program;

/// Indexes into a program's methods, by name.
#[derive(Debug, Default)]
pub struct Methods(FxHashMap<Box<[u8]>, u32>);

impl Methods {
    /// The given methods (indexes into the program's); a name may stand only once.
    ///
    /// # Errors
    /// The name that two methods share.
    pub fn new(program: &Program, methods: &[u32]) -> Result<Self, String> {
        let mut by_name = FxHashMap::default();
        for &index in methods {
            let name = &program.method(index).name;
            if by_name.insert(Box::from(name.as_bytes()), index).is_some_and(|other| other != index) {
                return Err(name.to_string());
            }
        }
        Ok(Self(by_name))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    #[inline]
    pub(crate) fn get(&self, name: &[u8]) -> Option<u32> {
        self.0.get(name).copied()
    }
}
