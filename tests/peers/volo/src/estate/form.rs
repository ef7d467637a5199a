//! How a client puts calls on the wire.

use std::time::Duration;

use anyhow::bail;
use volo::net::Address;
use volo_thrift::codec::default::thrift::Protocol;

use crate::args::Args;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Framed,
    TtHeader,
    TtHeaderFramed,
}

/// A transport, a protocol, and whether several calls share a connection.
#[derive(Clone, Copy)]
pub struct Form {
    pub transport: Transport,
    pub protocol: Protocol,
    pub mux: bool,
}

impl Form {
    pub fn parse(args: &mut Args) -> anyhow::Result<Self> {
        let transport: Option<String> = args.optional("transport")?;
        let protocol: Option<String> = args.optional("protocol")?;
        Ok(Self {
            transport: match transport.as_deref() {
                Some("framed") => Transport::Framed,
                Some("ttheader") => Transport::TtHeader,
                Some("ttheader-framed") | None => Transport::TtHeaderFramed,
                Some(other) => bail!("--transport is framed, ttheader or ttheader-framed, not `{other}`"),
            },
            protocol: match protocol.as_deref() {
                Some("binary") | None => Protocol::Binary,
                Some("compact") => Protocol::ApacheCompact,
                Some(other) => bail!("--protocol is binary or compact, not `{other}`"),
            },
            mux: args.flag("mux")?,
        })
    }

    /// Whether values can travel beside a call.
    pub fn headers(self) -> bool {
        self.transport != Transport::Framed
    }
}

/// Whom to call, under which name, and how long a call may take.
pub struct Target {
    pub caller: &'static str,
    pub address: Address,
    pub timeout: Duration,
}

/// Builds a client with the given builder: each codec makes the builder another type.
macro_rules! connect {
    ($builder:ident, $callee:expr, $form:expr, $target:expr) => {{
        use volo_thrift::codec::{
            DefaultMakeCodec,
            default::{framed::MakeFramedCodec, thrift::MakeThriftCodec, ttheader::MakeTTHeaderCodec},
        };
        let (form, target): ($crate::estate::form::Form, &$crate::estate::form::Target) = ($form, $target);
        let builder = $builder::new($callee)
            .caller_name(target.caller)
            .address(target.address.clone())
            .rpc_timeout(Some(target.timeout))
            .multiplex(form.mux);
        let message = MakeThriftCodec::new().with_protocol(form.protocol);
        let framed = MakeFramedCodec::new(message);
        match form.transport {
            $crate::estate::form::Transport::Framed => builder.make_codec(DefaultMakeCodec::new(framed)).build(),
            $crate::estate::form::Transport::TtHeader => {
                builder.make_codec(DefaultMakeCodec::new(MakeTTHeaderCodec::new(message))).build()
            }
            $crate::estate::form::Transport::TtHeaderFramed => {
                builder.make_codec(DefaultMakeCodec::new(MakeTTHeaderCodec::new(framed))).build()
            }
        }
    }};
}

pub(super) use connect;
