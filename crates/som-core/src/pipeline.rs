//! image and regions → marked images: allocation and all layers of ink in one call.

use image::RgbImage;

use crate::{
    AllocateOptions, Allocation, Call, Canvas, Image, MarkStyle, Marks, Params, Region, Result,
    allocate::{Labels, allocate},
};

/// A layer whose style is found, its parameters validated and with defaults filled in.
#[derive(Clone, Copy)]
pub struct Ink<'a> {
    /// Draws the layer.
    pub style: &'a dyn MarkStyle,
    /// What it is told.
    pub params: &'a Params,
}

/// The result of [`mark`].
#[derive(Clone, Debug)]
pub struct Marked {
    /// The marks and their places.
    pub allocation: Allocation,
    /// One image a page; one without ink if there are no marks.
    pub pages: Vec<RgbImage>,
}

/// Allocates marks for `regions` and draws the layers of `stack` in order, the first one lowest.
///
/// The last layer that writes labels decides the texts; without one they are empty.
///
/// # Errors
/// As [`allocate`], and whatever a style reports.
pub fn mark(
    image: &Image<'_>,
    regions: Vec<Region>,
    stack: &[Ink<'_>],
    options: &AllocateOptions,
    call: &Call<'_>,
) -> Result<Marked> {
    let labels = labels(stack);
    let allocation = allocate(image, regions, labels, options, call)?;
    let pages = draw(image, &allocation, stack, call)?;
    Ok(Marked { allocation, pages })
}

/// What the labels of a stack come from: its last layer that writes any.
pub fn labels<'a>(stack: &[Ink<'a>]) -> Option<Labels<'a>> {
    stack.iter().rev().find_map(|layer| {
        let labelling = layer.style.labelling()?;
        Some(Labels {
            labelling,
            params: layer.params,
        })
    })
}

/// Draws an allocation on copies of `image`, one a page.
///
/// # Errors
/// Cancelled, and whatever a style reports.
pub fn draw(
    image: &Image<'_>,
    allocation: &Allocation,
    stack: &[Ink<'_>],
    call: &Call<'_>,
) -> Result<Vec<RgbImage>> {
    (1..=allocation.pages.max(1))
        .map(|page| {
            let marks: Marks<'_> = allocation.on_page(page).map(|mark| &mark.mark).collect();
            let (width, height) = image.dimensions();
            let mut pixels = image.as_raw().to_vec();
            if let Some(mut canvas) = Canvas::from_raw(width, height, pixels.as_mut_slice()) {
                for layer in stack {
                    call.check()?;
                    layer
                        .style
                        .draw(&mut canvas, &marks, &call.with_params(layer.params))?;
                }
            }
            RgbImage::from_raw(width, height, pixels).ok_or_else(|| {
                crate::Error::internal(format!("the image's pixels are not {width}x{height}"))
            })
        })
        .collect()
}
