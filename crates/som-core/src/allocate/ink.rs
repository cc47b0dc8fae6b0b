//! Ink: letters, lines and icons, which a label should not hide.
//!
//! Ink is where the colour steps from one pixel to the next along a row, by more than noise, shading
//! and the traces of lossy compression make. Every second row is looked at: nothing that can be read
//! is thinner from top to bottom, but for lines, and these step at their ends.

use multiversion::multiversion;

use crate::{BBox, Image, Mask};

/// Steps of a channel up to this are no ink.
const NOISE: u8 = 24;
/// Rows from one that is looked at to the next.
const ROWS: u32 = 2;
/// Ink a pixel, on the rows looked at, up to which ground is plain: less than one thin gray line
/// across a label makes.
const PLAIN: u64 = 1;

/// The ink of an image.
#[derive(Clone, Copy)]
pub(super) struct Ink<'a> {
    pixels: &'a [u8],
    width: usize,
}

impl<'a> Ink<'a> {
    pub(super) fn new(image: &'a Image<'_>) -> Self {
        Self {
            pixels: image.as_raw(),
            width: image.width() as usize,
        }
    }

    /// Ink between the columns `start..end` of row `y`: 0 for a row that is not looked at.
    pub(super) fn of_run(&self, y: u32, start: u32, end: u32) -> u64 {
        if !y.is_multiple_of(ROWS) {
            return 0;
        }
        let row = y as usize * self.width;
        let run = 3 * (row + start as usize)..3 * (row + end as usize);
        steps(self.pixels.get(run).unwrap_or(&[])).into()
    }

    /// Ink within the mask.
    pub(super) fn of_mask(&self, mask: &Mask) -> u64 {
        let rows = mask.rows().filter(|(y, _)| y.is_multiple_of(ROWS));
        rows.flat_map(|(y, spans)| spans.iter().map(move |span| (y, span)))
            .map(|(y, span)| self.of_run(y, span.start, span.end))
            .sum()
    }

    /// Ink within the mask that lies under `bbox`.
    pub(super) fn of_mask_under(&self, mask: &Mask, bbox: BBox) -> u64 {
        let (left, right) = (bbox.x, bbox.x + bbox.width);
        let rows = (bbox.y..bbox.y + bbox.height).filter(|y| y.is_multiple_of(ROWS));
        rows.flat_map(|y| mask.row(y).iter().map(move |span| (y, span)))
            .map(|(y, span)| (y, span.start.max(left), span.end.min(right)))
            .filter(|(_, start, end)| start < end)
            .map(|(y, start, end)| self.of_run(y, start, end))
            .sum()
    }

    /// True if there is next to no ink in `bbox`, which lies in the image.
    pub(super) fn is_plain(&self, bbox: BBox) -> bool {
        let mut left = PLAIN * bbox.area() / u64::from(ROWS);
        (bbox.y..bbox.y + bbox.height).all(|y| {
            let ink = self.of_run(y, bbox.x, bbox.x + bbox.width);
            let is_within = ink <= left;
            left = left.saturating_sub(ink);
            is_within
        })
    }
}

/// The sum of what the channels of neighbouring pixels differ by beyond [`NOISE`]. Compiled for
/// processors with AVX2 as well: the compiler makes vectors of it, with the same results.
#[multiversion(targets("x86_64+avx2"))]
fn steps(run: &[u8]) -> u32 {
    const LANES: usize = 32;
    /// Blocks whose sums fit into 16 bits.
    const BLOCKS: usize = 256;
    let next = run.get(3..).unwrap_or(&[]);
    let run = &run[..next.len()];
    let beyond = |a: u8, b: u8| a.abs_diff(b).saturating_sub(NOISE);
    let (blocks, rest) = run.as_chunks::<LANES>();
    let (next_blocks, next_rest) = next.as_chunks::<LANES>();
    let mut sum = 0;
    for (blocks, next_blocks) in blocks.chunks(BLOCKS).zip(next_blocks.chunks(BLOCKS)) {
        let mut sums = [0_u16; LANES];
        for (block, next) in blocks.iter().zip(next_blocks) {
            for lane in 0..LANES {
                sums[lane] += u16::from(beyond(block[lane], next[lane]));
            }
        }
        sum += sums.iter().map(|&sum| u32::from(sum)).sum::<u32>();
    }
    let rest = rest.iter().zip(next_rest);
    sum + rest.map(|(&a, &b)| u32::from(beyond(a, b))).sum::<u32>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Size;

    const SIZE: Size = Size::new(200, 40);

    /// Gray ground with a bit of noise, and a black stroke of three columns.
    fn pixels(stroke: u32) -> Vec<u8> {
        let columns = |y: u32| (0..SIZE.width).map(move |x| (x, y));
        (0..SIZE.height)
            .flat_map(columns)
            .flat_map(|(x, y)| match (stroke..stroke + 3).contains(&x) {
                true => [0; 3],
                false => [200 + ((7 * x + 5 * y) % 16) as u8; 3],
            })
            .collect()
    }

    #[test]
    fn ground_is_plain_and_strokes_are_not() {
        let pixels = pixels(100);
        let image = Image::from_raw(SIZE.width, SIZE.height, pixels.as_slice()).unwrap();
        let ink = Ink::new(&image);
        assert!(ink.is_plain(BBox::new(10, 5, 60, 20)));
        assert!(!ink.is_plain(BBox::new(60, 5, 60, 20)));
        // Beside the stroke, with its edge outside.
        assert!(ink.is_plain(BBox::new(103, 5, 60, 20)));
    }

    #[test]
    fn ink_is_counted_where_the_mask_is() {
        let pixels = pixels(150);
        let image = Image::from_raw(SIZE.width, SIZE.height, pixels.as_slice()).unwrap();
        let ink = Ink::new(&image);
        let mask = Mask::rect(SIZE, BBox::new(120, 0, 60, 40));
        let all = ink.of_mask(&mask);
        assert!(all > 0);
        assert_eq!(all, ink.of_mask(&Mask::rect(SIZE, SIZE.bbox())));
        assert_eq!(ink.of_mask_under(&mask, BBox::new(140, 0, 60, 40)), all);
        let halves = [0, 20].map(|y| ink.of_mask_under(&mask, BBox::new(140, y, 60, 20)));
        assert!(halves.iter().all(|&half| half > 0));
        assert_eq!(halves.iter().sum::<u64>(), all);
        assert_eq!(ink.of_mask_under(&mask, BBox::new(0, 0, 120, 40)), 0);
        assert_eq!(ink.of_mask(&Mask::rect(SIZE, BBox::new(0, 0, 150, 40))), 0);
    }
}
