//! Random values of every type of the fixtures, with the edges of each type among them.

use pilota::{AHashMap, AHashSet, Bytes, FastStr, OrderedFloat};
use std::hash::Hash;

use crate::generated::{
    everything::{
        All, Awkward, Choice, Color, Colour, Containers, Defaults, Empty, Keys, Nested, Point, Scalars, Series,
        Timestamp, Tree,
    },
    everything_reserved::Reserved,
    everything_uuid::Uuids,
};

/// SplitMix64, and how deep the value being made is.
pub struct Random {
    state: u64,
    depth: u32,
}

impl Random {
    pub fn new(seed: u64) -> Self {
        Self { state: seed, depth: 0 }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize].clone()
    }

    /// How many elements a container gets: now and then none or many, fewer the deeper it lies.
    fn count(&mut self) -> usize {
        match (self.below(8), self.depth) {
            (0, _) => 0,
            (1, 0..=2) => 20,
            (_, depth) => self.below(u64::from(4u32.saturating_sub(depth)).max(2)) as usize,
        }
    }

    pub fn deeper<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> T {
        self.depth += 1;
        let value = make(self);
        self.depth -= 1;
        value
    }
}

/// A type of which random values can be made.
pub trait Sample: Sized {
    fn sample(random: &mut Random) -> Self;
}

/// Whether a recursive field goes one deeper.
pub fn descend(random: &mut Random) -> bool {
    random.depth < 4 && random.below(2) == 0
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Sample for $type {
            fn sample(random: &mut Random) -> Self {
                match random.below(4) {
                    0 => random.pick(&[0, 1, -1, <$type>::MIN, <$type>::MAX, <$type>::MAX - 1]),
                    _ => random.next() as $type,
                }
            }
        }
    )*};
}
integers!(i8, i16, i32, i64);

impl Sample for bool {
    fn sample(random: &mut Random) -> Self {
        random.below(2) == 0
    }
}

impl Sample for f64 {
    fn sample(random: &mut Random) -> Self {
        match random.below(3) {
            0 => random.pick(&[
                0.0,
                1.0,
                -1.5,
                0.1,
                f64::MAX,
                f64::MIN_POSITIVE,
                5e-324,
                f64::INFINITY,
                f64::NEG_INFINITY,
                9_007_199_254_740_993.0,
            ]),
            // No NaN: it would not equal itself. `Half` covers it.
            _ => Some(f64::from_bits(random.next())).filter(|x| !x.is_nan()).unwrap_or(2.5),
        }
    }
}

impl Sample for OrderedFloat<f64> {
    fn sample(random: &mut Random) -> Self {
        OrderedFloat(f64::sample(random))
    }
}

impl Sample for FastStr {
    fn sample(random: &mut Random) -> Self {
        const TEXTS: [&str; 10] = [
            "",
            "a",
            "Hello Volo",
            "日本語のテキスト",
            "emoji 🎈🧵",
            "nul \0 inside",
            "\u{7ff}\u{800}\u{ffff}\u{10000}",
            "ümläut",
            "\u{feff}bom",
            "line\nbreak",
        ];
        match random.below(3) {
            0 => FastStr::from_static_str(random.pick(&TEXTS)),
            1 => FastStr::from_string(random.pick(&["x", "é", "漢", "🎈"]).repeat(random.below(if random.depth < 3 {
                400
            } else {
                12
            }) as usize)),
            _ => FastStr::from_string(format!("{:x}", random.next())),
        }
    }
}

impl Sample for Bytes {
    fn sample(random: &mut Random) -> Self {
        let length = random.below(if random.depth < 3 { 300 } else { 20 });
        (0..length).map(|_| random.next() as u8).collect::<Vec<_>>().into()
    }
}

impl Sample for [u8; 16] {
    fn sample(random: &mut Random) -> Self {
        match random.below(6) {
            0 => [0; 16],
            1 => [255; 16],
            _ => (u128::from(random.next()) << 64 | u128::from(random.next())).to_be_bytes(),
        }
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample(random: &mut Random) -> Self {
        random.deeper(|random| (0..random.count()).map(|_| T::sample(random)).collect())
    }
}

impl<T: Sample + Eq + Hash> Sample for AHashSet<T> {
    fn sample(random: &mut Random) -> Self {
        random.deeper(|random| (0..random.count()).map(|_| T::sample(random)).collect())
    }
}

impl<K: Sample + Eq + Hash, V: Sample> Sample for AHashMap<K, V> {
    fn sample(random: &mut Random) -> Self {
        random.deeper(|random| (0..random.count()).map(|_| (K::sample(random), V::sample(random))).collect())
    }
}

impl<T: Sample> Sample for Option<T> {
    fn sample(random: &mut Random) -> Self {
        (random.below(2) == 0).then(|| T::sample(random))
    }
}

/// A struct is sampled field by field.
macro_rules! structs {
    ($($type:ident { $($field:ident),* $(,)? })*) => {$(
        impl Sample for $type {
            fn sample(random: &mut Random) -> Self {
                random.deeper(|random| { let _ = &random; $type { $($field: Sample::sample(random)),* } })
            }
        }
    )*};
}

structs! {
    Empty {}
    Point { x, y }
    Scalars { flag, tiny, small, short_number, number, long_number, fraction, text, data, color, at, colour }
    Containers {
        flags, tinies, shorts, numbers, longs, fractions, texts, blobs, colors, points, number_set, text_set, text_by_text, long_by_text,
        text_by_number, flag_by_short, fraction_by_tiny, point_by_color, blob_by_text, series,
    }
    Nested { cube, table, mixed, routes, grid, choices }
    Keys { by_long, by_flag, by_fraction, by_data, by_point, points, longs, flags, deep }
    Awkward { constructor, prototype, to_string, value_of, has_own_property, arguments, r#let, length, name, r#type, to_json }
    Reserved { class, delete, then, function, var, new, this, catch, r#await }
}

impl Sample for Timestamp {
    fn sample(random: &mut Random) -> Self {
        Timestamp(i64::sample(random))
    }
}

impl Sample for Series {
    fn sample(random: &mut Random) -> Self {
        Series(Sample::sample(random))
    }
}

impl Sample for Color {
    fn sample(random: &mut Random) -> Self {
        // 12345 has no name: a newer peer may have more of them, and numbers must survive.
        random.pick(&[Color::BLACK, Color::RED, Color::GREEN, Color::BLUE, Color::LAST, Color::from(12345)])
    }
}

impl Sample for Colour {
    fn sample(random: &mut Random) -> Self {
        Colour(Color::sample(random))
    }
}

impl Sample for Choice {
    fn sample(random: &mut Random) -> Self {
        match random.below(7) {
            0 => Choice::Number(Sample::sample(random)),
            1 => Choice::Text(Sample::sample(random)),
            2 => Choice::Point(Sample::sample(random)),
            3 => Choice::Texts(Sample::sample(random)),
            4 => Choice::Flag(Sample::sample(random)),
            5 => Choice::Data(Sample::sample(random)),
            _ => Choice::Empty(Empty {}),
        }
    }
}

impl Sample for Defaults {
    /// Fields with a default are always set: where one is absent the peers differ in whether it is or has its default.
    fn sample(random: &mut Random) -> Self {
        Defaults {
            needed: Sample::sample(random),
            maybe: Sample::sample(random),
            plain: Some(Sample::sample(random)),
            port: Some(Sample::sample(random)),
            greeting: Some(Sample::sample(random)),
            on: Sample::sample(random),
            primes: Some(Sample::sample(random)),
            sizes: Some(Sample::sample(random)),
            color: Some(Sample::sample(random)),
            ratio: Some(Sample::sample(random)),
            big: Some(Sample::sample(random)),
            sparse: Sample::sample(random),
            last: Sample::sample(random),
            out_of_order: Sample::sample(random),
        }
    }
}

impl Sample for Tree {
    fn sample(random: &mut Random) -> Self {
        random.deeper(|random| Tree {
            label: Sample::sample(random),
            child: descend(random).then(|| Box::new(Tree::sample(random))),
            children: descend(random).then(|| Sample::sample(random)),
            by_name: descend(random).then(|| Sample::sample(random)),
        })
    }
}

impl Sample for Uuids {
    fn sample(random: &mut Random) -> Self {
        random.deeper(|random| Uuids {
            id: Sample::sample(random),
            parent: Sample::sample(random),
            children: descend(random).then(|| Sample::sample(random)),
            by_path: Sample::sample(random),
        })
    }
}

impl Sample for All {
    fn sample(random: &mut Random) -> Self {
        let more = random.depth == 0 && random.below(3) == 0;
        random.deeper(|random| All {
            scalars: Sample::sample(random),
            containers: Sample::sample(random),
            nested: Sample::sample(random),
            defaults: Sample::sample(random),
            choice: Sample::sample(random),
            tree: Sample::sample(random),
            empty: Sample::sample(random),
            awkward: Sample::sample(random),
            more: more.then(|| Sample::sample(random)),
        })
    }
}
