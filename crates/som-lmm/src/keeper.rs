//! Answers on file where there are any; the others are asked for, and kept.

use std::{path::PathBuf, sync::Arc};

use futures_util::{StreamExt, stream};
use som_core::{
    AnswerStream, Cancellation, Draft, ErrorKind, LmmProvider, Prompt, ProviderInfo, Result,
};

use crate::{
    cassette::{Player, Recorder},
    secret::Secrets,
};

/// Gives the answers of a folder, and adds those that are missing there. Its files are those of the
/// settings `record` and `replay`.
pub(crate) struct Keeper {
    player: Player,
    recorder: Recorder,
}

impl Keeper {
    /// The answers of `inner` that are not in `folder` are asked for, and kept there without
    /// `secrets`.
    pub(crate) fn new(inner: Arc<dyn LmmProvider>, folder: PathBuf, secrets: Secrets) -> Self {
        Self {
            player: Player::new(inner.info().clone(), folder.clone()),
            recorder: Recorder::new(inner, folder, secrets),
        }
    }
}

impl LmmProvider for Keeper {
    fn info(&self) -> &ProviderInfo {
        self.recorder.info()
    }

    fn draft(&self, prompt: &Prompt) -> Result<Option<Draft>> {
        self.recorder.draft(prompt)
    }

    fn ask<'a>(&'a self, prompt: &'a Prompt, cancellation: &'a Cancellation) -> AnswerStream<'a> {
        let answer = async move {
            match self.player.find(prompt).await {
                Ok(events) => stream::iter(events).map(Result::Ok).boxed(),
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    self.recorder.ask(prompt, cancellation)
                }
                Err(error) => stream::iter([Err(error)]).boxed(),
            }
        };
        stream::once(answer).flatten().boxed()
    }
}
