//! How times are spread.

use serde::Serialize;

/// How values are spread.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// Half of them are less.
    pub median: f64,
    /// 95 of 100 are less.
    pub p95: f64,
}

impl Spread {
    /// Of these values; zeros of none.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        // The nearest rank.
        let at = |share: f64| {
            let rank = (share * values.len() as f64).ceil() as usize;
            values
                .get(rank.saturating_sub(1))
                .copied()
                .unwrap_or_default()
        };
        Self {
            median: at(0.5),
            p95: at(0.95),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_spread_is_by_rank() {
        let values = (1..=100).rev().map(f64::from).collect();
        let spread = Spread::of(values);
        assert_eq!((spread.median, spread.p95), (50.0, 95.0));
        assert_eq!(Spread::of(Vec::new()), Spread::default());
        assert_eq!(Spread::of(vec![7.0]).p95, 7.0);
    }
}
