//! One slider over all segmenters: granularity → segmenter and parameters.
//!
//! The idea is that of the official demo (microsoft/SoM, `demo_som.py`), whose thresholds are the
//! steps that som starts with.

use std::fmt;

use serde::Serialize;

use crate::{Error, Params, Result};

/// The coarsest granularity.
pub const MIN_GRANULARITY: f64 = 1.0;

/// The finest granularity.
pub const MAX_GRANULARITY: f64 = 3.0;

/// A granularity that was asked for, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Granularity {
    /// From [`MIN_GRANULARITY`] to [`MAX_GRANULARITY`].
    pub value: f64,
    /// Why this segmenter answered in this way: `1.7 is from 1.64: semantic-sam, level [2]`.
    pub reason: String,
}

/// A step of the slider. It holds from its start to that of the next one.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Where it begins.
    pub start: Start,
    /// Who cuts everything.
    pub everything: Pick,
    /// Who cuts what hints point at.
    pub hinted: Pick,
}

/// Where a step begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Start {
    /// With this value.
    From(f64),
    /// Behind this value.
    Above(f64),
}

/// A segmenter, and what it is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pick {
    /// Segmenter id.
    pub segmenter: String,
    /// Parameters of its calls; those of a request go before them.
    pub params: Params,
    /// Why it, if the settings name another one; else empty.
    pub why: String,
}

/// Refuses what is no granularity.
///
/// # Errors
/// Invalid, telling the range.
pub fn check(value: f64) -> Result<()> {
    match (MIN_GRANULARITY..=MAX_GRANULARITY).contains(&value) {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "granularity is {value}, but must be from {MIN_GRANULARITY} (coarsest) to {MAX_GRANULARITY} (finest)"
        ))),
    }
}

/// Who answers to the granularity `value`, with hints or without, and why. `steps` begin one after
/// the other.
///
/// # Errors
/// Invalid for what is no granularity; Unavailable, if no step begins at or below it.
pub fn choose(steps: &[Step], value: f64, is_hinted: bool) -> Result<(&Pick, Granularity)> {
    check(value)?;
    let mut from_the_finest = steps.iter().rev();
    let step = from_the_finest.find(|step| step.start.is_reached_by(value));
    let Some(Step {
        start,
        everything,
        hinted,
    }) = step
    else {
        return Err(Error::unavailable(format!(
            "granularity {value}: no step begins there"
        )));
    };
    let (pick, hints) = match is_hinted {
        false => (everything, ""),
        true if hinted == everything => (hinted, ""),
        true => (hinted, ", with hints"),
    };
    let mut reason = format!("{value} is {start}{hints}: {pick}");
    if !pick.why.is_empty() {
        reason = format!("{reason}; {}", pick.why);
    }
    Ok((pick, Granularity { value, reason }))
}

impl Start {
    /// Its number.
    pub const fn value(self) -> f64 {
        match self {
            Self::From(value) | Self::Above(value) => value,
        }
    }

    /// True if a step that begins here holds for `granularity`, unless a later one does.
    pub fn is_reached_by(self, granularity: f64) -> bool {
        match self {
            Self::From(value) => granularity >= value,
            Self::Above(value) => granularity > value,
        }
    }

    /// True if a step that begins here comes before one that begins at `other`.
    pub fn is_before(self, other: Self) -> bool {
        let is_above = |start| matches!(start, Self::Above(_));
        self.value() < other.value()
            || (self.value() == other.value() && !is_above(self) && is_above(other))
    }
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From(value) => write!(f, "from {value}"),
            Self::Above(value) => write!(f, "above {value}"),
        }
    }
}

impl fmt::Display for Pick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.segmenter)?;
        let mut params = self.params.iter();
        params.try_for_each(|(key, value)| write!(f, ", {key} {value}"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::ErrorKind;

    fn pick(segmenter: &str, level: serde_json::Value) -> Pick {
        let params = match level.is_null() {
            true => Params::new(),
            false => Params::from_iter([("level".to_owned(), level)]),
        };
        Pick {
            segmenter: segmenter.into(),
            params,
            why: String::new(),
        }
    }

    /// The steps of the official demo.
    fn demo() -> Vec<Step> {
        let alone = |start, segmenter: &str| Step {
            start,
            everything: pick(segmenter, json!(null)),
            hinted: pick(segmenter, json!(null)),
        };
        let level = |start, level| Step {
            start: Start::From(start),
            everything: pick("semantic-sam", level),
            hinted: pick("sam", json!(null)),
        };
        vec![
            alone(Start::From(1.0), "seem"),
            level(1.5, json!([1])),
            level(1.64, json!([2])),
            level(1.78, json!([3])),
            level(1.92, json!([4])),
            level(2.06, json!([5])),
            level(2.2, json!([6])),
            level(2.34, json!([6, 1, 2, 3, 4, 5])),
            alone(Start::Above(2.5), "sam"),
        ]
    }

    #[test]
    fn each_value_has_the_step_of_the_demo() {
        let steps = demo();
        for (value, reason) in [
            (1.0, "1 is from 1: seem"),
            (1.4999, "1.4999 is from 1: seem"),
            (1.5, "1.5 is from 1.5: semantic-sam, level [1]"),
            (1.6399, "1.6399 is from 1.5: semantic-sam, level [1]"),
            (1.64, "1.64 is from 1.64: semantic-sam, level [2]"),
            (2.2, "2.2 is from 2.2: semantic-sam, level [6]"),
            (2.3399, "2.3399 is from 2.2: semantic-sam, level [6]"),
            (2.34, "2.34 is from 2.34: semantic-sam, level [6,1,2,3,4,5]"),
            (2.5, "2.5 is from 2.34: semantic-sam, level [6,1,2,3,4,5]"),
            (2.5001, "2.5001 is above 2.5: sam"),
            (3.0, "3 is above 2.5: sam"),
        ] {
            let (pick, granularity) = choose(&steps, value, false).unwrap();
            assert_eq!((granularity.value, &*granularity.reason), (value, reason));
            assert!(reason.contains(&pick.to_string()));
        }
    }

    #[test]
    fn hints_have_a_segmenter_of_their_own() {
        let steps = demo();
        for (value, reason) in [
            (1.2, "1.2 is from 1: seem"),
            (2.0, "2 is from 1.92, with hints: sam"),
            (2.9, "2.9 is above 2.5: sam"),
        ] {
            let (_, granularity) = choose(&steps, value, true).unwrap();
            assert_eq!(granularity.reason, reason);
        }
    }

    #[test]
    fn a_substitute_says_why() {
        let mut steps = demo();
        steps[0].everything = Pick {
            why: "seem is not there; the nearest step is from 1.5".into(),
            ..pick("semantic-sam", json!([1]))
        };
        let (pick, granularity) = choose(&steps, 1.1, false).unwrap();
        assert_eq!(pick.segmenter, "semantic-sam");
        assert_eq!(
            granularity.reason,
            "1.1 is from 1: semantic-sam, level [1]; seem is not there; the nearest step is from 1.5"
        );
    }

    #[test]
    fn what_is_outside_is_refused_with_the_range() {
        for (value, shown) in [
            (f64::NAN, "NaN"),
            (0.9, "0.9"),
            (3.1, "3.1"),
            (-2.0, "-2"),
            (f64::INFINITY, "inf"),
        ] {
            let error = choose(&demo(), value, false).unwrap_err();
            let message =
                format!("granularity is {shown}, but must be from 1 (coarsest) to 3 (finest)");
            assert_eq!(
                (error.kind(), error.message()),
                (ErrorKind::Invalid, &*message)
            );
        }
        let error = choose(&[], 2.0, false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
    }

    #[test]
    fn starts_follow_one_another() {
        let (from, above) = (Start::From, Start::Above);
        for (first, second) in [
            (from(1.0), from(1.5)),
            (from(2.5), above(2.5)),
            (above(1.5), from(1.6)),
        ] {
            assert!(first.is_before(second), "{first}, {second}");
            assert!(!second.is_before(first), "{first}, {second}");
        }
        assert!(!from(2.0).is_before(from(2.0)));
        assert!(!above(2.0).is_before(above(2.0)));
    }
}
