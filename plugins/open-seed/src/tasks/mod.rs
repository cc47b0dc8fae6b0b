//! From what the network says of its queries to regions.
//!
//! `openseed/architectures/openseed_model.py`: `forward_seg` from the decoder's outputs on.

mod instance;
mod panoptic;
mod semantic;

use serde_json::json;
use som_core::{Call, Mask, Region, Result};
use som_torch::{
    TorchResult,
    resample::{Axis, Resampling},
    segments::MaskMaps,
    torch_error,
};
use tch::{Device, Kind, Tensor};

use crate::{
    network::{EncodedImage, Frame, Predictions, Settings},
    params::{CallParams, Task},
    vocabulary::Vocabulary,
};

/// One call, after the network.
pub(crate) struct Answer<'a> {
    pub image: &'a EncodedImage,
    pub predictions: &'a Predictions,
    pub vocabulary: &'a Vocabulary,
    pub settings: &'a Settings,
}

impl Answer<'_> {
    /// The regions that a call asks for.
    ///
    /// # Errors
    /// Cancelled; Exhausted, if memory runs out.
    pub(crate) fn regions(&self, params: &CallParams, call: &Call<'_>) -> Result<Vec<Region>> {
        let most = params
            .detections_per_image
            .unwrap_or(self.settings.detections_per_image);
        match params.task {
            Task::Panoptic => {
                let threshold = params
                    .object_mask_threshold
                    .unwrap_or(self.settings.object_mask_threshold);
                let overlap = params
                    .overlap_threshold
                    .unwrap_or(self.settings.overlap_threshold);
                panoptic::regions(self, threshold, overlap, call)
            }
            Task::Semantic => semantic::regions(self, call),
            Task::Instance => instance::regions(self, most, call),
            Task::Detection => instance::boxes(self, most),
        }
    }

    /// The class scores of all queries, each by itself: `[queries, classes]`.
    fn scores(&self) -> TorchResult<Tensor> {
        self.predictions.logits.f_sigmoid()
    }

    /// Scores sharpened so that one class stands out, as panoptic and semantic regions need it.
    fn sharpened(&self, scores: &Tensor) -> TorchResult<Tensor> {
        match self.settings.temperature {
            Some(temperature) => scores
                .f_div_scalar(f64::from(temperature))?
                .f_softmax(-1, None),
            None => Ok(scores.shallow_clone()),
        }
    }

    /// Calls `find` with the mask logits of these queries.
    fn with_maps<T>(
        &self,
        queries: &[usize],
        find: impl FnOnce(&MaskMaps<'_>) -> Result<T>,
    ) -> Result<T> {
        let logits = self.logits(queries).map_err(torch_error)?;
        let resampling = resampling(&self.image.frame, &self.image.features.mask_features.size());
        find(&MaskMaps::new(&logits, &resampling))
    }

    fn logits(&self, queries: &[usize]) -> TorchResult<Vec<f32>> {
        let features = &self.image.features.mask_features;
        let (height, width, channels) = features.size3()?;
        let chosen: Vec<i64> = queries.iter().map(|&query| query as i64).collect();
        let chosen = Tensor::f_from_slice(&chosen)?.f_to_device(features.device())?;
        let masks = self.predictions.masks.f_index_select(0, &chosen)?;
        let logits = masks.f_mm(&features.f_view([height * width, channels])?.f_tr()?)?;
        numbers(&logits)
    }

    /// A region of a class, by the class's index.
    fn region(&self, mask: Mask, class: usize, score: Option<f32>) -> Region {
        let mut region = Region::new(mask);
        region.score = score;
        if let Some(class) = self.vocabulary.classes.get(class) {
            region.label = Some(class.name.clone());
            region
                .extra
                .insert("category_id".to_owned(), json!(class.id));
            region
                .extra
                .insert("thing".to_owned(), json!(class.is_thing));
        }
        if let Some(cut) = self.vocabulary.cut.get(class).filter(|cut| **cut > 0) {
            region.extra.insert("cut_prompts".to_owned(), json!(cut));
        }
        region
    }
}

/// How mask logits become those of the image: enlarged to the padded input, cut to what shows the
/// image, and resized to its size.
fn resampling(frame: &Frame, logits: &[i64]) -> Resampling {
    let axis = |low: i64, padded, inside, size| {
        Axis::identity(low as u32)
            .bilinear(padded)
            .cropped(inside)
            .bicubic_antialiased(size)
    };
    let Frame {
        size,
        inside,
        padded,
    } = *frame;
    let (height, width) = (logits[0], logits[1]);
    Resampling {
        rows: axis(height, padded.height, inside.height, size.height),
        columns: axis(width, padded.width, inside.width, size.width),
    }
}

/// The numbers of a tensor, row by row.
fn numbers(tensor: &Tensor) -> TorchResult<Vec<f32>> {
    let tensor = tensor
        .f_to_device(Device::Cpu)?
        .f_to_kind(Kind::Float)?
        .f_contiguous()?;
    let mut numbers = vec![0.0; tensor.numel()];
    let count = numbers.len();
    tensor.f_copy_data(&mut numbers, count)?;
    Ok(numbers)
}

#[cfg(test)]
mod tests;
