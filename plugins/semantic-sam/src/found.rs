//! A mask that was found, and the region that it becomes.
//!
//! The official project resizes the image, and leaves its masks at that size. Here they are brought
//! back, after all filters and clean-up: each pixel of the original image takes the value of the
//! pixel of the resized image in which its centre lies ([`Mask::resized`]).

use serde_json::json;
use som_core::{Mask, Params, Region, Size};

use crate::levels::Level;

/// A mask of the image as the network sees it.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub mask: Mask,
    pub predicted_iou: f32,
    /// NaN for an empty mask.
    pub stability_score: f32,
    /// What asked for it: centre x and y, width and height, in 0..1 of the image.
    pub place: [f32; 4],
    pub level: Level,
}

impl Found {
    /// The region of an image of this size, with everything that the official project reports of a
    /// mask, under the same names.
    pub(crate) fn into_region(self, size: Size) -> Region {
        let Self {
            mask,
            predicted_iou,
            stability_score,
            place,
            level,
        } = self;
        let mut extra = Params::new();
        // JSON knows no NaN: the stability of an empty mask becomes null.
        extra.insert("predicted_iou".to_owned(), json!(predicted_iou));
        extra.insert("stability_score".to_owned(), json!(stability_score));
        extra.insert("point_coords".to_owned(), json!([place]));
        extra.insert(
            "crop_box".to_owned(),
            json!([0, 0, size.width, size.height]),
        );
        Region {
            score: Some(predicted_iou.clamp(0.0, 1.0)),
            level: Some(level.number()),
            extra,
            ..Region::new(mask.resized(size))
        }
    }
}
