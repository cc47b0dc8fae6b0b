//! How far rows agree: by the pixels of the regions that their answers mean, so that it matters
//! neither what cut them nor how they are numbered.

use std::collections::HashSet;

use serde::Serialize;
use som_core::{Mask, task::Task};
use som_engine::ask::AskOutcome;

use super::rows::Row;
use crate::session::{ComparedRow, MarkedImage};

/// How far two rows agree.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Agreement {
    /// Their indices, from 0.
    pub(super) rows: [usize; 2],
    /// Intersection over union of what they mean, in the mean over expressions and trials; `None`, if
    /// there is no trial in which one of them means a region.
    pub(super) iou: Option<f64>,
}

/// How far each two of the rows agree; nothing, where the task has every region named.
pub(super) fn agreements(task: &Task, rows: &[Row<'_>]) -> Vec<Agreement> {
    if matches!(task, Task::Describe { .. }) {
        return Vec::new();
    }
    let meant: Vec<Vec<Option<Meant>>> = rows
        .iter()
        .map(|row| {
            row.trials
                .iter()
                .map(|trial| Meant::of(task, trial))
                .collect()
        })
        .collect();
    let mut agreements = Vec::new();
    for (second, there) in meant.iter().enumerate() {
        for (first, here) in meant[..second].iter().enumerate() {
            let trials = here.iter().zip(there);
            let both = trials.filter_map(|(here, there)| here.as_ref()?.iou(there.as_ref()?));
            agreements.push(Agreement {
                rows: [first, second],
                iou: mean(both),
            });
        }
    }
    agreements
}

/// How far a row agrees with the others, in the mean.
pub(super) fn with_others(agreements: &[Agreement], row: usize) -> Option<f64> {
    let of_it = agreements.iter();
    let of_it = of_it.filter(|agreement| agreement.rows.contains(&row));
    mean(of_it.filter_map(|agreement| agreement.iou))
}

/// What an answer means: for each expression, or for all of it, a mask of each image.
struct Meant(Vec<Vec<Mask>>);

impl Meant {
    /// What was meant in a trial; `None`, if it failed.
    fn of(task: &Task, trial: &ComparedRow) -> Option<Self> {
        let outcome = trial.outcome.as_ref().ok()?;
        let parts = parts(task, outcome).into_iter();
        let masks =
            |ids: HashSet<u32>| trial.images.iter().map(|image| mask(image, &ids)).collect();
        Some(Self(parts.map(masks).collect()))
    }

    /// Intersection over union with another, in the mean over expressions.
    fn iou(&self, other: &Self) -> Option<f64> {
        let parts = self.0.iter().zip(&other.0);
        mean(parts.filter_map(|(here, there)| {
            let (mut shared, mut all) = (0, 0);
            for (here, there) in here.iter().zip(there) {
                let both = here.intersection_area(there);
                shared += both;
                all += here.area() + there.area() - both;
            }
            (all > 0).then(|| shared as f64 / all as f64)
        }))
    }
}

/// The ids of the marks that are meant, expression by expression where the task has some.
fn parts(task: &Task, outcome: &AskOutcome) -> Vec<HashSet<u32>> {
    let grounded = &outcome.grounded;
    match task {
        Task::Refer { expressions } if grounded.findings.len() == expressions.len() => {
            let findings = grounded.findings.iter();
            findings
                .map(|finding| finding.marks.iter().copied().collect())
                .collect()
        }
        _ => vec![grounded.meant().collect()],
    }
}

/// The pixels of those marks of an image that are among `ids`.
fn mask(image: &MarkedImage, ids: &HashSet<u32>) -> Mask {
    let marks = image.allocation.marks.iter();
    let marks = marks.filter(|mark| ids.contains(&mark.id));
    marks.fold(Mask::empty(image.size), |all, mark| {
        all.union(&mark.mark.region.mask)
    })
}

fn mean(numbers: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = numbers.fold((0_u32, 0.0), |(count, sum), number| {
        (count + 1, sum + number)
    });
    (count > 0).then(|| sum / f64::from(count))
}

#[cfg(test)]
mod tests {
    use som_core::{BBox, Size};

    use super::*;

    fn meant(parts: &[&[BBox]]) -> Meant {
        let size = Size::new(10, 10);
        let mask = |boxes: &&[BBox]| {
            let boxes = boxes.iter().map(|&bbox| Mask::rect(size, bbox));
            vec![boxes.fold(Mask::empty(size), |all, mask| all.union(&mask))]
        };
        Meant(parts.iter().map(mask).collect())
    }

    #[test]
    fn what_is_meant_is_compared_by_pixels() {
        let (left, right) = (BBox::new(0, 0, 5, 10), BBox::new(5, 0, 5, 10));
        let all = BBox::new(0, 0, 10, 10);
        let iou = |here: &[&[BBox]], there: &[&[BBox]]| meant(here).iou(&meant(there));
        // In one piece or in two.
        assert_eq!(iou(&[&[left, right]], &[&[all]]), Some(1.0));
        assert_eq!(iou(&[&[left]], &[&[all]]), Some(0.5));
        assert_eq!(iou(&[&[left]], &[&[right]]), Some(0.0));
        assert_eq!(iou(&[&[]], &[&[right]]), Some(0.0));
        assert_eq!(iou(&[&[]], &[&[]]), None);
        // Expression by expression, of which those count that somebody found.
        let here: &[&[BBox]] = &[&[left], &[right], &[]];
        let there: &[&[BBox]] = &[&[left], &[all], &[]];
        assert_eq!(iou(here, there), Some(0.75));
    }

    #[test]
    fn a_row_agrees_with_the_others_in_the_mean() {
        let agreement = |rows, iou| Agreement { rows, iou };
        let all = [
            agreement([0, 1], Some(1.0)),
            agreement([0, 2], Some(0.5)),
            agreement([1, 2], None),
        ];
        assert_eq!(with_others(&all, 0), Some(0.75));
        assert_eq!(with_others(&all, 1), Some(1.0));
        assert_eq!(with_others(&all, 3), None);
    }
}
