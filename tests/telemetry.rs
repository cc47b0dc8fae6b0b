//! What servers tell: logs without secrets, traces.

use std::{
    collections::BTreeSet,
    process::Stdio,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::Duration,
};

use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    trace::v1::Span,
};
use serde_json::Value;
use tonic::{Request, Response, Status, transport::server::TcpIncoming};

use crate::som::{Folder, Ran, Served};

const TOKEN: &str = "SOM_TEST_TOKEN";
const SECRET: &str = "a-secret-of-24-characters";

/// Marks a photograph with the token: what the server and the client logged.
fn logs(arguments: &[&str], variables: &[(&str, &str)]) -> (String, String) {
    let folder = Folder::with_photos(&["coffee.png"]);
    let table = format!("[server.token.tester]\nenv = \"{TOKEN}\"\n");
    folder.write("som.toml", table);
    let words = [&["serve"], arguments].concat();
    let variables = [&[(TOKEN, SECRET)], variables].concat();
    let server = Served::start(&folder, &words, &variables);
    let url = server.url();
    let mut words = vec!["mark", "coffee.png", "--level", "1", "--server", &url];
    words.extend(["--token-env", TOKEN]);
    words.extend(arguments);
    let mut command = folder.command(&words);
    command.envs(variables).stdin(Stdio::null());
    let client = Ran::of(&mut command).succeeded().stderr;
    (server.end().1, client)
}

#[test]
fn logs_are_json_with_an_id_for_each_call() {
    let (log, _) = logs(&["--log", "json"], &[]);
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect();
    let done: Vec<&Value> = lines
        .iter()
        .filter(|line| line["message"] == "done")
        .collect();
    let rpcs: BTreeSet<&str> = done
        .iter()
        .map(|line| line["span"]["rpc"].as_str().unwrap())
        .collect();
    let expected = [
        "som.v1.CatalogService/ListMarkStyles",
        "som.v1.CatalogService/ListSegmenters",
        "som.v1.SomService/Mark",
    ];
    assert_eq!(rpcs, expected.into());
    let ids: BTreeSet<&str> = done
        .iter()
        .map(|line| line["span"]["id"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), done.len(), "each call has an id of its own");
    for line in done {
        assert_eq!(line["span"]["owner"], "tester");
        assert_eq!(line["code"], "Ok");
        assert!(line["ms"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn no_log_holds_a_secret_or_an_image() {
    for (arguments, variables) in [
        (&["-vvv", "--log", "json"][..], &[][..]),
        (&["-vvv"], &[]),
        (&[], &[("SOM_LOG", "trace")]),
    ] {
        let (server, client) = logs(arguments, variables);
        assert!(server.lines().count() > 3, "{server}");
        for log in [server, client] {
            // The token; a PNG's first chunk as text; its signature as a list of numbers.
            for content in [SECRET, "IHDR", "137, 80, 78, 71"] {
                let line = log.lines().find(|line| line.contains(content));
                assert!(line.is_none(), "{content} in a log: {line:?}");
            }
        }
    }
}

/// Keeps what it is sent.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Span>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let resources = request.into_inner().resource_spans.into_iter();
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        self.0
            .lock()
            .unwrap()
            .extend(scopes.flat_map(|scope| scope.spans));
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    /// Serves on a thread of its own, for as long as the tests run: its address.
    fn serve(&self) -> String {
        let (sender, address) = mpsc::channel();
        let service = TraceServiceServer::new(self.clone());
        thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(async {
                let incoming = TcpIncoming::bind("127.0.0.1:0".parse().unwrap()).unwrap();
                let address = incoming.local_addr().unwrap();
                sender.send(format!("http://{address}")).unwrap();
                let server = tonic::transport::Server::builder().add_service(service);
                server.serve_with_incoming(incoming).await.unwrap();
            });
        });
        address.recv_timeout(Duration::from_secs(10)).unwrap()
    }
}

#[test]
fn a_collector_gets_each_stage_of_each_call() {
    let collector = Collector::default();
    let address = collector.serve();
    logs(&[], &[("SOM__TELEMETRY__OTLP", &address)]);
    let spans = collector.0.lock().unwrap();
    let mark = call_of(&spans, "SomService/Mark");
    let stages: BTreeSet<&str> = spans
        .iter()
        .filter(|span| span.trace_id == mark.trace_id && span.parent_span_id == mark.span_id)
        .map(|span| &*span.name)
        .collect();
    let expected = ["allocate", "decode", "draw", "encode", "segment"];
    assert_eq!(stages, expected.into());
    assert!(!format!("{spans:?}").contains(SECRET));
}

/// The span of the call to the service `name`.
fn call_of<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let is_its = |span: &&Span| {
        let rpc = span.attributes.iter().find(|pair| pair.key == "rpc");
        span.name == "call" && format!("{rpc:?}").contains(name)
    };
    let call = spans.iter().find(is_its);
    call.unwrap_or_else(|| panic!("no span of {name}: {spans:#?}"))
}

#[test]
fn a_trace_goes_on_in_the_process_that_segments() {
    let collector = Collector::default();
    let address = collector.serve();
    let traced = [("SOM__TELEMETRY__OTLP", &*address)];
    let folder = Folder::with_photos(&["coffee.png"]);
    let backend = ["backend", "--segmenter", "classic"];
    let backend = Served::start(&folder, &backend, &traced);
    let far = format!("[segmenter.far]\nremote = [\"{}\"]\n", backend.url());
    folder.write("som.toml", far);
    let front = Served::start(&folder, &["serve"], &traced);
    let arguments = ["segment", "coffee.png", "--segmenter", "far", "--server"];
    let url = front.url();
    let arguments = [&arguments[..], &[&*url]].concat();
    folder.som(&arguments).succeeded();
    front.end();
    backend.end();
    let spans = collector.0.lock().unwrap();
    let asked = call_of(&spans, "SomService/Segment");
    let cut = call_of(&spans, "SegmenterService/Segment");
    assert_eq!(cut.trace_id, asked.trace_id);
    let parent = spans.iter().find(|span| span.span_id == cut.parent_span_id);
    assert_eq!(parent.unwrap().name, "segment");
}

#[test]
fn a_collector_that_is_not_there_holds_nobody_up() {
    let (log, _) = logs(&[], &[("SOM__TELEMETRY__OTLP", "http://127.0.0.1:1")]);
    assert!(log.contains("done"), "{log}");
    let folder = Folder::new();
    let mut command = folder.command(&["serve"]);
    Ran::of(command.env("SOM__TELEMETRY__OTLP", "nonsense")).failed(
        2,
        "telemetry.otlp \"nonsense\": not the address of a collector (write it like http://127.0.0.1:4317)",
    );
}
