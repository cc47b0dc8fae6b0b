//! COCO run-length encoding: how masks travel.
//!
//! Runs go down the columns, starting with zeros. Compressed counts are the text format of the
//! COCO API (`cocodataset/cocoapi`, `maskApi.c`): each count as the difference to the one two
//! before, five bits a character.

use serde::{Deserialize, Serialize};

use super::{Mask, MaskBuilder};
use crate::{Error, Result, Size};

/// A mask as COCO writes it: `{"size": [height, width], "counts": …}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rle {
    /// Height and width, in COCO's order.
    pub size: [u32; 2],
    /// The runs.
    pub counts: Counts,
}

/// The runs of an [`Rle`]; the first one counts zeros.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Counts {
    /// As text.
    Compressed(String),
    /// As numbers.
    Uncompressed(Vec<u32>),
}

impl Mask {
    /// As COCO RLE with compressed counts, byte-equal to pycocotools.
    pub fn to_rle(&self) -> Rle {
        Rle {
            size: self.rle_size(),
            counts: Counts::Compressed(compress(&self.counts())),
        }
    }

    /// As COCO RLE with uncompressed counts.
    pub fn to_uncompressed_rle(&self) -> Rle {
        Rle {
            size: self.rle_size(),
            counts: Counts::Uncompressed(self.counts()),
        }
    }

    /// From COCO RLE of either kind.
    ///
    /// # Errors
    /// Invalid, if the counts are malformed or do not add up to the size.
    pub fn from_rle(rle: &Rle) -> Result<Self> {
        let [height, width] = rle.size;
        let size = Size::new(width, height);
        match &rle.counts {
            Counts::Uncompressed(counts) => Self::from_counts(size, counts),
            Counts::Compressed(text) => Self::from_counts(size, &decompress(text)?),
        }
    }

    const fn rle_size(&self) -> [u32; 2] {
        [self.size.height, self.size.width]
    }

    /// Column-major run lengths, starting with zeros.
    ///
    /// A column's runs begin and end where a row differs from the one above, so the transposition
    /// costs time by outline, not by area.
    fn counts(&self) -> Vec<u32> {
        let bbox = self.bbox();
        let mut flips: Vec<(u32, Toggles)> = Vec::with_capacity(self.ends.len() + 1);
        let mut starts = vec![0_u32; bbox.width as usize + 1];
        let mut above = Vec::new();
        for y in self.bbox.y..=self.bbox.y + self.bbox.height {
            let row = boundaries(self.row(y));
            let toggles = symmetric_difference(&above, &row);
            for pair in toggles.chunks_exact(2) {
                for x in pair[0]..pair[1] {
                    starts[(x - bbox.x) as usize + 1] += 1;
                }
            }
            flips.push((y, toggles));
            above = row;
        }
        for column in 1..starts.len() {
            starts[column] += starts[column - 1];
        }
        let mut positions = vec![0_u64; starts.last().copied().unwrap_or(0) as usize];
        for (y, toggles) in flips {
            for pair in toggles.chunks_exact(2) {
                for x in pair[0]..pair[1] {
                    let slot = &mut starts[(x - bbox.x) as usize];
                    positions[*slot as usize] =
                        u64::from(x) * u64::from(self.size.height) + u64::from(y);
                    *slot += 1;
                }
            }
        }
        let mut counts: Vec<u32> = Vec::with_capacity(positions.len() + 1);
        let mut from = 0;
        for position in positions {
            if position == from && !counts.is_empty() {
                // A run that reaches the last row goes on at the top of the next column.
                from -= u64::from(counts.pop().unwrap_or(0));
            } else {
                counts.push((position - from) as u32);
                from = position;
            }
        }
        counts.push((self.size.pixels() - from) as u32);
        if counts.len() > 1 && counts.last() == Some(&0) {
            counts.pop();
        }
        counts
    }

    fn from_counts(size: Size, counts: &[u32]) -> Result<Self> {
        let total: u64 = counts.iter().map(|&count| u64::from(count)).sum();
        if total != size.pixels() {
            return Err(Error::invalid(format!(
                "RLE counts add up to {total} pixels, but the size is {}x{}",
                size.width, size.height
            )));
        }
        let height = u64::from(size.height);
        // Per row, the columns in which a run begins or ends there.
        let mut flips: Vec<Toggles> = vec![Vec::new(); size.height as usize];
        let mut flip = |x: u32, y: u64| {
            if let Some(row) = flips.get_mut(y as usize) {
                toggle(row, x);
                toggle(row, x + 1);
            }
        };
        let mut position = 0_u64;
        for (index, &count) in counts.iter().enumerate() {
            let end = position + u64::from(count);
            if index % 2 == 1 {
                while position < end {
                    let (x, y) = (position / height, position % height);
                    let stop = (y + end - position).min(height);
                    flip(x as u32, y);
                    flip(x as u32, stop);
                    position += stop - y;
                }
            }
            position = end;
        }
        let mut mask = MaskBuilder::new(size);
        let mut row = Vec::new();
        for (y, toggles) in flips.iter().enumerate() {
            if !toggles.is_empty() {
                row = symmetric_difference(&row, toggles);
            }
            for pair in row.chunks_exact(2) {
                mask.push(y as u32, pair[0], pair[1]);
            }
        }
        Ok(mask.finish())
    }
}

/// Columns at which a row switches between outside and inside, in order.
type Toggles = Vec<u32>;

fn boundaries(row: &[super::Span]) -> Toggles {
    row.iter().flat_map(|span| [span.start, span.end]).collect()
}

/// Adds a switch at `x`, not before any other; two at one place cancel out.
fn toggle(toggles: &mut Toggles, x: u32) {
    if toggles.last() == Some(&x) {
        toggles.pop();
    } else {
        toggles.push(x);
    }
}

fn symmetric_difference(a: &[u32], b: &[u32]) -> Toggles {
    let mut merged = Vec::with_capacity(a.len() + b.len());
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        match a[i].cmp(&b[j]) {
            std::cmp::Ordering::Less => {
                merged.push(a[i]);
                i += 1;
            }
            std::cmp::Ordering::Greater => {
                merged.push(b[j]);
                j += 1;
            }
            std::cmp::Ordering::Equal => {
                i += 1;
                j += 1;
            }
        }
    }
    merged.extend_from_slice(&a[i..]);
    merged.extend_from_slice(&b[j..]);
    merged
}

fn compress(counts: &[u32]) -> String {
    let mut text = String::with_capacity(counts.len() * 2);
    for (index, &count) in counts.iter().enumerate() {
        let before = if index > 2 {
            i64::from(counts[index - 2])
        } else {
            0
        };
        let mut rest = i64::from(count) - before;
        loop {
            let bits = (rest & 0x1f) as u8;
            rest >>= 5;
            // Bit 4 is the sign of what has been written so far.
            let done = if bits & 0x10 != 0 {
                rest == -1
            } else {
                rest == 0
            };
            text.push(char::from(48 + if done { bits } else { bits | 0x20 }));
            if done {
                break;
            }
        }
    }
    text
}

fn decompress(text: &str) -> Result<Vec<u32>> {
    let mut counts: Vec<u32> = Vec::with_capacity(text.len());
    let mut bytes = text.bytes().enumerate();
    while let Some((start, mut byte)) = bytes.next() {
        let (mut value, mut shift) = (0_i64, 0);
        loop {
            let bits = byte.wrapping_sub(48);
            if bits > 0x3f || shift > 30 {
                return Err(malformed(start, "is not a count"));
            }
            value |= i64::from(bits & 0x1f) << shift;
            shift += 5;
            if bits & 0x20 == 0 {
                if bits & 0x10 != 0 {
                    value |= -1 << shift;
                }
                break;
            }
            byte = bytes
                .next()
                .ok_or_else(|| malformed(start, "ends in the middle of a count"))?
                .1;
        }
        if counts.len() > 2 {
            value += i64::from(counts[counts.len() - 2]);
        }
        let count =
            u32::try_from(value).map_err(|_| malformed(start, "is a negative or huge count"))?;
        counts.push(count);
    }
    Ok(counts)
}

fn malformed(at: usize, what: &str) -> Error {
    Error::invalid(format!("RLE counts: the text at byte {at} {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BBox;

    /// Known answer, from pycocotools.
    #[test]
    fn rectangle_matches_pycocotools() {
        let mask = Mask::rect(Size::new(5, 4), BBox::new(1, 1, 2, 2));
        assert_eq!(
            mask.to_uncompressed_rle().counts,
            Counts::Uncompressed(vec![5, 2, 2, 2, 9])
        );
        assert_eq!(Mask::from_rle(&mask.to_rle()).unwrap(), mask);
    }

    #[test]
    fn columns_that_touch_top_and_bottom_join() {
        let full = Mask::rect(Size::new(3, 2), BBox::new(0, 0, 3, 2));
        assert_eq!(
            full.to_uncompressed_rle().counts,
            Counts::Uncompressed(vec![0, 6])
        );
        let empty = Mask::empty(Size::new(3, 2));
        assert_eq!(
            empty.to_uncompressed_rle().counts,
            Counts::Uncompressed(vec![6])
        );
        for mask in [full, empty] {
            assert_eq!(Mask::from_rle(&mask.to_rle()).unwrap(), mask);
        }
    }
}
