//! The limit of HTTP/2 on one core: `h2` on a Tokio runtime of one thread, and nothing else. Requests of ItemService are
//! answered with canned messages, the id of the request put in; no message is decoded, nothing is checked.
//!
//! `h2-bare [--port P] [--content-size N] [--stream-items N]`; listens on 127.0.0.1, prints `listening on
//! 127.0.0.1:PORT` and runs until it is killed.

use std::{net::Ipv4Addr, process::ExitCode, rc::Rc};

use bytes::Bytes;
use h2::{RecvStream, server::SendResponse};
use http::{HeaderMap, HeaderValue, Request, Response};
use tokio::{
    net::{TcpListener, TcpStream},
    task::LocalSet,
};

use crate::{args::Args, canned::Canned};

mod args;
mod canned;

type Failure = Box<dyn std::error::Error>;

fn main() -> ExitCode {
    let args = match Args::parse(std::env::args().skip(1)) {
        Ok(args) => args,
        Err(reason) => {
            eprintln!("h2-bare: {reason}");
            return ExitCode::from(2);
        }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build();
    let served = runtime.map_err(Failure::from).and_then(|runtime| LocalSet::new().block_on(&runtime, serve(args)));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("h2-bare: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(args: Args) -> Result<(), Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, args.port)).await?;
    println!("listening on {}", listener.local_addr()?);
    let canned = Rc::new(Canned::new(&args));
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let canned = Rc::clone(&canned);
        tokio::task::spawn_local(async move {
            // What a peer does to its connection is its own affair.
            drop(connection(socket, canned).await);
        });
    }
}

async fn connection(socket: TcpStream, canned: Rc<Canned>) -> Result<(), h2::Error> {
    let mut connection = h2::server::Builder::new()
        .max_concurrent_streams(1000)
        .initial_window_size(1 << 20)
        .initial_connection_window_size(1 << 20)
        .handshake(socket)
        .await?;
    while let Some(accepted) = connection.accept().await {
        let (request, reply) = accepted?;
        let canned = Rc::clone(&canned);
        tokio::task::spawn_local(async move {
            drop(answer(request, reply, &canned).await);
        });
    }
    Ok(())
}

async fn answer(
    request: Request<RecvStream>,
    mut reply: SendResponse<Bytes>,
    canned: &Canned,
) -> Result<(), h2::Error> {
    let streams = request.uri().path().ends_with("/StreamItems");
    let mut body = request.into_body();
    let mut message = Bytes::new();
    while let Some(chunk) = body.data().await {
        let chunk = chunk?;
        body.flow_control().release_capacity(chunk.len())?;
        if message.is_empty() {
            message = chunk;
        }
    }
    let head = Response::builder().header("content-type", HeaderValue::from_static("application/grpc"));
    let mut out = reply.send_response(head.body(()).unwrap_or_default(), false)?;
    if streams {
        for item in canned.items(&message) {
            out.reserve_capacity(item.len());
            while out.capacity() < item.len() {
                match std::future::poll_fn(|cx| out.poll_capacity(cx)).await {
                    Some(granted) => granted?,
                    None => return Ok(()),
                };
            }
            out.send_data(item, false)?;
        }
    } else {
        out.send_data(canned.item(&message), false)?;
    }
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    out.send_trailers(trailers)
}
