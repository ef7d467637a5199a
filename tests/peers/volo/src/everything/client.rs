//! Calls every method and compares.

use std::{collections::BTreeSet, fmt::Debug, time::Duration};

use anyhow::{Context as _, bail, ensure};
use pilota::{AHashMap, AHashSet, Bytes, FastStr};
use volo_thrift::{ClientError, MaybeException, codec::DefaultMakeCodec};

use super::sample::{Random, Sample};
use crate::{
    args::Args,
    generated::{
        everything::{Color, Denied, EverythingCheckException, EverythingFailException, NotFound, Point, Scalars},
        everything_reserved::{EverythingReservedClient, EverythingReservedClientBuilder},
    },
};

/// What a peer may be unable to do: types, names, keep the key `__proto__` or `hasOwnProperty` in a map, the sign of a zero.
const SKIPPABLE: [&str; 5] = ["uuid", "reserved", "keys", "proto", "zero"];

pub async fn run(mut args: Args) -> anyhow::Result<()> {
    let mut checks = Checks { client: connect(&mut args)?, skip: skips(&mut args)?, calls: 0 };
    let rounds: u64 = args.optional("rounds")?.unwrap_or(50);
    let seed: u64 = args.optional("seed")?.unwrap_or(1);
    args.end()?;
    for round in 0..rounds {
        let mut random = Random::new(seed.wrapping_add(round));
        checks
            .echoes(&mut random)
            .await
            .with_context(|| format!("in the round of --rounds 1 --seed {}", seed.wrapping_add(round)))?;
    }
    checks.fixed().await?;
    checks.exceptions().await?;
    checks.oneway().await?;
    if !checks.skip.contains("reserved") {
        checks.reserved().await?;
    }
    println!("ok {} calls", checks.calls);
    Ok(())
}

fn connect(args: &mut Args) -> anyhow::Result<EverythingReservedClient> {
    let transport: String = args.optional("transport")?.unwrap_or_else(|| "framed".into());
    let builder = EverythingReservedClientBuilder::new("everything")
        .address(args.address()?)
        .rpc_timeout(Some(Duration::from_secs(20)))
        .read_write_timeout(Some(Duration::from_secs(20)))
        .connect_timeout(Some(Duration::from_secs(5)));
    Ok(match transport.as_str() {
        "framed" => builder.make_codec(DefaultMakeCodec::framed()).build(),
        "buffered" => builder.make_codec(DefaultMakeCodec::buffered()).build(),
        "ttheader" => builder.make_codec(DefaultMakeCodec::ttheader_framed()).build(),
        _ => bail!("--transport is framed, buffered or ttheader, not `{transport}`"),
    })
}

fn skips(args: &mut Args) -> anyhow::Result<BTreeSet<String>> {
    let text: String = args.optional("skip")?.unwrap_or_default();
    let skip: BTreeSet<String> = text.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
    if let Some(unknown) = skip.iter().find(|name| !SKIPPABLE.contains(&name.as_str())) {
        bail!("--skip takes {}, not `{unknown}`", SKIPPABLE.join(", "));
    }
    Ok(skip)
}

struct Checks {
    client: EverythingReservedClient,
    skip: BTreeSet<String>,
    calls: u64,
}

impl Checks {
    fn same<T: PartialEq + Debug>(
        &mut self,
        method: &str,
        got: Result<T, ClientError>,
        expected: &T,
    ) -> anyhow::Result<()> {
        self.calls += 1;
        let got = got.with_context(|| format!("{method} failed"))?;
        ensure!(got == *expected, "{method} changed the value\n     sent {expected:?}\n got back {got:?}");
        Ok(())
    }

    /// Every echo method once, with random values.
    async fn echoes(&mut self, random: &mut Random) -> anyhow::Result<()> {
        let client = self.client.clone();
        macro_rules! echo {
            ($($method:ident),*) => {$(
                let value = Sample::sample(random);
                self.same(stringify!($method), client.$method(Clone::clone(&value)).await, &value)?;
            )*};
        }
        echo!(
            ping,
            echo_all,
            echo_nested,
            echo_defaults,
            echo_tree,
            echo_union,
            echo_awkward,
            echo_binary,
            echo_list,
            echo_map,
            echo_set,
            echo_enum,
            to_string
        );
        if !self.skip.contains("keys") {
            echo!(echo_keys);
        }
        if !self.skip.contains("uuid") {
            echo!(echo_uuids, echo_uuid);
        }
        if !self.skip.contains("reserved") {
            echo!(echo_reserved, delete, then);
        }
        let mut s = Scalars::sample(random);
        s.at.0 = s.long_number;
        s.colour.0 = s.color;
        let e = s.clone();
        let got = client
            .echo_scalars(
                e.flag,
                e.tiny,
                e.small,
                e.short_number,
                e.number,
                e.long_number,
                e.fraction,
                e.text,
                e.data,
                e.color,
            )
            .await;
        self.same("echo_scalars", got, &s)
    }

    /// Values worth naming.
    async fn fixed(&mut self) -> anyhow::Result<()> {
        let client = self.client.clone();
        for flag in [true, false] {
            self.same("not", client.not(flag).await, &!flag)?;
        }
        for (a, b) in
            [(i64::MAX, 0), (i64::MIN, 0), (9_007_199_254_740_992, 1), (-9_007_199_254_740_992, -1), (1 << 32, 1 << 31)]
        {
            self.same("add", client.add(a, b).await, &(a + b))?;
        }
        for value in [-0.0, f64::NAN, f64::INFINITY, 1e308, 5e-324 * 2.0] {
            if value == 0.0 && self.skip.contains("zero") {
                continue;
            }
            let half = client.half(value).await.map(|x| if x.is_nan() { f64::NAN.to_bits() } else { x.to_bits() });
            self.same("half", half, &if value.is_nan() { f64::NAN.to_bits() } else { (value / 2.0).to_bits() })?;
        }
        self.same("nothing", client.nothing().await, &())?;
        // Larger than any one read, and than 64 KiB.
        let large = Bytes::from((0..3_000_000u32).map(|n| (n * 7) as u8).collect::<Vec<_>>());
        self.same("echo_binary", client.echo_binary(large.clone()).await, &large)?;
        let long: Vec<FastStr> = (0..50_000).map(|n| FastStr::from_string(format!("text {n} ü"))).collect();
        self.same("echo_list", client.echo_list(long.clone()).await, &long)?;
        let numbers: AHashSet<i32> = (0..10_000).map(|n| n * 3 - 5_000).collect();
        self.same("echo_set", client.echo_set(numbers.clone()).await, &numbers)?;
        let mut keys = vec!["constructor", "toString", "", "1", "01", "-1", "length"];
        if !self.skip.contains("proto") {
            keys.extend(["__proto__", "hasOwnProperty"]);
        }
        let routes: AHashMap<FastStr, Vec<Point>> =
            keys.into_iter().map(|key| (key.into(), vec![Point { x: 1, y: -1 }])).collect();
        self.same("echo_map", client.echo_map(routes.clone()).await, &routes)
    }

    async fn exceptions(&mut self) -> anyhow::Result<()> {
        let client = self.client.clone();
        self.same("fail 0", client.fail(0).await.map(declared), &Ok("kind 0".into()))?;
        let not_found = EverythingFailException::NotFound(NotFound { what: "kind 1".into(), id: Some(1) });
        self.same("fail 1", client.fail(1).await.map(declared), &Err(not_found))?;
        let denied =
            Denied { reason: "kind 2".into(), color: Some(Color::RED), needed: Some(vec!["a".into(), "b".into()]) };
        self.same("fail 2", client.fail(2).await.map(declared), &Err(EverythingFailException::Denied(denied)))?;
        self.calls += 1;
        match client.fail(3).await.map(declared) {
            Err(ClientError::Application(_)) => {}
            other => bail!("fail 3 must be an application exception, not {other:?}"),
        }
        // The connection, or a new one, works on after it.
        self.same("ping after fail 3", client.ping("still there".into()).await, &"still there".into())?;
        self.same("check 0", client.check(0).await.map(declared), &Ok(()))?;
        let not_found = EverythingCheckException::NotFound(NotFound { what: "kind 1".into(), id: None });
        self.same("check 1", client.check(1).await.map(declared), &Err(not_found))
    }

    async fn oneway(&mut self) -> anyhow::Result<()> {
        let client = self.client.clone();
        let before = client.count().await.context("count failed")?;
        for n in 0..3 {
            client.notify(FastStr::from_string(format!("event {n}"))).await.context("notify failed")?;
        }
        // Nothing tells when a oneway call has been handled, and it may have had a connection of its own.
        for _ in 0..100 {
            self.calls += 1;
            let after = client.count().await.context("count failed")?;
            if after == before + 3 {
                self.calls += 3;
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        bail!("three notify calls were not counted within two seconds")
    }

    async fn reserved(&mut self) -> anyhow::Result<()> {
        let client = self.client.clone();
        self.same("constructor", client.constructor(40, 2).await, &42)
    }
}

/// A declared exception as the error of a result, which can be compared and printed.
fn declared<T, E>(reply: MaybeException<T, E>) -> Result<T, E> {
    match reply {
        MaybeException::Ok(value) => Ok(value),
        MaybeException::Exception(exception) => Err(exception),
    }
}
