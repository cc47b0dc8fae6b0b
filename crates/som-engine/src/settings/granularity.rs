//! `[granularity]`: which segmenter answers to which granularity.

use serde::{Deserialize, Serialize};
use som_core::{
    Error, Named, Params, Result,
    granularity::{MAX_GRANULARITY, MIN_GRANULARITY, Start, check},
};

/// The granularity slider, as long as every segmenter can be used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written")]
pub struct GranularitySettings {
    /// From the coarsest to the finest; the first one begins from [`MIN_GRANULARITY`].
    pub steps: Vec<StepSettings>,
}

/// A step of the slider. It holds from its start to that of the next one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "WrittenStep", into = "WrittenStep")]
pub struct StepSettings {
    /// Where it begins.
    pub start: Start,
    /// Id of the segmenter that cuts.
    pub segmenter: String,
    /// What it is told; parameters of a request go before these.
    pub params: Params,
    /// Id of the segmenter that cuts what hints point at; `None` for the same one.
    pub hinted: Option<String>,
}

/// The table as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    steps: Vec<StepSettings>,
}

/// A step as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenStep {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    above: Option<f64>,
    segmenter: String,
    #[serde(default, skip_serializing_if = "Params::is_empty")]
    params: Params,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hinted: Option<String>,
}

impl TryFrom<Written> for GranularitySettings {
    type Error = Error;

    fn try_from(Written { steps }: Written) -> Result<Self> {
        let Some(first) = steps.first() else {
            return Err(Error::invalid("steps has no step"));
        };
        if first.start != Start::From(MIN_GRANULARITY) {
            return Err(Error::invalid(format!(
                "steps[0] begins {}, but the first step begins from {MIN_GRANULARITY}",
                first.start
            )));
        }
        let pairs = steps.windows(2).zip(1..);
        for (pair, index) in pairs {
            let (before, step) = (pair[0].start, pair[1].start);
            if !before.is_before(step) {
                return Err(Error::invalid(format!(
                    "steps[{index}] begins {step}, but the step before it {before}: they must rise"
                )));
            }
        }
        Ok(Self { steps })
    }
}

impl TryFrom<WrittenStep> for StepSettings {
    type Error = Error;

    fn try_from(written: WrittenStep) -> Result<Self> {
        let start = match (written.from, written.above) {
            (Some(value), None) => Start::From(value),
            (None, Some(value)) => Start::Above(value),
            _ => return Err(Error::invalid("a step has either `from` or `above`")),
        };
        check(start.value()).map_err(|error| error.at(format!("a step that begins {start}")))?;
        if start == Start::Above(MAX_GRANULARITY) {
            return Err(Error::invalid(format!(
                "a step that begins {start}: no granularity is"
            )));
        }
        Named::Plugin.check("segmenter", &written.segmenter)?;
        if let Some(id) = &written.hinted {
            Named::Plugin.check("hinted", id)?;
        }
        Ok(Self {
            start,
            segmenter: written.segmenter,
            params: written.params,
            hinted: written.hinted,
        })
    }
}

impl From<StepSettings> for WrittenStep {
    fn from(step: StepSettings) -> Self {
        let (from, above) = match step.start {
            Start::From(value) => (Some(value), None),
            Start::Above(value) => (None, Some(value)),
        };
        Self {
            from,
            above,
            segmenter: step.segmenter,
            params: step.params,
            hinted: step.hinted,
        }
    }
}
