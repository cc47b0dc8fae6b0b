//! How sure a figure is: bootstrap intervals over images, and two runs on the same samples.
//!
//! Images are drawn, not expressions: those of one image hang together (Efron and Tibshirani, *An
//! Introduction to the Bootstrap*, 1993, chapters 8 and 13).

use super::Ratio;
use crate::random::SplitMix;

/// How often images are drawn again.
pub const DRAWS: usize = 1000;

/// Between which values 95 % of draws lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// 2.5 % are below.
    pub low: f64,
    /// 2.5 % are above.
    pub high: f64,
}

/// How much better the second of two runs is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The second run's value less the first's.
    pub value: f64,
    /// Its interval.
    pub interval: Interval,
    /// Two-sided: how often a draw falls on the other side of 0, or further.
    pub p: f64,
}

/// The 95 % interval of the ratio of sums, over `draws` draws of the groups with replacement. The
/// same seed gives the same interval. `None` if there is nothing to draw.
pub fn bootstrap(groups: &[Ratio], draws: usize, seed: u64) -> Option<Interval> {
    let mut random = SplitMix::new(seed);
    let mut values: Vec<f64> = (0..draws)
        .filter_map(|_| {
            let drawn = groups.iter().map(|_| random.below(groups.len()));
            let drawn = drawn.filter_map(|at| groups.get(at));
            drawn.sum::<Ratio>().value()
        })
        .collect();
    interval(&mut values)
}

/// Two runs over the same groups, in the same order: the same groups are drawn for both.
pub fn paired(first: &[Ratio], second: &[Ratio], draws: usize, seed: u64) -> Option<Difference> {
    let pairs: Vec<(&Ratio, &Ratio)> = first.iter().zip(second).collect();
    let difference = |drawn: &mut dyn Iterator<Item = usize>| {
        let (mut a, mut b) = (Ratio::default(), Ratio::default());
        for (of_first, of_second) in drawn.filter_map(|at| pairs.get(at)) {
            a += **of_first;
            b += **of_second;
        }
        Some(b.value()? - a.value()?)
    };
    let value = difference(&mut (0..pairs.len()))?;
    let mut random = SplitMix::new(seed);
    let mut values: Vec<f64> = (0..draws)
        .filter_map(|_| {
            let mut drawn = (0..pairs.len()).map(|_| random.below(pairs.len()));
            difference(&mut drawn)
        })
        .collect();
    let share = |is_there: &dyn Fn(f64) -> bool| {
        values.iter().filter(|value| is_there(**value)).count() as f64 / values.len() as f64
    };
    let p = 2.0 * share(&|value| value <= 0.0).min(share(&|value| value >= 0.0));
    Some(Difference {
        value,
        p: p.min(1.0),
        interval: interval(&mut values)?,
    })
}

/// McNemar's exact test, two-sided: the p of so uneven a split of the samples that one run alone
/// got right (McNemar 1947; binomial form).
pub fn mcnemar(only_first: u64, only_second: u64) -> f64 {
    let all = only_first + only_second;
    let fewer = only_first.min(only_second);
    // ln of (all over k) / 2^all, from one k to the next.
    let mut log = -(all as f64) * std::f64::consts::LN_2;
    let mut below = 0.0;
    for k in 0..=fewer {
        below += log.exp();
        log += ((all - k) as f64).ln() - ((k + 1) as f64).ln();
    }
    (2.0 * below).min(1.0)
}

fn interval(values: &mut [f64]) -> Option<Interval> {
    values.sort_unstable_by(f64::total_cmp);
    Some(Interval {
        low: quantile(values, 0.025)?,
        high: quantile(values, 0.975)?,
    })
}

/// Between the two nearest of sorted values, by how near they are.
fn quantile(values: &[f64], share: f64) -> Option<f64> {
    let place = share * (values.len().checked_sub(1)?) as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    let (low, high) = (*values.get(low)?, *values.get(high)?);
    Some(low + (high - low) * place.fract())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many hits of so many.
    fn run(hits: usize, all: usize) -> Vec<Ratio> {
        (0..all).map(|at| Ratio::hit(at < hits)).collect()
    }

    #[test]
    fn a_share_of_100_is_known_to_seven_points() {
        let Interval { low, high } = bootstrap(&run(86, 100), DRAWS, 0).unwrap();
        assert!((0.77..=0.81).contains(&low), "{low}");
        assert!((0.90..=0.94).contains(&high), "{high}");
        assert_eq!(
            bootstrap(&run(5, 5), DRAWS, 1).unwrap(),
            Interval {
                low: 1.0,
                high: 1.0
            }
        );
        assert_eq!(bootstrap(&[], DRAWS, 1), None);
    }

    #[test]
    fn the_same_seed_gives_the_same_interval() {
        let draw = |seed| bootstrap(&run(30, 77), 200, seed);
        assert_eq!(draw(3), draw(3));
    }

    #[test]
    fn pairs_are_surer_than_two_runs_apart() {
        let (first, second) = (run(50, 100), run(60, 100));
        let paired = paired(&first, &second, DRAWS, 0).unwrap();
        assert!((paired.value - 0.1).abs() < 1e-12);
        assert!(paired.interval.low > 0.0 && paired.p < 0.01, "{paired:?}");
        let same = super::paired(&first, &first, DRAWS, 0).unwrap();
        assert_eq!((same.value, same.p), (0.0, 1.0));
    }

    #[test]
    fn mcnemar_is_the_binomial_test() {
        // Twice the sum of (10 over 0..=1) / 2^10.
        assert!((mcnemar(1, 9) - 22.0 / 1024.0).abs() < 1e-12);
        assert_eq!(mcnemar(0, 0), 1.0);
        assert_eq!(mcnemar(5, 5), 1.0);
        assert!(mcnemar(0, 3000) < 1e-300);
    }
}
