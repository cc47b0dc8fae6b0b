//! image → the file that the LMM gets: at the size it will see, within what its provider takes.

use std::ops::Deref;

use fast_image_resize as resize;
use image::{ImageBuffer, Rgb, RgbImage};
use som_core::{
    Error, ImagePolicy, PromptImage, Result, Size,
    decode::Tags,
    encode::{Encoding, encode},
};

/// Lossless files larger than this give way to high-quality ones even where they are allowed.
const LOSSLESS_BYTES: u64 = 4 << 20;
/// Each attempt to get below the byte limit keeps this share of each side.
const SHRINK: f64 = 0.8;
/// A side below this is not worth sending.
const LEAST_SIDE: u32 = 64;

/// The size in which an image of `size` goes out: what the model sees of it, undistorted.
pub(super) fn sent_size(size: Size, policy: &ImagePolicy) -> Size {
    let mut size = size;
    let seen = policy.seen(size);
    if policy.view.square == 0 && seen.pixels() < size.pixels() {
        size = seen;
    }
    let longest = size.width.max(size.height);
    if policy.side > 0 && longest > policy.side {
        size = scaled(size, f64::from(policy.side) / f64::from(longest));
    }
    size
}

/// As [`prompt_image`], of an image with these `tags`: a model takes every image to be in sRGB.
///
/// # Errors
/// As [`prompt_image`].
pub(super) fn in_srgb<Pixels: Deref<Target = [u8]>>(
    image: &ImageBuffer<Rgb<u8>, Pixels>,
    tags: &Tags,
    policy: &ImagePolicy,
) -> Result<PromptImage> {
    match tags.to_srgb(image) {
        Some(srgb) => prompt_image(&srgb, policy),
        None => prompt_image(image, policy),
    }
}

/// `image` as `policy` takes it.
///
/// # Errors
/// Unsupported, if the policy takes no format that som writes, or too few bytes.
fn prompt_image<Pixels: Deref<Target = [u8]>>(
    image: &ImageBuffer<Rgb<u8>, Pixels>,
    policy: &ImagePolicy,
) -> Result<PromptImage> {
    let mut size = sent_size(Size::new(image.width(), image.height()), policy);
    let limit = match policy.bytes {
        0 => u64::MAX,
        bytes => bytes,
    };
    if policy.formats.is_empty() {
        return Err(Error::unsupported("the lmm takes images in no format"));
    }
    loop {
        let image = resized(image, size)?;
        for (rank, &format) in policy.formats.iter().enumerate() {
            let bytes = encode(&image, format)?;
            let is_last = rank + 1 == policy.formats.len();
            let allowed = match format {
                Encoding::Jpeg => limit,
                _ if is_last => limit,
                _ => limit.min(LOSSLESS_BYTES),
            };
            if bytes.len() as u64 <= allowed {
                return Ok(PromptImage {
                    bytes: bytes.into(),
                    format,
                    size,
                });
            }
        }
        size = scaled(size, SHRINK);
        if size.width.min(size.height) < LEAST_SIDE {
            return Err(Error::unsupported(format!(
                "the image cannot be written within the {limit} bytes that the lmm takes"
            )));
        }
    }
}

fn scaled(size: Size, factor: f64) -> Size {
    let side = |side: u32| (f64::from(side) * factor).floor().max(1.0) as u32;
    Size::new(side(size.width), side(size.height))
}

/// `image` at another size, by Lanczos' filter: text keeps its edges.
fn resized<Pixels: Deref<Target = [u8]>>(
    image: &ImageBuffer<Rgb<u8>, Pixels>,
    size: Size,
) -> Result<RgbImage> {
    let failed =
        |error: String| Error::internal(format!("the image could not be resized: {error}"));
    if (image.width(), image.height()) == (size.width, size.height) {
        return RgbImage::from_raw(size.width, size.height, image.as_raw().to_vec())
            .ok_or_else(|| failed("it has too few pixels".to_owned()));
    }
    let pixels = resize::images::ImageRef::new(
        image.width(),
        image.height(),
        image.as_raw(),
        resize::PixelType::U8x3,
    )
    .map_err(|error| failed(error.to_string()))?;
    let mut small = resize::images::Image::new(size.width, size.height, resize::PixelType::U8x3);
    let options = resize::ResizeOptions::new()
        .resize_alg(resize::ResizeAlg::Convolution(resize::FilterType::Lanczos3));
    resize::Resizer::new()
        .resize(&pixels, &mut small, &options)
        .map_err(|error| failed(error.to_string()))?;
    RgbImage::from_raw(size.width, size.height, small.into_vec())
        .ok_or_else(|| failed("it has too few pixels".to_owned()))
}

#[cfg(test)]
mod tests {
    use som_core::View;

    use super::*;

    /// Every pixel different: nothing compresses it.
    fn noise(width: u32, height: u32) -> RgbImage {
        let mut state = 1_u32;
        RgbImage::from_fn(width, height, |_, _| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let [a, b, c, _] = state.to_be_bytes();
            image::Rgb([a, b, c])
        })
    }

    fn policy(view: View, bytes: u64, side: u32) -> ImagePolicy {
        ImagePolicy {
            view,
            bytes,
            side,
            ..ImagePolicy::default()
        }
    }

    #[test]
    fn an_image_goes_out_as_the_model_sees_it() {
        let view = View {
            long_side: 100,
            ..View::UNLIMITED
        };
        let sent = prompt_image(&noise(200, 120), &policy(view, 0, 0)).unwrap();
        assert_eq!(
            (sent.size, sent.format),
            (Size::new(100, 60), Encoding::Png)
        );
        let decoded = image::load_from_memory(&sent.bytes).unwrap();
        assert_eq!((decoded.width(), decoded.height()), (100, 60));
        // Neither enlarged nor distorted.
        let sent = prompt_image(&noise(50, 40), &policy(view, 0, 0)).unwrap();
        assert_eq!(sent.size, Size::new(50, 40));
        let square = View {
            square: 30,
            ..View::UNLIMITED
        };
        let sent = prompt_image(&noise(50, 40), &policy(square, 0, 0)).unwrap();
        assert_eq!(sent.size, Size::new(50, 40));
        let sent = prompt_image(&noise(50, 40), &policy(View::UNLIMITED, 0, 25)).unwrap();
        assert_eq!(sent.size, Size::new(25, 20));
    }

    #[test]
    fn an_image_too_large_in_bytes_becomes_a_jpeg_and_then_smaller() {
        let image = noise(300, 200);
        let lossless = prompt_image(&image, &policy(View::UNLIMITED, 0, 0)).unwrap();
        let limit = lossless.bytes.len() as u64 - 1;
        let jpeg = prompt_image(&image, &policy(View::UNLIMITED, limit, 0)).unwrap();
        assert_eq!(
            (jpeg.size, jpeg.format),
            (Size::new(300, 200), Encoding::Jpeg)
        );
        let limit = jpeg.bytes.len() as u64 - 1;
        let small = prompt_image(&image, &policy(View::UNLIMITED, limit, 0)).unwrap();
        assert!(small.bytes.len() as u64 <= limit && small.size.width < 300);
        let error = prompt_image(&image, &policy(View::UNLIMITED, 100, 0)).unwrap_err();
        assert_eq!(error.kind(), som_core::ErrorKind::Unsupported);
    }
}
