//! Command line of `raw`.

use std::net::SocketAddr;

/// How to call it, printed with every usage error.
const USAGE: &str = "raw [--port P] [--content-size N | --echo | --upstream HOST:PORT]";

/// What the command line asks for.
pub struct Args {
    /// Port on 127.0.0.1; 0 (the default) lets the system choose.
    pub port: u16,
    /// Length in bytes of the `content` string; `None` answers with `This is a Volo example`.
    pub content_size: Option<usize>,
    /// Give back the one argument of every call instead.
    pub echo: bool,
    /// Forward to this address instead.
    pub upstream: Option<SocketAddr>,
}

impl Args {
    /// Reads the options; anything else is an error that says what is accepted.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut args = Self { port: 0, content_size: None, echo: false, upstream: None };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value after it"));
            let mut number = || {
                let value = value()?;
                value.parse::<usize>().map_err(|_| format!("{word} needs a number, not `{value}`"))
            };
            match word.as_str() {
                "--port" => {
                    let port = number()?;
                    args.port = u16::try_from(port).map_err(|_| format!("--port must be below 65536, not {port}"))?;
                }
                "--content-size" => args.content_size = Some(number()?),
                "--echo" => args.echo = true,
                "--upstream" => {
                    let address = value()?;
                    args.upstream =
                        Some(address.parse().map_err(|_| format!("{word} needs an address, not `{address}`"))?);
                }
                _ => return Err(format!("unknown option `{word}`; use {USAGE}")),
            }
        }
        Ok(args)
    }
}
