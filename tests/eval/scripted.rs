//! A server with OpenAI's interface that errs as often as a test has it.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::{Value, json};

/// Answers every request with what `say` has for its body, until the process ends.
pub(super) struct Scripted {
    address: String,
    asked: Arc<AtomicUsize>,
}

impl Scripted {
    pub(super) fn start(say: impl Fn(&str) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(AtomicUsize::new(0));
        let (say, counted) = (Arc::new(say), asked.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (say, counted) = (say.clone(), counted.clone());
                thread::spawn(move || {
                    counted.fetch_add(1, Ordering::Relaxed);
                    answer(stream.unwrap(), &*say);
                });
            }
        });
        Self { address, asked }
    }

    /// The settings of a model there.
    pub(super) fn settings(&self) -> String {
        format!(
            "[ask]\nlmm = \"scripted\"\n[lmm.scripted]\nprovider = \"openai-compatible\"\n\
             model = \"scripted-1\"\nbase_url = \"http://{}/v1\"\napi_key_env = \"\"\nstream = false\n\
             structured = false\nmax_tokens = 20\nprices = {{ input = 1000.0, output = 1000.0 }}\n",
            self.address
        )
    }

    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

fn answer(stream: TcpStream, say: &dyn Fn(&str) -> String) {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body: Value = serde_json::from_slice(&body).unwrap();
    let said = json!({
        "id": "1", "object": "chat.completion", "model": "scripted-1",
        "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": say(&words(&body["messages"]))}}],
        "usage": {"prompt_tokens": 500, "completion_tokens": 10, "total_tokens": 510},
    })
    .to_string();
    let mut stream = reader.into_inner();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{said}",
        said.len()
    )
    .unwrap();
}

/// All texts of all messages.
fn words(messages: &Value) -> String {
    match messages {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join("\n"),
        Value::Object(object) => {
            let told = ["content", "text"]
                .iter()
                .filter_map(|key| object.get(*key));
            told.map(words).collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}
