//! Listening and ending, the same for both servers.

use std::{future::Future, net::SocketAddr};

use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use volo::net::incoming::DefaultIncoming;

/// Binds, says where, and hands the listener to `serve`. Ends at once on SIGTERM: Volo's own shutdown waits for
/// connections that a benchmark leaves open.
pub async fn listen<F: Future>(
    address: SocketAddr,
    serve: impl FnOnce(DefaultIncoming) -> F,
) -> anyhow::Result<F::Output> {
    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::spawn(async move {
        terminate.recv().await;
        std::process::exit(0);
    });
    Ok(serve(DefaultIncoming::from(listener)).await)
}
