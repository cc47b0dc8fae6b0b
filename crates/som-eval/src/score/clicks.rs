//! Clicks on screens: point in box.

use super::{
    Fault, Losses,
    tally::{Scope, Tally},
};
use crate::{
    Rect, Sample,
    metrics::{Ratio, clicks::is_hit},
    results::{Answer, Outcome},
};

const POINT_IN_BOX: &str = "point_in_box";

/// Scores the first point that was answered; without one, the middle of the first box.
pub(super) fn score(
    sample: &Sample,
    truth: Rect,
    outcome: Option<&Outcome>,
    tally: &mut Tally,
) -> Result<(), Fault> {
    let is_met = |answer: &Answer| point(answer).is_some_and(|point| is_hit(truth, point));
    let is_right = outcome.is_some_and(|outcome| is_met(&outcome.answer));
    if let Some(outcome) = outcome {
        if point(&outcome.answer).is_none() {
            tally.count("answers without a point, which count as wrong", 1);
        }
        let (mut ceiling, mut marked) = (false, false);
        for region in outcome.regions.iter().flatten() {
            let rect = region.rect(sample.size).map_err(Fault::answer)?;
            let is_met = rect.is_some_and(|rect| is_hit(truth, middle(rect)));
            ceiling |= is_met;
            marked |= is_met && region.marked;
        }
        if outcome.regions.is_some() {
            let [reached, ceiling, marked] =
                [is_right, ceiling, marked].map(|is_so| f64::from(u8::from(is_so)));
            tally.lose(
                POINT_IN_BOX,
                Losses::new(reached, ceiling, marked, outcome.reading),
            );
        }
        if let Some(oracle) = &outcome.oracle {
            let measured = [(POINT_IN_BOX, Ratio::hit(is_met(oracle)))];
            tally.add_to(&Scope::Oracle, sample, &measured);
        }
    }
    tally.add(
        sample,
        &sample.kinds,
        &[(POINT_IN_BOX, Ratio::hit(is_right))],
    );
    Ok(())
}

fn point(answer: &Answer) -> Option<[f64; 2]> {
    let first = answer.points.first().copied();
    first.or_else(|| answer.boxes.first().copied().map(middle))
}

fn middle(rect: Rect) -> [f64; 2] {
    [rect.x + rect.width / 2.0, rect.y + rect.height / 2.0]
}
