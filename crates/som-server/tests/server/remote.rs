//! A segmenter behind another server: balance, retries, refusals.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use som_core::{Cancellation, ErrorKind, Region};
use som_engine::Engine;
use som_proto::pb::v1;
use tonic::Code;

use crate::support::{
    Columns, Running, backend, catalog, engine, front, image, request, som, until,
};

/// An engine whose segmenter `far` is behind `addresses`.
fn far(addresses: &[&str], more: &str) -> som_core::Result<Arc<Engine>> {
    let toml = format!("[segmenter.far]\nremote = {addresses:?}\n{more}");
    engine(&toml, Columns::default())
}

fn http(server: &Running) -> String {
    format!("http://{}", server.address)
}

/// Regions without the number of the instance that cut them, which is another one there.
fn of_any_instance(mut regions: Vec<Region>) -> Vec<Region> {
    for region in &mut regions {
        assert!(region.extra.remove("born").is_some());
    }
    regions
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_like_the_segmenter_itself() {
    let server = backend("[segmenter.columns]\ninstances = 3").await;
    let engine = far(&[&http(&server)], "").unwrap();
    let (near, far) = (
        engine.registry().segmenter("columns"),
        engine.registry().segmenter("far"),
    );
    let (near, far) = (near.unwrap().reach().await, far.unwrap().reach().await);
    let (near, known) = (near.unwrap(), far.unwrap());
    let (near, far) = (near.descriptor(), known.descriptor());
    assert_eq!(
        (&near.version, &near.about, &near.params),
        (&far.version, &far.about, &far.params)
    );
    assert_eq!(far.id, "far");
    let configured = known.configured(engine.settings());
    assert_eq!(configured.unwrap().0.instances, 3);

    for count in [0, 1, 5] {
        let params = json!({"count": count});
        let go = Cancellation::new();
        let here = engine
            .segment(request("columns", params.clone()), &go)
            .await
            .unwrap();
        let there = engine.segment(request("far", params), &go).await.unwrap();
        assert_eq!(
            of_any_instance(here.regions),
            of_any_instance(there.regions)
        );
        assert_eq!(here.segmentation.params, there.segmentation.params);
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
    let engine = far(&[&socket], "").unwrap();
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
    let engine = far(&[&http(&server)], "").unwrap();
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

#[tokio::test(flavor = "multi_thread")]
async fn a_segmenter_that_is_not_there_yet_holds_nobody_up() {
    // A port that is free for the backend to come.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let remote = format!("[segmenter.far]\nremote = ['http://{address}']\npatience_ms = 0");
    let (server, _) = front(&remote).await;
    let (mut client, mut catalog) = (som(&server).await, catalog(&server).await);
    let mut listed = async || {
        let answer = catalog.list_segmenters(v1::ListSegmentersRequest {});
        let segmenters = answer.await.unwrap().into_inner().segmenters;
        let ids = segmenters.into_iter().map(|descriptor| descriptor.id);
        ids.collect::<Vec<_>>()
    };
    let segment = |id: &str| v1::SegmentRequest {
        image: Some(image()),
        segmenter: id.into(),
        ..v1::SegmentRequest::default()
    };
    assert_eq!(listed().await, ["columns"]);
    assert!(client.segment(segment("columns")).await.is_ok());
    let status = client.segment(segment("far")).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    let address = address.to_string();
    let message = status.message();
    assert!(
        message.contains("far") && message.contains(&address),
        "{status}"
    );

    let backend = backend(&format!("[server]\nlisten = '{address}'")).await;
    until("the segmenter is found", async || {
        client.clone().segment(segment("far")).await.is_ok()
    })
    .await;
    assert_eq!(listed().await, ["columns", "far"]);

    // It goes and comes back.
    backend.stop().await;
    let status = client.segment(segment("far")).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    let _backend = crate::support::backend(&format!("[server]\nlisten = '{address}'")).await;
    until("the segmenter is found again", async || {
        client.clone().segment(segment("far")).await.is_ok()
    })
    .await;
}
