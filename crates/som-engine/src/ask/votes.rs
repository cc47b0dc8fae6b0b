//! One answer, or several to the same question over marks of other names and colours.

use som_core::{
    Cancellation, Error, Result,
    task::{Consensus, Grounded, Task, merge},
};

use super::{
    AskRequest,
    conversation::Conversation,
    look::{Look, Looker},
    rounds::Rounds,
    turns::Asked,
    vote::Vote,
};

/// All answers to one request.
pub(super) struct Votes {
    votes: Vec<Vote>,
    /// Why there are fewer than wanted.
    pub(super) cut_short: Option<String>,
}

impl Votes {
    /// Asks as often as `request` wants and the budget allows: first about `known`, the images
    /// that the user sees.
    ///
    /// # Errors
    /// Why there is no answer at all.
    pub(super) async fn collect(
        request: &AskRequest,
        conversation: &Conversation,
        looker: &Looker<'_>,
        known: &Look,
        rounds: &mut Rounds<'_>,
        cancellation: &Cancellation,
    ) -> Result<Self> {
        let structured = request.is_structured(rounds.info());
        let mut votes = Vec::new();
        let mut cut_short = None;
        for number in 0..request.votes {
            if let Err(why) = rounds.check() {
                cut_short = Some(why);
                break;
            }
            let other = match number {
                0 => None,
                _ => Some(looker.look(number.into()).await?),
            };
            let drawn = other.as_ref().unwrap_or(known);
            let asked = Asked::new(
                conversation,
                request,
                known,
                drawn,
                structured,
                looker.max_prompt_bytes(),
            )?;
            match rounds.vote(asked, &drawn.scene(), other.is_none()).await {
                Ok(vote) => votes.push(vote.retold(&request.task, drawn, known)),
                // Of several answers, those there are count.
                Err(error) if !votes.is_empty() && !cancellation.is_cancelled() => {
                    cut_short = Some(format!("a further answer failed: {error}"));
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Self { votes, cut_short })
    }

    /// The answer that agrees with the others most, and how far they agree if there were to be
    /// several.
    ///
    /// # Errors
    /// Exhausted, if there is none.
    pub(super) fn best(self, request: &AskRequest) -> Result<(Vote, Option<Consensus>)> {
        let by_mark = matches!(request.task, Task::Describe { .. });
        let answers: Vec<Grounded> = self
            .votes
            .iter()
            .map(|vote| vote.grounded.clone())
            .collect();
        let consensus = merge(&answers, by_mark).filter(|_| request.votes > 1);
        let best = consensus.as_ref().map_or(0, |consensus| consensus.best);
        let vote = self.votes.into_iter().nth(best).ok_or_else(|| {
            let why = self.cut_short.as_deref();
            Error::exhausted(why.unwrap_or("nothing was asked"))
        })?;
        Ok((vote, consensus))
    }
}
