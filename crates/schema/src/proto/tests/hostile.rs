//! Input that nobody wrote by hand: no text and no bytes may end in a panic, or in a schema that contradicts itself.

use super::unbase64;
use crate::proto::testing::{load_files, load_one};
use crate::proto::tokens::Tokens;
use crate::testing::Random;
use crate::{Schema, load_descriptor_set};

/// Whatever is loaded holds what a schema promises, and every mistake lies in its file. True if the text is sound.
fn check(text: &str) -> bool {
    match load_files(&[("a.proto", text), ("shared/base.proto", "syntax = \"proto3\"; message Base {}")]) {
        Ok(schema) => {
            schema.validate().unwrap_or_else(|error| panic!("{error}\n{text}"));
            let json = schema.to_json();
            let again = Schema::from_json(&json).unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert_eq!(again.to_json(), json);
            let again =
                load_descriptor_set(&unbase64(&schema.descriptors)).unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert_eq!(again.without_docs().to_json(), schema.without_docs().to_json(), "{text}");
            true
        }
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            for mistake in mistakes {
                let line =
                    text.split('\n').nth(mistake.line as usize - 1).unwrap_or_else(|| panic!("{mistake}\n{text}"));
                let behind = line.chars().count() + 1;
                assert!((1..=behind).contains(&(mistake.column as usize)), "{mistake}\n{text}");
                assert!(!mistake.to_string().is_empty());
            }
            false
        }
    }
}

#[test]
fn bytes_at_random() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..1000 {
        let bytes: Vec<u8> = (0..random.below(60)).map(|_| random.next() as u8).collect();
        check(&String::from_utf8_lossy(&bytes));
    }
}

const SOUND: [&str; 3] = [
    include_str!("everything_proto2.proto"),
    include_str!("everything_proto3.proto"),
    include_str!("everything_2023.proto"),
];

#[test]
fn words_at_random() {
    let mut random = Random(7);
    for sound in SOUND {
        let tokens = Tokens::of(sound);
        let words: Vec<&str> = (0..tokens.list.len()).map(|index| tokens.word(index)).collect();
        for _ in 0..200 {
            let some: Vec<&str> = (0..random.below(40)).map(|_| words[random.below(words.len())]).collect();
            check(&some.join(" "));
            check(&format!("edition = \"2023\"; {}", some.join(" ")));
        }
    }
}

#[test]
fn sound_files_with_something_changed() {
    let mut random = Random(42);
    let mut sound_ones = 0;
    for sound in SOUND {
        assert!(check(sound));
        let tokens = Tokens::of(sound);
        let words: Vec<&str> = (0..tokens.list.len()).map(|index| tokens.word(index)).collect();
        for _ in 0..60 {
            let mut changed = words.clone();
            for _ in 0..=random.below(2) {
                let (at, other) = (random.below(changed.len()), random.below(words.len()));
                match random.below(3) {
                    0 => changed.insert(at, words[other]),
                    1 => drop(changed.remove(at)),
                    _ => changed[at] = words[other],
                }
            }
            sound_ones += usize::from(check(&changed.join(" ")));
        }
        for _ in 0..30 {
            let mut text: Vec<char> = sound.chars().collect();
            let at = random.below(text.len());
            match random.below(3) {
                0 => drop(text.remove(at)),
                1 => text[at] = text[random.below(text.len())],
                _ => text.truncate(at),
            }
            sound_ones += usize::from(check(&text.into_iter().collect::<String>()));
        }
    }
    assert!(sound_ones > 10, "{sound_ones}");
}

#[test]
fn sets_with_something_changed() {
    let mut random = Random(3);
    for sound in SOUND {
        let set = unbase64(
            &load_files(&[("a.proto", sound), ("shared/base.proto", "syntax = \"proto3\"; message Base {}")])
                .expect("sound")
                .descriptors,
        );
        let mut sound_ones = 0;
        for _ in 0..600 {
            let mut bytes = set.clone();
            for _ in 0..=random.below(3) {
                let at = random.below(bytes.len());
                match random.below(4) {
                    0 => drop(bytes.remove(at)),
                    1 => bytes.insert(at, random.next() as u8),
                    2 => bytes[at] ^= 1 << random.below(8),
                    _ => bytes[at] = random.next() as u8,
                }
            }
            if random.below(20) == 0 {
                bytes.truncate(random.below(bytes.len()));
            }
            if let Ok(schema) = load_descriptor_set(&bytes) {
                schema.validate().expect("a sound schema");
                sound_ones += 1;
            }
        }
        assert!(sound_ones > 20, "{sound_ones}");
    }
}

#[test]
fn depth_ends_before_the_stack_does() {
    for (open, close) in [
        ("message A { ", "} "),
        ("option (x) = { a: { ", "} } "),
        ("option (x) = < ", "> "),
        ("message A { optional group B = 1 { ", "} } "),
        ("option (x) = { a: [ ", "] } "),
        ("message A { extend A { ", "} } "),
    ] {
        for count in [20, 90, 20_000] {
            check(&[open.repeat(count), close.repeat(count)].concat());
            check(&open.repeat(count));
        }
    }
    let options = "{ a ".repeat(90) + &"} ".repeat(90);
    check(&format!(
        "import \"google/protobuf/descriptor.proto\"; message A {{ optional A a = 1; }} extend google.protobuf.FileOptions {{ optional A o = 50000; }} option (o) = {options};"
    ));
    // A set as deep as it goes.
    let mut message = vec![];
    for _ in 0..5000 {
        let length = message.len();
        let mut outer = vec![0x1a];
        let mut rest = length;
        while rest >= 0x80 {
            outer.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        outer.push(rest as u8);
        outer.extend(message);
        message = outer;
    }
    assert!(load_descriptor_set(&message).is_err());
    let nested = "message M { ".repeat(30) + &"} ".repeat(30);
    assert_eq!(load_one(&nested).structs.len(), 30);
}

#[test]
fn a_source_that_makes_files_up_is_stopped() {
    use std::path::PathBuf;
    let read = |path: &std::path::Path| {
        let name = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let number: usize = name.parse().unwrap_or(0);
        Ok(format!("import \"{}.proto\";", number + 1))
    };
    let mistakes = crate::load_proto_with(&read, &[PathBuf::from("0.proto")], &[]).expect_err("too many");
    assert!(mistakes[0].message.starts_with("more than 4096 files"), "{}", mistakes[0]);
}
