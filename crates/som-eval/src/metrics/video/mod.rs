//! J and F of objects in videos (davisvideochallenge/davis2017-evaluation, `metrics.py`,
//! `evaluation.py`, `utils.db_statistics`).

mod boundary;
mod pairing;

use serde::Serialize;
use som_core::Mask;

pub use self::{
    boundary::{f, f_of_all, radius},
    pairing::best_pairs,
};
use super::masks::Overlap;

/// The region similarity of one object in one frame: IoU without `void`, and 1 if nothing is left.
pub fn j(truth: &Mask, found: &Mask, void: Option<&Mask>) -> f64 {
    Overlap::without(truth, found, void).iou()
}

/// What a measure does over the frames of an object.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Statistics {
    /// The mean.
    pub mean: f64,
    /// The part of frames above 0.5.
    pub recall: f64,
    /// The mean of the first quarter less that of the last.
    pub decay: f64,
}

impl Statistics {
    /// Of one value a frame; `None` if there are no frames.
    pub fn of(frames: &[f64]) -> Option<Self> {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let last = frames.len().checked_sub(1)? as f64;
        // Quarters share their ends.
        let end = |quarter: f64| (1.0 + last * quarter / 4.0 + 1e-10).round() as usize - 1;
        let first = frames.get(..=end(1.0))?;
        let rest = frames.get(end(3.0)..)?;
        let above = frames.iter().filter(|value| **value > 0.5).count();
        Some(Self {
            mean: mean(frames),
            recall: above as f64 / frames.len() as f64,
            decay: mean(first) - mean(rest),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quarters_share_their_ends() {
        let statistics = Statistics::of(&[1.0, 0.8, 0.6, 0.4]).unwrap();
        assert!((statistics.mean - 0.7).abs() < 1e-12, "{statistics:?}");
        assert_eq!(statistics.recall, 0.75);
        // 1, 1.75, 2.5, 3.25, 4: frames 1 to 2, and 3 to 4.
        assert!((statistics.decay - 0.4).abs() < 1e-12, "{statistics:?}");
        assert_eq!(Statistics::of(&[]), None);
        assert_eq!(Statistics::of(&[0.3]).unwrap().decay, 0.0);
    }
}
