//! What an instance and what a call take, under the names of the official project. `schema.json`
//! says what each means.

use serde::Deserialize;
use som_core::{Error, Result};
use som_torch::Precision;

use crate::crops::grid;

/// What a new instance takes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Options {
    /// Path of the checkpoint.
    pub weights: Option<String>,
    pub device: String,
    pub precision: Precision,
    /// What images may occupy after the encoder, in MiB.
    pub cache_mib: u64,
}

/// What one call takes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct CallParams {
    #[serde(flatten)]
    pub automatic: Automatic,
    /// For hints: three masks for an ambiguous prompt instead of one.
    pub multimask_output: bool,
}

/// The parameters of the official `SamAutomaticMaskGenerator`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Automatic {
    pub points_per_side: Option<u32>,
    pub points_per_batch: u32,
    pub pred_iou_thresh: f32,
    pub stability_score_thresh: f32,
    pub stability_score_offset: f32,
    pub box_nms_thresh: f64,
    pub crop_n_layers: u32,
    pub crop_nms_thresh: f64,
    pub crop_overlap_ratio: f64,
    pub crop_n_points_downscale_factor: u32,
    pub point_grids: Option<Vec<Vec<[f64; 2]>>>,
    pub min_mask_region_area: u64,
}

impl Automatic {
    /// The points of each layer of crops, as fractions of a crop's sides.
    ///
    /// # Errors
    /// Invalid, if there are no points, or too few grids.
    pub(crate) fn grids(&self) -> Result<Vec<Vec<[f64; 2]>>> {
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
