//! From the network's answers to regions: what each task is.
//!
//! `maskdino/maskdino.py` of the official project: `instance_inference`, `panoptic_inference` and
//! `semantic_inference`.

use serde_json::json;
use som_core::{Call, Error, Mask, Region, Result};
use som_torch::{
    resample::{Axis, Resampling},
    segments::{Inside, Kept, MaskMaps, instances, panoptic, semantic},
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
/// Cancelled; Exhausted, if memory runs out.
pub(crate) fn regions(
    predictor: &Predictor,
    prediction: &Prediction,
    output: &Output,
    call: &Call<'_>,
) -> Result<Vec<Region>> {
    match output.task {
        Task::Instance => as_instances(predictor, prediction, output, call),
        Task::Panoptic => as_segments(predictor, prediction, output, call),
        Task::Semantic => as_classes(predictor, prediction, output, call),
    }
}

/// A query that is taken for something of a class.
#[derive(Clone, Copy, Debug)]
struct Choice {
    query: usize,
    class: usize,
    score: f32,
}

/// Instances, by falling score: of all pairs of a query and a class the likeliest ones.
fn as_instances(
    predictor: &Predictor,
    prediction: &Prediction,
    output: &Output,
    call: &Call<'_>,
) -> Result<Vec<Region>> {
    let pairs = prediction.class_logits().enumerate();
    let pairs = pairs.flat_map(|(query, logits)| {
        logits
            .iter()
            .enumerate()
            .map(move |(class, &logit)| Choice {
                query,
                class,
                score: sigmoid(logit),
            })
    });
    let mut choices: Vec<Choice> = pairs.collect();
    choices.sort_by(|a, b| b.score.total_cmp(&a.score));
    choices.truncate(output.detections_per_image);
    if output.only_things {
        choices.retain(|choice| predictor.is_thing(choice.class));
    }
    // A query may have been taken for several classes.
    let mut queries: Vec<usize> = choices.iter().map(|choice| choice.query).collect();
    queries.sort_unstable();
    queries.dedup();
    let logits = prediction
        .masks(&queries)
        .and_then(|masks| cpu_numbers(&masks));
    let logits = logits.map_err(torch_error)?;
    let found = instances(&MaskMaps::new(&logits, &to_image(prediction)), call)?;
    let mut regions = Vec::with_capacity(choices.len());
    for Choice {
        query,
        class,
        score,
    } in choices
    {
        let index = queries.binary_search(&query).ok();
        let Some(&Inside { ref mask, mean }) = index.and_then(|index| found.get(index)) else {
            return Err(Error::internal("an instance without a mask"));
        };
        let score = score * if output.focus_on_box { 1.0 } else { mean };
        let mut region = predictor.region(mask.clone(), class, Some(score));
        let corners = prediction.corners(query);
        region.extra.insert("pred_box".to_owned(), json!(corners));
        regions.push(region);
    }
    let score = |region: &Region| region.score.unwrap_or_default();
    regions.sort_by(|a, b| score(b).total_cmp(&score(a)));
    Ok(regions)
}

/// Segments, in the official order.
fn as_segments(
    predictor: &Predictor,
    prediction: &Prediction,
    output: &Output,
    call: &Call<'_>,
) -> Result<Vec<Region>> {
    let rows = prediction.class_logits().enumerate();
    let (queries, kept): (Vec<usize>, Vec<Kept>) = rows
        .filter(|(_, logits)| sigmoid(largest(logits).1) > output.object_mask_threshold)
        .map(|(query, logits)| {
            let (class, score) = largest(&spread(logits, output.temperature));
            (query, Kept { class, score })
        })
        .unzip();
    let logits = prediction
        .masks(&queries)
        .and_then(|masks| cpu_numbers(&masks));
    let logits = logits.map_err(torch_error)?;
    let to_image = to_image(prediction);
    let maps = MaskMaps::new(&logits, &to_image);
    let is_thing = |class| predictor.is_thing(class);
    let segments = panoptic(&maps, &kept, is_thing, output.overlap_threshold, call)?;
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
    call: &Call<'_>,
) -> Result<Vec<Region>> {
    let config = &predictor.network.config;
    let scores = prediction.class_logits().flat_map(|logits| {
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
    // Masks of semantic segmentation alone vote at the size of the input; their votes come to the
    // image.
    let low = prediction.low();
    let (first, second) = match output.enlarge_first {
        true => (to_image(prediction), None),
        false => {
            let first = Resampling {
                rows: Axis::identity(low.height).bilinear(padded.height),
                columns: Axis::identity(low.width).bilinear(padded.width),
            };
            let then = |padded, inside, size| Axis::identity(padded).cropped(inside).bilinear(size);
            let second = Resampling {
                rows: then(padded.height, inside.height, size.height),
                columns: then(padded.width, inside.width, size.width),
            };
            (first, Some(second))
        }
    };
    let read = || {
        let masks = prediction.masks(&queries)?;
        let classes = Tensor::f_from_slice(&scores)?
            .f_view([queries.len() as i64, config.classes])?
            .f_to_device(masks.device())?;
        Ok((cpu_numbers(&masks)?, classes))
    };
    let (logits, classes) = read().map_err(torch_error)?;
    let maps = MaskMaps::new(&logits, &first);
    let masks = semantic(&maps, &classes, second.as_ref(), call)?;
    let regions = masks.into_iter().enumerate();
    Ok(regions
        .map(|(class, mask)| predictor.region(mask, class, None))
        .collect())
}

/// From the masks' logits to the image: enlarged to the padded input, cut to what shows the image,
/// and resized to it.
fn to_image(prediction: &Prediction) -> Resampling {
    let Prediction {
        size,
        inside,
        padded,
        ..
    } = *prediction;
    let low = prediction.low();
    let axis = |low, padded, inside, size| {
        Axis::identity(low)
            .bilinear(padded)
            .cropped(inside)
            .bilinear(size)
    };
    Resampling {
        rows: axis(low.height, padded.height, inside.height, size.height),
        columns: axis(low.width, padded.width, inside.width, size.width),
    }
}

/// How likely each class is by itself, and with a temperature in comparison with the others: sigmoids
/// are made for detection and hardly differ; a softmax over them, divided by little, spreads them.
fn spread(logits: &[f32], temperature: Option<f32>) -> Vec<f32> {
    let mut scores: Vec<f32> = logits.iter().copied().map(sigmoid).collect();
    if let Some(temperature) = temperature {
        for score in &mut scores {
            *score /= temperature;
        }
        softmax(&mut scores);
    }
    scores
}

/// Numbers that add up to one, each as large as its logit says.
fn softmax(logits: &mut [f32]) {
    let (_, most) = largest(logits);
    for logit in &mut *logits {
        *logit = (*logit - most).exp();
    }
    let total: f32 = logits.iter().sum();
    for number in logits {
        *number /= total;
    }
}

fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// The first of the largest numbers, and where it is.
fn largest(numbers: &[f32]) -> (usize, f32) {
    let start = (0, f32::NEG_INFINITY);
    let numbers = numbers.iter().copied().enumerate();
    numbers.fold(
        start,
        |best, next| if next.1 > best.1 { next } else { best },
    )
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
        match self.network.config.output.things {
            Some(things) => (class as i64) < things,
            None => self.classes.get(class).is_none_or(|class| class.is_thing),
        }
    }

    /// A region with what the official project reports of it. Classes that have no names are called by
    /// their numbers.
    fn region(&self, mask: Mask, class: usize, score: Option<f32>) -> Region {
        let known = self.classes.get(class);
        let label = known.map_or_else(|| format!("class {class}"), |class| class.name.to_owned());
        let id = known.map_or(class as u64, |class| class.id);
        let mut region = Region {
            score: score.map(|score| score.clamp(0.0, 1.0)),
            label: Some(label),
            ..Region::new(mask)
        };
        let thing = self.is_thing(class);
        region.extra.insert("category_id".to_owned(), json!(id));
        region.extra.insert("thing".to_owned(), json!(thing));
        region
    }
}
