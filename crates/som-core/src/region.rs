//! One segmented thing.

use crate::{BBox, Mask, Params};

/// A segmented thing: a mask, and what the segmenter knows about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// Its pixels, in the original image.
    pub mask: Mask,
    /// Confidence in [0, 1]; `None` if the segmenter gives none.
    pub score: Option<f32>,
    /// Class name; `None` if class-agnostic.
    pub label: Option<String>,
    /// How fine the region is, in the segmenter's own order; `None` if it has no levels.
    pub level: Option<u8>,
    /// Index of the enclosing region in the same list; `None` if that is not in the list.
    pub parent: Option<u32>,
    /// Everything else a segmenter reports, such as `predicted_iou` and `stability_score`.
    pub extra: Params,
}

impl Region {
    /// A region of which only the pixels are known.
    pub fn new(mask: Mask) -> Self {
        Self {
            mask,
            score: None,
            label: None,
            level: None,
            parent: None,
            extra: Params::new(),
        }
    }

    /// The smallest box around the mask.
    pub fn bbox(&self) -> BBox {
        self.mask.bbox()
    }
}
