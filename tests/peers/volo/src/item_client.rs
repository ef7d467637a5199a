//! A closed loop of Volo's own client, for comparison with other clients.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::ensure;
use hdrhistogram::Histogram;
use volo_thrift::codec::DefaultMakeCodec;

use crate::{
    args::Args,
    generated::item::{GetItemRequest, ItemServiceClient, ItemServiceClientBuilder},
};

pub async fn run(mut args: Args) -> anyhow::Result<()> {
    let address = args.address()?;
    let in_flight: usize = args.optional("inflight")?.unwrap_or(1);
    let seconds: f64 = args.optional("seconds")?.unwrap_or(5.0);
    let mux = args.flag("mux")?;
    args.end()?;
    let client = ItemServiceClientBuilder::new("volo-example")
        .address(address)
        .make_codec(DefaultMakeCodec::framed())
        .rpc_timeout(Some(Duration::from_secs(10)))
        .connect_timeout(Some(Duration::from_secs(5)))
        .multiplex(mux)
        .build();
    let next = Arc::new(AtomicI64::new(0));
    let start = Instant::now();
    let end = start + Duration::from_secs_f64(seconds);
    let tasks: Vec<_> = (0..in_flight).map(|_| tokio::spawn(one(client.clone(), next.clone(), end))).collect();
    let mut latency = Histogram::<u64>::new_with_bounds(1, 60_000_000_000, 3)?;
    for task in tasks {
        latency.add(task.await??)?;
    }
    let us = |q: f64| latency.value_at_quantile(q) as f64 / 1e3;
    println!(
        "{{\"inflight\":{in_flight},\"qps\":{:.1},\"p50\":{:.1},\"p99\":{:.1},\"p999\":{:.1},\"max\":{:.1}}}",
        latency.len() as f64 / start.elapsed().as_secs_f64(),
        us(0.5),
        us(0.99),
        us(0.999),
        latency.max() as f64 / 1e3,
    );
    Ok(())
}

async fn one(client: ItemServiceClient, next: Arc<AtomicI64>, end: Instant) -> anyhow::Result<Histogram<u64>> {
    let mut latency = Histogram::new_with_bounds(1, 60_000_000_000, 3)?;
    loop {
        let start = Instant::now();
        if start >= end {
            return Ok(latency);
        }
        let id = next.fetch_add(1, Ordering::Relaxed);
        let reply = client.get_item(GetItemRequest { id }).await?;
        ensure!(reply.item.id == id && reply.item.title == "Hello Volo", "wrong reply to item {id}: {reply:?}");
        latency.saturating_record(start.elapsed().as_nanos() as u64);
    }
}
