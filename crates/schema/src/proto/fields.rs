//! Fields of messages.

use super::build::{Build, Waiting, deprecated, inside};
use super::defaults::default;
use super::descriptor::{ENUM, FieldProto, GROUP, MESSAGE, MessageProto, REPEATED, REQUIRED, place};
use super::features::{Features, Presence, Syntax};
use super::names::{What, find, json_name};
use crate::model::{Field, Requiredness, Type};
use crate::validate::MAX_FIELD_NUMBER;

impl Build<'_> {
    /// Puts the fields of a message into the schema.
    pub(crate) fn fields(&mut self, waiting: &Waiting<'_>) {
        let Waiting { proto, index, path, .. } = waiting;
        let (oneofs, names) = oneofs(proto);
        let name = self.schema.structs[*index as usize].name.clone();
        let mut fields = Vec::with_capacity(proto.field.len());
        for (at, field) in proto.field.iter().enumerate() {
            let path = inside(path, place::MESSAGE_FIELD, at);
            self.check_reserved(&proto.reserved_name, &name, field.name(), &path);
            fields.extend(self.field(waiting, &name, &oneofs, field, &path));
        }
        let target = &mut self.schema.structs[*index as usize];
        target.fields = fields;
        target.oneofs = names;
    }

    fn field(
        &mut self,
        waiting: &Waiting<'_>,
        message: &str,
        oneofs: &[Option<u32>],
        proto: &FieldProto,
        path: &[i32],
    ) -> Option<Field> {
        let about = format!("{message}.{}", proto.name());
        let number = proto.number();
        if !(1..=MAX_FIELD_NUMBER).contains(&number) {
            let path = [path, &[place::FIELD_NUMBER]].concat();
            self.fault(&path, format!("`{about}` has the number {number}; numbers are 1 to {MAX_FIELD_NUMBER}"));
        }
        let oneof = match proto.oneof_index.map(|index| usize::try_from(index).ok().and_then(|index| oneofs.get(index)))
        {
            None => None,
            Some(Some(oneof)) => *oneof,
            Some(None) => {
                self.fault(path, format!("`{about}` is a member of a oneof that is not there"));
                None
            }
        };
        let features = own_features(waiting, proto);
        let repeated = proto.label() == REPEATED;
        let (element, group) = self.type_of(proto, message, &about, path, true)?;
        let is_map = matches!(element, Type::Map(..));
        if is_map && !repeated {
            self.fault(path, format!("`{about}` is the pairs of a map and not repeated"));
        }
        let is_message = matches!(element, Type::Struct(_));
        let is_text = |ty: &Type| *ty == Type::String;
        let unchecked = !features.utf8
            && match &element {
                Type::Map(key, value) => is_text(key) || is_text(value),
                other => is_text(other),
            };
        let packs = repeated && !matches!(element, Type::String | Type::Binary | Type::Struct(_) | Type::Map(..));
        let explicit = proto.options.as_ref().and_then(|options| options.packed);
        if waiting.syntax == Syntax::Edition {
            self.check_features(proto, &about, &element, path);
            if explicit.is_some() {
                let message = format!("`{about}` has the option `packed`, which editions do not have");
                self.fault_with(path, message, "say `features.repeated_field_encoding = PACKED` or `EXPANDED`");
            }
        }
        let default = match &proto.default_value {
            Some(text) if !text.is_empty() || matches!(element, Type::String | Type::Binary) => {
                let value = default(&element, text, &self.schema.enums).filter(|_| !repeated);
                if value.is_none() {
                    self.fault(path, format!("`{about}` cannot have the default value `{text}`"));
                }
                value
            }
            _ => None,
        };
        let requiredness = if repeated {
            Requiredness::Default
        } else if oneof.is_some() || proto.proto3_optional() {
            Requiredness::Optional
        } else if proto.label() == REQUIRED || features.presence == Presence::Required {
            Requiredness::Required
        } else if is_message || features.presence == Presence::Explicit {
            Requiredness::Optional
        } else {
            Requiredness::Default
        };
        Some(Field {
            requiredness,
            default,
            packed: packs && explicit.unwrap_or(features.packed),
            delimited: is_message && (group || features.delimited),
            unchecked_utf8: unchecked,
            oneof,
            json_name: proto.json_name.clone().filter(|name| *name != json_name(proto.name())),
            annotations: deprecated(proto.options.as_ref().and_then(|options| options.deprecated)),
            doc: self.doc(path),
            ..Field::new(
                number,
                proto.name(),
                if repeated && !is_map { Type::List(Box::new(element)) } else { element },
            )
        })
    }

    /// The type of one element, and whether it is a group.
    fn type_of(
        &mut self,
        proto: &FieldProto,
        scope: &str,
        about: &str,
        path: &[i32],
        may_be_map: bool,
    ) -> Option<(Type, bool)> {
        if let Some(scalar) = scalar(proto.r#type()) {
            return Some((scalar, false));
        }
        let group = proto.r#type() == GROUP;
        // Who has no type yet has a message or an enum: the name decides.
        let wants = |number: i32| proto.r#type.is_none() || proto.r#type() == number || (group && number == MESSAGE);
        let path = [path, &[place::FIELD_TYPE_NAME]].concat();
        let name = proto.type_name();
        match find(&self.names, scope, name) {
            Some(What::Message(index)) if wants(MESSAGE) => Some((Type::Struct(index), group)),
            Some(What::Enum(index)) if wants(ENUM) => Some((Type::Enum(index), false)),
            Some(What::Pairs(entry)) if wants(MESSAGE) && !group && may_be_map => {
                let part = |number: i32| entry.field.iter().find(|field| field.number() == number);
                let (Some(key), Some(value)) = (part(1), part(2)) else {
                    self.fault(&path, format!("`{about}`: the pairs of the map lack a key or a value"));
                    return None;
                };
                let (key, _) = self.type_of(key, scope, about, &path, false)?;
                let (value, _) = self.type_of(value, scope, about, &path, false)?;
                Some((Type::Map(Box::new(key), Box::new(value)), false))
            }
            Some(other) => {
                self.fault(&path, format!("`{about}`: `{name}` is {}", other.noun()));
                None
            }
            None => {
                self.fault(&path, format!("`{about}`: there is no type `{name}`"));
                None
            }
        }
    }

    /// What editions do not let a field say.
    fn check_features(&mut self, proto: &FieldProto, about: &str, element: &Type, path: &[i32]) {
        let own = proto.options.as_ref().and_then(|options| options.features.as_ref());
        let Some(presence) = own.and_then(|own| own.field_presence) else { return };
        let what = if proto.label() == REPEATED {
            "a repeated field has no presence"
        } else if proto.oneof_index.is_some() {
            "a member of a oneof is absent or present"
        } else if matches!(element, Type::Struct(_)) && presence == 2 {
            "a message is absent or present"
        } else if proto.default_value.is_some() && presence == 2 {
            "a field with a default value is absent or present"
        } else {
            return;
        };
        self.fault_with(path, format!("`{about}` cannot set `features.field_presence`: {what}"), "leave it out");
    }
}

/// The features of a field: of its message or oneof, with its own.
fn own_features(waiting: &Waiting<'_>, proto: &FieldProto) -> Features {
    let oneof = proto.oneof_index.and_then(|index| waiting.proto.oneof_decl.get(usize::try_from(index).ok()?));
    let outer = waiting.features.with(oneof.and_then(|oneof| oneof.options.as_ref()?.features.as_ref()));
    outer.with(proto.options.as_ref().and_then(|options| options.features.as_ref()))
}

/// Names of the real oneofs, and where each oneof of the descriptor is among them: a field that is `optional` in proto3 is alone in a synthetic
/// one.
fn oneofs(proto: &MessageProto) -> (Vec<Option<u32>>, Vec<String>) {
    let mut names = Vec::new();
    let mut places = Vec::new();
    for (at, oneof) in proto.oneof_decl.iter().enumerate() {
        let synthetic = proto.field.iter().any(|field| field.proto3_optional() && field.oneof_index == Some(at as i32));
        places.push((!synthetic).then_some(names.len() as u32));
        if !synthetic {
            names.push(oneof.name().to_owned());
        }
    }
    (places, names)
}

/// The type of a number of `FieldDescriptorProto.Type`, if it has no name.
fn scalar(number: i32) -> Option<Type> {
    Some(match number {
        1 => Type::Double,
        2 => Type::Float,
        3 => Type::I64,
        4 => Type::Uint64,
        5 => Type::I32,
        6 => Type::Fixed64,
        7 => Type::Fixed32,
        8 => Type::Bool,
        9 => Type::String,
        12 => Type::Binary,
        13 => Type::Uint32,
        15 => Type::Sfixed32,
        16 => Type::Sfixed64,
        17 => Type::Sint32,
        18 => Type::Sint64,
        _ => return None,
    })
}
