//! GetItem requests: framed, strict binary, no two alike.

/// The method both ends agree on.
pub const METHOD: &[u8; 7] = b"GetItem";
/// Longest unknown field a request carries, in bytes.
const LONGEST_UNKNOWN: usize = 63;

/// The item id asked for in call `seq`: spread over all 64 bits, with the edges of the type now and then.
pub fn id_of(seq: u32) -> i64 {
    match seq % 1024 {
        1 => i64::MIN,
        2 => i64::MAX,
        3 => 0,
        4 => -1,
        _ => mix(seq) as i64,
    }
}

/// Appends the frame of call `seq`. One request in four carries a string field 9 that the IDL does not have, of a
/// length that differs from call to call: servers must skip it, and cannot count on a fixed frame size.
pub fn write(out: &mut Vec<u8>, seq: u32) {
    let unknown = unknown_length(seq);
    let body = 4 + 4 + METHOD.len() + 4 + 3 + 3 + 8 + unknown.map_or(0, |n| 3 + 4 + n) + 1 + 1;
    out.extend((body as u32).to_be_bytes());
    out.extend(0x8001_0001u32.to_be_bytes());
    out.extend((METHOD.len() as u32).to_be_bytes());
    out.extend(METHOD);
    out.extend(seq.to_be_bytes());
    out.extend([12, 0, 1, 10, 0, 1]);
    out.extend(id_of(seq).to_be_bytes());
    if let Some(length) = unknown {
        out.extend([11, 0, 9]);
        out.extend((length as u32).to_be_bytes());
        out.extend(&[b'?'; LONGEST_UNKNOWN][..length]);
    }
    out.extend([0, 0]);
}

fn unknown_length(seq: u32) -> Option<usize> {
    let bits = mix(seq) >> 40;
    (bits & 3 == 0).then_some((bits >> 2) as usize % (LONGEST_UNKNOWN + 1))
}

/// SplitMix64's output function: neighbouring sequence ids give unrelated values.
fn mix(seq: u32) -> u64 {
    let mut z = u64::from(seq).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_state_their_length_and_vary() {
        let mut lengths = std::collections::BTreeSet::new();
        for seq in 0..10_000 {
            let mut out = Vec::new();
            write(&mut out, seq);
            let stated = u32::from_be_bytes(out[..4].try_into().expect("four bytes")) as usize;
            assert_eq!(stated, out.len() - 4);
            assert_eq!(out[29..37], id_of(seq).to_be_bytes());
            lengths.insert(out.len());
        }
        assert_eq!(lengths.len(), 1 + LONGEST_UNKNOWN + 1);
    }

    #[test]
    fn ids_reach_the_edges() {
        let ids: Vec<i64> = (0..2048).map(id_of).collect();
        for edge in [i64::MIN, i64::MAX, 0, -1] {
            assert!(ids.contains(&edge));
        }
        assert!(ids.iter().any(|id| id & 7 == 5));
    }
}
