//! The granularity slider: its steps, and the value that was asked for.

use som_core::{
    Error, Result,
    granularity::{Granularity, Pick, Start, Step},
};

use crate::{params, pb::v1 as pb};

/// To the wire.
pub fn to_wire(granularity: &Granularity) -> pb::Granularity {
    pb::Granularity {
        value: granularity.value,
        reason: granularity.reason.clone(),
    }
}

/// From the wire.
pub fn from_wire(wire: pb::Granularity) -> Granularity {
    Granularity {
        value: wire.value,
        reason: wire.reason,
    }
}

/// To the wire.
pub fn step_to_wire(step: &Step) -> pb::GranularityStep {
    pb::GranularityStep {
        start: step.start.value(),
        above: matches!(step.start, Start::Above(_)),
        everything: Some(pick_to_wire(&step.everything)),
        hinted: Some(pick_to_wire(&step.hinted)),
    }
}

/// From the wire.
///
/// # Errors
/// Invalid, if a part is missing, or a parameter is no JSON.
pub fn step_from_wire(wire: pb::GranularityStep) -> Result<Step> {
    let start = match wire.above {
        true => Start::Above(wire.start),
        false => Start::From(wire.start),
    };
    let pick = |name: &str, pick: Option<pb::GranularityPick>| {
        let pick = pick.ok_or_else(|| Error::invalid(format!("{name} is not set")));
        pick.and_then(pick_from_wire)
            .map_err(|error| error.at(format!("the step of granularity that begins {start}")))
    };
    Ok(Step {
        start,
        everything: pick("everything", wire.everything)?,
        hinted: pick("hinted", wire.hinted)?,
    })
}

fn pick_to_wire(pick: &Pick) -> pb::GranularityPick {
    pb::GranularityPick {
        segmenter: pick.segmenter.clone(),
        params: Some(params::to_wire(&pick.params)),
        why: pick.why.clone(),
    }
}

fn pick_from_wire(wire: pb::GranularityPick) -> Result<Pick> {
    Ok(Pick {
        segmenter: wire.segmenter,
        params: params::from_wire(wire.params)?,
        why: wire.why,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn steps_and_values_come_back_as_they_were() {
        let granularity = Granularity {
            value: 2.5,
            reason: "2.5 is above 2: sam".into(),
        };
        assert_eq!(from_wire(to_wire(&granularity)), granularity);
        for start in [Start::From(1.0), Start::Above(2.5)] {
            let step = Step {
                start,
                everything: Pick {
                    segmenter: "semantic-sam".into(),
                    params: som_core::Params::from_iter([("level".into(), json!([6, 1]))]),
                    why: "seem is not there".into(),
                },
                hinted: Pick {
                    segmenter: "sam".into(),
                    ..Pick::default()
                },
            };
            assert_eq!(step_from_wire(step_to_wire(&step)).unwrap(), step);
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let wire = pb::GranularityStep {
            start: 1.5,
            ..pb::GranularityStep::default()
        };
        let error = step_from_wire(wire).unwrap_err();
        assert_eq!(
            error.message(),
            "the step of granularity that begins from 1.5: everything is not set"
        );
    }
}
