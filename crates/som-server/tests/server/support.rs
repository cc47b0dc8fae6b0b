//! A small vocabulary: servers with a segmenter that does as it is told, and requests.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use image::RgbImage;
use som_core::{Params, Result};
use som_engine::{
    Engine, SegmentRequest, SegmenterChoice,
    registry::{Provenance, Registry},
    settings::{Ladder, Settings},
};
use som_plugin::host;
use som_proto::pb::{
    plugin::v1::{self as pb, segmenter_service_client::SegmenterServiceClient},
    v1::{
        self, catalog_service_client::CatalogServiceClient, som_service_client::SomServiceClient,
    },
};
use som_server::{Ended, Role, Server};
pub(crate) use som_test::Columns;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::oneshot,
    task::JoinHandle,
};
use tonic::{
    IntoRequest, Status,
    transport::{Channel, Endpoint},
};

/// Settings from TOML, over the embedded ones.
pub(crate) fn settings(toml: &str) -> Settings {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), toml).unwrap();
    Ladder::embedded().with_file(file.path()).load().unwrap().0
}

/// An engine with the columns, the mark styles, and whatever the settings name.
pub(crate) fn engine(toml: &str, columns: Columns) -> Result<Arc<Engine>> {
    let mut settings = settings(toml);
    if !toml.contains("listen") {
        settings.server.listen = "127.0.0.1:0".into();
    }
    if !toml.contains("[mark]") {
        settings.mark.segmenter = "columns".into();
    }
    let mut registry = Registry::default();
    let styles = host::adopt(som_marks::PLUGIN)?;
    registry.add_plugin(styles, &Provenance::Embedded)?;
    registry.add_segmenter(Arc::new(columns), Provenance::Embedded)?;
    registry.add_remote_segmenters(&settings)?;
    Engine::new(settings, registry).map(Arc::new)
}

/// A server that runs until told to stop.
pub(crate) struct Running {
    pub(crate) address: String,
    pub(crate) metrics: Option<SocketAddr>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<Ended>>,
}

impl Running {
    pub(crate) async fn start(engine: Arc<Engine>, role: Role) -> Self {
        Self::run(Server::bind(engine, role).await.unwrap())
    }

    pub(crate) fn run(server: Server) -> Self {
        let address = server.address().to_owned();
        let metrics = server.metrics_address();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server.run(async { drop(stopped.await) }));
        Self {
            address,
            metrics,
            stop,
            task,
        }
    }

    pub(crate) async fn stop(self) -> Ended {
        let _ = self.stop.send(());
        self.task.await.unwrap().unwrap()
    }
}

/// A backend with the columns.
pub(crate) async fn backend(toml: &str) -> Running {
    let engine = engine(toml, Columns::default()).unwrap();
    Running::start(engine, Role::Backend("columns".into())).await
}

/// A server of everything, and an engine like its own to compare with.
pub(crate) async fn front(toml: &str) -> (Running, Arc<Engine>) {
    let served = engine(toml, Columns::default()).unwrap();
    let twin = engine(toml, Columns::default()).unwrap();
    (Running::start(served, Role::Front).await, twin)
}

/// As [`front`], over another segmenter.
pub(crate) async fn front_with(toml: &str, columns: Columns) -> (Running, Arc<Engine>) {
    let served = engine(toml, columns).unwrap();
    (Running::start(served.clone(), Role::Front).await, served)
}

/// The metrics at `address`.
pub(crate) async fn page(address: SocketAddr) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let get = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(get.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

/// A client that takes answers of any size.
pub(crate) async fn som(server: &Running) -> SomServiceClient<Channel> {
    SomServiceClient::new(channel(server).await).max_decoding_message_size(usize::MAX)
}

/// A client of the catalog.
pub(crate) async fn catalog(server: &Running) -> CatalogServiceClient<Channel> {
    CatalogServiceClient::new(channel(server).await)
}

/// A black image of 12x8 pixels.
pub(crate) fn image() -> v1::Image {
    let raw = v1::RawImage {
        size: Some(v1::Size {
            width: 12,
            height: 8,
        }),
        pixels: vec![0; 12 * 8 * 3].into(),
    };
    v1::Image {
        content: Some(v1::image::Content::Raw(raw)),
    }
}

/// A request to the segmenter `id`.
pub(crate) fn request(id: &str, params: serde_json::Value) -> SegmentRequest {
    let params: Params = serde_json::from_value(params).unwrap();
    SegmentRequest {
        segmenter: SegmenterChoice {
            id: Some(id.into()),
            params,
            ..SegmenterChoice::default()
        },
        ..SegmentRequest::new(RgbImage::new(12, 8).into())
    }
}

/// A channel to a server, with frames as large as som's own client takes.
pub(crate) async fn channel(server: &Running) -> Channel {
    let endpoint = Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
    endpoint.max_frame_size(1 << 20).connect().await.unwrap()
}

/// A wire request for an image of 12x8 pixels.
pub(crate) fn wire(params: serde_json::Value) -> pb::SegmentRequest {
    let params: Params = serde_json::from_value(params).unwrap();
    let size = Some(som_proto::pb::v1::Size {
        width: 12,
        height: 8,
    });
    let image = som_proto::pb::v1::RawImage {
        size,
        pixels: vec![0; 12 * 8 * 3].into(),
    };
    pb::SegmentRequest {
        image: Some(image),
        params: Some(som_proto::params::to_wire(&params)),
    }
}

/// Sends `request` and counts the regions of the answer.
pub(crate) async fn segment(
    channel: &Channel,
    request: impl IntoRequest<pb::SegmentRequest>,
) -> Result<usize, Status> {
    let mut client = SegmenterServiceClient::new(channel.clone());
    let mut stream = client.segment(request).await?.into_inner();
    let mut count = 0;
    while stream.message().await?.is_some() {
        count += 1;
    }
    Ok(count)
}

/// Waits until `condition` holds.
pub(crate) async fn until(what: &str, condition: impl AsyncFn() -> bool) {
    for _ in 0..500 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what}: not within 10 s");
}
