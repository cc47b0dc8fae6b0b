//! What a question would send, without sending it.

use std::sync::Arc;

use som_core::{Cancellation, Draft, Error, Prompt, ProviderInfo, Result};
use tokio::sync::mpsc;

use super::{
    AskEvent, AskRequest,
    budget::{Spent, most_tokens},
    cuts::Cuts,
    look::{Looker, Watch},
    turns::Asked,
};
use crate::Engine;

/// The first request of a question, as it would be sent.
#[derive(Clone, Debug)]
pub struct AskDraft {
    /// The model that would be asked.
    pub lmm: ProviderInfo,
    /// What it would be told and shown. [`Prompt::max_tokens`] is what the budget leaves for the
    /// answer.
    pub prompt: Prompt,
    /// The request itself; `None` for a model of this process, to which nothing is sent.
    pub request: Option<Draft>,
    /// The most tokens that the prompt is expected to have.
    pub input_tokens: u64,
    /// What that many cost at most in US dollars; `None` without prices.
    pub input_cost: Option<f64>,
}

impl Engine {
    /// images and a question → the request with which [`ask`](Self::ask) would begin: everything is
    /// done but the asking, and told to `events`. Further votes, and a turn that mends an answer,
    /// are requests of their own.
    ///
    /// # Errors
    /// As [`ask`](Self::ask), but for what the provider reports.
    pub async fn draft(
        self: &Arc<Self>,
        mut request: AskRequest,
        cancellation: &Cancellation,
        events: &mpsc::Sender<AskEvent>,
    ) -> Result<AskDraft> {
        let (provider, conversation) = self.begin(&mut request)?;
        let info = provider.info();
        let cuts = Cuts::default();
        let watch = Watch {
            cancellation,
            events,
        };
        let looker = Looker::new(self, &request, &conversation, info, &cuts, watch).await?;
        let known = looker.look(0).await?;
        conversation.check_marks(&request.task, &known.scene())?;

        let structured = request.is_structured(info);
        let bytes = looker.max_prompt_bytes();
        let asked = Asked::new(&conversation, &request, &known, &known, structured, bytes)?;
        let room = request
            .budget
            .room_for(&asked.prompt, info, &Spent::default());
        let prompt = Prompt {
            max_tokens: room.map_err(Error::exhausted)?,
            ..asked.prompt
        };
        let input_tokens = most_tokens(&prompt, info);
        let price = info.prices.map(|prices| prices.input);
        Ok(AskDraft {
            lmm: info.clone(),
            request: provider.draft(&prompt)?,
            prompt,
            input_tokens,
            input_cost: price.map(|price| input_tokens as f64 * price / 1e6),
        })
    }
}
