//! How colour gets onto the canvas, and what sets its amount.

use serde::Deserialize;
use som_core::{Canvas, Color, Mark};

/// An amount of ink: 0 is none, 255 covers all.
pub(crate) type Coverage = u8;

/// `fraction` in [0, 1] as coverage.
pub(crate) fn coverage(fraction: f32) -> Coverage {
    (fraction * 255.0 + 0.5) as u8
}

/// Lays `color` over one pixel.
#[inline]
pub(crate) fn over(pixel: &mut [u8], color: Color, amount: Coverage) {
    for (channel, &ink) in pixel.iter_mut().zip(&color.0) {
        *channel = mix(*channel, ink, amount);
    }
}

/// Exactly rounded `(below * (255 - amount) + ink * amount) / 255`.
#[inline]
pub(crate) fn mix(below: u8, ink: u8, amount: Coverage) -> u8 {
    let sum = u32::from(below) * u32::from(255 - amount) + u32::from(ink) * u32::from(amount);
    ((sum + 127) / 255) as u8
}

/// All of a pixel, for the weights of [`Lanes`].
pub(crate) const WHOLE: u16 = 1 << 12;

/// The channels of a pixel side by side in one word, to be weighted and summed together.
#[derive(Clone, Copy)]
pub(crate) struct Lanes(u64);

impl Lanes {
    /// Bits of a channel times a weight, and one to spare.
    const BITS: u32 = 21;

    #[inline]
    pub(crate) fn new([r, g, b]: [u8; 3]) -> Self {
        Self(u64::from(r) | u64::from(g) << Self::BITS | u64::from(b) << (2 * Self::BITS))
    }

    /// The channels of a sum whose weights add up to [`WHOLE`], rounded.
    #[inline]
    pub(crate) fn whole(self) -> [u8; 3] {
        const HALF: u64 = WHOLE as u64 / 2;
        const HALVES: u64 = HALF | HALF << Lanes::BITS | HALF << (2 * Lanes::BITS);
        let sum = self.0 + HALVES;
        [0, 1, 2].map(|channel| (sum >> (channel * Self::BITS + WHOLE.ilog2())) as u8)
    }
}

impl std::ops::Mul<u16> for Lanes {
    type Output = Self;

    #[inline]
    fn mul(self, weight: u16) -> Self {
        Self(self.0 * u64::from(weight))
    }
}

impl std::ops::Add for Lanes {
    type Output = Self;

    #[inline]
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

/// The bytes of columns `start..end` of row `y`.
pub(crate) fn run<'a>(canvas: &'a mut Canvas<'_>, y: u32, start: u32, end: u32) -> &'a mut [u8] {
    let row = y as usize * canvas.width() as usize;
    &mut (**canvas)[3 * (row + start as usize)..3 * (row + end as usize)]
}

/// A colour of the user's own for all marks, or each mark's.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct ColorChoice(Option<Color>);

impl ColorChoice {
    pub(crate) fn of(self, mark: &Mark) -> Color {
        self.0.unwrap_or(mark.color)
    }
}

/// The settings of the styles that draw lines with a halo beside them.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(default)]
pub(crate) struct Line {
    pub(crate) thickness: Thickness,
    /// Opacity in [0, 1] of the halo.
    pub(crate) halo: f32,
    pub(crate) color: ColorChoice,
}

impl Default for Line {
    fn default() -> Self {
        Self {
            thickness: Thickness::default(),
            halo: 0.5,
            color: ColorChoice::default(),
        }
    }
}

/// A line's thickness in pixels, or one that suits the canvas.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Thickness(Option<f32>);

impl Thickness {
    pub(crate) fn on(self, canvas: &Canvas<'_>) -> f32 {
        self.0.unwrap_or_else(|| {
            let side = (canvas.width() as f32 * canvas.height() as f32).sqrt();
            (side * 0.002).clamp(1.25, 8.0)
        })
    }
}
