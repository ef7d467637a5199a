//! Features of editions: what a file says, and what follows from it for everything inside. Proto2 and proto3 are editions with their own
//! defaults.

use super::descriptor::{FeatureProto, FileProto};

/// Whether a field that holds its zero value can be told from an absent one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Explicit,
    Implicit,
    Required,
}

/// Resolved features.
// Each is a feature of its own, with two choices.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Features {
    pub presence: Presence,
    /// Enums take numbers that they do not name for unknown fields.
    pub closed_enums: bool,
    /// Repeated numbers are written packed.
    pub packed: bool,
    /// Strings are checked.
    pub utf8: bool,
    /// Messages are marked off by group tags.
    pub delimited: bool,
}

/// What a file is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    Proto2,
    Proto3,
    Edition,
}

/// `EDITION_2023`; the older ones are those of proto2 and proto3, for what has no edition.
pub(crate) const EDITION_2023: i32 = 1000;
const EDITION_PROTO2: i32 = 998;
const EDITION_PROTO3: i32 = 999;
/// Editions whose features keep the meaning and the defaults of 2023: 2023 and 2024.
const KNOWN: std::ops::RangeInclusive<i32> = EDITION_2023..=1001;

impl Syntax {
    /// What a file says of itself; an error if nobody here knows it.
    pub(crate) fn of(file: &FileProto) -> Result<Self, String> {
        match (file.syntax.as_deref().unwrap_or_default(), file.edition) {
            ("" | "proto2", None) | ("editions", Some(EDITION_PROTO2)) => Ok(Self::Proto2),
            ("proto3", None) | ("editions", Some(EDITION_PROTO3)) => Ok(Self::Proto3),
            ("editions", Some(edition)) if KNOWN.contains(&edition) => Ok(Self::Edition),
            ("editions", edition) => {
                let edition = edition.unwrap_or_default();
                Err(format!("edition number {edition} is not known; editions 2023 and 2024 are"))
            }
            (syntax, _) => Err(format!("unknown syntax `{syntax}`")),
        }
    }

    /// What holds where a file says nothing.
    pub(crate) fn features(self) -> Features {
        let edition =
            Features { presence: Presence::Explicit, closed_enums: false, packed: true, utf8: true, delimited: false };
        match self {
            Self::Proto2 => Features { closed_enums: true, packed: false, utf8: false, ..edition },
            Self::Proto3 => Features { presence: Presence::Implicit, ..edition },
            Self::Edition => edition,
        }
    }
}

impl Features {
    /// These with what something inside says of itself. Numbers that no one knows change nothing.
    pub(crate) fn with(mut self, own: Option<&FeatureProto>) -> Self {
        let Some(own) = own else { return self };
        match own.field_presence {
            Some(1) => self.presence = Presence::Explicit,
            Some(2) => self.presence = Presence::Implicit,
            Some(3) => self.presence = Presence::Required,
            _ => {}
        }
        self.closed_enums = choice(own.enum_type, 2, 1).unwrap_or(self.closed_enums);
        self.packed = choice(own.repeated_field_encoding, 1, 2).unwrap_or(self.packed);
        self.utf8 = choice(own.utf8_validation, 2, 3).unwrap_or(self.utf8);
        self.delimited = choice(own.message_encoding, 2, 1).unwrap_or(self.delimited);
        self
    }
}

fn choice(value: Option<i32>, yes: i32, no: i32) -> Option<bool> {
    value.and_then(|value| if value == yes { Some(true) } else { (value == no).then_some(false) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_say_what_they_are_written_in() {
        let of = |syntax: Option<&str>, edition| {
            Syntax::of(&FileProto { syntax: syntax.map(Into::into), edition, ..FileProto::default() })
        };
        assert_eq!(of(None, None), Ok(Syntax::Proto2));
        assert_eq!(of(Some("proto2"), None), Ok(Syntax::Proto2));
        assert_eq!(of(Some("proto3"), None), Ok(Syntax::Proto3));
        assert_eq!(of(Some("editions"), Some(1000)), Ok(Syntax::Edition));
        assert_eq!(of(Some("editions"), Some(1001)), Ok(Syntax::Edition));
        assert_eq!(of(Some("editions"), Some(999)), Ok(Syntax::Proto3));
        assert!(of(Some("editions"), Some(1002)).is_err());
        assert!(of(Some("editions"), None).is_err());
        assert!(of(Some("proto4"), None).is_err());
    }

    #[test]
    fn what_is_inside_overrides() {
        let file = Syntax::Edition.features();
        let own = FeatureProto { field_presence: Some(2), message_encoding: Some(2), ..FeatureProto::default() };
        let message = file.with(Some(&own));
        assert_eq!(message, Features { presence: Presence::Implicit, delimited: true, ..file });
        let back = FeatureProto { message_encoding: Some(1), utf8_validation: Some(99), ..FeatureProto::default() };
        assert_eq!(message.with(Some(&back)), Features { presence: Presence::Implicit, ..file });
        assert_eq!(message.with(None), message);
    }
}
