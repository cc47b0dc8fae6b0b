//! Endpoints that are not what they say.

use std::{pin::Pin, sync::Arc, time::Duration};

use futures_util::{Stream, stream};
use serde_json::json;
use som_core::{Cancellation, Error, ErrorKind};
use som_engine::Engine;
use som_proto::pb::{
    plugin::v1::{
        DescribeRequest, DescribeResponse, SegmentRequest, SegmentResponse,
        segmenter_service_server::{SegmenterService, SegmenterServiceServer},
    },
    v1 as pb,
};
use tokio::{io::AsyncWriteExt as _, net::TcpListener};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, transport::server::TcpIncoming};

use crate::support::{Columns, backend, engine, request, until};

/// Says what it is told to say.
#[derive(Clone)]
pub(crate) struct Liar {
    describes: DescribeResponse,
    /// What each call gets.
    regions: Vec<pb::Region>,
    fails: Option<tonic::Code>,
    why: String,
}

impl Liar {
    pub(crate) fn honest() -> Self {
        let descriptor = pb::Descriptor {
            id: "columns".into(),
            version: "1.0.0".into(),
            about: "Cuts.".into(),
            capabilities: vec![1],
            params_schema: r#"{"type": "object"}"#.into(),
        };
        let describes = DescribeResponse {
            descriptor: Some(descriptor),
            instances: 1,
        };
        Self {
            describes,
            regions: Vec::new(),
            fails: None,
            why: "told to".to_owned(),
        }
    }

    pub(crate) fn describing(change: impl FnOnce(&mut pb::Descriptor)) -> Self {
        let mut liar = Self::honest();
        change(liar.describes.descriptor.as_mut().unwrap());
        liar
    }

    pub(crate) fn cutting(regions: Vec<pb::Region>) -> Self {
        Self {
            regions,
            ..Self::honest()
        }
    }

    pub(crate) async fn serve(self) -> String {
        self.serve_at("127.0.0.1:0").await.0
    }

    /// Until what is returned is cancelled.
    pub(crate) async fn serve_at(self, address: &str) -> (String, CancellationToken) {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let end = CancellationToken::new();
        let server =
            tonic::transport::Server::builder().add_service(SegmenterServiceServer::new(self));
        let incoming = TcpIncoming::from(listener);
        tokio::spawn(server.serve_with_incoming_shutdown(incoming, end.clone().cancelled_owned()));
        (format!("http://{address}"), end)
    }
}

#[tonic::async_trait]
impl SegmenterService for Liar {
    type SegmentStream = Pin<Box<dyn Stream<Item = Result<SegmentResponse, Status>> + Send>>;

    async fn describe(
        &self,
        _: Request<DescribeRequest>,
    ) -> Result<Response<DescribeResponse>, Status> {
        Ok(Response::new(self.describes.clone()))
    }

    async fn segment(
        &self,
        _: Request<SegmentRequest>,
    ) -> Result<Response<Self::SegmentStream>, Status> {
        if let Some(code) = self.fails {
            return Err(Status::new(code, self.why.clone()));
        }
        let answers = self.regions.clone().into_iter().map(|region| {
            Ok(SegmentResponse {
                region: Some(region),
            })
        });
        Ok(Response::new(Box::pin(stream::iter(answers))))
    }
}

fn far(addresses: &[&str]) -> Result<Arc<Engine>, Error> {
    let toml = format!("[segmenter.far]\nremote = {addresses:?}\npatience_ms = 300");
    engine(&toml, Columns::default())
}

pub(crate) async fn segment(engine: &Engine) -> Result<usize, Error> {
    let done = engine
        .segment(request("far", json!({})), &Cancellation::new())
        .await?;
    Ok(done.regions.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_description_of_no_segmenter_is_refused() {
    for (liar, why) in [
        (
            Liar::describing(|told| told.id = "Not An Id".into()),
            "id \"Not An Id\"",
        ),
        (
            Liar::describing(|told| told.params_schema = "{".into()),
            "params_schema is not JSON",
        ),
        (
            Liar::describing(|told| told.params_schema = "[]".into()),
            "params_schema is not a JSON object",
        ),
        (
            Liar::describing(|told| told.params_schema = r#"{"type": "objekt"}"#.into()),
            "malformed JSON Schema",
        ),
        (
            Liar {
                describes: DescribeResponse::default(),
                ..Liar::honest()
            },
            "descriptor is not set",
        ),
    ] {
        let address = liar.serve().await;
        let error = segment(&far(&[&address]).unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        let place = format!("{address}: Describe: ");
        assert!(
            error.message().contains(&place) && error.message().contains(why),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn regions_that_do_not_fit_are_the_endpoints_fault() {
    let region = |x, width| pb::Region {
        bbox: Some(pb::BBox {
            x,
            y: 0,
            width,
            height: 8,
        }),
        ..pb::Region::default()
    };
    for (regions, why) in [
        (
            vec![region(0, 12), region(6, 12)],
            "region 1: bbox [6, 0, 12, 8] does not lie in the image",
        ),
        (
            vec![pb::Region::default()],
            "region 0: neither bbox nor mask is set",
        ),
        (
            vec![pb::Region {
                score: Some(f32::INFINITY),
                ..region(0, 12)
            }],
            "score inf is not in [0, 1]",
        ),
        (
            vec![pb::Region {
                parent: Some(7),
                ..region(0, 12)
            }],
            "parent 7 is not the index",
        ),
        (vec![region(0, 1); 70_000], "more than 65536 regions"),
        (
            vec![pb::Region {
                label: Some("x".repeat(1 << 20)),
                ..region(0, 12)
            }],
            "label has 1048576 bytes",
        ),
        (
            vec![
                pb::Region {
                    parent: Some(1),
                    ..region(0, 12)
                },
                pb::Region {
                    parent: Some(0),
                    ..region(0, 12)
                },
            ],
            "its parents lead back to themselves",
        ),
    ] {
        let address = Liar::cutting(regions).serve().await;
        let engine = far(&[&address]).unwrap();
        let error = segment(&engine).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Internal);
        assert!(
            error.message().contains(&address) && error.message().contains(why),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_is_another_segmenter_gets_no_calls() {
    let honest = Liar::cutting(vec![pb::Region {
        bbox: Some(pb::BBox {
            x: 0,
            y: 0,
            width: 1,
            height: 1,
        }),
        ..pb::Region::default()
    }]);
    let other = Liar::describing(|told| told.version = "2.0.0".into());
    let (honest, other) = (honest.serve().await, other.serve().await);
    let engine = far(&[&honest, &other]).unwrap();
    // Once the second one was looked at, only the first gets calls.
    until("the other endpoint is refused", async || {
        for _ in 0..4 {
            if segment(&engine).await.unwrap() != 1 {
                return false;
            }
        }
        true
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn something_else_behind_an_address_is_told() {
    // A server that greets like a mail server, one that says nothing, and one that is not there.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mail = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let _ = stream.write_all(b"220 mail.example.com ESMTP\r\n").await;
        }
    });
    let silent_listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = format!("http://{}", silent_listener.local_addr().unwrap());
    let gone = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let gone = format!("http://{gone}");
    for address in [&mail, &silent, &gone] {
        let error = segment(&far(&[address]).unwrap()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert!(error.message().contains(&**address), "{error}");
        assert!(error.message().contains("som backend"), "{error}");
    }
    for (address, why) in [
        ("grpc://a:1", "not an endpoint like"),
        ("http://", "malformed endpoint"),
    ] {
        let error = far(&[address]).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(
            error.message().contains(address) && error.message().contains(why),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_without_the_service_is_told() {
    let front = crate::support::Running::start(
        engine("", Columns::default()).unwrap(),
        som_server::Role::Front,
    )
    .await;
    let engine = far(&[&format!("http://{}", front.address)]).unwrap();
    let error = segment(&engine).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(
        error
            .message()
            .contains("is no som.plugin.v1.SegmenterService"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_keeps_failing_is_left_alone() {
    let bad = Liar {
        fails: Some(tonic::Code::Internal),
        ..Liar::honest()
    }
    .serve()
    .await;
    let engine = far(&[&bad]).unwrap();
    for _ in 0..3 {
        assert_eq!(
            segment(&engine).await.unwrap_err().kind(),
            ErrorKind::Internal
        );
    }
    let error = segment(&engine).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("keeps failing"), "{error}");
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(
        segment(&engine).await.unwrap_err().kind(),
        ErrorKind::Internal
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_endpoint_leaves_the_call_to_another() {
    let busy = Liar {
        fails: Some(tonic::Code::ResourceExhausted),
        ..Liar::honest()
    };
    let region = pb::Region {
        bbox: Some(pb::BBox {
            x: 0,
            y: 0,
            width: 1,
            height: 1,
        }),
        ..pb::Region::default()
    };
    let (busy, free) = (
        busy.serve().await,
        Liar::cutting(vec![region]).serve().await,
    );
    let engine = far(&[&busy, &free]).unwrap();
    for _ in 0..10 {
        assert_eq!(segment(&engine).await.unwrap(), 1);
    }
    let alone = far(&[&busy]).unwrap();
    let error = segment(&alone).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exhausted, "{error}");
    assert!(
        error.message().contains("every endpoint is busy"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_backend_beside_one_that_is_not_there_is_enough() {
    let server = backend("").await;
    let engine = far(&["http://127.0.0.1:1", &format!("http://{}", server.address)]).unwrap();
    for _ in 0..5 {
        assert_eq!(segment(&engine).await.unwrap(), 3);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn instances_are_believed_up_to_a_limit() {
    let mut liar = Liar::honest();
    liar.describes.instances = u32::MAX;
    let (one, other) = (liar.clone().serve().await, liar.serve().await);
    let toml = format!("[segmenter.many]\nremote = [{one:?}, {other:?}]\n[limits]\ninstances = 5");
    let engine = engine(&toml, Columns::default()).unwrap();
    let go = Cancellation::new();
    engine
        .segment(request("many", json!({})), &go)
        .await
        .unwrap();
    let known = engine
        .registry()
        .segmenter("many")
        .unwrap()
        .known()
        .unwrap();
    let (worker, _) = known.configured(engine.settings()).unwrap();
    assert_eq!(worker.instances, 5);
    let names = std::fs::read_dir("/proc/self/task").unwrap();
    let names =
        names.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok());
    assert_eq!(
        names.filter(|name| name.trim() == "segmenter-many").count(),
        5
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_reason_is_no_dead_endpoint() {
    let address = Liar {
        fails: Some(tonic::Code::InvalidArgument),
        why: format!("first\nsecond \u{1b}[2J {}", "why ".repeat(5000)),
        ..Liar::honest()
    }
    .serve()
    .await;
    let engine = far(&[&address]).unwrap();
    // More often than an endpoint that dies is tried.
    for _ in 0..5 {
        let error = segment(&engine).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
        assert!(
            error.message().contains("first\\nsecond \\u{1b}[2J"),
            "{error}"
        );
        assert!(error.message().len() < 2000 && !error.message().contains(char::is_control));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_description_has_an_end() {
    let address = Liar::describing(|told| told.about = "x".repeat(1 << 20))
        .serve()
        .await;
    let error = segment(&far(&[&address]).unwrap()).await.unwrap_err();
    assert!(
        error.message().contains("about has 1048576 bytes"),
        "{error}"
    );
}
