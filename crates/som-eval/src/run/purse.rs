//! What a run may spend: nothing is asked that could pass it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::{StreamExt, stream};
use som_core::{
    AnswerEvent, AnswerStream, Cancellation, Draft, Error, LmmProvider, Prices, Prompt,
    ProviderInfo, Result, Usage,
};
use tokio::sync::Notify;

use super::tokens::tokens;

/// By how much the first answer may take more tokens of prompt than is thought. From then on the
/// worst that was seen counts.
const FIRST: f64 = 2.0;

/// What a run may spend, and what it has spent.
pub(super) struct Purse {
    /// US dollars; `None` for no limit.
    limit: Option<f64>,
    state: Mutex<State>,
    settled: Notify,
}

#[derive(Default)]
struct State {
    spent: f64,
    /// What the answers under way may cost at most.
    reserved: f64,
    under_way: usize,
    asked: u64,
    /// What prompts cost, at worst, to what was thought; `None` before the first answer.
    scale: Option<f64>,
    is_used_up: bool,
}

/// Money set aside for one answer.
struct Hold {
    purse: Arc<Purse>,
    reserved: f64,
    /// What the prompt was thought to cost.
    input: f64,
}

impl Purse {
    pub(super) fn new(limit: Option<f64>) -> Arc<Self> {
        Arc::new(Self {
            limit,
            state: Mutex::default(),
            settled: Notify::new(),
        })
    }

    /// US dollars so far.
    pub(super) fn spent(&self) -> f64 {
        self.state().spent
    }

    /// Answers that were asked for so far, and not on file.
    pub(super) fn asked(&self) -> u64 {
        self.state().asked
    }

    /// True once something was not asked for want of money.
    pub(super) fn is_used_up(&self) -> bool {
        self.state().is_used_up
    }

    /// Sets aside what an answer may cost whose prompt is thought to cost `input`, and whose text
    /// `output` at most. Waits while answers under way may leave enough.
    ///
    /// # Errors
    /// Exhausted, if there is not enough.
    async fn hold(self: &Arc<Self>, input: f64, output: f64) -> Result<Hold> {
        loop {
            let settled = self.settled.notified();
            tokio::pin!(settled);
            settled.as_mut().enable();
            if let Some(hold) = self.try_hold(input, output)? {
                return Ok(hold);
            }
            settled.await;
        }
    }

    /// `None` while it is not known whether there will be enough.
    fn try_hold(self: &Arc<Self>, input: f64, output: f64) -> Result<Option<Hold>> {
        let mut state = self.state();
        let reserved = input * state.scale.unwrap_or(FIRST) + output;
        if let Some(limit) = self.limit {
            let is_too_much = state.spent + state.reserved + reserved > limit;
            let is_first = state.scale.is_none();
            if state.under_way > 0 && (is_too_much || is_first) {
                return Ok(None);
            }
            if is_too_much {
                state.is_used_up = true;
                return Err(Error::exhausted(format!(
                    "the next answer may cost ${reserved:.4}, and of ${limit} ${:.4} are spent",
                    state.spent
                )));
            }
        }
        state.reserved += reserved;
        state.under_way += 1;
        state.asked += 1;
        Ok(Some(Hold {
            purse: Arc::clone(self),
            reserved,
            input,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Hold {
    /// Pays for an answer that took `usage`; all that was set aside, if nobody says.
    fn pay(mut self, usage: Option<Usage>, prices: Prices) {
        let Some(usage) = usage else {
            return;
        };
        let of_prompt = prices.cost(&Usage {
            output_tokens: 0,
            ..usage
        });
        let seen = match self.input > 0.0 {
            true => of_prompt / self.input,
            false => 1.0,
        };
        let mut state = self.purse.state();
        state.scale = Some(state.scale.map_or(seen, |scale| scale.max(seen)));
        drop(state);
        self.settle(prices.cost(&usage));
    }

    fn settle(&mut self, cost: f64) {
        let mut state = self.purse.state();
        state.spent += cost;
        state.reserved -= self.reserved;
        state.under_way -= 1;
        drop(state);
        self.purse.settled.notify_waiters();
        // Nothing is left to settle.
        self.reserved = f64::NAN;
    }
}

/// What was called off may have been charged.
impl Drop for Hold {
    fn drop(&mut self) {
        if !self.reserved.is_nan() {
            self.settle(self.reserved);
        }
    }
}

/// A model that is paid for out of a purse.
pub(super) struct Metered {
    inner: Arc<dyn LmmProvider>,
    purse: Arc<Purse>,
    /// Most tokens of an answer, where the prompt does not say.
    max_tokens: u32,
}

impl Metered {
    pub(super) fn new(inner: Arc<dyn LmmProvider>, purse: Arc<Purse>, max_tokens: u32) -> Self {
        Self {
            inner,
            purse,
            max_tokens,
        }
    }

    fn prices(&self) -> Prices {
        self.info().prices.unwrap_or_default()
    }

    async fn hold(&self, prompt: &Prompt) -> Result<Hold> {
        let prices = self.prices();
        let cost = |tokens: f64, price: f64| tokens * price / 1e6;
        let input = cost(tokens(prompt, &self.info().images), prices.input);
        let most = f64::from(prompt.max_tokens.unwrap_or(self.max_tokens));
        self.purse.hold(input, cost(most, prices.output)).await
    }
}

impl LmmProvider for Metered {
    fn info(&self) -> &ProviderInfo {
        self.inner.info()
    }

    fn draft(&self, prompt: &Prompt) -> Result<Option<Draft>> {
        self.inner.draft(prompt)
    }

    fn ask<'a>(&'a self, prompt: &'a Prompt, cancellation: &'a Cancellation) -> AnswerStream<'a> {
        let answer = async move {
            let hold = match self.hold(prompt).await {
                Ok(hold) => hold,
                Err(error) => return stream::iter([Err(error)]).boxed(),
            };
            let start = (self.inner.ask(prompt, cancellation), Some(hold), None);
            stream::unfold(start, move |(mut events, mut hold, mut usage)| async move {
                let event = events.next().await?;
                match &event {
                    Ok(AnswerEvent::Usage(told)) => usage = Some(*told),
                    Ok(AnswerEvent::Delta(_) | AnswerEvent::Waited(_)) => {}
                    Ok(AnswerEvent::Done(_)) => {
                        if let Some(hold) = hold.take() {
                            hold.pay(usage, self.prices());
                        }
                    }
                    // Nothing was answered.
                    Err(_) => {
                        if let Some(mut hold) = hold.take() {
                            hold.settle(0.0);
                        }
                    }
                }
                Some((event, (events, hold, usage)))
            })
            .boxed()
        };
        stream::once(answer).flatten().boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRICES: Prices = Prices {
        input: 1e6,
        output: 1e6,
        cached: None,
    };

    fn usage(input_tokens: u64, output_tokens: u64) -> Usage {
        Usage {
            input_tokens,
            output_tokens,
            cached_tokens: 0,
        }
    }

    #[tokio::test]
    async fn nothing_is_asked_that_could_pass_the_limit() {
        let purse = Purse::new(Some(100.0));
        // The first may take twice as much prompt as is thought.
        let first = purse.hold(10.0, 20.0).await.unwrap();
        assert!(
            purse.try_hold(1.0, 1.0).unwrap().is_none(),
            "it waits for the first"
        );
        first.pay(Some(usage(15, 5)), PRICES);
        assert_eq!(purse.spent(), 20.0);
        // From then on one and a half times.
        let second = purse.hold(10.0, 20.0).await.unwrap();
        let third = purse.hold(10.0, 20.0).await.unwrap();
        assert!(
            purse.try_hold(10.0, 20.0).unwrap().is_none(),
            "others may leave enough"
        );
        second.pay(Some(usage(15, 20)), PRICES);
        third.pay(Some(usage(15, 20)), PRICES);
        assert_eq!(purse.spent(), 90.0);
        let error = purse.hold(10.0, 20.0).await.map(drop).unwrap_err();
        assert!(error.message().contains("may cost $35"), "{error}");
        assert!(purse.is_used_up());
    }

    #[tokio::test]
    async fn what_is_not_told_or_called_off_is_paid_for() {
        let purse = Purse::new(None);
        purse.hold(10.0, 20.0).await.unwrap().pay(None, PRICES);
        assert_eq!(purse.spent(), 40.0);
        drop(purse.hold(10.0, 20.0).await.unwrap());
        assert_eq!(purse.spent(), 80.0);
        assert_eq!(purse.asked(), 2);
    }
}
