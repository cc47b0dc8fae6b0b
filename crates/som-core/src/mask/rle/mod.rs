//! COCO run-length encoding: how masks travel.
//!
//! Runs go down the columns, starting with zeros. The formats are those of the COCO API
//! (`cocodataset/cocoapi`, `maskApi.c`); what is written is byte-equal to pycocotools.

mod columns;
mod grid;
pub(super) mod runs;
mod text;

use serde::{Deserialize, Serialize};

use super::Mask;
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

impl Rle {
    /// Size of the image the mask belongs to.
    pub const fn image_size(&self) -> Size {
        let [height, width] = self.size;
        Size::new(width, height)
    }
}

impl Mask {
    /// As COCO RLE with compressed counts, byte-equal to pycocotools.
    pub fn to_rle(&self) -> Rle {
        self.to_rle_with(Counts::Compressed(text::compress(&runs::counts(self))))
    }

    /// As COCO RLE with uncompressed counts.
    pub fn to_uncompressed_rle(&self) -> Rle {
        self.to_rle_with(Counts::Uncompressed(runs::counts(self)))
    }

    /// From COCO RLE of either kind. Runs of length 0 are taken as they come.
    ///
    /// A short text can stand for a large mask, so what comes from outside is limited: to
    /// [`Size::check`], and to 2^25 runs a mask.
    ///
    /// # Errors
    /// Invalid, if the counts are malformed or do not add up to the size; exhausted, beyond the
    /// limits.
    pub fn from_rle(rle: &Rle) -> Result<Self> {
        let size = rle.image_size();
        size.check().map_err(|error| error.at("RLE"))?;
        let decompressed;
        let counts = match &rle.counts {
            Counts::Uncompressed(counts) => counts,
            Counts::Compressed(text) => {
                decompressed = text::decompress(text)?;
                &decompressed
            }
        };
        let total: u64 = counts.iter().map(|&count| u64::from(count)).sum();
        if total != size.pixels() {
            return Err(Error::invalid(format!(
                "RLE: the counts add up to {total} pixels, but a {size} mask has {}",
                size.pixels()
            )));
        }
        runs::mask(size, counts)
    }

    const fn to_rle_with(&self, counts: Counts) -> Rle {
        Rle {
            size: [self.size.height, self.size.width],
            counts,
        }
    }
}
