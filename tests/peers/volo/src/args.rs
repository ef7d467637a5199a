//! Options of all commands: `--name value`, or `--name` for what is on or off.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    str::FromStr,
};

use anyhow::{Context as _, bail, ensure};

/// Options not yet taken; what is left when a command has taken its own is an error.
pub struct Args(BTreeMap<String, Option<String>>);

impl Args {
    pub fn parse(words: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut options = BTreeMap::new();
        let mut words = words.peekable();
        while let Some(word) = words.next() {
            let Some(name) = word.strip_prefix("--") else { bail!("expected an option, not `{word}`") };
            options.insert(name.to_owned(), words.next_if(|next| !next.starts_with("--")));
        }
        Ok(Self(options))
    }

    /// Takes an option without a value.
    pub fn flag(&mut self, name: &str) -> anyhow::Result<bool> {
        match self.0.remove(name) {
            None => Ok(false),
            Some(None) => Ok(true),
            Some(Some(value)) => bail!("--{name} takes no value, not `{value}`"),
        }
    }

    /// Takes an option that may be left out.
    pub fn optional<T: FromStr>(&mut self, name: &str) -> anyhow::Result<Option<T>> {
        let Some(text) = self.0.remove(name) else { return Ok(None) };
        let text = text.with_context(|| format!("--{name} needs a value after it"))?;
        match text.parse() {
            Ok(value) => Ok(Some(value)),
            Err(_) => bail!("--{name} does not take `{text}`"),
        }
    }

    /// Takes `--port`, as an address on 127.0.0.1.
    pub fn address(&mut self) -> anyhow::Result<SocketAddr> {
        let port: u16 = self.optional("port")?.context("--port is missing")?;
        Ok((Ipv4Addr::LOCALHOST, port).into())
    }

    /// Fails if an option is left that nobody took.
    pub fn end(self) -> anyhow::Result<()> {
        let left: Vec<_> = self.0.into_keys().map(|name| format!("--{name}")).collect();
        ensure!(left.is_empty(), "this command does not take {}", left.join(", "));
        Ok(())
    }
}
