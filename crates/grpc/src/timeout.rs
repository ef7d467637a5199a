//! `grpc-timeout`: at most eight digits and a unit.

use std::time::Duration;

/// Longest time that is kept apart from "for ever".
const MOST: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Reads a timeout. None if it is not well-formed.
pub fn read_timeout(value: &[u8]) -> Option<Duration> {
    let (unit, digits) = value.split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let count = digits.iter().fold(0_u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    let time = match unit {
        b'H' => Duration::from_secs(count * 3600),
        b'M' => Duration::from_secs(count * 60),
        b'S' => Duration::from_secs(count),
        b'm' => Duration::from_millis(count),
        b'u' => Duration::from_micros(count),
        b'n' => Duration::from_nanos(count),
        _ => return None,
    };
    Some(time.min(MOST))
}

/// Writes a timeout, as exactly as eight digits can, never longer than it is.
pub fn write_timeout(time: Duration) -> String {
    const LARGEST: u128 = 99_999_999;
    let units =
        [(time.as_nanos(), 'n'), (time.as_micros(), 'u'), (time.as_millis(), 'm'), (u128::from(time.as_secs()), 'S')];
    for (count, unit) in units {
        if count <= LARGEST {
            return format!("{count}{unit}");
        }
    }
    format!("{}H", (u128::from(time.as_secs()) / 3600).min(LARGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_are_read_and_written() {
        let table: [(&[u8], Option<Duration>); 14] = [
            (b"1H", Some(Duration::from_secs(3600))),
            (b"2M", Some(Duration::from_secs(120))),
            (b"3S", Some(Duration::from_secs(3))),
            (b"4m", Some(Duration::from_millis(4))),
            (b"5u", Some(Duration::from_micros(5))),
            (b"6n", Some(Duration::from_nanos(6))),
            (b"99999999H", Some(MOST)),
            (b"0S", Some(Duration::ZERO)),
            (b"123456789n", None),
            (b"1", None),
            (b"S", None),
            (b"", None),
            (b"-1S", None),
            (b"1s", None),
        ];
        for (text, time) in table {
            assert_eq!(read_timeout(text), time, "{}", String::from_utf8_lossy(text));
        }
        let table = [
            (0, "0n"),
            (50, "50000000n"),
            (500, "500000u"),
            (99_999, "99999000u"),
            (100_000, "100000m"),
            (200_000_000, "200000S"),
        ];
        for (millis, text) in table {
            let time = Duration::from_millis(millis);
            assert_eq!(write_timeout(time), text);
            assert_eq!(read_timeout(text.as_bytes()), Some(time));
        }
        assert_eq!(write_timeout(Duration::from_secs(1_000_000_000)), "277777H");
    }
}
