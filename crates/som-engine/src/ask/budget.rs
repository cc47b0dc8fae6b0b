//! What a request may cost, and what it has cost.

use som_core::{Error, Prices, ProviderInfo, Result, Usage};

/// What one request may cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Most tokens of all its answers together; `None` for the provider's own limits.
    pub max_tokens: Option<u32>,
    /// How often the model may be asked for one answer: 1, or 2 to let it mend an answer that
    /// names marks which are not there.
    pub max_rounds: u32,
    /// US dollars after which nothing more is asked; `None` for no limit.
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
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Spent {
    pub(super) rounds: u32,
    pub(super) usage: Option<Usage>,
    pub(super) cost: Option<f64>,
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

impl Spent {
    /// Adds one round.
    pub(super) fn add(&mut self, usage: Option<Usage>, prices: Option<Prices>) {
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
            is_unknown: false,
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
        spent.add(None, None);
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
            spent.add(Some(most), None);
        }
        assert_eq!(spent.usage, Some(most));
    }
}
