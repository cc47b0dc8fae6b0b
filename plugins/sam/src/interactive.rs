//! Interactive prediction: what points, boxes, strokes and earlier masks ask for.

use som_core::{
    Call, Error, Mask, Point, Result,
    hint::{BoxHint, Hints, PointHint},
};
use som_torch::{TorchResult, logits::Thresholded, torch_error};
use tch::Tensor;

use crate::{
    automatic::MASK_THRESHOLD,
    network::{Meaning, PromptToken},
    params::{CallParams, MaskHints},
    predictor::{EncodedImage, Predictor},
};

/// Logits of a mask prompt well inside and well outside the mask: what the network's own are like
/// where it is sure.
const SURE: f32 = 10.0;

/// Points that stand for a stroke.
const STROKE_POINTS: usize = 8;

/// A mask that was asked for.
#[derive(Clone, Debug)]
pub(crate) struct Predicted {
    pub mask: Mask,
    pub predicted_iou: f32,
    /// NaN for an empty mask.
    pub stability_score: f32,
    /// Which prompt asked, in the order of the hints.
    pub prompt: usize,
}

/// Predicts the masks that `hints` ask for: for each prompt three, or one.
///
/// # Errors
/// Invalid for hints that contradict each other; Unsupported for text; Cancelled; Exhausted if
/// memory runs out.
pub(crate) fn predict(
    predictor: &Predictor,
    image: &EncodedImage,
    hints: &Hints,
    params: &CallParams,
    call: &Call<'_>,
) -> Result<Vec<Predicted>> {
    if hints.text.is_some() {
        return Err(Error::unsupported(
            "hints: sam takes points, boxes and masks, but no text",
        ));
    }
    let upsampling = predictor.upsampling(image, image.size.bbox(), image.size);
    let mut predicted = Vec::new();
    for (index, prompt) in prompts(hints, params.mask_hints)?.iter().enumerate() {
        call.check()?;
        let ambiguous = params.multimask_output;
        let (ious, logits) = (|| {
            let with_mask = prompt.mask.as_ref();
            let side = with_mask
                .map(|mask| predictor.with_mask(image, &mask_logits(predictor, image, mask)?));
            let side = side.transpose()?;
            let tokens = prompt.tokens(image, predictor.side());
            let decoded = predictor.decode(side.as_ref().unwrap_or(&image.side), &[tokens])?;
            let logits = predictor.masks(&decoded, &[0], ambiguous)?;
            TorchResult::Ok((decoded.ious.concat(), logits))
        })()
        .map_err(torch_error)?;
        // The first of the IoUs is that of the mask for unambiguous prompts.
        let ious = ious.into_iter().skip(usize::from(ambiguous));
        for (predicted_iou, logits) in ious.zip(logits.of_prompts().flatten()) {
            let offset = params.automatic.stability_score_offset;
            let Thresholded {
                mask,
                stability_score,
            } = upsampling.threshold(logits, MASK_THRESHOLD, offset);
            predicted.push(Predicted {
                mask,
                predicted_iou,
                stability_score,
                prompt: index,
            });
        }
    }
    Ok(predicted)
}

/// Hints about one thing.
#[derive(Clone, Debug, Default, PartialEq)]
struct Prompt {
    points: Vec<PointHint>,
    bbox: Option<BoxHint>,
    mask: Option<Mask>,
}

/// Sorts out which hints are about the same thing: all of them, as long as there is at most one
/// box, mask or stroke. Of several boxes each is a prompt with the points inside it, and the
/// points in none are one together. Several masks, or strokes, are a prompt each, without points
/// and boxes.
fn prompts(hints: &Hints, mask_hints: MaskHints) -> Result<Vec<Prompt>> {
    let Hints {
        points,
        boxes,
        masks,
        ..
    } = hints;
    let masks = masks
        .iter()
        .map(Mask::from_rle)
        .collect::<Result<Vec<Mask>>>()?;
    if let Some(empty) = masks.iter().position(Mask::is_empty) {
        return Err(Error::invalid(format!("hints: mask {empty} is empty")));
    }
    let of_mask = |mask: Mask| match mask_hints {
        MaskHints::Masks => Prompt {
            mask: Some(mask),
            ..Prompt::default()
        },
        MaskHints::Strokes => Prompt {
            points: along(&mask),
            ..Prompt::default()
        },
    };
    match (boxes.as_slice(), masks.len()) {
        ([] | [_], 0 | 1) => {
            let mut prompt = masks.into_iter().next().map(of_mask).unwrap_or_default();
            prompt.points.extend(points);
            prompt.bbox = boxes.first().copied();
            Ok(vec![prompt])
        }
        ([], _) if points.is_empty() => Ok(masks.into_iter().map(of_mask).collect()),
        (_, 0) => {
            let mut rest = points.clone();
            let mut prompts: Vec<Prompt> = boxes
                .iter()
                .map(|bbox| {
                    let inside = |point: &PointHint| contains(bbox, point);
                    rest.retain(|point| !inside(point));
                    let points = points.iter().copied().filter(inside).collect();
                    Prompt {
                        points,
                        bbox: Some(*bbox),
                        mask: None,
                    }
                })
                .collect();
            if !rest.is_empty() {
                prompts.push(Prompt {
                    points: rest,
                    ..Prompt::default()
                });
            }
            Ok(prompts)
        }
        _ => Err(Error::invalid(
            "hints: it is unclear which mask belongs to which point or box (give one mask with one box, or masks alone)",
        )),
    }
}

fn contains(bbox: &BoxHint, point: &PointHint) -> bool {
    (bbox.x..=bbox.x + bbox.width).contains(&point.x)
        && (bbox.y..=bbox.y + bbox.height).contains(&point.y)
}

impl Prompt {
    fn tokens(&self, image: &EncodedImage, side: u32) -> Vec<PromptToken> {
        let mut tokens: Vec<PromptToken> = Vec::new();
        for point in &self.points {
            let meaning = if point.label == 0 {
                Meaning::Background
            } else {
                Meaning::Foreground
            };
            tokens.push(image.token(point.x, point.y, meaning, side));
        }
        match self.bbox {
            Some(BoxHint {
                x,
                y,
                width,
                height,
            }) => {
                tokens.push(image.token(x, y, Meaning::TopLeft, side));
                tokens.push(image.token(x + width, y + height, Meaning::BottomRight, side));
            }
            None if !tokens.is_empty() => tokens.push(PromptToken::PADDING),
            None => {}
        }
        tokens
    }
}

/// A mask of the image as the logits `[low, low]` that a mask prompt consists of: by how much of
/// each cell it covers.
fn mask_logits(predictor: &Predictor, image: &EncodedImage, mask: &Mask) -> TorchResult<Tensor> {
    let (low, side) = (predictor.low(), predictor.side());
    let (inside, size) = (image.inside, image.size);
    let cell = side / low;
    let mut covered = vec![0.0_f32; (low * low) as usize];
    for y in 0..inside.height {
        let row = mask.row(nearest(y, inside.height, size.height));
        if row.is_empty() {
            continue;
        }
        let covered = covered[((y / cell) * low) as usize..].iter_mut();
        let pixels = 0..inside.width;
        for (column, covered) in (0..low).zip(covered) {
            let is_set = |x: &u32| {
                let x = nearest(*x, inside.width, size.width);
                let next = row.partition_point(|span| span.end <= x);
                row.get(next).is_some_and(|span| span.start <= x)
            };
            let count = (column * cell..(column + 1) * cell)
                .filter(|x| pixels.contains(x))
                .filter(is_set)
                .count();
            *covered += count as f32;
        }
    }
    let whole = (cell * cell) as f32;
    let logits: Vec<f32> = covered
        .iter()
        .map(|covered| SURE * (2.0 * covered / whole - 1.0))
        .collect();
    Tensor::f_from_slice(&logits)?.f_view([i64::from(low), i64::from(low)])
}

/// The image's pixel in the middle of an input's pixel.
fn nearest(index: u32, input: u32, image: u32) -> u32 {
    ((2 * u64::from(index) + 1) * u64::from(image) / (2 * u64::from(input))) as u32
}

/// Points spread over a stroke: first the one nearest to its middle, then each time the one
/// farthest from all before.
fn along(stroke: &Mask) -> Vec<PointHint> {
    let pixels: Vec<Point> = stroke
        .rows()
        .flat_map(|(y, row)| {
            row.iter()
                .flat_map(move |span| (span.start..span.end).map(move |x| Point::new(x, y)))
        })
        .collect();
    let distance = |a: Point, b: Point| {
        let square = |a: u32, b: u32| u64::from(a.abs_diff(b)).pow(2);
        square(a.x, b.x) + square(a.y, b.y)
    };
    let count = pixels.len().max(1) as u64;
    let mean = |coordinate: fn(&Point) -> u32| {
        (pixels.iter().map(|p| u64::from(coordinate(p))).sum::<u64>() / count) as u32
    };
    let middle = Point::new(mean(|point| point.x), mean(|point| point.y));
    let mut nearest: Vec<u64> = vec![u64::MAX; pixels.len()];
    let mut chosen: Vec<Point> = Vec::new();
    let mut next = (0..pixels.len()).min_by_key(|&index| distance(pixels[index], middle));
    while let Some(index) = next.filter(|_| chosen.len() < STROKE_POINTS) {
        chosen.push(pixels[index]);
        for (nearest, &pixel) in nearest.iter_mut().zip(&pixels) {
            *nearest = (*nearest).min(distance(pixel, pixels[index]));
        }
        next = (0..pixels.len())
            .max_by_key(|&index| nearest[index])
            .filter(|&index| nearest[index] > 0);
    }
    chosen
        .into_iter()
        .map(|Point { x, y }| PointHint {
            x: x.into(),
            y: y.into(),
            label: 1,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use som_core::{BBox, Size};

    const SIZE: Size = Size::new(40, 30);

    fn point(x: f64, y: f64) -> PointHint {
        PointHint { x, y, label: 1 }
    }

    fn bbox(x: f64) -> BoxHint {
        BoxHint {
            x,
            y: 5.0,
            width: 10.0,
            height: 10.0,
        }
    }

    #[test]
    fn hints_with_one_box_are_one_prompt() {
        let hints = Hints {
            points: vec![point(39.0, 0.0)],
            boxes: vec![bbox(0.0)],
            ..Hints::default()
        };
        let [prompt] = &prompts(&hints, MaskHints::Masks).unwrap()[..] else {
            panic!("one prompt")
        };
        assert_eq!((prompt.points.len(), prompt.bbox), (1, Some(bbox(0.0))));
    }

    #[test]
    fn points_go_with_the_box_they_lie_in() {
        let hints = Hints {
            points: vec![point(2.0, 6.0), point(22.0, 6.0), point(39.0, 29.0)],
            boxes: vec![bbox(0.0), bbox(20.0)],
            ..Hints::default()
        };
        let prompts = prompts(&hints, MaskHints::Masks).unwrap();
        let points: Vec<f64> = prompts
            .iter()
            .flat_map(|prompt| &prompt.points)
            .map(|point| point.x)
            .collect();
        assert_eq!(points, [2.0, 22.0, 39.0]);
        assert_eq!(
            prompts
                .iter()
                .filter(|prompt| prompt.bbox.is_some())
                .count(),
            2
        );
    }

    #[test]
    fn several_masks_stand_alone() {
        let mask = Mask::rect(SIZE, BBox::new(3, 3, 5, 5)).to_rle();
        let masks = vec![mask.clone(), mask];
        let hints = Hints {
            masks: masks.clone(),
            ..Hints::default()
        };
        assert_eq!(prompts(&hints, MaskHints::Masks).unwrap().len(), 2);
        let hints = Hints {
            masks,
            points: vec![point(1.0, 1.0)],
            ..Hints::default()
        };
        assert!(
            prompts(&hints, MaskHints::Masks)
                .unwrap_err()
                .message()
                .contains("unclear")
        );
        let hints = Hints {
            masks: vec![Mask::empty(SIZE).to_rle()],
            ..Hints::default()
        };
        assert!(
            prompts(&hints, MaskHints::Masks)
                .unwrap_err()
                .message()
                .contains("mask 0 is empty")
        );
    }

    #[test]
    fn a_stroke_becomes_points_spread_over_it() {
        let line = Mask::rect(SIZE, BBox::new(4, 10, 33, 1));
        let points = along(&line);
        assert_eq!(points.len(), STROKE_POINTS);
        assert_eq!((points[0].x, points[0].y), (20.0, 10.0));
        let mut ends = [points[1].x, points[2].x];
        ends.sort_by(f64::total_cmp);
        assert_eq!(ends, [4.0, 36.0]);
        let dot = Mask::rect(SIZE, BBox::new(7, 7, 1, 1));
        assert_eq!(along(&dot), [point(7.0, 7.0)]);
    }
}
