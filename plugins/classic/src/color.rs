//! Colour: a copy of the image at the working resolution, in CIE Lab, where distances are close
//! to what people see.

use std::sync::LazyLock;

use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image as Pixels, ImageRef},
};
use som_core::{Error, Image, Result};

use crate::grid::Grid;

/// Images with more pixels than this are analysed at a lower resolution.
const WORKING_PIXELS: f64 = 640.0 * 480.0;

/// L in [0, 100]; a and b in about [-128, 128].
pub(crate) type Lab = [f32; 3];

/// The image itself where it is small, else a copy of about [`WORKING_PIXELS`].
///
/// # Errors
/// Internal, if the resizer refuses.
pub(crate) fn working_copy(image: &Image<'_>) -> Result<Grid<[u8; 3]>> {
    let (width, height) = image.dimensions();
    let shrink = (WORKING_PIXELS / (f64::from(width) * f64::from(height))).sqrt();
    if shrink >= 1.0 {
        let cells = image.pixels().map(|pixel| pixel.0).collect();
        return Ok(Grid::new(width as usize, height as usize, cells));
    }
    // The shorter side first: where it cannot go below one pixel, the longer one has to.
    let scaled = |side: u32, most: f64| (f64::from(side) * shrink).round().clamp(1.0, most) as u32;
    let short = scaled(width.min(height), WORKING_PIXELS);
    let long = scaled(width.max(height), WORKING_PIXELS / f64::from(short));
    let (small_width, small_height) = if width <= height {
        (short, long)
    } else {
        (long, short)
    };

    let refused =
        |why: &dyn std::fmt::Display| Error::internal(format!("resize for classic: {why}"));
    let source = ImageRef::new(width, height, image.as_raw(), PixelType::U8x3)
        .map_err(|error| refused(&error))?;
    let mut small = Pixels::new(small_width, small_height, PixelType::U8x3);
    // A box filter: every pixel counts by the area it covers.
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Box));
    Resizer::new()
        .resize(&source, &mut small, &options)
        .map_err(|error| refused(&error))?;
    let (cells, _) = small.buffer().as_chunks::<3>();
    Ok(Grid::new(
        small_width as usize,
        small_height as usize,
        cells.to_vec(),
    ))
}

/// The colours of a working copy as they are compared: a dark picture as eyes see it that are used to
/// the dark, and a gray one with its lightness in all three channels, where nothing else is in two.
pub(crate) fn labs(working: &Grid<[u8; 3]>) -> Grid<Lab> {
    let labs = working.map(|&rgb| lab(rgb));
    let gain = (USUAL_LIGHT / upper_quartile(&labs)).clamp(1.0, MOST_GAIN);
    let is_gray = is_gray(working);
    labs.map(|&[l, a, b]| {
        let l = (gain * l).min(100.0);
        match is_gray {
            true => [l, GRAY_STRETCH * (l - 60.0), GRAY_STRETCH * (l - 30.0)],
            false => [l, gain * a, gain * b],
        }
    })
}

/// A picture is dark whose lighter quarter begins below this L.
const USUAL_LIGHT: f32 = 28.0;

/// How much lighter it becomes at most.
const MOST_GAIN: f32 = 3.0;

/// Chroma for a step of L in a gray picture.
const GRAY_STRETCH: f32 = 1.2;

/// Channels of a gray pixel differ by no more, but for few pixels.
const GRAY_NEAR: u8 = 6;

/// The L that a quarter of the cells is above; at least 1.
fn upper_quartile(labs: &Grid<Lab>) -> f32 {
    let mut counts = [0; 101];
    for &[l, ..] in &labs.cells {
        counts[l.clamp(0.0, 100.0) as usize] += 1;
    }
    let mut above = labs.cells.len() / 4;
    let quartile = counts.iter().enumerate().rev().find(|(_, count)| {
        let is_here = **count > above;
        above = above.saturating_sub(**count);
        is_here
    });
    quartile.map_or(1.0, |(l, _)| (l as f32).max(1.0))
}

fn is_gray(working: &Grid<[u8; 3]>) -> bool {
    let differs = |[r, g, b]: [u8; 3]| r.max(g).max(b) - r.min(g).min(b) > GRAY_NEAR;
    let colored = working.cells.iter().filter(|&&rgb| differs(rgb)).count();
    colored * 200 <= working.cells.len()
}

/// sRGB to CIE Lab (D65).
pub(crate) fn lab(rgb: [u8; 3]) -> Lab {
    let [r, g, b] = rgb.map(|byte| LINEAR[usize::from(byte)]);
    // Rows of the matrix from sRGB to XYZ (IEC 61966-2-1), each divided by the white point.
    let x = compress(0.433_953 * r + 0.376_219 * g + 0.189_828 * b);
    let y = compress(0.212_673 * r + 0.715_152 * g + 0.072_175 * b);
    let z = compress(0.017_758 * r + 0.109_477 * g + 0.872_766 * b);
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// sRGB byte to linear light (IEC 61966-2-1).
static LINEAR: LazyLock<[f32; 256]> = LazyLock::new(|| {
    std::array::from_fn(|byte| {
        let value = byte as f64 / 255.0;
        let linear = if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        };
        linear as f32
    })
});

const STEPS: usize = 4096;

/// The cube-root curve of CIE Lab over [0, 1].
static CURVE: LazyLock<[f32; STEPS + 2]> = LazyLock::new(|| {
    std::array::from_fn(|step| {
        let light = step as f64 / STEPS as f64;
        let curve = if light > 216.0 / 24389.0 {
            light.cbrt()
        } else {
            (24389.0 / 27.0 * light + 16.0) / 116.0
        };
        curve as f32
    })
});

fn compress(light: f32) -> f32 {
    let position = light * STEPS as f32;
    let step = (position as usize).min(STEPS);
    CURVE[step] + (position - step as f32) * (CURVE[step + 1] - CURVE[step])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers, from colour-science tables.
    #[test]
    fn lab_of_primaries() {
        let known = [
            ([0, 0, 0], [0.0, 0.0, 0.0]),
            ([255, 255, 255], [100.0, 0.0, 0.0]),
            ([255, 0, 0], [53.24, 80.09, 67.20]),
            ([0, 255, 0], [87.73, -86.18, 83.18]),
            ([0, 0, 255], [32.30, 79.19, -107.86]),
            ([128, 128, 128], [53.59, 0.0, 0.0]),
        ];
        for (rgb, expected) in known {
            for (value, expected) in lab(rgb).into_iter().zip(expected) {
                assert!((value - expected).abs() < 0.1, "{rgb:?}: {:?}", lab(rgb));
            }
        }
    }

    #[test]
    fn only_dark_and_gray_pictures_are_seen_otherwise() {
        let of = |colors: &[[u8; 3]]| labs(&Grid::new(colors.len(), 1, colors.to_vec())).cells;
        let usual = [[200, 90, 40], [90, 130, 90], [40, 60, 170], [220, 210, 190]];
        assert_eq!(of(&usual), usual.map(lab));
        let dark = [[30, 12, 8], [9, 14, 9], [8, 9, 22], [12, 11, 9]];
        assert!(
            of(&dark)
                .iter()
                .zip(dark.map(lab))
                .all(|(seen, is)| seen[0] > 2.0 * is[0])
        );
        let [darker, lighter] = of(&[[90; 3], [130; 3]])[..] else {
            panic!("two colours")
        };
        assert!(lighter[1] - darker[1] > 15.0 && lighter[2] - darker[2] > 15.0);
    }

    #[test]
    fn working_copies_are_bounded_and_not_empty() {
        for (width, height) in [
            (1, 1),
            (640, 480),
            (4000, 3000),
            (1, 900_000),
            (900_000, 1),
            (3, 400_000),
        ] {
            let pixels = vec![90; width as usize * height as usize * 3];
            let image = Image::from_raw(width, height, pixels.as_slice()).unwrap();
            let copy = working_copy(&image).unwrap();
            assert!(copy.width >= 1 && copy.height >= 1);
            assert!(
                copy.cells.len() as f64 <= 1.01 * WORKING_PIXELS,
                "{width}x{height}"
            );
            assert!(copy.cells.iter().all(|&rgb| rgb == [90; 3]));
        }
    }
}
