//! Random values of the estate's types.

use crate::{
    everything::sample::{Random, Sample, descend},
    generated::estate::{Kind, Parcel, Place},
};

impl Sample for Kind {
    fn sample(random: &mut Random) -> Self {
        // 12345 has no name: a newer peer may have more of them, and numbers must survive.
        random.pick(&[Kind::HOUSE, Kind::BARN, Kind::GATE, Kind::from(12345)])
    }
}

impl Sample for Place {
    fn sample(random: &mut Random) -> Self {
        Place { x: Sample::sample(random), y: Sample::sample(random) }
    }
}

impl Sample for Parcel {
    fn sample(random: &mut Random) -> Self {
        random.deeper(|random| Parcel {
            tiny: Sample::sample(random),
            small: Sample::sample(random),
            number: Sample::sample(random),
            large: Sample::sample(random),
            fraction: Sample::sample(random),
            text: Sample::sample(random),
            data: Sample::sample(random),
            kind: Sample::sample(random),
            place: Sample::sample(random),
            places: Sample::sample(random),
            sizes: Sample::sample(random),
            numbers: Sample::sample(random),
            names: Sample::sample(random),
            remark: Sample::sample(random),
            inner: descend(random).then(|| Box::new(Parcel::sample(random))),
        })
    }
}
