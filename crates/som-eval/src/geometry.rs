//! Boxes with fractions and masks as data sets write them.

use std::borrow::Cow;

use serde::{Deserialize, Serialize, Serializer};
use som_core::{BBox, Mask, Region, Rle, Size};

/// A box in pixels, COCO's `[x, y, width, height]`: from 0, with fractions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 4]", into = "[f64; 4]")]
pub struct Rect {
    /// Left side.
    pub x: f64,
    /// Upper side.
    pub y: f64,
    /// From left to right.
    pub width: f64,
    /// From top to bottom.
    pub height: f64,
}

impl Rect {
    /// The box of `width` by `height` whose upper left corner is (`x`, `y`).
    pub const fn new(x: f64, y: f64, width: f64, height: f64) -> Self {
        Self {
            x,
            y,
            width,
            height,
        }
    }

    /// The box between two corners.
    pub fn between([left, top, right, bottom]: [f64; 4]) -> Self {
        Self::new(left, top, right - left, bottom - top)
    }

    /// Its area in pixels.
    pub fn area(self) -> f64 {
        self.width * self.height
    }

    /// True if all numbers are finite and no side is negative.
    pub fn is_sound(self) -> bool {
        [self.x, self.y, self.width, self.height]
            .iter()
            .all(|number| number.is_finite())
            && self.width >= 0.0
            && self.height >= 0.0
    }

    /// Left, upper, right and lower side.
    pub fn corners(self) -> [f64; 4] {
        [self.x, self.y, self.x + self.width, self.y + self.height]
    }

    /// The smallest box around all of `boxes`; `None` if there are none.
    pub fn around(boxes: impl IntoIterator<Item = Rect>) -> Option<Rect> {
        boxes.into_iter().reduce(|a, b| {
            let right = (a.x + a.width).max(b.x + b.width);
            let bottom = (a.y + a.height).max(b.y + b.height);
            Rect::between([a.x.min(b.x), a.y.min(b.y), right, bottom])
        })
    }
}

impl From<[f64; 4]> for Rect {
    fn from([x, y, width, height]: [f64; 4]) -> Self {
        Self::new(x, y, width, height)
    }
}

impl From<Rect> for [f64; 4] {
    fn from(rect: Rect) -> Self {
        [rect.x, rect.y, rect.width, rect.height]
    }
}

impl From<BBox> for Rect {
    fn from(bbox: BBox) -> Self {
        Self::new(
            bbox.x.into(),
            bbox.y.into(),
            bbox.width.into(),
            bbox.height.into(),
        )
    }
}

/// The box of a region: as a detector has it, or that of its mask.
impl From<&Region> for Rect {
    fn from(region: &Region) -> Self {
        match region.shape() {
            som_core::Shape::Box(corners) => Self::between(corners),
            _ => region.bbox().into(),
        }
    }
}

/// A mask as it was written: COCO's polygons, COCO RLE of either kind, or pixels already. It
/// becomes pixels only when it is wanted.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Shape {
    /// `[[x, y, x, y, …], …]`: the union of all.
    Polygons(Vec<Vec<f64>>),
    /// `{"size": [height, width], "counts": …}`.
    Rle(Rle),
    /// Pixels.
    #[serde(skip)]
    Pixels(Mask),
}

impl From<&Mask> for Shape {
    fn from(mask: &Mask) -> Self {
        Self::Rle(mask.to_rle())
    }
}

/// As it was written; pixels as compressed RLE.
impl Serialize for Shape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Polygons(polygons) => polygons.serialize(serializer),
            Self::Rle(rle) => rle.serialize(serializer),
            Self::Pixels(mask) => mask.to_rle().serialize(serializer),
        }
    }
}

impl Shape {
    /// Its pixels in an image of `size`. No polygon at all is an empty mask.
    ///
    /// # Errors
    /// Invalid, if it is malformed or of another size.
    pub fn mask(&self, size: Size) -> som_core::Result<Cow<'_, Mask>> {
        let mask = match self {
            Self::Polygons(polygons) => Cow::Owned(Mask::from_coco_polygons(size, polygons)?),
            Self::Rle(rle) => Cow::Owned(Mask::from_rle(rle)?),
            Self::Pixels(mask) => Cow::Borrowed(mask),
        };
        if mask.size() == size {
            return Ok(mask);
        }
        Err(som_core::Error::invalid(format!(
            "the mask is of a {} image, but this one is {size}",
            mask.size()
        )))
    }
}
