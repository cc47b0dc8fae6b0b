//! How a model sees an image: the size that is left of it.

use serde::{Deserialize, Serialize};

use crate::Size;

/// How an LMM's provider rescales an image before the LMM sees it, step by step in the order of
/// the fields. 0 leaves a step out. An image is never scaled up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct View {
    /// Most pixels along the longer side.
    pub long_side: u32,
    /// Most pixels along the shorter side.
    pub short_side: u32,
    /// Most pixels in all.
    pub pixels: u64,
    /// Both sides become multiples of this, within `pixels`.
    pub multiple: u32,
    /// Side in pixels of the patches that are counted.
    pub patch: u32,
    /// Most patches of that side.
    pub patches: u32,
    /// Both sides become this: the image is distorted into a square.
    pub square: u32,
}

impl Default for View {
    /// The narrower of two common limits: 1568 pixels along the long side (Anthropic, *Vision*
    /// guide) and 768 along the short side (OpenAI, *Images and vision* guide, high detail).
    fn default() -> Self {
        Self {
            long_side: 1568,
            short_side: 768,
            ..Self::UNLIMITED
        }
    }
}

impl View {
    /// Every image is seen as it is.
    pub const UNLIMITED: Self = Self {
        long_side: 0,
        short_side: 0,
        pixels: 0,
        multiple: 0,
        patch: 0,
        patches: 0,
        square: 0,
    };

    /// The size at which the LMM sees an image of `size`; at least one pixel.
    pub fn seen(&self, size: Size) -> Size {
        let size = self.within_sides(size);
        let size = match self.multiple {
            0 => self.within_pixels(size),
            multiple => self.in_multiples(size, multiple),
        };
        let size = self.within_patches(size);
        match self.square {
            0 => size,
            side => Size::new(side, side),
        }
    }

    /// What the LMM sees per pixel of an image of `size`, along the side that loses more: 1, or
    /// less if it is scaled down.
    pub fn scale(&self, size: Size) -> f32 {
        let seen = self.seen(size);
        let along = |seen: u32, side: u32| seen as f32 / side.max(1) as f32;
        along(seen.width, size.width)
            .min(along(seen.height, size.height))
            .min(1.0)
    }

    fn within_sides(&self, size: Size) -> Size {
        let long = limit(self.long_side.into()) / f64::from(size.width.max(size.height).max(1));
        let short = limit(self.short_side.into()) / f64::from(size.width.min(size.height).max(1));
        shrink(size, long.min(short))
    }

    fn within_pixels(&self, size: Size) -> Size {
        shrink(
            size,
            (limit(self.pixels) / size.pixels().max(1) as f64).sqrt(),
        )
    }

    /// As Qwen2-VL's `smart_resize`: the nearest multiples, or where those have too many pixels,
    /// the next lower ones of the size that has as many as allowed.
    fn in_multiples(&self, size: Size, multiple: u32) -> Size {
        let step = f64::from(multiple);
        let nearest = |side: u32| (f64::from(side) / step).round_ties_even().max(1.0) * step;
        let (width, height) = (nearest(size.width), nearest(size.height));
        if width * height <= limit(self.pixels) {
            return whole(width, height);
        }
        let factor = (limit(self.pixels) / size.pixels().max(1) as f64).sqrt();
        let lower = |side: u32| (f64::from(side) * factor / step).floor().max(1.0) * step;
        whole(lower(size.width), lower(size.height))
    }

    /// As OpenAI's models that count patches: shrunk until the patches fit in number, and further
    /// until one side is a whole number of them.
    fn within_patches(&self, size: Size) -> Size {
        let (patch, most) = (self.patch, u64::from(self.patches));
        if patch == 0 || most == 0 {
            return size;
        }
        let count = |side: u32| u64::from(side.div_ceil(patch));
        if count(size.width) * count(size.height) <= most {
            return size;
        }
        let step = f64::from(patch);
        let factor = (step * step * most as f64 / size.pixels() as f64).sqrt();
        let loss = |side: u32| {
            let patches = f64::from(side) * factor / step;
            patches.floor().max(1.0) / patches
        };
        // The other side of a sliver takes a patch as well, however thin it is.
        let single_row = step * most as f64 / f64::from(size.width.max(size.height));
        let factor = factor * loss(size.width).min(loss(size.height));
        shrink(size, factor.min(single_row))
    }
}

/// What 0 stands for, and any other number for itself.
fn limit(most: u64) -> f64 {
    match most {
        0 => f64::INFINITY,
        most => most as f64,
    }
}

/// `size` by `factor`, or as it is where that is more than 1.
fn shrink(size: Size, factor: f64) -> Size {
    let factor = factor.min(1.0);
    whole(
        f64::from(size.width) * factor,
        f64::from(size.height) * factor,
    )
}

fn whole(width: f64, height: f64) -> Size {
    let side = |side: f64| side.round().max(1.0) as u32;
    Size::new(side(width), side(height))
}
