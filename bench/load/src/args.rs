//! Command line of `load`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::wire::{Protocol, Transport, Wire};

/// How to call it, printed with every usage error.
pub const USAGE: &str = "load --port P [--host IP] [--connections N] [--depth D] [--seconds S] [--warmup S] \
                         [--rate R] [--content-size N | --echo N] [--transport framed|ttheader] \
                         [--protocol binary|compact] [--progress] [--json]";

/// What the command line asks for.
#[derive(Debug)]
pub struct Args {
    /// The server. `--host` takes an address of the loopback range only (default 127.0.0.1).
    pub address: SocketAddr,
    /// Connections, all opened before the first call (default 1).
    pub connections: usize,
    /// Calls in flight a connection, at most (default 1).
    pub depth: usize,
    /// Measured time in seconds, the warm-up not included (default 5).
    pub seconds: f64,
    /// Time in seconds before anything is recorded (default 0).
    pub warmup: f64,
    /// Calls a second over all connections; `None` is a closed loop.
    pub rate: Option<f64>,
    /// Expected length of `content`, all `x`; `None` expects `This is a Volo example`.
    pub content_size: Option<usize>,
    /// Call `EchoBinary` with so many bytes instead of `GetItem`; they must come back.
    pub echo: Option<usize>,
    /// What the server is spoken to in (default framed binary).
    pub wire: Wire,
    /// Print one line a second on stderr.
    pub progress: bool,
    /// Print a JSON object as the last line.
    pub json: bool,
}

impl Args {
    /// Reads the options. The error says which one is wrong and why.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut host = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let mut port = None;
        let mut args = Self {
            address: SocketAddr::new(host, 0),
            connections: 1,
            depth: 1,
            seconds: 5.0,
            warmup: 0.0,
            rate: None,
            content_size: None,
            echo: None,
            wire: Wire { transport: Transport::Framed, protocol: Protocol::Binary },
            progress: false,
            json: false,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value after it"));
            match word.as_str() {
                "--host" => host = loopback(&value()?)?,
                "--port" => port = Some(integer(&word, &value()?, 1, 65_535)? as u16),
                "--connections" => args.connections = integer(&word, &value()?, 1, 100_000)?,
                "--depth" => args.depth = integer(&word, &value()?, 1, 65_536)?,
                "--seconds" => args.seconds = decimal(&word, &value()?, 0.001, 86_400.0)?,
                "--warmup" => args.warmup = decimal(&word, &value()?, 0.0, 86_400.0)?,
                "--rate" => args.rate = Some(decimal(&word, &value()?, 0.001, 1e8)?),
                "--content-size" => args.content_size = Some(integer(&word, &value()?, 0, 1 << 30)?),
                "--echo" => args.echo = Some(integer(&word, &value()?, 4, 1 << 28)?),
                "--transport" => args.wire.transport = one_of(&word, &value()?, &Transport::NAMES)?,
                "--protocol" => args.wire.protocol = one_of(&word, &value()?, &Protocol::NAMES)?,
                "--progress" => args.progress = true,
                "--json" => args.json = true,
                _ => return Err(format!("unknown option `{word}`")),
            }
        }
        args.address = SocketAddr::new(host, port.ok_or("--port is missing")?);
        Ok(args)
    }
}

/// Load goes nowhere but to this machine.
fn loopback(text: &str) -> Result<IpAddr, String> {
    let name = text.trim_start_matches('[').trim_end_matches(']');
    let name = if name == "localhost" { "127.0.0.1" } else { name };
    let ip: IpAddr = name.parse().map_err(|_| format!("--host needs an IP address, not `{text}`"))?;
    if ip.is_loopback() { Ok(ip) } else { Err(format!("--host must be a loopback address, not {ip}")) }
}

fn integer(option: &str, text: &str, least: usize, most: usize) -> Result<usize, String> {
    let value: usize = text.parse().map_err(|_| format!("{option} needs a whole number, not `{text}`"))?;
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(format!("{option} must be {least} to {most}, not {value}"))
    }
}

fn one_of<T: Copy>(option: &str, text: &str, names: &[(&str, T)]) -> Result<T, String> {
    let found = names.iter().find(|(name, _)| *name == text);
    found.map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<_> = names.iter().map(|(name, _)| *name).collect();
        format!("{option} is {}, not `{text}`", names.join(" or "))
    })
}

fn decimal(option: &str, text: &str, least: f64, most: f64) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| format!("{option} needs a number, not `{text}`"))?;
    if (least..=most).contains(&value) {
        Ok(value)
    } else {
        Err(format!("{option} must be {least} to {most}, not {value}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, String> {
        Args::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn reads_every_option() {
        let args = parse("--port 9 --host [::1] --connections 3 --depth 4 --seconds 0.5 --warmup 1 --rate 10 --content-size 0 --json --transport ttheader --protocol compact --echo 65536")
            .expect("valid");
        assert_eq!(args.address.to_string(), "[::1]:9");
        assert_eq!((args.connections, args.depth, args.seconds, args.warmup), (3, 4, 0.5, 1.0));
        assert_eq!((args.wire.transport, args.wire.protocol), (Transport::TtHeader, Protocol::Compact));
        assert_eq!(args.echo, Some(65_536));
        assert_eq!((args.rate, args.content_size, args.json, args.progress), (Some(10.0), Some(0), true, false));
    }

    #[test]
    fn refuses_what_it_cannot_mean() {
        for (line, part) in [
            ("", "--port is missing"),
            ("--port 0", "1 to 65535"),
            ("--port 1 --depth", "needs a value"),
            ("--port 1 --rate fast", "needs a number"),
            ("--port 1 --rate NaN", "must be"),
            ("--port 1 --host 192.168.0.1", "loopback"),
            ("--port 1 --protocol json", "binary or compact"),
            ("--port 1 --fast", "unknown option"),
        ] {
            let error = parse(line).expect_err(line);
            assert!(error.contains(part), "{line}: {error}");
        }
    }
}
