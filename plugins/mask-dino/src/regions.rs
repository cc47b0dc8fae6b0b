//! From the network's answers to regions: what each task is.

use serde_json::json;
use som_core::{Error, Mask, Region, Result, Size};
use som_torch::{
    mask_classification::{
        Choice, Voting, best_choices, instances, kept, panoptic, semantic, softmax, spread,
    },
    masks::{Enlargement, Filter},
    torch_error,
};
use tch::Tensor;

use crate::{
    network::{Output, Task},
    predictor::{Prediction, Predictor, cpu_numbers},
};

/// The regions that a task asks for.
///
/// # Errors
/// Exhausted, if memory runs out.
pub(crate) fn regions(
    predictor: &Predictor,
    prediction: &Prediction,
    output: &Output,
) -> Result<Vec<Region>> {
    match output.task {
        Task::Instance => as_instances(predictor, prediction, output),
        Task::Panoptic => as_segments(predictor, prediction, output),
        Task::Semantic => as_classes(predictor, prediction, output),
    }
}

/// Instances, by falling score.
fn as_instances(
    predictor: &Predictor,
    prediction: &Prediction,
    output: &Output,
) -> Result<Vec<Region>> {
    let mut choices = best_choices(&prediction.class_logits, output.detections_per_image);
    if output.only_things {
        choices.retain(|choice| predictor.is_thing(choice.class));
    }
    // A query may have been taken for several classes.
    let mut queries: Vec<usize> = choices.iter().map(|choice| choice.query).collect();
    queries.sort_unstable();
    queries.dedup();
    let logits = prediction.masks(&queries).map_err(torch_error)?;
    let logits = cpu_numbers(&logits).map_err(torch_error)?;
    let low = prediction.low();
    let each = low.width as usize * low.height as usize;
    let found = instances(&logits, each, &enlargement(prediction));
    let score = |choice: &Choice, certainty: f32| match output.focus_on_box {
        true => choice.score,
        false => choice.score * certainty,
    };
    let mut regions = Vec::with_capacity(choices.len());
    for choice in &choices {
        let found = queries.binary_search(&choice.query).ok();
        let Some(found) = found.and_then(|index| found.get(index)) else {
            return Err(Error::internal("an instance without a mask"));
        };
        let score = score(choice, found.certainty);
        let mut region = predictor.region(found.mask.clone(), choice.class, Some(score));
        let corners = prediction.corners(choice.query);
        region.extra.insert("pred_box".to_owned(), json!(corners));
        regions.push(region);
    }
    regions.sort_by(|a, b| b.score.unwrap_or(0.0).total_cmp(&a.score.unwrap_or(0.0)));
    Ok(regions)
}

/// Segments, in the official order.
fn as_segments(
    predictor: &Predictor,
    prediction: &Prediction,
    output: &Output,
) -> Result<Vec<Region>> {
    let kept = kept(
        &prediction.class_logits,
        output.object_mask_threshold,
        output.temperature,
        None,
    );
    let queries: Vec<usize> = kept.iter().map(|choice| choice.query).collect();
    let logits = prediction.masks(&queries).map_err(torch_error)?;
    let logits = cpu_numbers(&logits).map_err(torch_error)?;
    let is_thing = |class| predictor.is_thing(class);
    let segments = panoptic(
        &kept,
        &logits,
        &enlargement(prediction),
        output.overlap_threshold,
        is_thing,
    );
    let regions = segments
        .into_iter()
        .map(|segment| predictor.region(segment.mask, segment.class, Some(segment.score)));
    Ok(regions.collect())
}

/// The pixels of each class, in the order of the classes.
fn as_classes(
    predictor: &Predictor,
    prediction: &Prediction,
    output: &Output,
) -> Result<Vec<Region>> {
    let config = &predictor.network.config;
    let scores = prediction.class_logits.rows().flat_map(|logits| {
        if !config.has_no_object {
            return spread(logits, output.temperature);
        }
        let mut scores = logits.to_vec();
        softmax(&mut scores);
        scores.pop();
        scores
    });
    let scores: Vec<f32> = scores.collect();
    let queries: Vec<usize> = (0..prediction.boxes.len()).collect();
    let Prediction {
        size,
        inside,
        padded,
        ..
    } = *prediction;
    let whole = Enlargement::once(prediction.low(), padded);
    let (first, second) = match output.enlarge_first {
        true => (enlargement(prediction), None),
        false => {
            let second = Enlargement::new(padded, padded, inside, size, Filter::Bilinear);
            (whole, Some(second))
        }
    };
    let vote = || {
        let masks = prediction.masks(&queries)?;
        let classes = Tensor::f_from_slice(&scores)?
            .f_view([queries.len() as i64, config.classes])?
            .f_to_device(masks.device())?;
        semantic(&Voting {
            classes: &classes,
            masks: &masks,
            first: &first,
            second: second.as_ref(),
        })
    };
    let masks = vote().map_err(torch_error)?;
    let regions = masks.into_iter().enumerate();
    Ok(regions
        .map(|(class, mask)| predictor.region(mask, class, None))
        .collect())
}

/// From the masks' logits to the image.
fn enlargement(prediction: &Prediction) -> Enlargement {
    let Prediction {
        size,
        inside,
        padded,
        ..
    } = *prediction;
    Enlargement::new(prediction.low(), padded, inside, size, Filter::Bilinear)
}

impl Prediction {
    /// Left, top, right and bottom of a query's box, in pixels of the image, or beyond it.
    fn corners(&self, query: usize) -> [f32; 4] {
        let [x, y, width, height] = self.boxes[query];
        let scale = |padded: u32, inside: u32, size: u32| {
            (f64::from(padded) / f64::from(inside) * f64::from(size)) as f32
        };
        let across = scale(self.padded.width, self.inside.width, self.size.width);
        let down = scale(self.padded.height, self.inside.height, self.size.height);
        [
            (x - 0.5 * width) * across,
            (y - 0.5 * height) * down,
            (x + 0.5 * width) * across,
            (y + 0.5 * height) * down,
        ]
    }
}

impl Predictor {
    /// Whether a class is one of things, which can be counted.
    fn is_thing(&self, class: usize) -> bool {
        let told = self.network.config.output.things;
        let known = || {
            let vocabulary = self.vocabulary.as_ref()?;
            Some(vocabulary.classes.get(class)?.thing)
        };
        told.map_or_else(|| known().unwrap_or(true), |things| (class as i64) < things)
    }

    /// A region with what the official project reports of it, under the same names.
    fn region(&self, mask: Mask, class: usize, score: Option<f32>) -> Region {
        let name = self.vocabulary.as_ref().and_then(|vocabulary| {
            let class = vocabulary.classes.get(class)?;
            Some(class.name.clone())
        });
        let mut region = Region {
            score: score.map(|score| score.clamp(0.0, 1.0)),
            label: Some(name.unwrap_or_else(|| format!("class {class}"))),
            ..Region::new(mask)
        };
        let thing = self.is_thing(class);
        region.extra.insert("category_id".to_owned(), json!(class));
        region.extra.insert("thing".to_owned(), json!(thing));
        region
    }
}
