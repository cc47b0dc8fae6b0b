//! The style `mask`: a tint over every region that keeps the photograph legible.

use multiversion::multiversion;
use serde::Deserialize;
use som_core::{Call, Canvas, Color, MarkStyle, Marks, Result};

use crate::{
    ink::{ColorChoice, coverage, run},
    owners::Owners,
};

/// Tints each region; where regions overlap, the smallest one's colour shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct MaskFill;

#[derive(Debug, Deserialize)]
#[serde(default)]
struct Settings {
    opacity: f32,
    color: ColorChoice,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            opacity: 0.2,
            color: ColorChoice::default(),
        }
    }
}

impl MarkStyle for MaskFill {
    fn draw(&self, canvas: &mut Canvas<'_>, marks: &Marks<'_>, call: &Call<'_>) -> Result<()> {
        let settings: Settings = call.parse()?;
        let owners = Owners::new(canvas, marks, 0)?;
        call.check()?;
        let amount = u16::from(coverage(settings.opacity.clamp(0.0, 1.0)));
        let tints: Vec<Tint> = marks
            .iter()
            .map(|mark| Tint::new(settings.color.of(mark), amount))
            .collect();
        let width = canvas.width();
        for y in 0..canvas.height() {
            let mut rest = run(canvas, y, 0, width);
            let mut owned = owners.row(y as usize);
            while let Some(&owner) = owned.first() {
                let length = run_length(owned);
                let (pixels, others) = rest.split_at_mut(3 * length);
                if let Some(tint) = usize::from(owner).checked_sub(1).and_then(|i| tints.get(i)) {
                    tint.apply(pixels);
                }
                (rest, owned) = (others, &owned[length..]);
            }
        }
        Ok(())
    }
}

/// How many owners at the front of `row` are the same.
fn run_length(row: &[u16]) -> usize {
    // Whole blocks compare as vectors.
    const BLOCK: usize = 16;
    let differs = |block: &[u16]| block.iter().fold(0, |any, owner| any | (owner ^ row[0])) != 0;
    let whole = BLOCK
        * row
            .chunks_exact(BLOCK)
            .take_while(|block| !differs(block))
            .count();
    let rest = &row[whole..];
    whole
        + rest
            .iter()
            .position(|&owner| owner != row[0])
            .unwrap_or(rest.len())
}

/// One colour at one opacity, ready for whole runs of pixels.
struct Tint {
    keep: u16,
    /// What is added to 16 pixels in a row, channel by channel.
    add: [u16; Self::BLOCK],
}

impl Tint {
    const BLOCK: usize = 48;

    fn new(color: Color, amount: u16) -> Self {
        // Half of the divisor rounds.
        let add = std::array::from_fn(|i| u16::from(color.0[i % 3]) * amount + 127);
        Self {
            keep: 255 - amount,
            add,
        }
    }

    fn apply(&self, pixels: &mut [u8]) {
        mix(pixels, self.keep, &self.add);
    }
}

/// Multiplies each channel by `keep` and adds to it, in parts of 255. Compiled for processors with
/// AVX2 as well: the compiler makes vectors of it, with the same results.
#[multiversion(targets("x86_64+avx2"))]
fn mix(pixels: &mut [u8], keep: u16, add: &[u16; Tint::BLOCK]) {
    let mix = |(channel, &add): (&mut u8, &u16)| {
        let sum = u16::from(*channel) * keep + add;
        // An exact division by 255.
        *channel = ((sum + 1 + (sum >> 8)) >> 8) as u8;
    };
    let (blocks, rest) = pixels.as_chunks_mut::<{ Tint::BLOCK }>();
    for block in blocks {
        block.iter_mut().zip(add).for_each(mix);
    }
    rest.iter_mut().zip(add).for_each(mix);
}
