//! From hints to prompts: which of them are about the same thing, and how the network is told.

use som_core::{BoxHint, Error, Hints, Mask, Point, PointHint, Result, Rle};
use som_torch::TorchResult;
use tch::Tensor;

use crate::{
    network::{ImageSide, Meaning, PromptToken},
    predictor::{EncodedImage, Predictor},
};

/// Logits of a mask prompt well inside and well outside the mask: what the network's own are like
/// where it is sure.
const SURE: f32 = 10.0;

/// Points that stand for a stroke.
const STROKE_POINTS: usize = 8;

/// Hints about one thing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Prompt {
    points: Vec<PointHint>,
    bbox: Option<BoxHint>,
    mask: Option<Mask>,
}

/// Sorts out which hints are about the same thing: all of them, as long as there is at most one
/// box, stroke or mask of each kind. Of several boxes each is a prompt with the points inside it,
/// and the points in none are one together. Several strokes, or several masks, are a prompt each,
/// and stand alone.
pub(crate) fn prompts(hints: &Hints) -> Result<Vec<Prompt>> {
    let Hints { points, boxes, .. } = hints;
    let strokes = decoded(&hints.strokes, "stroke")?;
    let masks = decoded(&hints.masks, "mask")?;
    let of_stroke = |stroke: &Mask| Prompt {
        points: along(stroke),
        ..Prompt::default()
    };
    let of_mask = |mask: Mask| Prompt {
        mask: Some(mask),
        ..Prompt::default()
    };
    match (points.len(), boxes.len(), strokes.len(), masks.len()) {
        (_, 0 | 1, 0 | 1, 0 | 1) => {
            let mut prompt = strokes.first().map(of_stroke).unwrap_or_default();
            prompt.points.extend(points);
            prompt.bbox = boxes.first().copied();
            prompt.mask = masks.into_iter().next();
            Ok(vec![prompt])
        }
        (_, _, 0, 0) => Ok(by_box(points, boxes)),
        (0, 0, _, 0) => Ok(strokes.iter().map(of_stroke).collect()),
        (0, 0, 0, _) => Ok(masks.into_iter().map(of_mask).collect()),
        _ => Err(Error::invalid(
            "hints: it is unclear which of them are about the same thing (give one stroke and one mask with at most one box, or several strokes or masks alone)",
        )),
    }
}

fn decoded(masks: &[Rle], what: &str) -> Result<Vec<Mask>> {
    let decode = |(index, rle)| match Mask::from_rle(rle)? {
        mask if mask.is_empty() => Err(Error::invalid(format!("hints: {what} {index} is empty"))),
        mask => Ok(mask),
    };
    masks.iter().enumerate().map(decode).collect()
}

/// A prompt for each box, with the points inside it, and one for the points in none.
fn by_box(points: &[PointHint], boxes: &[BoxHint]) -> Vec<Prompt> {
    let mut rest = points.to_vec();
    let mut prompts: Vec<Prompt> = boxes
        .iter()
        .map(|bbox| {
            let inside = |point: &PointHint| contains(bbox, point);
            rest.retain(|point| !inside(point));
            Prompt {
                points: points.iter().copied().filter(inside).collect(),
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
    prompts
}

fn contains(bbox: &BoxHint, point: &PointHint) -> bool {
    (bbox.x..=bbox.x + bbox.width).contains(&point.x)
        && (bbox.y..=bbox.y + bbox.height).contains(&point.y)
}

impl Prompt {
    /// Where its points are, in pixels of the image.
    pub(crate) fn points(&self) -> impl Iterator<Item = [f64; 2]> {
        self.points.iter().map(|point| [point.x, point.y])
    }

    /// Its points and the corners of its box, in an image for a square input of `side`.
    pub(crate) fn tokens(&self, image: &EncodedImage, side: u32) -> Vec<PromptToken> {
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

    /// The image as a prompt with this mask sees it; `None` without a mask.
    pub(crate) fn masked(
        &self,
        predictor: &Predictor,
        image: &EncodedImage,
    ) -> TorchResult<Option<ImageSide>> {
        let masked = |mask| predictor.with_mask(image, &mask_logits(predictor, image, mask)?);
        self.mask.as_ref().map(masked).transpose()
    }
}

/// A mask of the image as the logits `[low, low]` that a mask prompt consists of: by how much of
/// each cell it covers.
fn mask_logits(predictor: &Predictor, image: &EncodedImage, mask: &Mask) -> TorchResult<Tensor> {
    let (low, side) = (predictor.low(), predictor.side());
    let (inside, size) = (image.inside, image.size);
    // Cells need not be whole pixels.
    let cell = |pixel: u32| (u64::from(pixel) * u64::from(low) / u64::from(side)) as usize;
    let mut covered = vec![0.0_f32; (low * low) as usize];
    for y in 0..inside.height {
        let row = mask.row(nearest(y, inside.height, size.height));
        if row.is_empty() {
            continue;
        }
        let covered = &mut covered[cell(y) * low as usize..];
        for x in 0..inside.width {
            let pixel = nearest(x, inside.width, size.width);
            let next = row.partition_point(|span| span.end <= pixel);
            let is_set = row.get(next).is_some_and(|span| span.start <= pixel);
            covered[cell(x)] += f32::from(u8::from(is_set));
        }
    }
    let whole = (side as f32 / low as f32).powi(2);
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
        let [prompt] = &prompts(&hints).unwrap()[..] else {
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
        let prompts = prompts(&hints).unwrap();
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
    fn several_masks_or_strokes_stand_alone() {
        let mask = Mask::rect(SIZE, BBox::new(3, 3, 5, 5)).to_rle();
        let two = vec![mask.clone(), mask];
        let masks = Hints {
            masks: two.clone(),
            ..Hints::default()
        };
        let found = prompts(&masks).unwrap();
        assert!(found.iter().all(|prompt| prompt.mask.is_some()));
        assert_eq!(found.len(), 2);
        let strokes = Hints {
            strokes: two.clone(),
            ..Hints::default()
        };
        let found = prompts(&strokes).unwrap();
        assert!(found.iter().all(|prompt| !prompt.points.is_empty()));
        assert_eq!(found.len(), 2);
        let mixed = Hints {
            strokes: two,
            points: vec![point(1.0, 1.0)],
            ..Hints::default()
        };
        let error = prompts(&mixed).unwrap_err();
        assert!(error.message().contains("unclear"), "{error}");
        let empty = Hints {
            masks: vec![Mask::empty(SIZE).to_rle()],
            ..Hints::default()
        };
        let error = prompts(&empty).unwrap_err();
        assert!(error.message().contains("mask 0 is empty"), "{error}");
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
