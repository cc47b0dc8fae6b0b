//! Rounds: the model is asked, and what comes in is passed on.

use std::time::Duration;

use futures_util::StreamExt;
use som_core::{
    Answer, AnswerEvent, Cancellation, Error, Finish, LmmProvider, Prompt, ProviderInfo, Result,
    Scene, prompt::repair,
};
use tokio::sync::mpsc;

use super::{
    Budget,
    budget::Spent,
    events::{AskEvent, send},
    spans::Spans,
    turns::{Asked, repairing},
    vote::Vote,
};

/// All rounds of one request.
pub(super) struct Rounds<'a> {
    provider: &'a dyn LmmProvider,
    budget: &'a Budget,
    cancellation: &'a Cancellation,
    events: &'a mpsc::Sender<AskEvent>,
    spent: Spent,
    waited: Duration,
}

impl<'a> Rounds<'a> {
    pub(super) fn new(
        provider: &'a dyn LmmProvider,
        budget: &'a Budget,
        cancellation: &'a Cancellation,
        events: &'a mpsc::Sender<AskEvent>,
    ) -> Self {
        Self {
            provider,
            budget,
            cancellation,
            events,
            spent: Spent::default(),
            waited: Duration::ZERO,
        }
    }

    /// The model that is asked.
    pub(super) fn info(&self) -> &ProviderInfo {
        self.provider.info()
    }

    /// What all rounds have taken so far.
    pub(super) fn spent(&self) -> Spent {
        self.spent
    }

    /// How long the model could not be asked.
    pub(super) fn waited(&self) -> Duration {
        self.waited
    }

    /// Whether another round is within the budget.
    ///
    /// # Errors
    /// Why it is not.
    pub(super) fn check(&self) -> Result<(), String> {
        self.budget.room(&self.spent).map(drop)
    }

    /// One answer to `asked`, read as one about `scene`: mended once, if it names marks that are
    /// not there, or leaves open what was asked. It is told as it comes in if `aloud`.
    ///
    /// # Errors
    /// What the provider reports before an answer began.
    pub(super) async fn vote(
        &mut self,
        asked: Asked,
        scene: &Scene<'_>,
        aloud: bool,
    ) -> Result<Vote> {
        let Asked { prompt, task } = asked;
        let answer = self.round(&prompt, scene, 1, aloud).await?;
        let mut vote = Vote::read(answer, &task, scene);
        if self.budget.max_rounds > 1
            && vote.finish == Finish::Stop
            && self.check().is_ok()
            && let Some(words) = repair(&task, &vote.grounded, scene)
        {
            let prompt = repairing(prompt, &vote.text, words);
            match self.round(&prompt, scene, 2, aloud).await {
                Ok(answer) => {
                    let mended = Vote::read(answer, &task, scene);
                    if mended.mends(&vote) {
                        vote = mended;
                    }
                }
                Err(error) if self.cancellation.is_cancelled() => return Err(error),
                // The answer that was to be mended is still one.
                Err(error) => tracing::warn!(%error, "an answer could not be mended"),
            }
        }
        Ok(vote)
    }

    async fn round(
        &mut self,
        prompt: &Prompt,
        scene: &Scene<'_>,
        number: u32,
        aloud: bool,
    ) -> Result<Answer> {
        let info = self.provider.info();
        let room = self.budget.room_for(prompt, info, &self.spent);
        let room = room.map_err(Error::exhausted)?;
        let prompt = Prompt {
            max_tokens: room,
            ..prompt.clone()
        };
        let mut answer = Answer::default();
        let mut spans = Spans::new(scene);
        if aloud {
            send(self.events, AskEvent::Round { number }).await?;
        }
        let mut stream = self.provider.ask(&prompt, self.cancellation);
        while let Some(event) = stream.next().await {
            let event = event?;
            if let (AnswerEvent::Delta(text), true) = (&event, aloud) {
                send(self.events, AskEvent::Text(text.clone())).await?;
                for mention in spans.add(text) {
                    send(self.events, AskEvent::Mention(mention)).await?;
                }
            }
            answer.add(event);
        }
        self.waited += answer.waited;
        self.spent.add(&prompt, answer.usage, info);
        if let Some(usage) = self.spent.usage {
            send(self.events, AskEvent::Usage(usage)).await?;
        }
        Ok(answer)
    }
}
