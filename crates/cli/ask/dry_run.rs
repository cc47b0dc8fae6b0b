//! `som ask --dry-run`: what would be sent, told instead of sent.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::value::RawValue;
use som_core::{Error, Part, Result, Role};
use som_engine::ask::AskDraft;
use tokio::sync::mpsc;

use super::{Show, files, report};
use crate::{
    output::Output,
    session::{MarkedImage, Opened, Question, Stage},
};

/// What would be sent.
#[derive(Serialize)]
struct DraftReport<'a> {
    lmm: report::LmmReport<'a>,
    /// Requests of this kind: each vote is one.
    requests: u32,
    /// Where the first one goes; null for a model of this process.
    url: Option<&'a str>,
    /// The most tokens that its prompt is expected to have.
    max_input_tokens: u64,
    max_input_cost_usd: Option<f64>,
    /// What the budget leaves for its answer; null for the model's own limit.
    max_output_tokens: Option<u32>,
    images: Vec<SentImage>,
    marked: Vec<String>,
    /// Its body, to the byte.
    body: Option<&'a RawValue>,
}

/// An image as it would be sent.
#[derive(Serialize)]
struct SentImage {
    width: u32,
    height: u32,
    media_type: &'static str,
    bytes: usize,
}

/// Does everything but the asking, and prints what would be sent.
pub(super) async fn run(opened: &Opened, question: &Question, show: &Show) -> Result<()> {
    let (stages, mut received) = mpsc::channel(64);
    let work = opened.session.draft(question, &opened.plan, stages);
    let watch = async {
        let mut images = Vec::new();
        while let Some(stage) = received.recv().await {
            if let Stage::Marked(image) = stage {
                images.push(image);
            }
        }
        images
    };
    let (draft, images): (_, Vec<MarkedImage>) = tokio::join!(work, watch);
    let draft = draft?;
    let marked = files::write_pages(show.output.as_ref(), &images)?;
    let text = match show.json {
        true => report::to_lines(&DraftReport::new(&draft, question.votes, marked)?)?,
        false => text(&draft, question.votes).into_bytes(),
    };
    Output::Stdout.write(&text)
}

impl<'a> DraftReport<'a> {
    fn new(draft: &'a AskDraft, votes: u32, marked: Vec<String>) -> Result<Self> {
        let unreadable = |error| Error::internal("the request is no JSON").caused_by(error);
        let body = draft
            .request
            .as_ref()
            .map(|request| serde_json::from_str::<&RawValue>(&request.body).map_err(unreadable));
        let images = draft.prompt.images().map(|image| SentImage {
            width: image.size.width,
            height: image.size.height,
            media_type: image.format.media_type(),
            bytes: image.bytes.len(),
        });
        Ok(Self {
            lmm: report::LmmReport::new(&draft.lmm),
            requests: votes,
            url: draft.request.as_ref().map(|request| request.url.as_str()),
            max_input_tokens: draft.input_tokens,
            max_input_cost_usd: draft.input_cost,
            max_output_tokens: draft.prompt.max_tokens,
            images: images.collect(),
            marked,
            body: body.transpose()?,
        })
    }
}

/// The request for people: where it goes, what it takes, and the words with the places of the
/// images.
fn text(draft: &AskDraft, votes: u32) -> String {
    let AskDraft { lmm, prompt, .. } = draft;
    let to = draft
        .request
        .as_ref()
        .map_or("nothing is sent: this model is a part of som", |request| {
            &request.url
        });
    let mut text = format!(
        "lmm      {} ({}, {})\nto       {to}\n",
        lmm.name, lmm.provider, lmm.model
    );
    if votes > 1 {
        let _ = writeln!(
            text,
            "requests {votes}, each with other labels and colours; this is the first"
        );
    }
    let _ = write!(text, "input    at most {} tokens", draft.input_tokens);
    if let Some(cost) = draft.input_cost {
        let _ = write!(text, ", ${cost:.4}");
    }
    text.push('\n');
    if let Some(tokens) = prompt.max_tokens {
        let _ = writeln!(text, "answer   at most {tokens} tokens");
    }
    if let Some(system) = &prompt.system {
        let _ = write!(text, "\n[system]\n{system}\n");
    }
    for turn in &prompt.turns {
        text += match turn.role {
            Role::User => "\n[user]\n",
            Role::Assistant => "\n[assistant]\n",
        };
        for part in &turn.parts {
            let _ = match part {
                Part::Text(words) => writeln!(text, "{words}"),
                Part::Image(image) => writeln!(
                    text,
                    "<image {}x{} {}, {} bytes>",
                    image.size.width,
                    image.size.height,
                    image.format.media_type(),
                    image.bytes.len()
                ),
            };
        }
    }
    if let Some(schema) = &prompt.schema {
        let _ = write!(text, "\n[form of the answer]\n{}\n", schema.schema);
    }
    text
}
