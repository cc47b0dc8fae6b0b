//! The style `mask`: a tint of every region, along its edge alone or all over it.

use std::ops::Range;

use multiversion::multiversion;
use serde::Deserialize;
use som_core::{Call, Canvas, Color, MarkStyle, Marks, Result};

use crate::{
    edge::{self, Depth, Reach},
    ink::{ColorChoice, Coverage, coverage, run},
    owners::{Owner, Owners},
};

/// Tints each region, but for those that no more is known of than their boxes; where regions overlap,
/// the smallest one's colour shows. By default the tint
/// fades from the edge inwards, so that what a model is asked about keeps its colours.
#[derive(Clone, Copy, Debug, Default)]
pub struct MaskFill;

#[derive(Debug, Deserialize)]
#[serde(default)]
struct Settings {
    /// Opacity in [0, 1] all over a region.
    opacity: f32,
    /// Opacity in [0, 1] at its edge.
    edge: f32,
    /// How deep that reaches, in pixels.
    reach: Option<f32>,
    color: ColorChoice,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            opacity: 0.0,
            edge: 0.4,
            reach: None,
            color: ColorChoice::default(),
        }
    }
}

impl MarkStyle for MaskFill {
    fn draw(&self, canvas: &mut Canvas<'_>, marks: &Marks<'_>, call: &Call<'_>) -> Result<()> {
        let settings: Settings = call.parse()?;
        let opacity = settings.opacity.clamp(0.0, 1.0);
        let fade = Fade::new(&settings, canvas);
        let margin = fade.as_ref().map_or(0, |fade| fade.reach.margin());
        let owners = Owners::new(canvas, marks, margin)?;
        call.check()?;
        let colors = marks.iter().map(|mark| settings.color.of(mark));
        let colors: Vec<Color> = colors.collect();
        if opacity > 0.0 {
            fill(canvas, &owners, &colors, coverage(opacity));
            call.check()?;
        }
        if let Some(fade) = fade {
            fade.draw(canvas, &owners, &colors);
        }
        Ok(())
    }
}

/// Tints all of every region.
fn fill(canvas: &mut Canvas<'_>, owners: &Owners, colors: &[Color], amount: Coverage) {
    let amounts = vec![amount; CHANNELS * owners.width()];
    for y in 0..owners.height() {
        let pixels = run(canvas, y as u32, 0, owners.width() as u32);
        tint(pixels, owners.row(y), &amounts, colors);
    }
}

const CHANNELS: usize = 3;

/// Lays over each pixel its owner's colour, in an amount for each of its channels.
fn tint(mut pixels: &mut [u8], mut owners: &[Owner], mut amounts: &[Coverage], colors: &[Color]) {
    while let Some(&owner) = owners.first() {
        let length = run_length(owners);
        let of_run;
        (of_run, pixels) = pixels.split_at_mut(CHANNELS * length);
        if let Some(color) = usize::from(owner)
            .checked_sub(1)
            .and_then(|i| colors.get(i))
        {
            mix(of_run, &amounts[..of_run.len()], color.0);
        }
        (owners, amounts) = (&owners[length..], &amounts[CHANNELS * length..]);
    }
}

/// How many owners at the front of `row` are the same.
fn run_length(row: &[Owner]) -> usize {
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

/// Mixes a colour into pixels, in an amount for each channel. Compiled for processors with AVX2 as
/// well: the compiler makes vectors of it, with the same results.
#[multiversion(targets("x86_64+avx2"))]
fn mix(pixels: &mut [u8], amounts: &[Coverage], color: [u8; CHANNELS]) {
    const BLOCK: usize = 16 * CHANNELS;
    let ink: [u16; BLOCK] = std::array::from_fn(|i| color[i % CHANNELS].into());
    let mix = |((channel, &amount), &ink): ((&mut u8, &Coverage), &u16)| {
        let amount = u16::from(amount);
        // Half of the divisor rounds.
        let sum = u16::from(*channel) * (255 - amount) + ink * amount + 127;
        // An exact division by 255.
        *channel = ((sum + 1 + (sum >> 8)) >> 8) as u8;
    };
    let (blocks, rest) = pixels.as_chunks_mut::<BLOCK>();
    let (amount_blocks, amounts) = amounts.as_chunks::<BLOCK>();
    for (block, amounts) in blocks.iter_mut().zip(amount_blocks) {
        block.iter_mut().zip(amounts).zip(&ink).for_each(mix);
    }
    rest.iter_mut().zip(amounts).zip(&ink).for_each(mix);
}

/// Number of values of a depth.
const DEPTHS: usize = Depth::MAX as usize + 1;

/// A tint that fades from the edge inwards.
struct Fade {
    reach: Reach,
    /// By depth.
    amounts: [Coverage; DEPTHS],
    /// Depths from this one on have no tint.
    end: Depth,
}

impl Fade {
    /// What is still missing at the edge once all of a region is tinted; `None`, if nothing is.
    fn new(settings: &Settings, canvas: &Canvas<'_>) -> Option<Self> {
        let (all, edge) = (
            settings.opacity.clamp(0.0, 1.0),
            settings.edge.clamp(0.0, 1.0),
        );
        let side = (canvas.width() as f32 * canvas.height() as f32).sqrt();
        let deep = settings
            .reach
            .unwrap_or_else(|| (side * 0.0075).clamp(3.0, 40.0));
        if edge <= all || deep <= 0.0 {
            return None;
        }
        let missing = (edge - all) / (1.0 - all);
        let reach = Reach::new(deep.ceil() as u8);
        let unit = f32::from(reach.unit());
        let amounts: [Coverage; DEPTHS] = std::array::from_fn(|depth| {
            let left = (1.0 - depth as f32 / unit / deep).max(0.0);
            coverage(missing * left * left)
        });
        let last = amounts.iter().rposition(|&amount| amount > 0)?;
        Some(Self {
            reach,
            amounts,
            end: (last as Depth).saturating_add(1),
        })
    }

    fn draw(&self, canvas: &mut Canvas<'_>, owners: &Owners, colors: &[Color]) {
        let mut amounts = vec![0; CHANNELS * owners.width()];
        edge::trace(owners, self.reach, |y, x, depths| {
            for Range { start, end } in self.tinted(depths) {
                let (of_pixels, _) = amounts.as_chunks_mut::<CHANNELS>();
                for (amounts, &depth) in of_pixels.iter_mut().zip(&depths[start..end]) {
                    *amounts = [self.amounts[usize::from(depth)]; CHANNELS];
                }
                let columns = x + start..x + end;
                let pixels = run(canvas, y as u32, columns.start as u32, columns.end as u32);
                tint(pixels, &owners.row(y)[columns], &amounts, colors);
            }
        });
    }

    /// Ranges of depths with some tint, in whole blocks as far as there are.
    fn tinted<'a>(&self, depths: &'a [Depth]) -> impl Iterator<Item = Range<usize>> + use<'a> {
        const BLOCK: usize = 16;
        let end = self.end;
        let mut blocks = depths.chunks(BLOCK).map(move |block| {
            let least = block
                .iter()
                .fold(Depth::MAX, |least, &depth| least.min(depth));
            (least < end, block.len())
        });
        let mut at = 0;
        std::iter::from_fn(move || {
            let mut start = at;
            for (is_tinted, length) in blocks.by_ref() {
                at += length;
                match is_tinted {
                    true => {}
                    false if start + length < at => return Some(start..at - length),
                    false => start = at,
                }
            }
            (start < at).then_some(start..at)
        })
    }
}
