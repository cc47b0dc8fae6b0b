//! Hints: the visual prompts given to an interactive segmenter.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Params, Result, mask::Rle};

/// What an interactive segmenter is told, in pixels of the original image. Travels as the
/// parameter `hints`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hints {
    /// Clicks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<PointHint>,
    /// Boxes around the wanted thing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub boxes: Vec<BoxHint>,
    /// Strokes or earlier masks, as COCO RLE objects of the image's size.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub masks: Vec<Rle>,
    /// What to look for, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// A click: label 1 on the wanted thing, 0 on the background.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointHint {
    /// Column.
    pub x: f64,
    /// Row.
    pub y: f64,
    /// 1: foreground, 0: background.
    #[serde(default = "foreground")]
    pub label: u8,
}

const fn foreground() -> u8 {
    1
}

/// A box around the wanted thing, XYWH.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoxHint {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width, above 0.
    pub width: f64,
    /// Height, above 0.
    pub height: f64,
}

impl Hints {
    /// The `hints` of `params`; `None` if there are none.
    ///
    /// # Errors
    /// Invalid, if they are malformed.
    pub fn from_params(params: &Params) -> Result<Option<Self>> {
        match params.get("hints") {
            None | Some(Value::Null) => Ok(None),
            Some(hints) => Self::deserialize(hints)
                .map(|hints| Some(hints).filter(|hints| !hints.is_empty()))
                .map_err(|error| Error::invalid(format!("hints: {error}"))),
        }
    }

    /// True if nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.points.is_empty()
            && self.boxes.is_empty()
            && self.masks.is_empty()
            && self.text.is_none()
    }
}
