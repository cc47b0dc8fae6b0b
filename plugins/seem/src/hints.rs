//! From hints to prompts: the pixels of each, as the network sees the image.
//!
//! As SoM asks SEEM (`microsoft/SoM`, `task_adapter/seem/tasks/inference_seem_interactive.py`, and
//! `demo_som.py`): each connected part of a drawing is a prompt of its own. A point is a drawing of
//! one pixel, and a box one that is filled.

use som_core::{
    BBox, BoxHint, Call, Connectivity, Error, Hints, Mask, Point, PointHint, Result, Rle, Size,
};
use som_torch::{TorchResult, torch_error};
use tch::Tensor;

use crate::network::{Frame, Pixels};

/// More prompts than that cannot have a pixel each of those that are drawn.
const MOST: usize = 512;

/// libtorch draws of no more pixels than that.
const MOST_PIXELS: usize = 1 << 24;

/// What a call asks for.
#[derive(Debug)]
pub(crate) struct Asked {
    /// Where, in the order points, boxes, strokes, masks.
    pub places: Vec<Mask>,
    /// Of each place, the number of the hint that it is of, in the same order.
    pub numbers: Vec<usize>,
    /// What, in words.
    pub texts: Vec<String>,
}

impl Asked {
    /// What `hints` about an image of this size ask.
    ///
    /// # Errors
    /// Unsupported for points on the background; Invalid for hints outside the image, for strokes and
    /// masks without pixels, for too many, and for a text without words.
    pub(crate) fn of(hints: &Hints, size: Size) -> Result<Self> {
        let Hints {
            points,
            boxes,
            strokes,
            masks,
            texts,
            examples,
        } = hints;
        hints.check(size)?;
        if !examples.is_empty() {
            return Err(Error::unsupported(
                "hints: seem takes points, boxes, strokes, masks and texts, but no examples",
            ));
        }
        if points.iter().any(|point| point.label == 0) {
            return Err(Error::unsupported(
                "hints: seem takes points on the wanted thing, but none on the background",
            ));
        }
        if texts.iter().any(|text| text.trim().is_empty()) {
            return Err(Error::invalid("hints: a text has no words"));
        }
        let of_point = |&PointHint { x, y, .. }: &PointHint| {
            Mask::rect(size, BBox::new(x as u32, y as u32, 1, 1))
        };
        let mut places: Vec<Mask> = points.iter().map(of_point).collect();
        places.extend(boxes.iter().map(|bbox| of_box(bbox, size)));
        let mut numbers: Vec<usize> = (0..places.len()).collect();
        let before = places.len();
        for (index, stroke) in strokes.iter().enumerate() {
            let parts = decoded(stroke, "stroke", index)?.components(Connectivity::Four);
            numbers.extend(parts.iter().map(|_| before + index));
            places.extend(parts);
        }
        let before = before + strokes.len();
        for (index, mask) in masks.iter().enumerate() {
            numbers.push(before + index);
            places.push(decoded(mask, "mask", index)?);
        }
        if places.len() > MOST {
            return Err(Error::invalid(format!(
                "hints: {} points, boxes and parts of strokes, where {MOST} are the most",
                places.len()
            )));
        }
        Ok(Self {
            places,
            numbers,
            texts: texts.clone(),
        })
    }
}

/// The pixels that a box touches.
fn of_box(bbox: &BoxHint, size: Size) -> Mask {
    let range = |start: f64, extent: f64| {
        let first = start.floor() as u32;
        (
            first,
            ((start + extent).ceil() as u32).saturating_sub(first),
        )
    };
    let (x, width) = range(bbox.x, bbox.width);
    let (y, height) = range(bbox.y, bbox.height);
    Mask::rect(size, BBox::new(x, y, width, height))
}

fn decoded(mask: &Rle, what: &str, index: usize) -> Result<Mask> {
    match Mask::from_rle(mask)? {
        mask if mask.is_empty() => Err(Error::invalid(format!("hints: {what} {index} is empty"))),
        mask => Ok(mask),
    }
}

/// The pixels of places, as the network sees the image.
///
/// # Errors
/// Cancelled; Invalid, if there are too many of them; Exhausted, if memory runs out.
pub(crate) fn pixels(places: &[Mask], frame: &Frame, call: &Call<'_>) -> Result<Pixels> {
    let mut pixels = Vec::new();
    for (prompt, place) in (0..).zip(places) {
        call.check()?;
        let seen = as_seen(place, frame.inside).map_err(torch_error)?;
        let width = frame.inside.width as usize;
        let drawn = seen.iter().enumerate().filter(|(_, value)| **value > 0.0);
        let drawn = drawn.map(|(at, _)| [prompt, (at / width) as u32, (at % width) as u32]);
        let before = pixels.len();
        pixels.extend(drawn);
        if pixels.len() > MOST_PIXELS {
            return Err(Error::invalid(format!(
                "hints: their places have more than {MOST_PIXELS} pixels together (give fewer at once, or a smaller text_size)"
            )));
        }
        if pixels.len() == before {
            // A small image may show nothing of something thin.
            let Point { x, y } = middle(place, frame);
            pixels.push([prompt, y, x]);
        }
    }
    Ok(Pixels {
        pixels,
        prompts: places.len(),
        height: frame.padded.height,
        width: frame.padded.width,
    })
}

/// A place, resized like the image but without a low pass, row by row: what is above 0 belongs to it.
fn as_seen(place: &Mask, inside: Size) -> TorchResult<Vec<f32>> {
    let Size { width, height } = place.size();
    let drawn = place.to_dense(place.size().bbox());
    let drawn = Tensor::f_from_slice(&drawn)?
        .f_view([1, 1, height.into(), width.into()])?
        .f_to_kind(tch::Kind::Float)?;
    let size = [i64::from(inside.height), i64::from(inside.width)];
    let seen = drawn.f_upsample_bicubic2d(size, false, None, None)?;
    crate::maps::numbers(&seen)
}

/// Where the middle of a place lies in the image as the network sees it.
fn middle(place: &Mask, frame: &Frame) -> Point {
    let bbox = place.bbox();
    let part = |start: u32, extent: u32, from: u32, to: u32| {
        let middle = u64::from(2 * start + extent) * u64::from(to) / u64::from(2 * from.max(1));
        (middle as u32).min(to.saturating_sub(1))
    };
    let (from, to) = (frame.size, frame.inside);
    Point::new(
        part(bbox.x, bbox.width, from.width, to.width),
        part(bbox.y, bbox.height, from.height, to.height),
    )
}
