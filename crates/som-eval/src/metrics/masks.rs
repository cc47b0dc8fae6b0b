//! Intersection and union of masks, from which mIoU, cIoU, gIoU and precision@X are made.

use som_core::Mask;

use super::Ratio;

/// The pixels two masks share, and those that either has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Overlap {
    /// Pixels of both.
    pub intersection: u64,
    /// Pixels of either.
    pub union: u64,
}

impl Overlap {
    /// Of two masks of the same size. Builds nothing.
    pub fn of(truth: &Mask, found: &Mask) -> Self {
        let intersection = truth.intersection_area(found);
        Self {
            intersection,
            union: truth.area() + found.area() - intersection,
        }
    }

    /// Without the pixels of `void`, which count in neither.
    pub fn without(truth: &Mask, found: &Mask, void: Option<&Mask>) -> Self {
        match void {
            Some(void) => Self::of(&truth.difference(void), &found.difference(void)),
            None => Self::of(truth, found),
        }
    }

    /// Intersection over union in [0, 1]; 1 if both masks are empty.
    pub fn iou(self) -> f64 {
        if self.union == 0 {
            1.0
        } else {
            self.intersection as f64 / self.union as f64
        }
    }

    /// As LISA has it for its gIoU, with a small constant (`train_ds.py`, `validate`).
    pub fn lisa_iou(self) -> f64 {
        if self.union == 0 {
            1.0
        } else {
            self.intersection as f64 / (self.union as f64 + 1e-5)
        }
    }

    /// Its part of the cIoU (or oIoU): the sum of intersections over the sum of unions.
    pub fn cumulative(self) -> Ratio {
        Ratio::new(self.intersection as f64, self.union as f64)
    }
}

/// The thresholds of precision@X: the part of expressions whose IoU is larger.
pub const THRESHOLDS: [f64; 5] = [0.5, 0.6, 0.7, 0.8, 0.9];

#[cfg(test)]
mod tests {
    use som_core::{BBox, Size};

    use super::*;

    #[test]
    fn void_counts_in_neither() {
        let size = Size::new(4, 1);
        let mask = |x, width| Mask::rect(size, BBox::new(x, 0, width, 1));
        let overlap = Overlap::without(&mask(0, 3), &mask(1, 3), Some(&mask(3, 1)));
        assert_eq!((overlap.intersection, overlap.union), (2, 3));
        assert_eq!(Overlap::of(&mask(0, 3), &mask(1, 3)).union, 4);
    }

    #[test]
    fn nothing_where_nothing_is_is_right() {
        let empty = Mask::empty(Size::new(2, 2));
        assert_eq!(Overlap::of(&empty, &empty).iou(), 1.0);
        assert_eq!(Overlap::of(&empty, &empty).cumulative().value(), None);
    }
}
