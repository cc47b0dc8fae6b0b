//! A large multimodal model that says what a test has it say: OpenAI's Chat Completions over HTTP.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::{Value, json};

use crate::som::Folder;

/// It answers until the test is over.
pub(crate) struct Model {
    address: String,
    requests: Arc<Mutex<Vec<Value>>>,
}

impl Model {
    /// Gives `answers` one after the other, and the last one again and again.
    pub(crate) fn saying(answers: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let answers: Vec<String> = answers.iter().map(|&answer| answer.to_owned()).collect();
        let asked = requests.clone();
        thread::spawn(move || {
            for connection in listener.incoming() {
                let _ = answer(connection.unwrap(), &answers, &asked);
            }
        });
        Self { address, requests }
    }

    /// Names it in the settings of a folder, as the one that is asked; `more` are keys of its table.
    pub(crate) fn set_in(&self, folder: &Folder, more: &str) {
        let text = format!(
            "[ask]\nlmm = \"fake\"\n[lmm.fake]\nbase_url = \"http://{}/v1\"\nmodel = \"fake-vl\"\n{more}\n",
            self.address
        );
        folder.write("som.toml", text);
    }

    /// What it was asked.
    pub(crate) fn requests(&self) -> Vec<Value> {
        self.requests.lock().unwrap().clone()
    }
}

/// Answers one request, and closes the connection.
fn answer(
    connection: TcpStream,
    answers: &[String],
    asked: &Mutex<Vec<Value>>,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(connection);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut asked = asked.lock().unwrap();
    let text = &answers[asked.len().min(answers.len() - 1)];
    asked.push(serde_json::from_slice(&body).unwrap());
    let body = json!({
        "choices": [{"index": 0, "finish_reason": "stop",
                     "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 10},
    })
    .to_string();
    write!(
        reader.into_inner(),
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    )
}
