use std::{
    collections::{BTreeMap, VecDeque},
    convert::Infallible,
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::HeaderMap,
    response::Response,
};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::Value;
use som_core::{
    Answer, AnswerEvent, Cancellation, LmmProvider, Part, Prompt, PromptImage, Result, Size,
    encode::Encoding,
};
use som_lmm::{LmmSettings, Lmms};

/// The key of every server.
pub(crate) const KEY: &str = "sk-canary-0123456789abcdef";
/// The variable that holds it.
pub(crate) const KEY_ENV: &str = "CANARY_KEY";

/// A server on loopback that gives its replies one after another.
pub(crate) struct Fake {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    replies: Mutex<VecDeque<Reply>>,
    requests: Mutex<Vec<Seen>>,
}

/// A request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// With the query.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// What to answer.
#[derive(Clone, Default)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    pieces: Vec<Piece>,
}

#[derive(Clone)]
enum Piece {
    Bytes(Bytes),
    Pause(Duration),
    Cut,
}

impl Fake {
    pub(crate) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let shared = Arc::new(Shared {
            replies: Mutex::new(replies.into_iter().collect()),
            requests: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let app = Router::new().fallback(reply).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        Self { address, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Seen> {
        self.shared.requests.lock().unwrap().clone()
    }
}

async fn reply(
    State(shared): State<Arc<Shared>>,
    request: Request,
) -> Result<Response, Infallible> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    shared.requests.lock().unwrap().push(Seen {
        path: head.uri.to_string(),
        headers: head.headers,
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    });
    let reply = shared.replies.lock().unwrap().pop_front();
    let reply = reply.unwrap_or_else(|| Reply::text("no further reply").status(599));
    let pieces = stream::iter(reply.pieces).filter_map(|piece| async move {
        match piece {
            Piece::Bytes(bytes) => Some(Ok(bytes)),
            Piece::Cut => Some(Err(io::Error::other("cut"))),
            Piece::Pause(time) => {
                tokio::time::sleep(time).await;
                None
            }
        }
    });
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    Ok(response.body(Body::from_stream(pieces)).unwrap())
}

impl Reply {
    pub(crate) fn json(value: &Value) -> Self {
        Self::text(value.to_string()).header("content-type", "application/json")
    }

    pub(crate) fn text(text: impl Into<Bytes>) -> Self {
        Self {
            status: 200,
            pieces: vec![Piece::Bytes(text.into())],
            ..Self::default()
        }
    }

    pub(crate) fn page() -> Self {
        Self::text("<!DOCTYPE html><html><body>Welcome!</body></html>")
            .header("content-type", "text/html; charset=utf-8")
    }

    /// One event for each message.
    pub(crate) fn events(messages: impl IntoIterator<Item = Value>) -> Self {
        let reply = Self {
            status: 200,
            ..Self::default()
        };
        let reply = reply.header("content-type", "text/event-stream");
        messages.into_iter().fold(reply, |reply, message| {
            reply.then(format!("data: {message}\n\n"))
        })
    }

    pub(crate) fn then(mut self, text: impl Into<Bytes>) -> Self {
        self.pieces.push(Piece::Bytes(text.into()));
        self
    }

    pub(crate) fn pause(mut self, milliseconds: u64) -> Self {
        let time = Duration::from_millis(milliseconds);
        self.pieces.push(Piece::Pause(time));
        self
    }

    pub(crate) fn cut(mut self) -> Self {
        // What was written before gets through first.
        self.pieces.push(Piece::Pause(Duration::from_millis(30)));
        self.pieces.push(Piece::Cut);
        self
    }

    pub(crate) fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// The tables `[lmm.NAME]` of a settings file.
pub(crate) fn settings(tables: &str) -> BTreeMap<String, LmmSettings> {
    #[derive(Deserialize)]
    struct File {
        lmm: BTreeMap<String, LmmSettings>,
    }
    toml::from_str::<File>(tables).unwrap().lmm
}

/// The models of `tables`, where [`KEY_ENV`] and `variables` are set.
pub(crate) fn open_with(tables: &str, variables: &[(&str, &str)]) -> Result<Lmms> {
    let mut known: BTreeMap<&str, &str> = variables.iter().copied().collect();
    known.insert(KEY_ENV, KEY);
    Lmms::open(&settings(tables), |name| {
        known.get(name).map(|&value| value.to_owned())
    })
}

/// The model called `x` of `tables`.
pub(crate) fn model(tables: &str) -> Arc<dyn LmmProvider> {
    open_with(tables, &[]).unwrap().get("x").unwrap().clone()
}

/// What a model answers: the pieces of text, what they add up to, and perhaps an error at the end.
pub(crate) struct Outcome {
    pub(crate) deltas: Vec<String>,
    pub(crate) answer: Answer,
    pub(crate) error: Option<som_core::Error>,
}

pub(crate) async fn ask(model: &dyn LmmProvider, prompt: &Prompt) -> Outcome {
    ask_until(model, prompt, &Cancellation::new()).await
}

pub(crate) async fn ask_until(
    model: &dyn LmmProvider,
    prompt: &Prompt,
    cancellation: &Cancellation,
) -> Outcome {
    let mut outcome = Outcome {
        deltas: Vec::new(),
        answer: Answer::default(),
        error: None,
    };
    let mut events = model.ask(prompt, cancellation);
    while let Some(event) = events.next().await {
        assert!(
            outcome.error.is_none(),
            "an event after an error: {event:?}"
        );
        assert!(
            outcome.answer.finish.is_none(),
            "an event after the end: {event:?}"
        );
        match event {
            Ok(event) => {
                if let AnswerEvent::Delta(text) = &event {
                    outcome.deltas.push(text.clone());
                }
                outcome.answer.add(event);
            }
            Err(error) => outcome.error = Some(error),
        }
    }
    assert!(
        outcome.error.is_some() != outcome.answer.finish.is_some(),
        "ends with either an error or an end"
    );
    outcome
}

/// A prompt of words alone.
pub(crate) fn words(text: &str) -> Prompt {
    Prompt::new([Part::Text(text.into())])
}

/// An image whose bytes are `seed` and what follows: no server of ours decodes it.
pub(crate) fn picture(seed: u8, format: Encoding) -> PromptImage {
    let bytes: Vec<u8> = (0..1000).map(|i| (i % 251) as u8 ^ seed).collect();
    PromptImage {
        bytes: bytes.into(),
        format,
        size: Size::new(64, 48),
    }
}
