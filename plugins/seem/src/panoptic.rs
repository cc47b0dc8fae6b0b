//! Everything in an image: parts that do not overlap.
//!
//! `modeling/architectures/seem_model_v1.py`: `evaluate` and `panoptic_inference`, as SoM calls them
//! (`microsoft/SoM`, `task_adapter/seem/tasks/inference_seem_pano.py`), but at the size of the image.

use serde_json::json;
use som_core::{Call, Region, Result};
use som_torch::{
    TorchResult, numbers,
    segments::{self, Kept, MaskMaps, Segment},
    stages::stage,
    torch_error,
};
use tch::Tensor;

use crate::{
    maps,
    network::{Company, EncodedImage},
    params::CallParams,
    segmenter::Seem,
    vocabulary::Vocabulary,
};

impl Seem {
    /// The parts of an image, in the order of the queries that found them.
    ///
    /// # Errors
    /// Cancelled; Invalid, if the weights give no numbers; Exhausted, if memory runs out.
    pub(crate) fn everything(
        &self,
        image: &EncodedImage,
        vocabulary: &Vocabulary,
        params: &CallParams,
        call: &Call<'_>,
    ) -> Result<Vec<Region>> {
        let decoder = &self.network.decoder;
        let settings = &self.network.config.settings;
        let decode = || -> Result<(Tensor, Tensor)> {
            let queries = decoder.queries();
            let found = decoder.forward(queries, &image.levels, Company::None, call)?;
            let logits = decoder.class_logits(&found, &vocabulary.weights);
            Ok((found, logits.map_err(torch_error)?))
        };
        let (found, logits) = stage("decoder", decode)?;
        numbers::require(&logits, "decoder")?;
        let threshold = params
            .object_mask_threshold
            .unwrap_or(settings.object_mask_threshold);
        let kept = kept(&logits, threshold, vocabulary.nothing());
        let (queries, kept) = kept.map_err(torch_error)?;
        let masks = || {
            let queries = Tensor::f_from_slice(&queries)?.f_to_device(found.device())?;
            let masks = decoder.masks(&found.f_index_select(0, &queries)?)?;
            maps::logits(image, &masks)
        };
        let masks = masks().map_err(torch_error)?;
        let resampling = maps::of_image(image);
        let classes = &vocabulary.classes;
        let is_thing = |class: usize| classes.get(class).is_some_and(|class| class.is_thing);
        let overlap = params
            .overlap_threshold
            .unwrap_or(settings.overlap_threshold);
        let maps = MaskMaps::new(&masks, &resampling);
        let segments = segments::panoptic(&maps, &kept, is_thing, overlap, call)?;
        Ok(segments
            .into_iter()
            .map(|segment| vocabulary.region(segment))
            .collect())
    }
}

/// The queries that are sure enough to be one of the classes, and as which.
pub(crate) fn kept(
    logits: &Tensor,
    threshold: f32,
    nothing: usize,
) -> TorchResult<(Vec<i64>, Vec<Kept>)> {
    let scores = logits.f_softmax(-1, None)?;
    let (score, class) = scores.f_max_dim(-1, false)?;
    let score = maps::numbers(&score)?;
    let class: Vec<i64> = Vec::try_from(class.f_to_device(tch::Device::Cpu)?)?;
    let queries = (0..).zip(score.into_iter().zip(class));
    let queries = queries.map(|(query, (score, class))| {
        let class = class as usize;
        (query, Kept { class, score })
    });
    let queries = queries.filter(|(_, kept)| kept.score > threshold && kept.class != nothing);
    Ok(queries.unzip())
}

impl Vocabulary {
    fn region(&self, segment: Segment) -> Region {
        let Segment { mask, class, score } = segment;
        let mut region = Region::new(mask);
        region.score = Some(score);
        let mut extra = |key: &str, value| region.extra.insert(key.to_owned(), value);
        if let Some(cut) = self.cut.get(class).filter(|cut| **cut > 0) {
            extra("cut_prompts", json!(cut));
        }
        if let Some(class) = self.classes.get(class) {
            extra("category_id", json!(class.id));
            extra("thing", json!(class.is_thing));
            region.label = Some(class.name.clone());
        }
        region
    }
}
