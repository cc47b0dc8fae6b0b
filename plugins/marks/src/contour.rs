//! The style `contour`: a line along the edge of every region, just inside it; around one that no more is
//! known of than its box, that box.

use som_core::{Call, Canvas, MarkStyle, Marks, Result};
use wide::u8x16;

use crate::{
    boxes::outline,
    edge::{self, Depth, Reach},
    ink::{Lanes, Line, WHOLE, run},
    owners::{Owner, Owners},
};

/// Draws the outline of each region within the region, so that those of neighbours lie side by
/// side, with a halo that parts them from each other and from the photograph. Where regions
/// overlap, the smallest one's outline shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Contour;

impl MarkStyle for Contour {
    fn draw(&self, canvas: &mut Canvas<'_>, marks: &Marks<'_>, call: &Call<'_>) -> Result<()> {
        if marks.is_empty() {
            return Ok(());
        }
        let settings: Line = call.parse()?;
        let (thickness, halo) = (settings.thickness.on(canvas), settings.halo.clamp(0.0, 1.0));
        for mark in marks.iter().filter(|mark| mark.region.is_box()) {
            let color = settings.color.of(mark);
            let bbox = mark.region.bbox();
            outline(canvas, bbox, thickness, color, color.ink(), halo);
        }
        let profile = Profile::new(thickness, halo);
        let owners = Owners::new(canvas, marks, profile.reach.margin())?;
        call.check()?;
        let colors = marks.iter().map(|mark| settings.color.of(mark));
        let pens: Vec<[Lanes; 2]> = colors
            .map(|color| [Lanes::new(color.0), Lanes::new(color.ink().0)])
            .collect();
        edge::trace(&owners, profile.reach, |y, x, depths| {
            let end = x + depths.len();
            let pixels = run(canvas, y as u32, x as u32, end as u32);
            profile.ink(pixels, depths, &owners.row(y)[x..end], &pens);
        });
        Ok(())
    }
}

/// How much of a pixel is kept and how much is inked; together [`WHOLE`].
#[derive(Clone, Copy, PartialEq)]
struct Amounts {
    keep: u16,
    line: u16,
    halo: u16,
}

impl Amounts {
    const NONE: Self = Self {
        keep: WHOLE,
        line: 0,
        halo: 0,
    };
}

/// Number of values of a depth.
const DEPTHS: usize = Depth::MAX as usize + 1;

/// How much ink there is at which depth.
struct Profile {
    reach: Reach,
    /// Depths from this one on have no ink.
    end: Depth,
    /// By depth, of pixels outside all regions and of those inside one.
    amounts: [[Amounts; DEPTHS]; 2],
}

impl Profile {
    /// Where the line begins inside the edge, so that lines of neighbours stay apart.
    const START: f32 = 0.4;
    /// Pixels of halo on either side of the line.
    const HALO: f32 = 1.0;

    fn new(thickness: f32, halo: f32) -> Self {
        let line_end = Self::START + thickness;
        let reach = Reach::new((line_end + Self::HALO + 0.5).ceil() as u8);
        // The share of a pixel at `depth` that lies between two depths.
        let between = |depth: f32, from: f32, to: f32| {
            (depth - from + 0.5)
                .clamp(0.0, 1.0)
                .min((to - depth + 0.5).clamp(0.0, 1.0))
        };
        let amounts = |depth: f32, line: f32| {
            let around = between(depth, -Self::HALO, line_end + Self::HALO) * halo;
            let whole = f32::from(WHOLE);
            let line_amount = (line * whole).round() as u16;
            let halo_amount = ((1.0 - line) * around * whole).round() as u16;
            Amounts {
                keep: WHOLE - line_amount - halo_amount,
                line: line_amount,
                halo: halo_amount,
            }
        };
        let depths: [f32; DEPTHS] = std::array::from_fn(|d| d as f32 / f32::from(reach.unit()));
        let amounts = [
            depths.map(|d| amounts(-d, 0.0)),
            depths.map(|d| amounts(d, between(d, Self::START, line_end))),
        ];
        let last_inked = amounts
            .iter()
            .filter_map(|amounts| amounts.iter().rposition(|at| *at != Amounts::NONE))
            .max();
        Self {
            reach,
            end: last_inked.map_or(0, |last| (last as Depth).saturating_add(1)),
            amounts,
        }
    }

    /// Inks a run of pixels, given the depth and the owner of each, and line and halo of each mark.
    fn ink(&self, pixels: &mut [u8], depths: &[Depth], owners: &[Owner], pens: &[[Lanes; 2]]) {
        let (pixels, _) = pixels.as_chunks_mut::<3>();
        let mut ink = |index: usize| {
            let owner = owners[index];
            let amounts = self.amounts[usize::from(owner > 0)][usize::from(depths[index])];
            // A pixel beside all regions has but a halo: whose does not matter.
            let [line, halo] = pens[usize::from(owner.max(1)) - 1];
            let pixel = &mut pixels[index];
            let sum = Lanes::new(*pixel) * amounts.keep + line * amounts.line + halo * amounts.halo;
            *pixel = sum.whole();
        };
        let end = u8x16::splat(self.end);
        let (blocks, _) = depths.as_chunks();
        for (block, start) in blocks.iter().zip((0..).step_by(16)) {
            let mut inked = u8x16::new(*block).simd_lt(end).to_bitmask();
            while inked != 0 {
                ink(start + inked.trailing_zeros() as usize);
                inked &= inked - 1;
            }
        }
        let rest = depths.iter().enumerate().skip(16 * blocks.len());
        rest.filter(|&(_, &depth)| depth < self.end)
            .for_each(|(index, _)| ink(index));
    }
}
