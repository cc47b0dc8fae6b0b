//! One segmented thing.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{BBox, Mask, Params, mask::Rle};

/// A segmented thing: a mask, and what the segmenter knows about it.
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// Its pixels, in the original image.
    pub mask: Mask,
    /// Confidence in [0, 1]; `None` if the segmenter gives none.
    pub score: Option<f32>,
    /// Class name; `None` if class-agnostic.
    pub label: Option<String>,
    /// How fine the region is, in the segmenter's own order; `None` if it has no levels.
    pub level: Option<u8>,
    /// Index of the enclosing region in the same list; `None` if that is not in the list.
    pub parent: Option<u32>,
    /// Everything else a segmenter reports, such as `predicted_iou` and `stability_score`.
    pub extra: Params,
}

impl Region {
    /// A region of which only the pixels are known.
    pub fn new(mask: Mask) -> Self {
        Self {
            mask,
            score: None,
            label: None,
            level: None,
            parent: None,
            extra: Params::new(),
        }
    }

    /// The smallest box around the mask.
    pub fn bbox(&self) -> BBox {
        self.mask.bbox()
    }
}

// As JSON a region is COCO's annotation: its mask as compressed RLE, with the box and the area
// beside it for readers that cannot decode one. When read, the mask alone counts.

#[derive(Serialize)]
struct Written<'a> {
    bbox: BBox,
    area: u64,
    segmentation: Rle,
    score: Option<f32>,
    label: Option<&'a str>,
    level: Option<u8>,
    parent: Option<u32>,
    extra: &'a Params,
}

#[derive(Deserialize)]
struct Read {
    segmentation: Rle,
    score: Option<f32>,
    label: Option<String>,
    level: Option<u8>,
    parent: Option<u32>,
    #[serde(default)]
    extra: Params,
}

impl Serialize for Region {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self {
            mask,
            score,
            label,
            level,
            parent,
            extra,
        } = self;
        Written {
            bbox: mask.bbox(),
            area: mask.area(),
            segmentation: mask.to_rle(),
            score: *score,
            label: label.as_deref(),
            level: *level,
            parent: *parent,
            extra,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Read {
            segmentation,
            score,
            label,
            level,
            parent,
            extra,
        } = Read::deserialize(deserializer)?;
        let mask = Mask::from_rle(&segmentation).map_err(de::Error::custom)?;
        Ok(Self {
            mask,
            score,
            label,
            level,
            parent,
            extra,
        })
    }
}
