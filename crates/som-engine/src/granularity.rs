//! The granularity slider over the segmenters that there are.
//!
//! > settings + registry → steps → the segmenter of a request, and what it is told

use std::ops::RangeInclusive;

use serde_json::Value;
use som_core::{
    Capability, Error, Hints, Params, Result,
    granularity::{self, Granularity, MAX_GRANULARITY, MIN_GRANULARITY, Pick, Start, Step},
};

use crate::{
    registry::{KnownSegmenter, Provenance, Registry},
    request::SegmenterChoice,
    settings::{Settings, StepSettings},
};

/// The most steps that the levels of one segmenter are spread over.
const MAX_STEPS: i64 = 100;

/// Who cuts, what it is told, and why it if a granularity chose it.
pub(crate) struct Chosen {
    pub(crate) segmenter: String,
    pub(crate) params: Params,
    pub(crate) granularity: Option<Granularity>,
}

/// Who cuts as `choice` says, and where it says nothing as `settings` do.
///
/// # Errors
/// Invalid for a segmenter beside a granularity, for what is no granularity, and for malformed
/// hints; else as [`steps`].
pub(crate) async fn choose(
    choice: SegmenterChoice,
    registry: &Registry,
    settings: &Settings,
) -> Result<Chosen> {
    let SegmenterChoice {
        id,
        mut params,
        granularity,
    } = choice;
    let named = |segmenter, params| Chosen {
        segmenter,
        params,
        granularity: None,
    };
    let value = match (id, granularity) {
        (Some(_), Some(_)) => {
            return Err(Error::invalid(
                "granularity chooses the segmenter: leave out one of them",
            ));
        }
        (Some(id), None) => return Ok(named(id, params)),
        (None, Some(value)) => value,
        (None, None) => match settings.mark.granularity() {
            Some(value) => value,
            None => return Ok(named(settings.mark.segmenter.clone(), params)),
        },
    };
    granularity::check(value)?;
    let is_hinted = Hints::from_params(&params)?.is_some();
    let steps = steps(registry, settings).await?;
    let (pick, mut granularity) = granularity::choose(&steps, value, is_hinted)?;
    for (key, value) in &pick.params {
        if params.contains_key(key) {
            granularity.reason += &format!("; but the request sets {key}");
        } else {
            params.insert(key.clone(), value.clone());
        }
    }
    tracing::info!(
        segmenter = %pick.segmenter,
        granularity = value,
        reason = %granularity.reason,
        "granularity chose the segmenter"
    );
    Ok(Chosen {
        segmenter: pick.segmenter.clone(),
        params,
        granularity: Some(granularity),
    })
}

/// Who answers to which granularity: the steps in the settings, as far as their segmenters can be
/// used. The nearest step takes over from one whose segmenter cannot. If none can, the levels of
/// the usual segmenter are spread evenly.
///
/// # Errors
/// As [`SegmenterEntry::reach`](crate::registry::SegmenterEntry::reach), where the usual segmenter
/// has to be asked for its levels; NotFound, if there is none of its name.
pub async fn steps(registry: &Registry, settings: &Settings) -> Result<Vec<Step>> {
    let slider = Slider {
        registry,
        settings,
        steps: &settings.granularity.steps,
    };
    let count = slider.steps.len();
    let step = |index: usize| {
        Some(Step {
            start: slider.steps[index].start,
            everything: slider.everything(index)?,
            hinted: slider.hinted(index)?,
        })
    };
    let steps: Option<Vec<Step>> = (0..count).map(step).collect();
    match steps {
        Some(steps) => Ok(steps),
        None => slider.spread().await,
    }
}

/// The steps of the settings, over what there is.
struct Slider<'a> {
    registry: &'a Registry,
    settings: &'a Settings,
    steps: &'a [StepSettings],
}

impl Slider<'_> {
    /// Who cuts everything on a step; `None`, if no step has a segmenter that can be used.
    fn everything(&self, index: usize) -> Option<Pick> {
        let step = &self.steps[index];
        match self.obstacle(&step.segmenter) {
            None => Some(step.pick()),
            Some(obstacle) => {
                let near = self.nearest(index)?;
                Some(because(
                    taken_over(&obstacle, &self.steps[near]),
                    self.steps[near].pick(),
                ))
            }
        }
    }

    /// Who cuts what hints point at on a step; `None` as in [`everything`](Self::everything).
    fn hinted(&self, index: usize) -> Option<Pick> {
        let step = &self.steps[index];
        let missing = match &step.hinted {
            Some(id) if *id != step.segmenter => match self.obstacle(id) {
                None => {
                    return Some(Pick {
                        segmenter: id.clone(),
                        ..Pick::default()
                    });
                }
                Some(obstacle) => Some(format!("hints are for {id}, but {obstacle}")),
            },
            _ => None,
        };
        let pick = match self.obstacle(&step.segmenter) {
            None => step.pick(),
            Some(obstacle) => {
                let near = self.nearest(index)?;
                // Whose own segmenter can be used, so that this goes no further.
                because(taken_over(&obstacle, &self.steps[near]), self.hinted(near)?)
            }
        };
        Some(match missing {
            None => pick,
            Some(why) => because(why, pick),
        })
    }

    /// The step nearest to one whose segmenter cannot be used; of two the coarser one.
    fn nearest(&self, index: usize) -> Option<usize> {
        let can_be_used = |near: &usize| self.obstacle(&self.steps[*near].segmenter).is_none();
        let candidates = (0..self.steps.len()).filter(can_be_used);
        candidates.min_by(|&a, &b| self.gap(index, a).total_cmp(&self.gap(index, b)))
    }

    /// How far two steps lie apart on the slider.
    fn gap(&self, a: usize, b: usize) -> f64 {
        let (first, second) = (a.min(b), a.max(b));
        let end = self.steps.get(first + 1);
        let end = end.map_or(MAX_GRANULARITY, |next| next.start.value());
        self.steps[second].start.value() - end
    }

    /// Why segmenter `id` cannot be used as the settings are; `None`, if nothing is known against it.
    fn obstacle(&self, id: &str) -> Option<String> {
        let Ok(entry) = self.registry.segmenter(id) else {
            return Some(format!("{id} is not there"));
        };
        // One that is made of two can be used if they can.
        let mut parts = entry.parts().into_iter().flatten();
        if let Some(obstacle) = parts.find_map(|part| self.obstacle(part)) {
            return Some(obstacle);
        }
        // What stands behind endpoints was given its weights there.
        if matches!(entry.provenance(), Provenance::Remote(_)) {
            return None;
        }
        let known = entry.known()?;
        if known.options().known().all(|option| option != "weights") {
            return None;
        }
        let table = self.settings.segmenter.get(id);
        let weights = table.and_then(|table| table.get("weights"));
        match weights.and_then(Value::as_str) {
            Some(weights) if !weights.is_empty() => None,
            _ => Some(format!(
                "{id} has no weights configured (segmenter.{id}.weights)"
            )),
        }
    }

    /// The levels of the usual segmenter, from the lowest to the highest, in steps of one width.
    async fn spread(&self) -> Result<Vec<Step>> {
        let id = &self.settings.mark.segmenter;
        let known = self.registry.segmenter(id)?.reach().await?;
        let mut why: Vec<String> = Vec::new();
        for step in self.steps {
            if let Some(obstacle) = self.obstacle(&step.segmenter)
                && !why.contains(&obstacle)
            {
                why.push(obstacle);
            }
        }
        let Some(levels) = levels(&known) else {
            why.push(format!("{id}, which has no levels, answers to all"));
            let pick = Pick {
                segmenter: id.clone(),
                params: Params::new(),
                why: why.join("; "),
            };
            return Ok(vec![alike(Start::From(MIN_GRANULARITY), pick)]);
        };
        why.push(format!("the levels of {id} are spread evenly"));
        let why = why.join("; ");
        let width = levels.end() - levels.start();
        let count = (width + 1).min(MAX_STEPS);
        let step = |index: i64| {
            let share = index as f64 / count as f64;
            let start = MIN_GRANULARITY + share * (MAX_GRANULARITY - MIN_GRANULARITY);
            // As a person writes it.
            let start = (start * 100.0).round() / 100.0;
            // Without a remainder, unless there are more levels than steps.
            let level = levels.start() + index * width / (count - 1).max(1);
            let pick = Pick {
                segmenter: id.clone(),
                params: Params::from_iter([("level".to_owned(), level.into())]),
                why: why.clone(),
            };
            alike(Start::From(start), pick)
        };
        Ok((0..count).map(step).collect())
    }
}

impl StepSettings {
    /// Its own segmenter.
    fn pick(&self) -> Pick {
        Pick {
            segmenter: self.segmenter.clone(),
            params: self.params.clone(),
            why: String::new(),
        }
    }
}

/// A step on which hints change nothing.
fn alike(start: Start, pick: Pick) -> Step {
    Step {
        start,
        hinted: pick.clone(),
        everything: pick,
    }
}

fn taken_over(obstacle: &str, near: &StepSettings) -> String {
    format!("{obstacle}; the nearest step is {}", near.start)
}

/// `pick` with one more reason, before its own.
fn because(why: String, pick: Pick) -> Pick {
    let why = match pick.why.as_str() {
        "" => why,
        own => format!("{why}; {own}"),
    };
    Pick { why, ..pick }
}

/// The levels of a segmenter, if it has some.
fn levels(known: &KnownSegmenter) -> Option<RangeInclusive<i64>> {
    let descriptor = known.descriptor();
    if !descriptor.capabilities.contains(&Capability::Levels) {
        return None;
    }
    let level = descriptor.params.pointer("/properties/level")?;
    let bound = |name: &str| {
        let bound = level.get(name)?.as_i64()?;
        i32::try_from(bound).ok().map(i64::from)
    };
    let levels = bound("minimum")?..=bound("maximum")?;
    (!levels.is_empty()).then_some(levels)
}
