//! What stands under `segmentation`: outlines or run lengths.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use som_core::Rle;

use super::{coordinates::Corners, gathering::Shape};

/// COCO's `segmentation`: RLE of either kind, or a list of outlines.
#[derive(Debug)]
pub(super) enum Segmentation {
    Rle(Rle),
    Polygons(Vec<Vec<f64>>),
}

impl Segmentation {
    /// What an entry covers: its segmentation, or else its box of left, top, width, height. `None`
    /// with neither.
    pub(super) fn shape(segmentation: Option<Self>, bbox: Option<[f64; 4]>) -> Option<Shape> {
        match segmentation {
            Some(Self::Rle(rle)) => Some(Shape::Rle(rle)),
            Some(Self::Polygons(polygons)) if !polygons.is_empty() => {
                Some(Shape::Polygons(polygons))
            }
            _ => bbox.map(|bbox| Shape::Box(Corners::from_xywh(bbox))),
        }
    }
}

// By hand, so that failures tell what is wrong and where; an untagged enum knows neither.
impl<'de> Deserialize<'de> for Segmentation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OfCoco)
    }
}

struct OfCoco;

impl<'de> Visitor<'de> for OfCoco {
    type Value = Segmentation;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of outlines, or an RLE with size and counts")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Segmentation, A::Error> {
        Rle::deserialize(MapAccessDeserializer::new(map)).map(Segmentation::Rle)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Segmentation, A::Error> {
        let mut polygons = Vec::new();
        while let Some(polygon) = seq.next_element()? {
            polygons.push(polygon);
        }
        Ok(Segmentation::Polygons(polygons))
    }
}
