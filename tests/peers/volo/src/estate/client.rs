//! Calls every method of Estate and Annex and checks every answer.

use std::{
    cell::RefCell,
    collections::BTreeSet,
    fmt::Debug,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail, ensure};
use metainfo::{Backward as _, Forward as _, METAINFO, MetaInfo};
use pilota::{AHashMap, Bytes, FastStr};
use volo::net::Address;
use volo_thrift::{ApplicationExceptionKind, BizError, ClientError, MaybeException, client::CallOpt};

use super::form::{Form, Target, connect};
use crate::{
    args::Args,
    everything::sample::{Random, Sample as _},
    generated::estate::{
        AnnexClient, AnnexClientBuilder, EstateClient, EstateClientBuilder, EstateFailException, Gate, Missing,
        NowhereClient, NowhereClientBuilder, Parcel, Refused,
    },
};

/// The name that requests carry.
const CALLER: &str = "volo-client";
/// How long a call may take; it travels in the header.
const TIMEOUT: Duration = Duration::from_millis(24_321);

/// The checks by name; those of the second list need something that travels beside a call.
const CHECKS: [&str; 8] = ["echo", "turn", "blob", "fail", "note", "sleep", "together", "unknown"];
const HEADER_CHECKS: [&str; 5] = ["biz", "meta", "backward", "chain", "services"];

pub async fn run(mut args: Args) -> anyhow::Result<()> {
    let address = args.address()?;
    let form = Form::parse(&mut args)?;
    let rounds: u64 = args.optional("rounds")?.unwrap_or(20);
    let seed: u64 = args.optional("seed")?.unwrap_or(1);
    let skip: String = args.optional("skip")?.unwrap_or_default();
    args.end()?;
    let skip: BTreeSet<&str> = skip.split(',').filter(|name| !name.is_empty()).collect();
    if let Some(unknown) = skip.iter().find(|name| !CHECKS.contains(name) && !HEADER_CHECKS.contains(name)) {
        bail!("--skip takes {} and {}, not `{unknown}`", CHECKS.join(", "), HEADER_CHECKS.join(", "));
    }
    let target = Target { caller: CALLER, address: Address::from(address), timeout: TIMEOUT };
    let checks = Checks {
        estate: connect!(EstateClientBuilder, "estate", form, &target),
        annex: connect!(AnnexClientBuilder, "annex", form, &target),
        nowhere: connect!(NowhereClientBuilder, "nowhere", form, &target),
        address: FastStr::from_string(address.to_string()),
        rounds,
        seed,
        calls: AtomicU64::new(0),
    };
    for name in CHECKS.iter().chain(HEADER_CHECKS.iter().filter(|_| form.headers())) {
        // Volo forgets the status of an answer when it finds the call that the answer is for by its number.
        if !skip.contains(name) && !(form.mux && *name == "biz") {
            // Values that come back are kept by the task; each check begins without any.
            METAINFO.scope(RefCell::default(), checks.check(name)).await.with_context(|| (*name).to_owned())?;
        }
    }
    println!("ok {} calls", checks.calls.into_inner());
    Ok(())
}

struct Checks {
    estate: EstateClient,
    annex: AnnexClient,
    nowhere: NowhereClient,
    address: FastStr,
    rounds: u64,
    seed: u64,
    calls: AtomicU64,
}

impl Checks {
    async fn check(&self, name: &str) -> anyhow::Result<()> {
        match name {
            "echo" => self.echo().await,
            "turn" => self.turn().await,
            "blob" => self.blob().await,
            "fail" => self.fail().await,
            "note" => self.note().await,
            "sleep" => self.sleep().await,
            "together" => self.together().await,
            "unknown" => self.unknown().await,
            "biz" => self.biz().await,
            "meta" => self.meta().await,
            "backward" => self.backward().await,
            "chain" => self.chain().await,
            "services" => self.services().await,
            _ => bail!("there is no such check"),
        }
    }

    fn count(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }

    fn same<T: PartialEq + Debug>(&self, what: &str, got: Result<T, ClientError>, expected: &T) -> anyhow::Result<()> {
        self.count();
        let got = got.with_context(|| format!("{what} failed"))?;
        ensure!(got == *expected, "{what} returned\n     {got:?}\nnot  {expected:?}");
        Ok(())
    }

    async fn echo(&self) -> anyhow::Result<()> {
        for round in 0..self.rounds {
            let seed = self.seed.wrapping_add(round);
            let sent = Parcel::sample(&mut Random::new(seed));
            let got = self.estate.echo(sent.clone()).await;
            self.same("echo", got, &sent).with_context(|| format!("in the round of --rounds 1 --seed {seed}"))?;
        }
        Ok(())
    }

    async fn turn(&self) -> anyhow::Result<()> {
        for locked in [None, Some(true), Some(false)] {
            for open in [true, false] {
                let gate = Gate { open, name: "north".into(), locked, bars: vec![true, false, true] };
                let turned = Gate { open: !open, ..gate.clone() };
                self.same("turn", self.estate.turn(gate).await, &turned)?;
            }
        }
        Ok(())
    }

    async fn blob(&self) -> anyhow::Result<()> {
        for size in [0u32, 1, 65_535, 65_536, 3_000_000] {
            let data = Bytes::from((0..size).map(|n| (n * 7) as u8).collect::<Vec<_>>());
            self.same("blob", self.estate.blob(data.clone()).await, &data)?;
        }
        Ok(())
    }

    async fn fail(&self) -> anyhow::Result<()> {
        let fail = async |kind: &'static str| self.estate.fail(kind.into()).await.map(declared);
        self.same("fail nothing", fail("nothing").await, &Ok("fine".into()))?;
        let missing = EstateFailException::Missing(Missing { what: "missing".into() });
        self.same("fail missing", fail("missing").await, &Err(missing))?;
        let refused = EstateFailException::Refused(Refused { reason: "refused".into(), level: Some(3) });
        self.same("fail refused", fail("refused").await, &Err(refused))?;
        self.application(fail("broken").await, "broken", &[ApplicationExceptionKind::INTERNAL_ERROR])?;
        self.same("fail nothing after the others", fail("nothing").await, &Ok("fine".into()))
    }

    /// The call failed with an application exception of one of the kinds, whose message has the text.
    fn application<T: Debug>(
        &self,
        got: Result<T, ClientError>,
        text: &str,
        kinds: &[ApplicationExceptionKind],
    ) -> anyhow::Result<()> {
        self.count();
        match got {
            Err(ClientError::Application(error)) if kinds.contains(&error.kind()) && error.message().contains(text) => {
                Ok(())
            }
            other => bail!("expected an application exception {kinds:?} with `{text}`, not {other:?}"),
        }
    }

    async fn note(&self) -> anyhow::Result<()> {
        let sent: Vec<FastStr> = ["a", "b", "c"].into_iter().map(FastStr::from_static_str).collect();
        for text in &sent {
            self.same("note", self.estate.note(text.clone()).await, &())?;
        }
        // Nothing says when a oneway call has come.
        let end = Instant::now() + Duration::from_secs(5);
        let mut heard = Vec::new();
        while heard.len() < sent.len() && Instant::now() < end {
            self.count();
            heard.extend(self.estate.notes().await.context("notes failed")?);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        heard.sort();
        ensure!(heard == sent, "notes returned {heard:?}");
        Ok(())
    }

    async fn sleep(&self) -> anyhow::Result<()> {
        self.same("sleep 20", self.estate.sleep(20).await, &20)?;
        let got = self.estate.clone().with_callopt(within(Duration::from_millis(100))).sleep(500).await;
        // Volo's client says so with an application exception of its own. The server keeps the time as well, and on a busy machine it may be
        // the first to say so.
        let told_by_server =
            matches!(&got, Err(ClientError::Application(error)) if error.message().contains("DEADLINE_EXCEEDED"));
        let text = if told_by_server { "DEADLINE_EXCEEDED" } else { "timeout" };
        self.application(got, text, &[ApplicationExceptionKind::INTERNAL_ERROR])?;
        self.same("who after a call that took too long", self.estate.who().await, &"Estate".into())
    }

    /// Calls side by side; the first take longest, so that multiplexed answers come in another order.
    async fn together(&self) -> anyhow::Result<()> {
        const CALLS: i32 = 40;
        let tasks: Vec<_> = (1..=CALLS)
            .rev()
            .map(|call| {
                let estate = self.estate.clone();
                tokio::spawn(async move { (2 * call, estate.sleep(2 * call).await) })
            })
            .collect();
        for task in tasks {
            let (ms, slept) = task.await?;
            self.same("sleep", slept, &ms)?;
        }
        Ok(())
    }

    async fn unknown(&self) -> anyhow::Result<()> {
        // Kitex has a kind of its own for services; others know methods only.
        let kinds = [ApplicationExceptionKind::UNKNOWN_METHOD, ApplicationExceptionKind::from(20)];
        self.application(self.nowhere.nothing("text".into()).await, "", &kinds)?;
        self.same("who after an unknown method", self.estate.who().await, &"Estate".into())
    }

    async fn biz(&self) -> anyhow::Result<()> {
        self.same("biz 0", self.estate.biz(0).await, &"fine".into())?;
        for code in [1, 404, -7, 1001, i32::MAX] {
            self.count();
            let expected =
                (code, FastStr::from_string(format!("biz {code}")), (code >= 1000).then(|| code.to_string()));
            match self.estate.biz(code).await {
                Err(ClientError::Biz(BizError { status_code, status_message, extra })) => {
                    let reason = extra.and_then(|extra| extra.get("reason").map(FastStr::to_string));
                    let got = (status_code, status_message, reason);
                    ensure!(got == expected, "biz {code} returned {got:?}");
                }
                other => bail!("biz {code} must be a biz error, not {other:?}"),
            }
        }
        self.same("biz 0 after the others", self.estate.biz(0).await, &"fine".into())
    }

    async fn meta(&self) -> anyhow::Result<()> {
        let beside = [("method", "meta"), ("caller", CALLER)];
        self.same("meta", left(self.estate.meta().await, TIMEOUT)?, &map(&beside))?;
        send_values();
        let short = Duration::from_millis(9_876);
        let got = self.estate.clone().with_callopt(within(short)).meta().await;
        let beside = [("method", "meta"), ("caller", CALLER), ("transient:Shard", "7")];
        self.same("meta with values", left(got, short)?, &map(&[&beside[..], &PERSISTENT].concat()))
    }

    async fn backward(&self) -> anyhow::Result<()> {
        self.count();
        self.estate.meta().await.context("meta failed")?;
        let says = METAINFO.with(|values| values.borrow().get_backward_downstream("server-says"));
        ensure!(says.as_deref() == Some("hello"), "the backward value server-says is {says:?}");
        Ok(())
    }

    async fn chain(&self) -> anyhow::Result<()> {
        send_values();
        let got = self.estate.chain(self.address.clone()).await.map(|mut found| {
            // How long a server's own call may take is its own affair.
            found.remove("timeout");
            found
        });
        let beside = [("method", "meta"), ("caller", "estate")];
        self.same("chain", got, &map(&[&beside[..], &PERSISTENT].concat()))
    }

    async fn services(&self) -> anyhow::Result<()> {
        self.same("who of Estate", self.estate.who().await, &"Estate".into())?;
        self.same("who of Annex", self.annex.who().await, &"Annex".into())?;
        self.same("twice", self.annex.twice(21).await, &42)
    }
}

/// Persistent values as `meta` returns them; their keys keep their case.
const PERSISTENT: [(&str, &str); 3] =
    [("persistent:Tenant", "Zürich"), ("persistent:trace-id", "4711"), ("persistent:UPPER_CASE", "x")];

/// Sends those, and a transient value, with the calls that this task makes from now on.
fn send_values() {
    METAINFO.with(|values| {
        let mut values: std::cell::RefMut<'_, MetaInfo> = values.borrow_mut();
        for (key, value) in PERSISTENT {
            values.set_persistent(key.trim_start_matches("persistent:"), value);
        }
        values.set_transient("Shard", "7");
    });
}

/// Takes the timeout out of what `meta` returned: a server may say what was given or what is left of it.
fn left(
    got: Result<AHashMap<FastStr, FastStr>, ClientError>,
    given: Duration,
) -> anyhow::Result<Result<AHashMap<FastStr, FastStr>, ClientError>> {
    let Ok(mut found) = got else { return Ok(got) };
    let said = found.remove("timeout").context("meta has no timeout")?;
    let spent = given.checked_sub(Duration::from_millis(said.parse()?));
    ensure!(spent.is_some_and(|spent| spent < given / 2), "{said} of {given:?} are left");
    Ok(Ok(found))
}

fn within(timeout: Duration) -> CallOpt {
    let mut options = CallOpt::new();
    options.config.set_rpc_timeout(Some(timeout));
    options
}

fn map(pairs: &[(&'static str, &'static str)]) -> AHashMap<FastStr, FastStr> {
    pairs.iter().map(|&(key, value)| (FastStr::from_static_str(key), FastStr::from_static_str(value))).collect()
}

/// A declared exception as the error of a result, which can be compared and printed.
fn declared<T, E>(reply: MaybeException<T, E>) -> Result<T, E> {
    match reply {
        MaybeException::Ok(value) => Ok(value),
        MaybeException::Exception(exception) => Err(exception),
    }
}
