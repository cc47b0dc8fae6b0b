//! What a provider does with the images it gets.

use serde::{Deserialize, Serialize};

use super::{Prompt, View};
use crate::{
    Coordinates, Size,
    encode::Encoding,
    scene::{AxisOrder, BoxOrder, Corner, Places},
};

/// What a provider accepts as images, and how its model sees them. 0 is no limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ImagePolicy {
    /// How images are rescaled before the model sees them.
    pub view: View,
    /// Largest file in bytes, before it is written as Base64.
    pub bytes: u64,
    /// Longest side in pixels that is not refused.
    pub side: u32,
    /// Most images of one request.
    pub count: usize,
    /// File formats it takes, the preferred one first.
    pub formats: Vec<Encoding>,
    /// The value of `detail` (OpenAI) or `mediaResolution` (Gemini); `None` to send none.
    pub detail: Option<String>,
    /// What coordinates in its answers count where they do not say; `None` if it is not known.
    pub coordinates: Option<Coordinates>,
    /// What the four numbers of a box are in its answers; `None` if it is not known.
    pub box_order: Option<BoxOrder>,
    /// What the two numbers of a point are; `None` if it is not known.
    pub point_order: Option<AxisOrder>,
    /// What the two numbers of a polygon's corner are; `None` if it is not known.
    pub polygon_order: Option<AxisOrder>,
    /// The corner at which coordinates begin.
    pub origin: Corner,
}

impl Default for ImagePolicy {
    fn default() -> Self {
        Self {
            view: View::default(),
            bytes: 0,
            side: 0,
            count: 0,
            formats: vec![Encoding::Png, Encoding::Jpeg],
            detail: None,
            coordinates: None,
            box_order: None,
            point_order: None,
            polygon_order: None,
            origin: Corner::TopLeft,
        }
    }
}

impl ImagePolicy {
    /// The size at which the model sees an image of `size`.
    pub fn seen(&self, size: Size) -> Size {
        self.view.seen(size)
    }

    /// How the places of its answers are written.
    pub const fn places(&self) -> Places {
        Places {
            unit: self.coordinates,
            boxes: self.box_order,
            points: self.point_order,
            polygons: self.polygon_order,
            origin: self.origin,
        }
    }

    /// Why the images of `prompt` would be refused.
    pub(super) fn check(&self, prompt: &Prompt) -> Result<(), String> {
        let count = prompt.images().count();
        if self.count > 0 && count > self.count {
            return Err(format!(
                "takes at most {} images a request, but the prompt has {count}",
                self.count
            ));
        }
        for image in prompt.images() {
            let (bytes, size) = (image.bytes.len(), image.size);
            if self.bytes > 0 && bytes as u64 > self.bytes {
                return Err(format!(
                    "takes images of at most {} bytes, but one has {bytes}",
                    self.bytes
                ));
            }
            if self.side > 0 && size.width.max(size.height) > self.side {
                return Err(format!(
                    "takes images of at most {} pixels a side, but one has {size}",
                    self.side
                ));
            }
            if !self.formats.contains(&image.format) {
                return Err(format!(
                    "takes no images as {} (it takes {})",
                    image.format.media_type(),
                    self.formats
                        .iter()
                        .map(|format| format.media_type())
                        .collect::<Vec<_>>()
                        .join(", ")
                ));
            }
        }
        Ok(())
    }
}
