//! The style `contour`: a line along the edge of every region, just inside it.

use serde::Deserialize;
use som_core::{Call, Canvas, Mark, MarkStyle, Result};

use crate::{
    edge::{self, Depth, MAX_REACH, UNIT},
    ink::{ColorChoice, Lanes, Thickness, WHOLE, run},
    owners::Owners,
};

/// Draws the outline of each region within the region, so that those of neighbours lie side by
/// side, with a halo that parts them from each other and from the photograph. Where regions
/// overlap, the smallest one's outline shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Contour;

#[derive(Debug, Deserialize)]
#[serde(default)]
struct Settings {
    thickness: Thickness,
    halo: f32,
    color: ColorChoice,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            thickness: Thickness::default(),
            halo: 0.5,
            color: ColorChoice::default(),
        }
    }
}

impl MarkStyle for Contour {
    fn draw(&self, canvas: &mut Canvas<'_>, marks: &[&Mark], call: &Call<'_>) -> Result<()> {
        if marks.is_empty() {
            return Ok(());
        }
        let settings: Settings = call.parse()?;
        let profile = Profile::new(settings.thickness.on(canvas), settings.halo.clamp(0.0, 1.0));
        let owners = Owners::new(canvas, marks)?;
        call.check()?;
        let colors = marks.iter().map(|mark| settings.color.of(mark));
        let pens: Vec<[Lanes; 2]> = colors
            .map(|color| [Lanes::new(color.0), Lanes::new(color.ink().0)])
            .collect();
        edge::trace(&owners, profile.reach, |y, x, depths| {
            let end = x + depths.len();
            let pixels = run(canvas, y as u32, x as u32, end as u32).chunks_exact_mut(3);
            for ((pixel, &depth), &owner) in pixels.zip(depths).zip(&owners.row(y)[x..end]) {
                let amounts = profile.at(depth, owner > 0);
                if amounts.keep == WHOLE {
                    continue;
                }
                // A pixel beside all regions has but a halo: whose does not matter.
                let [line, halo] = pens[usize::from(owner.max(1)) - 1];
                let below = Lanes::new([pixel[0], pixel[1], pixel[2]]);
                let sum = below * amounts.keep + line * amounts.line + halo * amounts.halo;
                pixel.copy_from_slice(&sum.whole());
            }
        });
        Ok(())
    }
}

/// How much of a pixel is kept and how much is inked; together [`WHOLE`].
#[derive(Clone, Copy, Default)]
struct Amounts {
    keep: u16,
    line: u16,
    halo: u16,
}

/// How much ink there is at which depth.
struct Profile {
    /// Depth in pixels beyond which there is none.
    reach: u8,
    inside: Vec<Amounts>,
    outside: Vec<Amounts>,
}

impl Profile {
    /// Where the line begins inside the edge, so that lines of neighbours stay apart.
    const START: f32 = 0.4;
    /// Pixels of halo on either side of the line.
    const HALO: f32 = 1.0;

    fn new(thickness: f32, halo: f32) -> Self {
        let end = Self::START + thickness;
        let reach = (end + Self::HALO + 0.5).ceil().min(f32::from(MAX_REACH)) as u8;
        // The share of a pixel at `depth` that lies between two depths.
        let between = |depth: f32, from: f32, to: f32| {
            (depth - from + 0.5)
                .clamp(0.0, 1.0)
                .min((to - depth + 0.5).clamp(0.0, 1.0))
        };
        let amounts = |depth: f32, line: f32| {
            let around = between(depth, -Self::HALO, end + Self::HALO) * halo;
            let whole = f32::from(WHOLE);
            let line_amount = (line * whole).round() as u16;
            let halo_amount = ((1.0 - line) * around * whole).round() as u16;
            Amounts {
                keep: WHOLE - line_amount - halo_amount,
                line: line_amount,
                halo: halo_amount,
            }
        };
        let depths =
            || (0..=u16::from(reach) * u16::from(UNIT)).map(|d| f32::from(d) / f32::from(UNIT));
        Self {
            reach,
            inside: depths()
                .map(|d| amounts(d, between(d, Self::START, end)))
                .collect(),
            outside: depths().map(|d| amounts(-d, 0.0)).collect(),
        }
    }

    fn at(&self, depth: Depth, inside: bool) -> Amounts {
        let table = if inside { &self.inside } else { &self.outside };
        table.get(usize::from(depth)).copied().unwrap_or(Amounts {
            keep: WHOLE,
            line: 0,
            halo: 0,
        })
    }
}
