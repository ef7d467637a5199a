//! Behaviour of the front end as a whole.

mod descriptors;
mod disk;
mod features;
mod hostile;
mod mistakes;

/// The bytes of base64 with padding.
fn unbase64(text: &str) -> Vec<u8> {
    let digit = |letter: u8| match letter {
        b'A'..=b'Z' => letter - b'A',
        b'a'..=b'z' => letter - b'a' + 26,
        b'0'..=b'9' => letter - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let chunks = text.as_bytes().chunks(4).flat_map(|chunk| {
        let digits = chunk.iter().filter(|letter| **letter != b'=').count();
        let word = chunk.iter().fold(0u32, |word, letter| word << 6 | u32::from(digit(*letter)));
        let bytes = word.to_be_bytes();
        bytes[1..digits].to_vec()
    });
    chunks.collect()
}
