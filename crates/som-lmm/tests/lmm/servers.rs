use std::{
    env,
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use image::{Rgb, RgbImage};
use som_core::{
    ErrorKind, Finish, Part, Prompt, PromptImage, Size,
    encode::{Encoding, encode},
};

use crate::fake::{ask, open_with, words};

/// The longest a server may take until it answers: it loads a deep-learning framework.
const START: Duration = Duration::from_secs(240);

/// What `litellm.yaml` asks for.
const KEY: &str = "sk-only-for-this-test";

/// A program that somebody else wrote, on a port of its own.
struct Server {
    child: Child,
    url: String,
    log: PathBuf,
}

impl Server {
    /// Runs `program` of the Python environment until the page `ready` is there.
    async fn start(
        python: &Path,
        folder: &Path,
        program: &str,
        arguments: &[&str],
        ready: &str,
    ) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port().to_string();
        drop(free);
        let log = folder.join("log");
        let output = File::create(&log).unwrap();
        let child = Command::new(python.with_file_name(program))
            .args(arguments)
            .args(["--host", "127.0.0.1", "--port", &port])
            .current_dir(folder)
            // Nothing is fetched, and nothing is reported to anybody.
            .env("HF_HUB_OFFLINE", "1")
            .env("HF_HOME", folder)
            .env("LITELLM_LOCAL_MODEL_COST_MAP", "True")
            .env("NO_DOCS", "True")
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let url = format!("http://127.0.0.1:{port}");
        let mut server = Self { child, url, log };
        let start = Instant::now();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::new();
        loop {
            let page = client.get(format!("{}{ready}", server.url)).send().await;
            if page.is_ok_and(|page| page.status().is_success()) {
                return server;
            }
            let exit = server.child.try_wait().unwrap();
            if exit.is_some() || start.elapsed() > START {
                panic!("{program} does not start ({exit:?}):\n{}", server.told());
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    }

    /// What it has printed.
    fn told(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The Python with the servers; `None`, saying why, if there is none.
fn python() -> Option<PathBuf> {
    let python = env::var_os("SOM_TEST_LMM_SERVERS").map(PathBuf::from);
    if python.is_none() {
        eprintln!(
            "skipped: SOM_TEST_LMM_SERVERS names no Python (`cargo xtask test --lmm-servers` sets it)"
        );
    }
    python
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/python/lmm")
        .join(name)
}

/// A question about a picture that is all of one colour but for a gradient.
fn shown(color: [u8; 3]) -> Prompt {
    let pixels = RgbImage::from_fn(80, 60, |x, y| {
        Rgb([color[0] ^ (3 * x) as u8, color[1], color[2] ^ (4 * y) as u8])
    });
    let image = PromptImage {
        bytes: encode(&pixels, Encoding::Png).unwrap().into(),
        format: Encoding::Png,
        size: Size::new(80, 60),
    };
    Prompt {
        max_tokens: Some(24),
        temperature: Some(0.0),
        ..Prompt::new([
            Part::Text("Look at this: ".into()),
            Part::Image(image),
            Part::Text("What is [3]?".into()),
        ])
    }
}

#[tokio::test]
async fn the_litellm_proxy() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let config = script("litellm.yaml");
    let arguments = ["--config", config.to_str().unwrap()];
    let server = Server::start(
        &python,
        folder.path(),
        "litellm",
        &arguments,
        "/health/readiness",
    )
    .await;

    // The proxy speaks all three interfaces.
    let table = |name: &str, provider: &str, path: &str, more: &str| {
        let url = &server.url;
        format!(
            "[lmm.{name}]\nprovider = '{provider}'\nbase_url = '{url}/{path}'\nmodel = 'canned'\n\
             api_key_env = 'LITELLM_KEY'\nretries = 0\n{more}\n"
        )
    };
    let whole = "stream = false";
    let tables = [
        table("openai", "openai-compatible", "v1", ""),
        table("openai-whole", "openai-compatible", "v1", whole),
        table("anthropic", "anthropic", "v1", ""),
        table("anthropic-whole", "anthropic", "v1", whole),
        table("gemini", "gemini", "v1beta", ""),
        table("gemini-whole", "gemini", "v1beta", whole),
    ];
    let lmms = open_with(&tables.concat(), &[("LITELLM_KEY", KEY)]).unwrap();
    let names = lmms.list().map(|info| info.name.as_str());
    for name in names.filter(|name| *name != "attributes") {
        let outcome = ask(&**lmms.get(name).unwrap(), &shown([200, 30, 30])).await;
        let told = || format!("{name}: {:?}\n{}", outcome.error, server.told());
        let answer = &outcome.answer;
        assert_eq!(answer.text, "The cup is [3], left of [7].", "{}", told());
        assert_eq!(answer.finish, Some(Finish::Stop), "{}", told());
        assert!(answer.usage.is_some(), "{}", told());
    }

    // Every refusal is told as it is, and shows no key.
    let refused = async |table: &str, key: &str| {
        let lmms = open_with(table, &[("LITELLM_KEY", key)]).unwrap();
        let outcome = ask(&**lmms.get("openai").unwrap(), &words("hi")).await;
        let error = outcome.error.unwrap();
        assert!(!error.message().contains(key), "{error}");
        error
    };
    let error = refused(&tables[0], "sk-wrong-key").await;
    assert_eq!(error.kind(), ErrorKind::Invalid, "{error}");
    let nobody = tables[0].replace("'canned'", "'nobody'");
    let error = refused(&nobody, KEY).await;
    assert!(error.message().contains("model=nobody"), "{error}");
    let busy = tables[0].replace("'canned'", "'busy'");
    let error = refused(&busy, KEY).await;
    assert_eq!(error.kind(), ErrorKind::Exhausted, "{error}");
}

#[tokio::test]
async fn transformers_with_a_tiny_vision_model() {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let model = folder.path().join("tiny-llava");
    let built = Command::new(&python)
        .arg(script("tiny_model.py"))
        .arg(&model)
        .env("HF_HUB_OFFLINE", "1")
        .output()
        .unwrap();
    assert!(
        built.status.success(),
        "{}",
        String::from_utf8_lossy(&built.stderr)
    );
    let server = Server::start(
        &python,
        folder.path(),
        "transformers",
        &["serve"],
        "/health",
    )
    .await;

    let table = |name: &str, more: &str| {
        let (url, model) = (&server.url, model.display());
        format!("[lmm.{name}]\nbase_url = '{url}/v1'\nmodel = '{model}'\nretries = 0\n{more}\n")
    };
    let tables = table("streamed", "") + &table("whole", "stream = false");
    let lmms = open_with(&tables, &[]).unwrap();
    let mut answers = Vec::new();
    for name in ["streamed", "whole"] {
        for color in [[200, 30, 30], [30, 30, 200]] {
            let outcome = ask(&**lmms.get(name).unwrap(), &shown(color)).await;
            let told = || format!("{name}: {:?}\n{}", outcome.error, server.told());
            assert_eq!(outcome.answer.text.chars().count(), 24, "{}", told());
            if name == "streamed" {
                assert!(outcome.deltas.len() > 1, "{}", told());
            }
            answers.push(outcome.answer.text);
        }
    }
    // The model is small, but it sees: another picture is another answer, and the same is the same.
    assert_ne!(answers[0], answers[1]);
    assert_eq!(answers[..2], answers[2..]);
}
