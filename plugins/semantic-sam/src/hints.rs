//! From hints to prompts: the network is asked about one point or one box at a time.
//!
//! As SoM's tasks for Semantic-SAM ask it (`microsoft/SoM`, `task_adapter/semantic_sam/tasks`): a
//! stroke means its middle (`interactive_idino_m2m.py`), and a mask the box around it
//! (`interactive_idino_1o1_box.py`).

use som_core::{BBox, BoxHint, Error, Hints, Image, Mask, PointHint, Result, Rle, Size};
use som_torch::resize;

use crate::network::{Prompt, PromptKind};

/// What `hints` about an image ask, in the order points, boxes, strokes, masks. `inside` is the size
/// at which the network sees the image.
///
/// # Errors
/// Unsupported for text and for points on the background; Invalid for hints outside the image, and
/// strokes and masks without pixels.
pub(crate) fn prompts(hints: &Hints, image: Size, inside: Size) -> Result<Vec<Prompt>> {
    let Hints {
        points,
        boxes,
        strokes,
        masks,
        texts,
        examples,
    } = hints;
    hints.check(image)?;
    if !examples.is_empty() {
        return Err(Error::unsupported(
            "hints: semantic-sam takes points, boxes, strokes and masks, but no examples",
        ));
    }
    if !texts.is_empty() {
        return Err(Error::unsupported(
            "hints: semantic-sam takes points, boxes, strokes and masks, but no text",
        ));
    }
    if points.iter().any(|point| point.label == 0) {
        return Err(Error::unsupported(
            "hints: semantic-sam takes points on the wanted thing, but none on the background",
        ));
    }
    let mut prompts: Vec<Prompt> = points.iter().map(|point| of_point(point, image)).collect();
    prompts.extend(boxes.iter().map(|bbox| of_box(bbox, image)));
    for (index, stroke) in strokes.iter().enumerate() {
        prompts.push(of_stroke(&decoded(stroke, "stroke", index)?, inside)?);
    }
    for (index, mask) in masks.iter().enumerate() {
        prompts.push(of_mask(&decoded(mask, "mask", index)?, inside)?);
    }
    Ok(prompts)
}

/// A part of `whole`.
fn part(place: f64, whole: u32) -> f32 {
    (place / f64::from(whole)) as f32
}

fn of_point(&PointHint { x, y, .. }: &PointHint, image: Size) -> Prompt {
    Prompt::point(part(x, image.width), part(y, image.height))
}

fn of_box(bbox: &BoxHint, image: Size) -> Prompt {
    let &BoxHint {
        x,
        y,
        width,
        height,
    } = bbox;
    Prompt {
        place: [
            part(x + width / 2.0, image.width),
            part(y + height / 2.0, image.height),
            part(width, image.width),
            part(height, image.height),
        ],
        kind: PromptKind::Box,
    }
}

/// The mean of its pixels.
fn of_stroke(stroke: &Mask, inside: Size) -> Result<Prompt> {
    let stroke = as_seen(stroke, inside)?;
    let (mut across, mut down) = (0, 0);
    for (y, row) in stroke.rows() {
        for span in row {
            let (start, end) = (u64::from(span.start), u64::from(span.end));
            across += (start + end - 1) * (end - start) / 2;
            down += u64::from(y) * (end - start);
        }
    }
    let mean = |sum: u64| sum as f64 / stroke.area().max(1) as f64;
    Ok(Prompt::point(
        part(mean(across), inside.width),
        part(mean(down), inside.height),
    ))
}

/// The box around its pixels.
fn of_mask(mask: &Mask, inside: Size) -> Result<Prompt> {
    let BBox {
        x,
        y,
        width,
        height,
    } = as_seen(mask, inside)?.bbox();
    let [x, y, width, height] = [x, y, width, height].map(f64::from);
    let bbox = BoxHint {
        x,
        y,
        width,
        height,
    };
    Ok(of_box(&bbox, inside))
}

fn decoded(mask: &Rle, what: &str, index: usize) -> Result<Mask> {
    match Mask::from_rle(mask)? {
        mask if mask.is_empty() => Err(Error::invalid(format!("hints: {what} {index} is empty"))),
        mask => Ok(mask),
    }
}

/// What is drawn, resized along with the image: all pixels that are not quite black.
fn as_seen(mask: &Mask, inside: Size) -> Result<Mask> {
    let size = mask.size();
    let drawn = mask.to_dense(size.bbox());
    let drawn: Vec<u8> = drawn.iter().flat_map(|&is_set| [255 * is_set; 3]).collect();
    let drawn = Image::from_raw(size.width, size.height, drawn.as_slice())
        .ok_or_else(|| Error::internal("a drawn mask has too few pixels"))?;
    let resized = resize::bicubic(&drawn, inside);
    let pixels: Vec<u8> = resized.pixels().map(|pixel| pixel.0[0]).collect();
    Mask::from_dense(inside, inside.bbox(), &pixels)
}
