//! Answers on file: recorded as they come, or given without asking anybody.
//!
//! An answer is found by a digest of all that the prompt sends. A file holds the words of the
//! prompt, digests of its images and the answer; it is safe to publish.

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::Arc,
};

use futures_util::{FutureExt, StreamExt, stream};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use som_core::{
    Answer, AnswerEvent, AnswerStream, Cancellation, Draft, Error, Finish, LmmProvider, Part,
    Prompt, ProviderInfo, Result, Role,
};
use tokio::task::spawn_blocking;

use crate::secret::Secrets;

/// A file with one answer.
#[derive(Serialize, Deserialize)]
struct Recording {
    provider: String,
    prompt: Value,
    answer: Answer,
}

/// Asks another provider, and writes down each answer that did not break off.
pub(crate) struct Recorder {
    inner: Arc<dyn LmmProvider>,
    folder: PathBuf,
    secrets: Secrets,
}

impl Recorder {
    /// The answers of `inner` go to `folder`, without `secrets`.
    pub(crate) fn new(inner: Arc<dyn LmmProvider>, folder: PathBuf, secrets: Secrets) -> Self {
        Self {
            inner,
            folder,
            secrets,
        }
    }

    /// Writes `answer` down.
    async fn keep(&self, prompt: &Prompt, answer: Answer) -> Result<()> {
        let info = self.inner.info();
        let sent = sent(info, prompt);
        let path = path(&self.folder, &sent);
        let recording = Recording {
            provider: info.provider.clone(),
            prompt: sent,
            answer,
        };
        let text = serde_json::to_string_pretty(&recording)
            .map_err(|error| Error::internal(format!("a recording cannot be written: {error}")))?;
        let text = self.secrets.redact(&text) + "\n";
        let written = spawn_blocking(move || write(&path, &text)).await;
        written
            .map_err(|error| Error::internal("writing a recording panicked").caused_by(error))?
            .map_err(|error| error.at(format!("lmm \"{}\"", info.name)))
    }
}

impl LmmProvider for Recorder {
    fn info(&self) -> &ProviderInfo {
        self.inner.info()
    }

    fn draft(&self, prompt: &Prompt) -> Result<Option<Draft>> {
        self.inner.draft(prompt)
    }

    fn ask<'a>(&'a self, prompt: &'a Prompt, cancellation: &'a Cancellation) -> AnswerStream<'a> {
        let start = (self.inner.ask(prompt, cancellation), Answer::default());
        stream::unfold(start, move |(mut events, mut answer)| async move {
            let event = events.next().await?;
            if let Ok(event) = &event {
                answer.add(event.clone());
            }
            let is_whole = matches!(
                &event,
                Ok(AnswerEvent::Done(finish)) if !matches!(finish, Finish::Partial(_))
            );
            // The end is passed on once the answer is on file.
            let event = match is_whole {
                true => match self.keep(prompt, std::mem::take(&mut answer)).await {
                    Ok(()) => event,
                    Err(error) => Err(error),
                },
                false => event,
            };
            Some((event, (events, answer)))
        })
        .boxed()
    }
}

/// Gives the answers that a [`Recorder`] wrote, and asks nobody.
pub(crate) struct Player {
    info: ProviderInfo,
    folder: PathBuf,
}

impl Player {
    /// The answers of the model of `info` in `folder`.
    pub(crate) fn new(info: ProviderInfo, folder: PathBuf) -> Self {
        Self { info, folder }
    }

    /// The answer that is on file.
    ///
    /// # Errors
    /// NotFound, if there is none; Unsupported for what the model cannot take; Invalid for a file that
    /// is no recording.
    pub(crate) async fn find(&self, prompt: &Prompt) -> Result<Vec<AnswerEvent>> {
        self.info.check(prompt)?;
        let path = path(&self.folder, &sent(&self.info, prompt));
        let read = spawn_blocking(move || read(&path)).await;
        let answer = read
            .map_err(|error| Error::internal("reading a recording panicked").caused_by(error))?
            .map_err(|error| error.at(format!("lmm \"{}\"", self.info.name)))?;
        let text = Some(answer.text).filter(|text| !text.is_empty());
        let text = text.map(AnswerEvent::Delta);
        let usage = answer.usage.map(AnswerEvent::Usage);
        let finish = answer.finish.unwrap_or(Finish::Stop);
        let done = AnswerEvent::Done(finish);
        Ok(text.into_iter().chain(usage).chain([done]).collect())
    }
}

impl LmmProvider for Player {
    fn info(&self) -> &ProviderInfo {
        &self.info
    }

    fn ask<'a>(&'a self, prompt: &'a Prompt, _: &'a Cancellation) -> AnswerStream<'a> {
        self.find(prompt)
            .into_stream()
            .flat_map(|found| match found {
                Ok(events) => stream::iter(events).map(Ok).boxed(),
                Err(error) => stream::iter([Err(error)]).boxed(),
            })
            .boxed()
    }
}

/// All that `prompt` sends to the model, with digests in place of images.
fn sent(info: &ProviderInfo, prompt: &Prompt) -> Value {
    let part = |part: &Part| match part {
        Part::Text(text) => json!(text),
        Part::Image(image) => json!({
            "image": hex(&Sha256::digest(&image.bytes)),
            "type": image.format.media_type(),
            "size": image.size.to_string(),
        }),
    };
    let turns = prompt.turns.iter().map(|turn| {
        let role = match turn.role {
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        json!({role: turn.parts.iter().map(part).collect::<Value>()})
    });
    let form = prompt.schema.as_ref();
    json!({
        "model": info.model,
        "system": prompt.system,
        "turns": turns.collect::<Value>(),
        "schema": form.map(|form| json!({form.name.as_str(): form.schema})),
        "max_tokens": prompt.max_tokens,
        "temperature": prompt.temperature,
        "seed": prompt.seed,
        "stop": prompt.stop,
    })
}

/// The file of what was sent.
fn path(folder: &Path, sent: &Value) -> PathBuf {
    let digest = hex(&Sha256::digest(sent.to_string()));
    folder.join(digest).with_extension("json")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Complete or not at all.
fn write(path: &Path, text: &str) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let failed = |error: std::io::Error| {
        Error::invalid(format!("{} cannot be written: {error}", path.display()))
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.persist(path).map_err(|error| failed(error.error))?;
    Ok(())
}

fn read(path: &Path) -> Result<Answer> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::not_found(format!(
                "no answer to this prompt is on file: {} does not exist (record it, or ask as it was asked when recorded)",
                path.display()
            )));
        }
        Err(error) => {
            let why = format!("{} cannot be read: {error}", path.display());
            return Err(Error::invalid(why));
        }
    };
    let recording: Recording = serde_json::from_str(&text)
        .map_err(|error| Error::invalid(format!("{} is no recording: {error}", path.display())))?;
    Ok(recording.answer)
}
