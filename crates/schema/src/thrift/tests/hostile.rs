//! Input that nobody wrote by hand: no text may end in a panic, or in a schema that contradicts itself.

use crate::Schema;
use crate::testing::Random;
use crate::thrift::testing::{load_files, load_one};

/// Whatever is loaded holds what a schema promises, and every mistake lies in its file. True if the text is sound.
fn check(text: &str) -> bool {
    match load_files(&[("a.thrift", text), ("shared/base.thrift", include_str!("base.thrift"))]) {
        Ok(schema) => {
            schema.validate().unwrap_or_else(|error| panic!("{error}\n{text}"));
            let again = Schema::from_json(&schema.to_json()).unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert_eq!(again, schema);
            true
        }
        Err(mistakes) => {
            assert!(!mistakes.is_empty());
            for mistake in mistakes {
                let line =
                    text.split('\n').nth(mistake.line as usize - 1).unwrap_or_else(|| panic!("{mistake}\n{text}"));
                let behind = line.chars().count() + 1;
                assert!((1..=behind).contains(&(mistake.column as usize)), "{mistake}\n{text}");
                assert!(
                    !mistake.message.contains("two ways") && !mistake.message.contains("gave up"),
                    "{mistake}\n{text}"
                );
                assert!(!mistake.to_string().is_empty());
            }
            false
        }
    }
}

#[test]
fn bytes_at_random() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..2000 {
        let bytes: Vec<u8> = (0..random.below(60)).map(|_| random.next() as u8).collect();
        check(&String::from_utf8_lossy(&bytes));
    }
}

#[test]
fn words_at_random() {
    const WORDS: [&str; 52] = [
        "include",
        "\"b.thrift\"",
        "namespace",
        "js",
        "*",
        "typedef",
        "const",
        "enum",
        "struct",
        "union",
        "exception",
        "service",
        "extends",
        "throws",
        "oneway",
        "void",
        "required",
        "optional",
        "list",
        "map",
        "set",
        "cpp_type",
        "i32",
        "string",
        "uuid",
        "A",
        "B",
        "c",
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        "<",
        ">",
        ":",
        ",",
        ";",
        "=",
        ".",
        "&",
        "1",
        "-2",
        "0x1f",
        "1.5",
        "'x'",
        "// c\n",
        "/* d */",
        "\n",
        "1:",
        "true",
    ];
    let mut random = Random(7);
    for _ in 0..3000 {
        let words: Vec<&str> = (0..random.below(40)).map(|_| WORDS[random.below(WORDS.len())]).collect();
        check(&words.join(" "));
    }
}

#[test]
fn sound_files_with_something_changed() {
    let sound = include_str!("everything.thrift");
    let tokens = crate::thrift::tokens::Tokens::read(sound).expect("tokens");
    let words: Vec<&str> = (0..tokens.list.len() - 1).map(|i| tokens.word(i)).collect();
    let mut random = Random(42);
    for _ in 0..400 {
        // A window, so that a broken beginning does not hide the rest.
        let from = random.below(words.len());
        let mut part: Vec<&str> = words[from..words.len().min(from + 5 + random.below(120))].to_vec();
        for _ in 0..=random.below(3) {
            let (at, other) = (random.below(part.len()), random.below(words.len()));
            match random.below(4) {
                0 => part.insert(at, words[other]),
                1 if part.len() > 1 => drop(part.remove(at)),
                2 => part[at] = words[other],
                _ => part.swap(at, random.below(words.len()).min(at)),
            }
        }
        check(&part.join(" "));
    }
    // Single characters, in the whole file.
    let mut sound_ones = 0;
    for _ in 0..150 {
        let mut text: Vec<char> = sound.chars().collect();
        let at = random.below(text.len());
        match random.below(3) {
            0 => drop(text.remove(at)),
            1 => text[at] = text[random.below(text.len())],
            _ => text.truncate(at),
        }
        sound_ones += u32::from(check(&text.into_iter().collect::<String>()));
    }
    assert!((10..140).contains(&sound_ones), "{sound_ones} of 150 files were sound: the changes test one side only");
}

#[test]
fn the_deepest_types_and_values_go_through_json() {
    let depth = crate::MAX_TYPE_DEPTH;
    let ty = format!("{}i32{}", "map<i32, ".repeat(depth), ">".repeat(depth));
    assert!(check(&format!("struct A {{ 1: {ty} deep }}")));
    load_one(&format!("struct A {{ 1: {ty} deep }}"));
    let node = "struct Node { 1: optional Node next }";
    let value = format!("{}{{}}{}", "{'next': ".repeat(32), "}".repeat(32));
    let schema = load_one(&format!("{node} struct A {{ 1: Node deep = {value} }}"));
    assert_eq!(Schema::from_json(&schema.to_json()).expect("its own JSON"), schema);
}

#[test]
fn long_chains_end_before_the_stack_does() {
    use std::fmt::Write;
    let (mut typedefs, mut consts, mut deep) = (String::new(), String::new(), String::new());
    for i in 0..300 {
        writeln!(typedefs, "typedef T{} T{i}", i + 1).expect("a string grows");
        writeln!(consts, "const i32 C{i} = C{}", i + 1).expect("a string grows");
        writeln!(deep, "typedef {}D{}{} D{i}", "list<".repeat(40), i + 1, ">".repeat(40)).expect("a string grows");
    }
    for text in [typedefs, consts, deep] {
        assert!(load_files(&[("a.thrift", text.as_str())]).is_err());
    }
    let mut services = String::from("service S0 { void ping() }\n");
    for i in 1..1000 {
        writeln!(services, "service S{i} extends S{} {{}}", i - 1).expect("a string grows");
    }
    assert_eq!(load_one(&services).services[999].methods, [0]);
}

#[test]
fn a_source_that_makes_files_up_is_stopped() {
    let read = |path: &std::path::Path| {
        let name = path.to_string_lossy();
        Ok(format!("include \"{}x.thrift\"", name.trim_end_matches(".thrift").rsplit('/').next().unwrap_or("x")))
    };
    let mistakes = crate::load_thrift_with(&read, &["a.thrift".into()], &[]).expect_err("endless includes");
    assert_eq!(mistakes[0].message, "more than 4096 files");
}
