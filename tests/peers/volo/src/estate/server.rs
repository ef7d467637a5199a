//! Estate and Annex on one port.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use metainfo::{Backward as _, Forward as _, METAINFO};
use pilota::{AHashMap, Bytes, FastStr};
use volo::{context::Context as _, layer::Layer, net::Address, service::Service};
use volo_thrift::{
    ApplicationException, ApplicationExceptionKind, BizError, MaybeException, ServerError,
    context::ServerContext,
    server::{Router, Server},
};

use super::form::{Form, Target, connect};
use crate::{
    args::Args,
    generated::estate::{
        Annex, AnnexServer, Estate, EstateClientBuilder, EstateFailException, EstateServer, Gate, Missing, Parcel,
        Refused,
    },
    listen::listen,
};

/// How long the call that `chain` makes may take.
const CHAIN_TIMEOUT: Duration = Duration::from_secs(5);

type Reply<T> = Result<T, ServerError>;

/// A router clones its services, so what they keep is shared.
#[derive(Clone)]
struct Holdings {
    form: Form,
    heard: Arc<Mutex<Vec<FastStr>>>,
}

impl Estate for Holdings {
    async fn echo(&self, parcel: Parcel) -> Reply<Parcel> {
        Ok(parcel)
    }
    async fn turn(&self, gate: Gate) -> Reply<Gate> {
        Ok(Gate { open: !gate.open, ..gate })
    }
    async fn blob(&self, data: Bytes) -> Reply<Bytes> {
        Ok(data)
    }
    async fn fail(&self, kind: FastStr) -> Reply<MaybeException<FastStr, EstateFailException>> {
        Ok(match kind.as_str() {
            "missing" => MaybeException::Exception(EstateFailException::Missing(Missing { what: kind })),
            "refused" => {
                MaybeException::Exception(EstateFailException::Refused(Refused { reason: kind, level: Some(3) }))
            }
            "broken" => return Err(internal(kind)),
            _ => MaybeException::Ok("fine".into()),
        })
    }
    async fn biz(&self, code: i32) -> Reply<FastStr> {
        if code == 0 {
            return Ok("fine".into());
        }
        let message = FastStr::from_string(format!("biz {code}"));
        Err(ServerError::Biz(if code < 1000 {
            BizError::new(code, message)
        } else {
            let reason = FastStr::from_string(code.to_string());
            BizError::with_extra(code, message, AHashMap::from_iter([("reason".into(), reason)]))
        }))
    }
    async fn meta(&self) -> Reply<AHashMap<FastStr, FastStr>> {
        Ok(METAINFO.with(|values| {
            let mut values = values.borrow_mut();
            let mut found = values.get::<Call>().map(Call::describe).unwrap_or_default();
            for (key, value) in values.get_all_persistents().into_iter().flatten() {
                found.insert(FastStr::from_string(format!("persistent:{key}")), value.clone());
            }
            // What a caller sent as transient is upstream here: it goes no further.
            for (key, value) in values.get_all_upstreams().into_iter().flatten() {
                found.insert(FastStr::from_string(format!("transient:{key}")), value.clone());
            }
            values.set_backward_transient("server-says", "hello");
            found
        }))
    }
    async fn chain(&self, address: FastStr) -> Reply<AHashMap<FastStr, FastStr>> {
        let address: SocketAddr = address.parse().map_err(|_| internal("no address".into()))?;
        let target = Target { caller: "estate", address: Address::from(address), timeout: CHAIN_TIMEOUT };
        Ok(connect!(EstateClientBuilder, "estate", self.form, &target).meta().await?)
    }
    async fn sleep(&self, ms: i32) -> Reply<i32> {
        tokio::time::sleep(Duration::from_millis(ms.unsigned_abs().into())).await;
        Ok(ms)
    }
    async fn note(&self, text: FastStr) -> Reply<()> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).push(text);
        Ok(())
    }
    async fn notes(&self) -> Reply<Vec<FastStr>> {
        Ok(std::mem::take(&mut *self.heard.lock().unwrap_or_else(PoisonError::into_inner)))
    }
    async fn who(&self) -> Reply<FastStr> {
        Ok("Estate".into())
    }
}

fn internal(message: FastStr) -> ServerError {
    ApplicationException::new(ApplicationExceptionKind::INTERNAL_ERROR, message).into()
}

#[derive(Clone)]
struct Shed;

impl Annex for Shed {
    async fn who(&self) -> Reply<FastStr> {
        Ok("Annex".into())
    }
    async fn twice(&self, number: i32) -> Reply<i32> {
        Ok(number.wrapping_mul(2))
    }
}

/// What a context knows of a call, where a handler, which gets no context, can find it.
struct Call {
    caller: FastStr,
    method: FastStr,
    timeout: Option<Duration>,
}

impl Call {
    fn describe(&self) -> AHashMap<FastStr, FastStr> {
        let mut found = AHashMap::from_iter([("method".into(), self.method.clone())]);
        if !self.caller.is_empty() {
            found.insert("caller".into(), self.caller.clone());
        }
        if let Some(timeout) = self.timeout {
            found.insert("timeout".into(), FastStr::from_string(timeout.as_millis().to_string()));
        }
        found
    }
}

/// Puts a [`Call`] beside the values that came with it.
struct Keep<S>(S);

impl<S, Req> Service<ServerContext, Req> for Keep<S>
where
    S: Service<ServerContext, Req> + Sync,
    Req: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;

    async fn call(&self, cx: &mut ServerContext, req: Req) -> Result<S::Response, S::Error> {
        let info = cx.rpc_info();
        let call = Call {
            caller: info.caller().service_name(),
            method: info.method().clone(),
            timeout: info.config().rpc_timeout(),
        };
        METAINFO.with(|values| values.borrow_mut().insert(call));
        self.0.call(cx, req).await
    }
}

struct KeepLayer;

impl<S> Layer<S> for KeepLayer {
    type Service = Keep<S>;

    fn layer(self, inner: S) -> Keep<S> {
        Keep(inner)
    }
}

pub async fn run(mut args: Args) -> anyhow::Result<()> {
    let address = args.address()?;
    let form = Form::parse(&mut args)?;
    args.end()?;
    let estate = EstateServer::from_handler(Holdings { form, heard: Arc::default() });
    let annex = AnnexServer::from_handler(Shed);
    let router = Router::new().with_default_service(estate).add_service(annex);
    listen(address, |incoming| Server::with_router(router).multiplex(form.mux).layer(KeepLayer).run(incoming))
        .await?
        .map_err(anyhow::Error::from_boxed)
}
