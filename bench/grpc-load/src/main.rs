//! Load for the ItemService of item.proto over gRPC, where h2load does not serve: server streaming, counted in messages,
//! and percentiles of latency. `h2` on one thread does no more than the protocol needs; replies are compared as bytes.
//!
//! `grpc-load --port P [--method GetItem|StreamItems] [--connections N] [--depth D] [--seconds S] [--warmup S]
//! [--content-size N] [--stream-items N]`; the last line on stdout is JSON. The exit code is 1 if a reply was wrong.

use std::{
    process::ExitCode,
    rc::Rc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tokio::{net::TcpStream, task::LocalSet, time::timeout};

use crate::{
    args::{Args, Method},
    call::call,
    expected::Expected,
    report::Report,
};

mod args;
mod call;
mod expected;
mod report;

pub type Failure = Box<dyn std::error::Error>;

/// Time that calls in flight get when the measured time is over.
const DRAIN: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(reason) => {
            eprintln!("grpc-load: {reason}");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map_err(Failure::from).and_then(|runtime| LocalSet::new().block_on(&runtime, run(args))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("grpc-load: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(args: Args) -> Result<(), Failure> {
    let args = Rc::new(args);
    let expected = Rc::new(Expected::new(&args));
    let report = Rc::new(Report::new(&args)?);
    let mut callers = Vec::new();
    for connection in 0..args.connections {
        let socket = TcpStream::connect(args.address).await?;
        socket.set_nodelay(true)?;
        // Windows that never make a server wait for this side.
        let (send, driver) = h2::client::Builder::new()
            .initial_window_size(1 << 22)
            .initial_connection_window_size(1 << 26)
            .max_concurrent_reset_streams(0)
            .handshake::<_, Bytes>(socket)
            .await?;
        tokio::task::spawn_local(async move {
            if let Err(error) = driver.await {
                eprintln!("grpc-load: connection {connection} failed: {error}");
            }
        });
        for caller in 0..args.depth {
            let first = (connection * args.depth + caller) as u64;
            callers.push(tokio::task::spawn_local(closed_loop(
                send.clone(),
                Rc::clone(&args),
                Rc::clone(&expected),
                Rc::clone(&report),
                first,
            )));
        }
    }
    let end = args.warmup + args.seconds + DRAIN.as_secs_f64();
    let all = async {
        for caller in callers {
            caller.await??;
        }
        Ok::<_, Failure>(())
    };
    timeout(Duration::from_secs_f64(end), all).await.map_err(|_| "calls were not answered in time")??;
    println!("{}", report.json());
    Ok(())
}

/// Calls one after the other until the time is over.
async fn closed_loop(
    send: h2::client::SendRequest<Bytes>,
    args: Rc<Args>,
    expected: Rc<Expected>,
    report: Rc<Report>,
    first: u64,
) -> Result<(), String> {
    let mut send = send.ready().await.map_err(|error| error.to_string())?;
    // Ids stay below 16384, so that every request and reply of a kind has the same length.
    let mut id = 1000 + first % 10_000;
    while let Some(started) = report.more(Instant::now()) {
        id = if id >= 16_000 { 1000 } else { id + 1 };
        let (next, messages) = call(send, &args, &expected, id).await?;
        send = next;
        report.answered(started, messages);
        if matches!(args.method, Method::GetItem) && messages != 1 {
            return Err(format!("GetItem gave {messages} messages"));
        }
    }
    Ok(())
}
