//! image and regions → marked images: allocation and all layers of ink in one call.

use image::{
    RgbImage,
    imageops::{self, FilterType},
};

use crate::{
    AllocateOptions, Allocation, Call, Canvas, Error, Image, Mark, MarkStyle, Marks, Params,
    Region, Result, Size,
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

/// Draws an allocation on copies of `image`, one a page, enlarged as it says.
///
/// # Errors
/// Cancelled, and whatever a style reports.
pub fn draw(
    image: &Image<'_>,
    allocation: &Allocation,
    stack: &[Ink<'_>],
    call: &Call<'_>,
) -> Result<Vec<RgbImage>> {
    if allocation.scale <= 1 {
        let marks: Vec<_> = allocation
            .marks
            .iter()
            .map(|mark| (mark.page, &mark.mark))
            .collect();
        return pages(image, allocation.pages, &marks, stack, call);
    }
    let (width, height) = image.dimensions();
    let size = Size::new(width * allocation.scale, height * allocation.scale);
    let enlarged = imageops::resize(image, size.width, size.height, FilterType::Triangle);
    let marks: Vec<_> = allocation
        .marks
        .iter()
        .map(|mark| (mark.page, enlarged_mark(&mark.mark, size)))
        .collect();
    let marks: Vec<_> = marks.iter().map(|(page, mark)| (*page, mark)).collect();
    let enlarged = Image::from_raw(size.width, size.height, enlarged.as_raw().as_slice())
        .ok_or_else(|| too_few_pixels(size.width, size.height))?;
    pages(&enlarged, allocation.pages, &marks, stack, call)
}

/// One copy of `image` for each page, with the marks of that page.
fn pages(
    image: &Image<'_>,
    pages: u32,
    marks: &[(u32, &Mark)],
    stack: &[Ink<'_>],
    call: &Call<'_>,
) -> Result<Vec<RgbImage>> {
    (1..=pages.max(1))
        .map(|number| {
            let on_page = marks.iter().filter(|(page, _)| *page == number);
            let marks: Marks<'_> = on_page.map(|&(_, mark)| mark).collect();
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
            RgbImage::from_raw(width, height, pixels).ok_or_else(|| too_few_pixels(width, height))
        })
        .collect()
}

/// A mark as it is on a page of `size`.
fn enlarged_mark(mark: &Mark, size: Size) -> Mark {
    let mut enlarged = mark.clone();
    enlarged.region.mask = mark.region.mask.resized(size);
    enlarged
}

fn too_few_pixels(width: u32, height: u32) -> Error {
    Error::internal(format!("the image's pixels are not {width}x{height}"))
}
