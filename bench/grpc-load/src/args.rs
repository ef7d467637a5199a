//! Command line of `grpc-load`.

use std::net::{Ipv4Addr, SocketAddr};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    GetItem,
    StreamItems,
}

/// What the command line asks for.
#[derive(Debug)]
pub struct Args {
    pub address: SocketAddr,
    pub method: Method,
    /// Connections, all opened before the first call (default 1).
    pub connections: usize,
    /// Calls in flight a connection (default 1).
    pub depth: usize,
    /// Measured time in seconds, the warm-up not included (default 5).
    pub seconds: f64,
    /// Time in seconds before anything is recorded (default 0).
    pub warmup: f64,
    /// Expected length of `content`, all `x`; `None` expects `Powered by Volo`.
    pub content_size: Option<usize>,
    /// Messages that a stream must have (default 10).
    pub stream_items: u64,
}

impl Args {
    /// Reads the options. The error says which one is wrong and why.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut port: u16 = 0;
        let mut args = Self {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            method: Method::GetItem,
            connections: 1,
            depth: 1,
            seconds: 5.0,
            warmup: 0.0,
            content_size: None,
            stream_items: 10,
        };
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(|| format!("{word} needs a value after it"))?;
            let wrong = || format!("{word} does not take {value}");
            match word.as_str() {
                "--port" => port = value.parse().map_err(|_| wrong())?,
                "--method" => {
                    args.method = match value.as_str() {
                        "GetItem" => Method::GetItem,
                        "StreamItems" => Method::StreamItems,
                        _ => return Err(wrong()),
                    }
                }
                "--connections" => args.connections = value.parse().map_err(|_| wrong())?,
                "--depth" => args.depth = value.parse().map_err(|_| wrong())?,
                "--seconds" => args.seconds = seconds(&value).ok_or_else(wrong)?,
                "--warmup" => args.warmup = seconds(&value).ok_or_else(wrong)?,
                "--content-size" => args.content_size = Some(value.parse().map_err(|_| wrong())?),
                "--stream-items" => args.stream_items = value.parse().map_err(|_| wrong())?,
                _ => return Err(format!("there is no option {word}")),
            }
        }
        if port == 0 {
            return Err("--port is needed".to_owned());
        }
        args.address.set_port(port);
        Ok(args)
    }
}

fn seconds(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| (0.0..=86_400.0).contains(value))
}
