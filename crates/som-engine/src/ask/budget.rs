//! What a request may cost, what it has cost, and what a further round would.

use som_core::{Error, Part, Prices, Prompt, ProviderInfo, Result, Usage};

/// An answer with room for fewer tokens than this says nothing.
const MIN_ANSWER: u32 = 16;

/// What one request may cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Most tokens of all its answers together; `None` for the provider's own limits.
    pub max_tokens: Option<u32>,
    /// How often the model may be asked for one answer: 1, or 2 to let it mend an answer that
    /// names marks which are not there.
    pub max_rounds: u32,
    /// The most US dollars that all its requests may cost: one that may cost more is not sent, and
    /// its answer is cut where they would be used up; `None` for no limit.
    pub max_cost: Option<f64>,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            max_tokens: None,
            max_rounds: 2,
            max_cost: None,
        }
    }
}

/// What all rounds of one request have taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spent {
    pub(super) rounds: u32,
    pub(super) usage: Option<Usage>,
    pub(super) cost: Option<f64>,
    /// How many times as many tokens as expected a prompt turned out to have, where it were more.
    excess: f64,
    /// A provider did not say what an answer took.
    pub(super) is_unknown: bool,
}

impl Budget {
    /// Checks the limits by themselves, and against what is known of the model.
    pub(super) fn check(&self, info: &ProviderInfo) -> Result<()> {
        if self.max_rounds == 0 || self.max_tokens == Some(0) {
            return Err(Error::invalid(
                "max_rounds and max_tokens must be at least 1",
            ));
        }
        match self.max_cost {
            Some(cost) if !(cost.is_finite() && cost > 0.0) => Err(Error::invalid(format!(
                "max_cost is {cost} (it must be more than 0)"
            ))),
            Some(_) if info.prices.is_none() => Err(Error::invalid(format!(
                "max_cost needs the prices of lmm \"{0}\" (set lmm.{0}.prices)",
                info.name
            ))),
            _ => Ok(()),
        }
    }

    /// The tokens left for the answer to `prompt`, which `info` is asked.
    ///
    /// # Errors
    /// Why it may not be asked.
    pub(super) fn room_for(
        &self,
        prompt: &Prompt,
        info: &ProviderInfo,
        spent: &Spent,
    ) -> Result<Option<u32>, String> {
        let room = self.room(spent)?;
        let (Some(limit), Some(prices)) = (self.max_cost, info.prices) else {
            return Ok(room);
        };
        let left = limit - spent.cost.unwrap_or_default();
        let tokens = (most_tokens(prompt, info) as f64 * spent.excess).ceil();
        // Where nothing is kept at the far side, all of it is new.
        let asking = tokens * prices.input.max(prices.cached.unwrap_or_default()) / 1e6;
        // As a price of nothing has it, more than any number of tokens.
        let affordable = ((left - asking) / (prices.output / 1e6)).floor();
        if asking > left || affordable < f64::from(MIN_ANSWER) {
            return Err(format!(
                "the budget of ${limit} has ${left:.4} left, but a further request may have up to \
                 {tokens} tokens, and an answer needs some, too"
            ));
        }
        let affordable = affordable.min(f64::from(u32::MAX)) as u32;
        Ok(Some(room.map_or(affordable, |room| room.min(affordable))))
    }

    /// The tokens left for the next answer.
    ///
    /// # Errors
    /// Why nothing more may be asked.
    pub(super) fn room(&self, spent: &Spent) -> Result<Option<u32>, String> {
        if spent.is_unknown && (self.max_cost.is_some() || self.max_tokens.is_some()) {
            return Err(
                "the provider does not say what an answer took, so a budget allows no further one"
                    .to_owned(),
            );
        }
        if let (Some(limit), Some(cost)) = (self.max_cost, spent.cost)
            && cost >= limit
        {
            return Err(format!("the budget of ${limit} is used up"));
        }
        let used = spent.usage.map_or(0, |usage| usage.output_tokens);
        match self.max_tokens {
            Some(limit) if used >= u64::from(limit) => {
                Err(format!("the budget of {limit} tokens is used up"))
            }
            // What is used is less than the limit, so it fits.
            Some(limit) => Ok(Some(limit - used as u32)),
            None => Ok(None),
        }
    }
}

/// The most tokens that `prompt` is expected to have as `info` sees it. A token of text has at least
/// a byte; one of an image is a patch of 14 pixels a side, the smallest in use (LLaVA-1.5; Qwen2-VL
/// makes one of four), beside thumbnails and what is counted for every image.
pub(super) fn most_tokens(prompt: &Prompt, info: &ProviderInfo) -> u64 {
    const PATCH: u64 = 14 * 14;
    const OF_EACH_IMAGE: u64 = 512;
    const OF_EACH_TURN: u64 = 16;
    let part = |part: &Part| match part {
        Part::Text(text) => text.len() as u64,
        Part::Image(image) => OF_EACH_IMAGE + info.images.seen(image.size).pixels().div_ceil(PATCH),
    };
    let turns = prompt
        .turns
        .iter()
        .map(|turn| OF_EACH_TURN + turn.parts.iter().map(part).sum::<u64>());
    let schema = prompt.schema.iter();
    let schema = schema.map(|schema| schema.schema.to_string().len() as u64);
    let system = prompt.system.as_ref().map_or(0, String::len) as u64;
    turns.chain(schema).fold(system, u64::saturating_add)
}

impl Default for Spent {
    fn default() -> Self {
        Self {
            rounds: 0,
            usage: None,
            cost: None,
            excess: 1.0,
            is_unknown: false,
        }
    }
}

impl Spent {
    /// Adds one round, in which `prompt` was sent to `info`.
    pub(super) fn add(&mut self, prompt: &Prompt, usage: Option<Usage>, info: &ProviderInfo) {
        if let Some(usage) = usage {
            let expected = most_tokens(prompt, info).max(1) as f64;
            self.excess = self.excess.max(usage.input_tokens as f64 / expected);
        }
        self.add_usage(usage, info.prices);
    }

    fn add_usage(&mut self, usage: Option<Usage>, prices: Option<Prices>) {
        self.rounds += 1;
        let Some(new) = usage else {
            self.is_unknown = true;
            return;
        };
        let sum = self.usage.get_or_insert_default();
        for (sum, new) in [
            (&mut sum.input_tokens, new.input_tokens),
            (&mut sum.output_tokens, new.output_tokens),
            (&mut sum.cached_tokens, new.cached_tokens),
        ] {
            *sum = sum.saturating_add(new);
        }
        if let Some(prices) = prices {
            *self.cost.get_or_insert_default() += prices.cost(&new);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_shrinks_until_it_is_used_up() {
        let budget = Budget {
            max_tokens: Some(100),
            max_cost: Some(0.5),
            ..Budget::default()
        };
        let spent = |output_tokens, cost| Spent {
            rounds: 1,
            usage: Some(Usage {
                output_tokens,
                ..Usage::default()
            }),
            cost: Some(cost),
            ..Spent::default()
        };
        assert_eq!(budget.room(&Spent::default()), Ok(Some(100)));
        assert_eq!(budget.room(&spent(60, 0.1)), Ok(Some(40)));
        let used_up = |spent| budget.room(&spent).unwrap_err();
        assert_eq!(
            used_up(spent(100, 0.1)),
            "the budget of 100 tokens is used up"
        );
        assert_eq!(used_up(spent(60, 0.5)), "the budget of $0.5 is used up");
        assert_eq!(Budget::default().room(&spent(1 << 40, 9.0)), Ok(None));
    }

    #[test]
    fn what_is_not_told_is_not_taken_for_nothing() {
        let mut spent = Spent::default();
        spent.add_usage(None, None);
        assert_eq!(Budget::default().room(&spent), Ok(None));
        let budget = Budget {
            max_tokens: Some(100),
            ..Budget::default()
        };
        assert!(budget.room(&spent).unwrap_err().contains("does not say"));
    }

    #[test]
    fn absurd_counts_do_not_start_again_at_zero() {
        let most = Usage {
            input_tokens: u64::MAX,
            output_tokens: u64::MAX,
            cached_tokens: u64::MAX,
        };
        let mut spent = Spent::default();
        for _ in 0..2 {
            spent.add_usage(Some(most), None);
        }
        assert_eq!(spent.usage, Some(most));
    }
}
