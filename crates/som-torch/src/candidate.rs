//! What a promptable network answers: masks, and what they are worth.

use serde_json::json;
use som_core::{BBox, Mask, Params, Region};

/// A mask that a prompt found.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Of the whole image.
    pub mask: Mask,
    /// Which of its prompt's masks it is.
    pub mask_index: usize,
    /// What the network thinks of it.
    pub predicted_iou: f32,
    /// How little it depends on the threshold; NaN for an empty mask.
    pub stability_score: f32,
    /// The points that asked for it, in pixels of the image.
    pub points: Vec<[f64; 2]>,
    /// The part of the image in which it was found.
    pub crop: BBox,
}

impl Candidate {
    /// `[left, top, right, bottom]`: from the first to the last column and row, as SAM's official
    /// project has boxes.
    pub(crate) fn corners(&self) -> [f32; 4] {
        let bbox = self.mask.bbox();
        if bbox.is_empty() {
            let (x, y) = (self.crop.x as f32, self.crop.y as f32);
            return [x, y, x, y];
        }
        [
            bbox.x as f32,
            bbox.y as f32,
            (bbox.right() - 1) as f32,
            (bbox.bottom() - 1) as f32,
        ]
    }
}

/// A region with everything that SAM's official project reports of a mask, under the same names.
impl From<Candidate> for Region {
    fn from(candidate: Candidate) -> Self {
        let Candidate {
            mask,
            predicted_iou,
            stability_score,
            points,
            crop,
            mask_index: _,
        } = candidate;
        let mut extra = Params::new();
        // JSON knows no NaN: the stability of an empty mask becomes null.
        extra.insert("predicted_iou".to_owned(), json!(predicted_iou));
        extra.insert("stability_score".to_owned(), json!(stability_score));
        extra.insert("point_coords".to_owned(), json!(points));
        extra.insert(
            "crop_box".to_owned(),
            json!([crop.x, crop.y, crop.width, crop.height]),
        );
        Region {
            score: Some(predicted_iou.clamp(0.0, 1.0)),
            extra,
            ..Region::new(mask)
        }
    }
}
