//! A segmenter behind another server: balance, retries, refusals.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use som_core::{Cancellation, ErrorKind};
use som_engine::Engine;

use crate::support::{Columns, Running, backend, engine, request};

/// An engine whose segmenter `far` is behind `addresses`.
async fn far(addresses: &[&str], more: &str) -> som_core::Result<Arc<Engine>> {
    let toml = format!("[segmenter.far]\nremote = {addresses:?}\n{more}");
    // Connecting blocks, which the test's runtime must not.
    tokio::task::spawn_blocking(move || engine(&toml, Columns::new("1.0.0")))
        .await
        .unwrap()
}

fn http(server: &Running) -> String {
    format!("http://{}", server.address)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_like_the_segmenter_itself() {
    let server = backend("[segmenter.columns]\ninstances = 3").await;
    let engine = far(&[&http(&server)], "").await.unwrap();
    let (near, far) = (
        engine.registry().segmenter("columns"),
        engine.registry().segmenter("far"),
    );
    let (near, far) = (near.unwrap().descriptor(), far.unwrap().descriptor());
    assert_eq!(
        (&near.version, &near.about, &near.params),
        (&far.version, &far.about, &far.params)
    );
    assert_eq!(far.id, "far");
    let configured = engine
        .registry()
        .segmenter("far")
        .unwrap()
        .configured(engine.settings());
    assert_eq!(configured.unwrap().0.instances, 3);

    for count in [0, 1, 5] {
        let params = json!({"count": count});
        let go = Cancellation::new();
        let here = engine
            .segment(request("columns", params.clone()), &go)
            .await
            .unwrap();
        let there = engine.segment(request("far", params), &go).await.unwrap();
        assert_eq!(here.regions, there.regions);
        assert_eq!(here.params, there.params);
    }
    let error = engine
        .segment(request("far", json!({"fail": "no"})), &Cancellation::new())
        .await;
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unix_socket_is_an_endpoint() {
    let folder = tempfile::tempdir().unwrap();
    let socket = format!("unix:{}", folder.path().join("som.sock").display());
    let server = backend(&format!("[server]\nlisten = '{socket}'")).await;
    let engine = far(&[&socket], "").await.unwrap();
    let done = engine
        .segment(request("far", json!({})), &Cancellation::new())
        .await
        .unwrap();
    assert_eq!(done.regions.len(), 3);
    server.stop().await;
    assert!(!folder.path().join("som.sock").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_reaches_the_far_side() {
    let server = backend("").await;
    let engine = far(&[&http(&server)], "").await.unwrap();
    let soon = Cancellation::new().with_timeout(Duration::from_millis(100));
    let error = engine
        .segment(request("far", json!({"sleep_ms": 60_000})), &soon)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    // Its only instance is free again.
    let done = engine
        .segment(request("far", json!({})), &Cancellation::new())
        .await
        .unwrap();
    assert_eq!(done.regions.len(), 3);
}
