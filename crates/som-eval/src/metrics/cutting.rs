//! How well an image was cut, names aside: covering, best overlap, recall.
//!
//! Arbelaez and others, *Contour Detection and Hierarchical Image Segmentation*, 2011, section 3.1
//! (covering); Pont-Tuset and Van Gool, *Boosting Object Proposals: From Pascal to COCO*, 2015
//! (best overlap, recall at N).

use som_core::Mask;

use super::Ratio;

/// The best IoU of each segment of the truth, after each of the regions.
pub struct BestOverlaps {
    /// For each segment its area, and its best IoU with the first 1, 2, … regions.
    segments: Vec<(u64, Vec<f64>)>,
}

impl BestOverlaps {
    /// Of the `truth` with `regions`, the best one first.
    pub fn new(truth: &[&Mask], regions: &[&Mask]) -> Self {
        let best = |segment: &&Mask| {
            let mut best = 0.0_f64;
            let ious = regions.iter().map(|region| {
                best = best.max(segment.iou(region));
                best
            });
            (segment.area(), ious.collect())
        };
        Self {
            segments: truth.iter().map(best).collect(),
        }
    }

    /// The covering of the truth by the regions: the best IoUs, weighted by area.
    pub fn covering(&self) -> Ratio {
        let weighted = self
            .bests(usize::MAX)
            .map(|(area, iou)| Ratio::new(area * iou, area));
        weighted.fold(Ratio::default(), |mut sum, ratio| {
            sum += ratio;
            sum
        })
    }

    /// The mean best IoU of the segments.
    pub fn mean(&self) -> Ratio {
        let sum = self.bests(usize::MAX).map(|(_, iou)| iou).sum();
        Ratio::new(sum, self.segments.len() as f64)
    }

    /// The share of segments that one of the first `count` regions meets with an IoU of 0.5 or more.
    pub fn recall(&self, count: usize) -> Ratio {
        let hits = self.bests(count).filter(|(_, iou)| *iou >= 0.5).count();
        Ratio::new(hits as f64, self.segments.len() as f64)
    }

    fn bests(&self, count: usize) -> impl Iterator<Item = (f64, f64)> {
        self.segments.iter().map(move |(area, ious)| {
            let last = count.min(ious.len()).checked_sub(1);
            (*area as f64, last.map_or(0.0, |last| ious[last]))
        })
    }
}

#[cfg(test)]
mod tests {
    use som_core::{BBox, Size};

    use super::*;

    #[test]
    fn each_segment_is_covered_by_its_best_region() {
        let size = Size::new(10, 10);
        let columns = |x, width| Mask::rect(size, BBox::new(x, 0, width, 10));
        // 80 and 20 pixels; the regions have IoUs of 1/8 and 5/8 with the first, 1/2 with the second.
        let truth = [columns(0, 8), columns(8, 2)];
        let regions = [columns(0, 1), columns(9, 1), columns(0, 5)];
        let truth: Vec<&Mask> = truth.iter().collect();
        let regions: Vec<&Mask> = regions.iter().collect();
        let overlaps = BestOverlaps::new(&truth, &regions);
        let near = |ratio: Ratio, value: f64| {
            assert!((ratio.value().unwrap() - value).abs() < 1e-12, "{ratio:?}");
        };
        near(overlaps.covering(), 0.8 * 0.625 + 0.2 * 0.5);
        near(overlaps.mean(), (0.625 + 0.5) / 2.0);
        near(overlaps.recall(0), 0.0);
        near(overlaps.recall(1), 0.0);
        near(overlaps.recall(2), 0.5);
        near(overlaps.recall(9), 1.0);
        near(BestOverlaps::new(&truth, &[]).covering(), 0.0);
    }
}
