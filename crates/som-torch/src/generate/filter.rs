//! Which of a crop's masks are kept.

use som_core::{BBox, Size};

use super::params::Automatic;
use crate::Candidate;

/// How near to a crop's edge a mask counts as cut off, in pixels.
const EDGE: f32 = 20.0;

/// The filters of one crop.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filter<'a> {
    pub params: &'a Automatic,
    /// Whether a threshold of 0 filters, too.
    pub at_zero: bool,
    pub crop: BBox,
    /// Of the whole image.
    pub image: Size,
}

impl Filter<'_> {
    /// True if a mask of this predicted IoU is worth making.
    pub(super) fn is_good(&self, iou: f32) -> bool {
        let least = self.params.pred_iou_thresh;
        self.is_off(least) || iou > least
    }

    /// True if the mask is stable, and whole.
    pub(super) fn keeps(&self, found: &Candidate) -> bool {
        let least = self.params.stability_score_thresh;
        let stable = self.is_off(least) || found.stability_score >= least;
        stable && !self.is_cut_off(found)
    }

    fn is_off(&self, threshold: f32) -> bool {
        !self.at_zero && threshold <= 0.0
    }

    /// True if the mask ends where its crop does but the image does not.
    fn is_cut_off(&self, found: &Candidate) -> bool {
        let edges = |bbox: BBox| {
            [
                bbox.x as f32,
                bbox.y as f32,
                bbox.right() as f32,
                bbox.bottom() as f32,
            ]
        };
        let near = |a: f32, b: f32| (a - b).abs() <= EDGE;
        let edges = edges(self.crop).into_iter().zip(edges(self.image.bbox()));
        found
            .corners()
            .into_iter()
            .zip(edges)
            .any(|(corner, (crop, image))| near(corner, crop) && !near(corner, image))
    }
}
