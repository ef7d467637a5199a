//! `grpc.reflection.v1.ServerReflection`, and `v1alpha`, which differs in its name only: what a server serves, as descriptors.

use base64::Engine as _;

use super::{
    descriptors::Descriptors,
    health::HEALTH,
    wire::{Malformed, Value, fields, put_bytes, put_int, put_ints},
};

/// The service's full names.
pub(crate) const REFLECTION: [&str; 2] =
    ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];

/// Descriptors of the standard services themselves: a `FileDescriptorSet` of the files in `proto`.
const STANDARD: &str = include_str!("descriptors.base64");

const NOT_FOUND: i32 = 5;
const INVALID_ARGUMENT: i32 = 3;

/// What a server tells of itself.
#[derive(Debug)]
pub struct Reflection {
    descriptors: Descriptors,
    /// Full names of all services, sorted.
    services: Vec<String>,
}

/// What is asked for.
#[derive(Debug)]
enum Question<'a> {
    Nothing,
    File(Value<'a>),
    Symbol(Value<'a>),
    Extension(Value<'a>),
    ExtensionNumbers(Value<'a>),
    Services,
}

/// Fields of `ServerReflectionResponse`.
enum Answer {
    Files(Vec<u8>),
    Numbers(Vec<u8>),
    Services(Vec<u8>),
    Error(i32, String),
}

impl Reflection {
    /// Tells of these services, and of itself.
    ///
    /// # Arguments
    /// * `set` - a `FileDescriptorSet` in base64, with everything its files import.
    /// * `health` - is the health service among those that are told of?
    ///
    /// # Errors
    /// What is wrong with the set.
    pub fn new(set: &str, services: impl IntoIterator<Item = String>, health: bool) -> Result<Self, String> {
        let mut descriptors = Descriptors::default();
        for set in [set, STANDARD] {
            let text: String = set.split_ascii_whitespace().collect();
            let bytes = base64::engine::general_purpose::STANDARD
                .decode(text)
                .map_err(|error| format!("the descriptors are not base64: {error}; generate the code again"))?;
            descriptors
                .add_set(&bytes)
                .map_err(|Malformed| "the descriptors are no FileDescriptorSet; generate the code again".to_owned())?;
        }
        let mut services: Vec<_> = services.into_iter().chain(REFLECTION.map(str::to_owned)).collect();
        if health {
            services.push(HEALTH.to_owned());
        }
        services.sort_unstable();
        services.dedup();
        Ok(Self { descriptors, services })
    }

    /// The response to a request.
    pub(crate) fn answer(&self, request: &[u8]) -> Result<Vec<u8>, Malformed> {
        let mut host = Value::Bytes(&[]);
        let mut question = Question::Nothing;
        for field in fields(request) {
            match field? {
                (1, value) => host = value,
                (3, value) => question = Question::File(value),
                (4, value) => question = Question::Symbol(value),
                (5, value) => question = Question::Extension(value),
                (6, value) => question = Question::ExtensionNumbers(value),
                (7, _) => question = Question::Services,
                _ => {}
            }
        }
        let mut response = Vec::new();
        put_bytes(&mut response, 1, host.bytes());
        put_bytes(&mut response, 2, request);
        match self.find(&question)? {
            Answer::Files(message) => put_bytes(&mut response, 4, &message),
            Answer::Numbers(message) => put_bytes(&mut response, 5, &message),
            Answer::Services(message) => put_bytes(&mut response, 6, &message),
            Answer::Error(code, text) => {
                let mut message = Vec::new();
                put_int(&mut message, 1, code);
                put_bytes(&mut message, 2, text.as_bytes());
                put_bytes(&mut response, 7, &message);
            }
        }
        Ok(response)
    }

    fn find(&self, question: &Question<'_>) -> Result<Answer, Malformed> {
        let (files, what) = match question {
            Question::Nothing => {
                let text = "the request asks for nothing that this server knows".to_owned();
                return Ok(Answer::Error(INVALID_ARGUMENT, text));
            }
            Question::Services => {
                let mut message = Vec::new();
                for service in &self.services {
                    let mut entry = Vec::new();
                    put_bytes(&mut entry, 1, service.as_bytes());
                    put_bytes(&mut message, 1, &entry);
                }
                return Ok(Answer::Services(message));
            }
            Question::ExtensionNumbers(name) => {
                let name = name.text();
                let Some(numbers) = self.descriptors.extension_numbers(&name) else {
                    return Ok(Answer::Error(NOT_FOUND, format!("no message {name}")));
                };
                let mut message = Vec::new();
                put_bytes(&mut message, 1, name.as_bytes());
                put_ints(&mut message, 2, numbers.into_iter());
                return Ok(Answer::Numbers(message));
            }
            Question::File(name) => (self.descriptors.file(&name.text()), format!("file {}", name.text())),
            Question::Symbol(name) => (self.descriptors.symbol(&name.text()), format!("symbol {}", name.text())),
            Question::Extension(request) => {
                let (mut name, mut number) = (String::new(), 0);
                for field in fields(request.bytes()) {
                    match field? {
                        (1, value) => name = value.text(),
                        (2, value) => number = value.int(),
                        _ => {}
                    }
                }
                (self.descriptors.extension(&name, number), format!("extension {number} of {name}"))
            }
        };
        let Some(files) = files else { return Ok(Answer::Error(NOT_FOUND, format!("no {what}"))) };
        let mut message = Vec::new();
        for file in files {
            put_bytes(&mut message, 1, file);
        }
        Ok(Answer::Files(message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a.proto`, of package `p`: message `M` with a field `f` and a nested enum `E` of value `V`, an extension `x` = 7 of `p.M`; it imports b.proto.
    fn set() -> String {
        let named = |name: &str, rest: &[(u32, Vec<u8>)]| {
            let mut message = Vec::new();
            put_bytes(&mut message, 1, name.as_bytes());
            for (field, bytes) in rest {
                put_bytes(&mut message, *field, bytes);
            }
            message
        };
        let mut extension = named("x", &[(2, b".p.M".to_vec())]);
        put_int(&mut extension, 3, 7);
        let message = named("M", &[(2, named("f", &[])), (4, named("E", &[(2, named("V", &[]))]))]);
        let a = named("a.proto", &[(2, b"p".to_vec()), (3, b"b.proto".to_vec()), (4, message), (7, extension)]);
        let mut set = Vec::new();
        put_bytes(&mut set, 1, &a);
        put_bytes(&mut set, 1, &named("b.proto", &[(4, named("B", &[]))]));
        base64::engine::general_purpose::STANDARD.encode(set)
    }

    fn ask(request: &[u8]) -> (u64, Vec<u8>) {
        let reflection = Reflection::new(&set(), ["p.S".to_owned()], true).unwrap_or_else(|error| panic!("{error}"));
        let response = reflection.answer(request).unwrap_or_else(|Malformed| panic!("{request:?} is a request"));
        let all: Vec<_> = fields(&response).filter_map(Result::ok).collect();
        assert_eq!(all[1], (2, Value::Bytes(request)));
        (all[2].0, all[2].1.bytes().to_vec())
    }

    fn ask_text(field: u32, text: &str) -> (u64, Vec<u8>) {
        let mut request = Vec::new();
        put_bytes(&mut request, field, text.as_bytes());
        ask(&request)
    }

    /// The first texts of the messages in field 1.
    fn names(message: &[u8]) -> Vec<String> {
        let first = |entry: Value<'_>| fields(entry.bytes()).next().and_then(Result::ok).map(|(_, name)| name.text());
        fields(message).filter_map(Result::ok).filter_map(|(_, entry)| first(entry)).collect()
    }

    #[test]
    fn files_are_found_by_all_that_they_declare() {
        for (field, text) in [(3, "a.proto"), (4, "p.M"), (4, "p.M.f"), (4, "p.M.E"), (4, "p.M.V"), (4, "p.x")] {
            let (kind, message) = ask_text(field, text);
            assert_eq!((kind, names(&message)), (4, vec!["a.proto".to_owned(), "b.proto".to_owned()]), "{text}");
        }
        let (kind, message) = ask_text(4, "B");
        assert_eq!((kind, names(&message)), (4, vec!["b.proto".to_owned()]));
    }

    #[test]
    fn extensions_are_found_by_what_they_extend() {
        let mut wanted = Vec::new();
        put_bytes(&mut wanted, 1, b"p.M");
        for (number, kind) in [(7, 4), (8, 7)] {
            let mut extension = wanted.clone();
            put_int(&mut extension, 2, number);
            let mut request = Vec::new();
            put_bytes(&mut request, 5, &extension);
            assert_eq!(ask(&request).0, kind);
        }
        let (kind, message) = ask_text(6, "p.M");
        assert_eq!((kind, &message[message.len() - 3..]), (5, &[2 << 3 | 2, 1, 7][..]));
        assert_eq!(ask_text(6, "B").0, 5);
        assert_eq!(ask_text(6, "p.Missing").0, 7);
    }

    #[test]
    fn services_are_listed_and_described() {
        let (kind, message) = ask_text(7, "");
        let listed = [HEALTH, REFLECTION[0], REFLECTION[1], "p.S"].map(str::to_owned);
        assert_eq!((kind, names(&message)), (6, listed.to_vec()));
        for service in [HEALTH, REFLECTION[0], REFLECTION[1]] {
            assert_eq!(ask_text(4, service).0, 4, "{service}");
        }
    }

    #[test]
    fn what_there_is_not_is_an_error() {
        for (field, text) in [(3, "c.proto"), (4, "p.Missing"), (4, "")] {
            let (kind, message) = ask_text(field, text);
            assert_eq!((kind, &message[..2]), (7, &[8, NOT_FOUND as u8][..]), "{text}");
        }
        let (kind, message) = ask(&[]);
        assert_eq!((kind, &message[..2]), (7, &[8, INVALID_ARGUMENT as u8][..]));
        assert!(Reflection::new("?", [], false).is_err());
        assert!(Reflection::new("CgU=", [], false).is_err());
    }
}
