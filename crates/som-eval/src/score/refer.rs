//! Expressions: boxes (REC) and masks (RES, generalized RES, ReasonSeg).

use std::borrow::Cow;

use som_core::Mask;

use super::{
    Fault, Losses,
    tally::{Measured, Scope, Tally},
};
use crate::{
    Error, Protocol, Rect, Sample, Shape, Target,
    metrics::{
        Ratio, boxes,
        masks::{Overlap, THRESHOLDS},
    },
    results::{Answer, Outcome, Reading},
};

/// The names of precision@X, by [`THRESHOLDS`].
const PRECISION: [&str; 5] = ["pr@0.5", "pr@0.6", "pr@0.7", "pr@0.8", "pr@0.9"];

/// What an expression means, with its pixels.
pub(super) struct Expected {
    /// `None` if boxes alone are known.
    mask: Option<Mask>,
    void: Option<Mask>,
    /// Of the one target; `None` if there are none or several.
    bbox: Option<Rect>,
    has_target: bool,
    protocol: Protocol,
}

impl Expected {
    pub(super) fn new(
        sample: &Sample,
        targets: &[Target],
        void: Option<&Shape>,
        protocol: Protocol,
    ) -> Result<Self, Fault> {
        let size = sample.size.unwrap_or_default();
        let cut = |shape: &Shape| {
            let mask = shape.mask(size).map(Cow::into_owned);
            mask.map_err(|error| {
                let entry = format!("sample {}", sample.id);
                Fault::Truth(Error::malformed(&sample.image, entry, error))
            })
        };
        // Without a target the mask is empty, if there is an image to be empty.
        let mut mask = sample.size.map(Mask::empty);
        for target in targets {
            mask = match (mask, &target.shape) {
                (Some(mask), Some(shape)) => Some(mask.union(&cut(shape)?)),
                _ => None,
            };
        }
        let bbox = match targets {
            [target] if protocol != Protocol::Reasoning => target
                .bbox
                .or_else(|| mask.as_ref().map(|mask| mask.bbox().into())),
            _ => None,
        };
        Ok(Self {
            mask,
            void: void.map(cut).transpose()?,
            bbox,
            has_target: !targets.is_empty(),
            protocol,
        })
    }

    fn overlap(&self, truth: &Mask, found: &Mask) -> Overlap {
        Overlap::without(truth, found, self.void.as_ref())
    }

    /// The metrics of an answer, and the box IoU and mask IoU that it reaches.
    fn measure(&self, answer: &Answer) -> Result<(Measured, [Option<f64>; 2]), Fault> {
        let mut measured = Measured::new();
        let found = match &self.mask {
            Some(truth) => Some(answer.mask(truth.size()).map_err(Fault::answer)?),
            None => None,
        };
        let mut reached = [None, None];
        if let Some(truth) = self.bbox {
            let of_mask = found.as_ref().filter(|mask| !mask.is_empty());
            let rect = Rect::around(answer.boxes.iter().copied())
                .or_else(|| of_mask.map(|mask| mask.bbox().into()));
            let iou = rect.map_or(0.0, |rect| boxes::iou(truth, rect));
            reached[0] = Some(f64::from(u8::from(iou >= 0.5)));
            measured.push((ACC, Ratio::hit(iou >= 0.5)));
            measured.push((BOX_MIOU, Ratio::one(iou)));
        }
        if let (Some(truth), Some(found)) = (&self.mask, &found) {
            let overlap = self.overlap(truth, found);
            reached[1] = Some(overlap.iou());
            let is_empty = found.is_empty() && answer.boxes.is_empty();
            self.measure_masks(overlap, is_empty, &mut measured);
        }
        Ok((measured, reached))
    }

    fn measure_masks(&self, overlap: Overlap, is_empty: bool, measured: &mut Measured) {
        measured.push((CIOU, overlap.cumulative()));
        match self.protocol {
            Protocol::One => {
                let iou = overlap.iou();
                measured.push((MIOU, Ratio::one(iou)));
                for (name, threshold) in PRECISION.into_iter().zip(THRESHOLDS) {
                    measured.push((name, Ratio::hit(iou > threshold)));
                }
            }
            Protocol::Any => {
                measured.push((GIOU, Ratio::one(overlap.iou())));
                let name = if self.has_target { "t_acc" } else { "n_acc" };
                measured.push((name, Ratio::hit(is_empty != self.has_target)));
            }
            Protocol::Reasoning => measured.push((GIOU, Ratio::one(overlap.lisa_iou()))),
        }
    }

    /// The metrics of an answer that says nothing: that nothing is meant has to be said.
    fn unsaid(&self, mut measured: Measured) -> Measured {
        if !self.has_target {
            for (metric, ratio) in &mut measured {
                if *metric != CIOU {
                    ratio.sum = 0.0;
                }
            }
        }
        measured
    }

    /// What each region alone would reach, as [`measure`](Self::measure) has it.
    fn reach(&self, outcome: &Outcome) -> Result<[Vec<(bool, f64)>; 2], Fault> {
        let mut reach = [Vec::new(), Vec::new()];
        for region in outcome.regions.iter().flatten() {
            let size = self.mask.as_ref().map(Mask::size);
            if let Some(truth) = self.bbox {
                let rect = region.rect(size).map_err(Fault::answer)?;
                let is_hit = rect.is_some_and(|rect| boxes::is_hit(truth, rect));
                reach[0].push((region.marked, f64::from(u8::from(is_hit))));
            }
            if let (Some(truth), Some(shape)) = (&self.mask, &region.mask) {
                let mask = shape.mask(truth.size()).map_err(Fault::answer)?;
                reach[1].push((region.marked, self.overlap(truth, &mask).iou()));
            }
        }
        Ok(reach)
    }
}

pub(super) const ACC: &str = "acc@0.5";
pub(super) const BOX_MIOU: &str = "box_miou";
pub(super) const MIOU: &str = "miou";
pub(super) const CIOU: &str = "ciou";
pub(super) const GIOU: &str = "giou";

/// True for the metrics that need masks.
pub(super) fn is_of_masks(metric: &str) -> bool {
    [MIOU, CIOU, GIOU].contains(&metric) || PRECISION.contains(&metric)
}

/// Scores the answer to an expression.
pub(super) fn score(
    sample: &Sample,
    truth: &Expected,
    outcome: Option<&Outcome>,
    tally: &mut Tally,
) -> Result<(), Fault> {
    let Some(outcome) = outcome else {
        let (measured, _) = truth.measure(&Answer::default())?;
        tally.add(sample, &sample.kinds, &truth.unsaid(measured));
        return Ok(());
    };
    let (mut measured, reached) = truth.measure(&outcome.answer)?;
    if matches!(outcome.reading, Reading::Nothing | Reading::Unreadable) {
        measured = truth.unsaid(measured);
    }
    let oracle = outcome
        .oracle
        .as_ref()
        .map(|oracle| truth.measure(oracle))
        .transpose()?;
    let reach = truth.reach(outcome)?;
    if truth.has_target && outcome.regions.is_some() {
        let masks = if truth.protocol == Protocol::One {
            MIOU
        } else {
            GIOU
        };
        for ((metric, reached), regions) in [ACC, masks].into_iter().zip(reached).zip(reach) {
            if let Some(reached) = reached {
                let best = |of: &mut dyn Iterator<Item = f64>| of.fold(0.0, f64::max);
                let ceiling = best(&mut regions.iter().map(|(_, iou)| *iou));
                let marked = regions.iter().filter(|(marked, _)| *marked);
                let marked = best(&mut marked.map(|(_, iou)| *iou));
                tally.lose(
                    metric,
                    Losses::new(reached, ceiling, marked, outcome.reading),
                );
            }
        }
    }
    tally.count(MASKS, usize::from(!outcome.answer.masks.is_empty()));
    tally.add(sample, &sample.kinds, &measured);
    if let Some((measured, _)) = oracle {
        tally.add_to(&Scope::Oracle, sample, &measured);
    }
    Ok(())
}

/// Answers with masks: without any, metrics of masks mean nothing.
pub(super) const MASKS: &str = "answers with masks";
