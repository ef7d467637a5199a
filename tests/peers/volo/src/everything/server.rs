//! Gives back what it gets.

use std::sync::atomic::{AtomicI64, Ordering};

use pilota::{AHashMap, AHashSet, Bytes, FastStr};
use volo_thrift::{ApplicationException, ApplicationExceptionKind, MaybeException, ServerError};

use crate::{
    args::Args,
    generated::{
        everything::{
            All, Awkward, Choice, Color, Colour, Defaults, Denied, EverythingCheckException, EverythingFailException,
            Keys, Nested, NotFound, Point, Scalars, Timestamp, Tree,
        },
        everything_reserved::{EverythingReserved, EverythingReservedServer, Reserved},
        everything_uuid::Uuids,
    },
    listen::listen,
};

#[derive(Default)]
struct Echo {
    notified: AtomicI64,
}

type Reply<T> = Result<T, ServerError>;

impl EverythingReserved for Echo {
    async fn ping(&self, text: FastStr) -> Reply<FastStr> {
        Ok(text)
    }
    async fn echo_all(&self, all: All) -> Reply<All> {
        Ok(all)
    }
    async fn echo_nested(&self, nested: Nested) -> Reply<Nested> {
        Ok(nested)
    }
    async fn echo_keys(&self, keys: Keys) -> Reply<Keys> {
        Ok(keys)
    }
    async fn echo_defaults(&self, defaults: Defaults) -> Reply<Defaults> {
        Ok(defaults)
    }
    async fn echo_tree(&self, tree: Tree) -> Reply<Tree> {
        Ok(tree)
    }
    async fn echo_union(&self, choice: Choice) -> Reply<Choice> {
        Ok(choice)
    }
    async fn echo_awkward(&self, awkward: Awkward) -> Reply<Awkward> {
        Ok(awkward)
    }
    async fn echo_scalars(
        &self,
        a: bool,
        b: i8,
        c: i8,
        d: i16,
        e: i32,
        f: i64,
        g: f64,
        h: FastStr,
        i: Bytes,
        j: Color,
    ) -> Reply<Scalars> {
        Ok(Scalars {
            flag: a,
            tiny: b,
            small: c,
            short_number: d,
            number: e,
            long_number: f,
            fraction: g,
            text: h,
            data: i,
            color: j,
            at: Timestamp(f),
            colour: Colour(j),
        })
    }
    async fn echo_binary(&self, data: Bytes) -> Reply<Bytes> {
        Ok(data)
    }
    async fn echo_list(&self, texts: Vec<FastStr>) -> Reply<Vec<FastStr>> {
        Ok(texts)
    }
    async fn echo_map(&self, routes: AHashMap<FastStr, Vec<Point>>) -> Reply<AHashMap<FastStr, Vec<Point>>> {
        Ok(routes)
    }
    async fn echo_set(&self, numbers: AHashSet<i32>) -> Reply<AHashSet<i32>> {
        Ok(numbers)
    }
    async fn echo_enum(&self, color: Color) -> Reply<Color> {
        Ok(color)
    }
    async fn not(&self, flag: bool) -> Reply<bool> {
        Ok(!flag)
    }
    async fn add(&self, a: i64, b: i64) -> Reply<i64> {
        Ok(a.wrapping_add(b))
    }
    async fn half(&self, value: f64) -> Reply<f64> {
        Ok(value / 2.0)
    }
    async fn to_string(&self, text: FastStr) -> Reply<FastStr> {
        Ok(text)
    }
    async fn fail(&self, kind: i32) -> Reply<MaybeException<FastStr, EverythingFailException>> {
        let what = FastStr::from_string(format!("kind {kind}"));
        Ok(match kind {
            1 => MaybeException::Exception(EverythingFailException::NotFound(NotFound { what, id: Some(1) })),
            2 => MaybeException::Exception(EverythingFailException::Denied(Denied {
                reason: what,
                color: Some(Color::RED),
                needed: Some(vec!["a".into(), "b".into()]),
            })),
            3 => return Err(ApplicationException::new(ApplicationExceptionKind::INTERNAL_ERROR, what).into()),
            _ => MaybeException::Ok(what),
        })
    }
    async fn check(&self, kind: i32) -> Reply<MaybeException<(), EverythingCheckException>> {
        Ok(match kind {
            1 => MaybeException::Exception(EverythingCheckException::NotFound(NotFound {
                what: "kind 1".into(),
                id: None,
            })),
            _ => MaybeException::Ok(()),
        })
    }
    async fn nothing(&self) -> Reply<()> {
        Ok(())
    }
    async fn notify(&self, _event: FastStr) -> Reply<()> {
        self.notified.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
    async fn count(&self) -> Reply<i64> {
        Ok(self.notified.load(Ordering::Relaxed))
    }
    async fn echo_uuids(&self, uuids: Uuids) -> Reply<Uuids> {
        Ok(uuids)
    }
    async fn echo_uuid(&self, id: [u8; 16]) -> Reply<[u8; 16]> {
        Ok(id)
    }
    async fn echo_reserved(&self, reserved: Reserved) -> Reply<Reserved> {
        Ok(reserved)
    }
    async fn delete(&self, class: i32) -> Reply<i32> {
        Ok(class)
    }
    async fn then(&self, then: i32) -> Reply<i32> {
        Ok(then)
    }
    async fn constructor(&self, this: i32, var: i32) -> Reply<i32> {
        Ok(this.wrapping_add(var))
    }
}

pub async fn run(mut args: Args) -> anyhow::Result<()> {
    let address = args.address()?;
    args.end()?;
    listen(address, |incoming| EverythingReservedServer::new(Echo::default()).run(incoming))
        .await?
        .map_err(anyhow::Error::from_boxed)
}
