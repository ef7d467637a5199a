//! The methods a server answers, by their names on the wire.

use rustc_hash::FxHashMap;
use volo_js_thrift::Program;

/// Between the names of a service and a method where both are told: `TMultiplexedProtocol` of Apache Thrift.
const SEPARATOR: u8 = b':';

/// A method of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Served {
    /// Index into the program's methods. Services that inherit it share it.
    pub method: u32,
    /// Index into [`Routes::all`](crate::Routes::all), if its calls are passed on.
    pub route: Option<u32>,
}

/// Methods by their names.
type ByName = FxHashMap<Box<[u8]>, Served>;

/// The methods of a server's services.
#[derive(Debug, Default)]
pub struct Methods {
    /// Of all services; where two have a method of the same name, the first one's.
    plain: ByName,
    /// Of each service.
    services: FxHashMap<Box<[u8]>, ByName>,
}

impl Methods {
    /// The methods of these services: their names, and what is served of each. The first service with a method answers calls that do not name a
    /// service.
    ///
    /// # Errors
    /// The name that two methods of a service share.
    pub fn new<'a>(
        program: &Program,
        services: impl IntoIterator<Item = (&'a str, impl IntoIterator<Item = Served>)>,
    ) -> Result<Self, String> {
        let mut all = Self::default();
        for (service, methods) in services {
            let mut by_name = ByName::default();
            for served in methods {
                let name = &program.method(served.method).name;
                let other = by_name.insert(Box::from(name.as_bytes()), served);
                if other.is_some_and(|other| other.method != served.method) {
                    return Err(name.to_string());
                }
                all.plain.entry(Box::from(name.as_bytes())).or_insert(served);
            }
            all.services.insert(Box::from(service.as_bytes()), by_name);
        }
        Ok(all)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.plain.is_empty()
    }

    /// The method of this name. Its service may stand in front of it (`Service:method`) or be told by a header; one that is not served here
    /// and stands in a header only does not count, as it does not in Kitex.
    #[inline]
    pub(crate) fn find(&self, name: &[u8], service: Option<&[u8]>) -> Option<Served> {
        if let Some(by_name) = service.and_then(|service| self.services.get(service))
            && let Some(served) = by_name.get(name)
        {
            return Some(*served);
        }
        self.plain.get(name).copied().or_else(|| self.find_multiplexed(name))
    }

    #[cold]
    fn find_multiplexed(&self, name: &[u8]) -> Option<Served> {
        let at = name.iter().position(|byte| *byte == SEPARATOR)?;
        self.services.get(&name[..at])?.get(&name[at + 1..]).copied()
    }
}
