//! Endpoints that change while they are used: upgraded, or stopped.

use std::time::{Duration, Instant};

use som_proto::pb::v1 as pb;
use tokio::net::TcpListener;

use crate::{
    liars::{Liar, segment},
    support::{Columns, engine, until},
};

/// Backends are started again one after the other, in another version: as soon as all that serve
/// agree, that is the segmenter.
#[tokio::test(flavor = "multi_thread")]
async fn backends_that_come_back_upgraded_are_described_again() {
    let version = |version: &str| Liar::describing(|told| told.version = version.into());
    let (first, first_end) = version("1.0.0").serve_at("127.0.0.1:0").await;
    let (second, second_end) = version("1.0.0").serve_at("127.0.0.1:0").await;
    let toml = format!("[segmenter.far]\nremote = [{first:?}, {second:?}]\nhealth_ms = 200");
    let engine = engine(&toml, Columns::default()).unwrap();
    let entry = engine.registry().segmenter("far").unwrap();
    let told = || entry.known().unwrap().descriptor().version.clone();
    let up = || entry.endpoints().iter().filter(|one| one.is_up).count();
    segment(&engine).await.unwrap();
    until("both serve", async || up() == 2).await;

    let again = |address: &str| address.trim_start_matches("http://").to_owned();
    first_end.cancel();
    until("one is gone", async || up() == 1).await;
    let (_, _first_end) = version("2.0.0").serve_at(&again(&first)).await;
    // One against one: nobody knows who is right, and the segmenter stays what it was.
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!((told().as_str(), up()), ("1.0.0", 1));
    assert!(segment(&engine).await.is_ok());

    second_end.cancel();
    until("the new version counts", async || told() == "2.0.0").await;
    let (_, _second_end) = version("2.0.0").serve_at(&again(&second)).await;
    until("both serve", async || up() == 2).await;
    assert_eq!(told(), "2.0.0");
    assert!(segment(&engine).await.is_ok());
}

/// An endpoint that is stopped keeps its connection, and answers nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_endpoint_costs_a_call_its_health_interval_at_most() {
    let region = pb::Region {
        bbox: Some(pb::BBox {
            x: 0,
            y: 0,
            width: 1,
            height: 1,
        }),
        ..pb::Region::default()
    };
    let fine = Liar::cutting(vec![region]).serve().await;
    // In front of one endpoint stands a relay that stops passing anything on.
    let behind = Liar::honest()
        .serve()
        .await
        .trim_start_matches("http://")
        .to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let relay = format!("http://{}", listener.local_addr().unwrap());
    let stopped = tokio_util::sync::CancellationToken::new();
    let stop = stopped.clone();
    tokio::spawn(async move {
        while let Ok((mut here, _)) = listener.accept().await {
            let (behind, stop) = (behind.clone(), stop.clone());
            tokio::spawn(async move {
                let mut there = tokio::net::TcpStream::connect(behind).await.unwrap();
                let passing = tokio::io::copy_bidirectional(&mut here, &mut there);
                tokio::select! {
                    _ = passing => {}
                    () = stop.cancelled() => std::future::pending().await,
                }
            });
        }
    });
    let toml = format!("[segmenter.far]\nremote = [{relay:?}, {fine:?}]\nhealth_ms = 1000");
    let engine = engine(&toml, Columns::default()).unwrap();
    let entry = engine.registry().segmenter("far").unwrap();
    segment(&engine).await.unwrap();
    until("both serve", async || {
        entry.endpoints().iter().all(|one| one.is_up)
    })
    .await;
    stopped.cancel();
    for _ in 0..4 {
        let started = Instant::now();
        assert_eq!(segment(&engine).await.unwrap(), 1);
        // Twice, for a machine that is busy.
        assert!(
            started.elapsed() < Duration::from_secs(2),
            "{:?}",
            started.elapsed()
        );
    }
}
