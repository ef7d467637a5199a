//! ItemService of examples/item.proto on tonic, as its users write it, with one worker thread.
//!
//! `tonic-peer --port P [--content-size N] [--stream-items N]`; listens on 127.0.0.1, prints `listening on
//! 127.0.0.1:PORT` (port 0 lets the system choose) and ends on SIGTERM.

use std::{net::Ipv4Addr, process::ExitCode};

use anyhow::{Context as _, bail};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::transport::Server;

use crate::items::{Items, generated::item_service_server::ItemServiceServer};

mod items;

struct Args {
    port: u16,
    items: Items,
}

impl Args {
    fn parse(mut words: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let mut args = Self { port: 0, items: Items { content: "Powered by Volo".to_owned(), stream: 10 } };
        while let Some(name) = words.next() {
            let value = words.next().with_context(|| format!("{name} needs a value after it"))?;
            match name.as_str() {
                "--port" => args.port = value.parse()?,
                "--content-size" => args.items.content = "x".repeat(value.parse()?),
                "--stream-items" => args.items.stream = value.parse()?,
                _ => bail!("there is no option {name}"),
            }
        }
        Ok(args)
    }
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tonic-peer: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let args = Args::parse(std::env::args().skip(1))?;
    // One worker thread: a contestant is measured a core at a time.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(async { tokio::spawn(serve(args)).await? })
}

async fn serve(args: Args) -> anyhow::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).await?;
    println!("listening on {}", listener.local_addr()?);
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        terminate.recv().await;
        // At once: a benchmark leaves connections open.
        std::process::exit(0);
    });
    let incoming = tokio_stream::StreamExt::map(TcpListenerStream::new(listener), |connection| {
        connection.inspect(|connection| drop(connection.set_nodelay(true)))
    });
    Server::builder().add_service(ItemServiceServer::new(args.items)).serve_with_incoming(incoming).await?;
    Ok(())
}
