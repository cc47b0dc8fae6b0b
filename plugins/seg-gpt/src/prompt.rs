//! From examples to what the network is shown: pictures, and how they are painted.
//!
//! Hugging Face's form, `image_processing_seggpt.py`.

use image::{Rgb, RgbImage, imageops};
use som_core::{Call, Error, Example, Image, Result, Size};
use som_torch::{TorchResult, input::Normalization, resize};
use tch::{Device, Tensor};

/// Pixels that the picture of an example may have, as much as anything that is decoded.
const MOST_PIXELS: u64 = 100_000_000;

/// What a pixel of the one thing is painted with.
const WHITE: [u8; 3] = [255; 3];

/// An example as the network sees it.
pub(crate) struct Prompt {
    /// The picture `[side, side, 3]`, normalised.
    pub picture: Tensor,
    /// How it is painted, the same.
    pub painted: Tensor,
}

/// The example hints of a call, read.
///
/// # Errors
/// Invalid, if there are none, or as [`som_core::ExampleHint::read`]; also for a class beyond `classes`.
pub(crate) fn examples(call: &Call<'_>, classes: Option<u8>) -> Result<Vec<Example>> {
    let hints = call
        .hints()?
        .map(|hints| hints.examples)
        .unwrap_or_default();
    if hints.is_empty() {
        return Err(Error::invalid(
            "there is no example that shows what to look for: give --hint example:PICTURE,MASK.png",
        ));
    }
    let read = hints.iter().zip(1..).map(|(hint, number)| {
        let at = |error: Error| error.at(format!("hints: example {number}"));
        let example = hint.read(MOST_PIXELS).map_err(at)?;
        let highest = example.labels.iter().max().copied().unwrap_or_default();
        match classes {
            Some(classes) if highest > classes => Err(at(Error::invalid(format!(
                "its mask has class {highest}, but num_labels is {classes}"
            )))),
            _ => Ok(example),
        }
    });
    read.collect()
}

/// The colours of classes 0 to `classes`: black, then a grid of colours from white down.
pub(crate) fn palette(classes: u8) -> Vec<[u8; 3]> {
    let classes = u32::from(classes);
    // The whole part of the cube root, as 64-bit floating-point numbers have it there.
    let base = f64::from(classes).powf(1.0 / 3.0) as u32 + 1;
    let margin = 256 / base;
    let channel = |steps: u32| 255_u32.saturating_sub(steps * margin) as u8;
    let color = |place: u32| {
        [
            channel(place / (base * base)),
            channel(place % (base * base) / base),
            channel(place % base),
        ]
    };
    let colors = (0..classes).map(color);
    [[0; 3]].into_iter().chain(colors).collect()
}

impl Prompt {
    /// `example` as the network of input `side` pixels wide sees it, its classes painted in the colours
    /// of `palette`; without one, all that is marked is white.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn new(
        example: &Example,
        palette: Option<&[[u8; 3]]>,
        side: u32,
        normalization: &Normalization,
        device: Device,
    ) -> TorchResult<Self> {
        let Example { image, labels } = example;
        let (width, height) = image.dimensions();
        let color = |label: u8| match palette {
            Some(palette) => palette.get(usize::from(label)).copied().unwrap_or_default(),
            None if label > 0 => WHITE,
            None => [0; 3],
        };
        let painted = RgbImage::from_fn(width, height, |x, y| {
            let place = y as usize * width as usize + x as usize;
            Rgb(color(labels.get(place).copied().unwrap_or_default()))
        });
        // Each pixel from the one that its centre lies in.
        let painted = imageops::resize(&painted, side, side, imageops::FilterType::Nearest);
        let inside = Size::new(side, side);
        let view = Image::from_raw(width, height, image.as_raw().as_slice());
        let picture = match view {
            Some(view) => resize::bicubic(&view, inside),
            None => RgbImage::new(side, side),
        };
        Ok(Self {
            picture: normalization.apply(&picture, inside, device)?,
            painted: normalization.apply(&painted, inside, device)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_have_colours_that_lie_apart() {
        assert_eq!(palette(1), [[0; 3], [255; 3]]);
        let three = [[0, 0, 0], [255, 255, 255], [255, 255, 127], [255, 127, 255]];
        assert_eq!(palette(3), three);
        // The floating-point cube root of 8 is 2, that of 64 a little less than 4.
        assert_eq!(palette(8)[8], [255, 255 - 2 * 85, 255 - 85]);
        for classes in 1..=u8::MAX {
            let mut colors = palette(classes);
            colors.sort_unstable();
            colors.dedup();
            assert_eq!(colors.len(), usize::from(classes) + 1, "{classes}");
        }
    }
}
