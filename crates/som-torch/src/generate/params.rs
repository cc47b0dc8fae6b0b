//! What a call of automatic generation takes.

use serde::Deserialize;
use som_core::{Error, Result};

use super::crops::grid;

/// The parameters of the official `SamAutomaticMaskGenerator`, under the same names. Those of crops
/// may be left out, by networks that search the image as a whole.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Automatic {
    /// Points along each side of the grid; unused where `point_grids` is given.
    pub points_per_side: Option<u32>,
    /// Most points decoded at a time.
    pub points_per_batch: u32,
    /// Masks whose predicted IoU is not above this are dropped.
    pub pred_iou_thresh: f32,
    /// Masks less stable than this are dropped.
    pub stability_score_thresh: f32,
    /// By how much the threshold is moved to measure stability.
    pub stability_score_offset: f32,
    /// Box IoU above which the worse of two masks of a crop is dropped.
    pub box_nms_thresh: f64,
    /// Layers of crops searched besides the whole image; layer i has 4^i crops.
    #[serde(default)]
    pub crop_n_layers: u32,
    /// Box IoU above which the mask from the larger of two crops is dropped.
    #[serde(default = "crop_nms_thresh")]
    pub crop_nms_thresh: f64,
    /// By how much of the shorter side the crops of the first layer overlap.
    #[serde(default = "crop_overlap_ratio")]
    pub crop_overlap_ratio: f64,
    /// By how much `points_per_side` shrinks from layer to layer.
    #[serde(default = "crop_n_points_downscale_factor")]
    pub crop_n_points_downscale_factor: u32,
    /// Points for each layer of crops, as fractions `[x, y]` of a crop's sides.
    #[serde(default)]
    pub point_grids: Option<Vec<Vec<[f64; 2]>>>,
    /// Holes and islands of fewer pixels are removed; 0: none.
    pub min_mask_region_area: u64,
}

// The official defaults.
const fn crop_nms_thresh() -> f64 {
    0.7
}
const fn crop_overlap_ratio() -> f64 {
    512.0 / 1500.0
}
const fn crop_n_points_downscale_factor() -> u32 {
    1
}

impl Automatic {
    /// The points of each layer of crops, as fractions of a crop's sides.
    ///
    /// # Errors
    /// Invalid, if there are no points, or too few grids.
    pub(super) fn grids(&self) -> Result<Vec<Vec<[f64; 2]>>> {
        let layers = self.crop_n_layers as usize + 1;
        match (&self.point_grids, self.points_per_side) {
            (Some(grids), _) if grids.len() < layers => Err(Error::invalid(format!(
                "point_grids has {} grids, but crop_n_layers {} needs {layers}",
                grids.len(),
                self.crop_n_layers
            ))),
            (Some(grids), _) => Ok(grids.clone()),
            (None, Some(side)) => {
                let factor = self.crop_n_points_downscale_factor;
                Ok((0..=self.crop_n_layers)
                    .map(|layer| grid(side / factor.saturating_pow(layer)))
                    .collect())
            }
            (None, None) => Err(Error::invalid(
                "points_per_side or point_grids must be given",
            )),
        }
    }
}
