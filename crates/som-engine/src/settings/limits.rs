//! `[limits]`: what an image, a call and all calls together may cost before they are refused.

use serde::{Deserialize, Serialize};
use som_core::{Error, Result, Size};

/// What an image, a call and all calls together may cost before they are refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// Encoded size of an image in bytes.
    pub image_bytes: u64,
    /// Decoded size of an image in pixels.
    pub image_pixels: u64,
    /// Images of one call.
    pub images: usize,
    /// Pixels of all images of one call; and of all pages that are drawn for it.
    pub call_pixels: u64,
    /// Layers of ink.
    pub layers: usize,
    /// Regions that come with one image: given, or as boxes in texts.
    pub regions: usize,
    /// Pages of one image.
    pub pages: usize,
    /// Hints to a segmenter.
    pub hints: usize,
    /// Bytes of the words of a prompt, history and template included.
    pub prompt_bytes: usize,
    /// Rows of a comparison.
    pub rows: usize,
    /// Instances of one segmenter, each on a thread of its own.
    pub instances: usize,
    /// Videos that are tracked at a time.
    pub sessions: usize,
    /// Bytes that all calls in progress hold together; 0 for half of what the process may have.
    pub memory_bytes: u64,
}

/// What of a call is counted, by the key of [`LimitSettings`] that bounds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// `limits.images`.
    Images,
    /// `limits.layers`.
    Layers,
    /// `limits.regions`.
    Regions,
    /// `limits.pages`.
    Pages,
    /// `limits.hints`.
    Hints,
    /// `limits.prompt_bytes`.
    PromptBytes,
    /// `limits.rows`.
    Rows,
    /// `limits.instances`.
    Instances,
}

impl LimitSettings {
    /// Checks that there are not too many of something.
    ///
    /// # Errors
    /// Exhausted, naming the key that bounds it.
    pub fn allow(&self, what: Counted, count: usize) -> Result<()> {
        let (key, noun, most) = match what {
            Counted::Images => ("images", "images", self.images),
            Counted::Layers => ("layers", "layers of ink", self.layers),
            Counted::Regions => ("regions", "regions", self.regions),
            Counted::Pages => ("pages", "pages", self.pages),
            Counted::Hints => ("hints", "hints", self.hints),
            Counted::PromptBytes => ("prompt_bytes", "bytes of words", self.prompt_bytes),
            Counted::Rows => ("rows", "rows", self.rows),
            Counted::Instances => ("instances", "instances", self.instances),
        };
        match count > most {
            true => Err(Error::exhausted(format!(
                "there are {count} {noun}, but at most {most} are allowed (raise limits.{key})"
            ))),
            false => Ok(()),
        }
    }

    /// Checks the images of one call, or the pages that are drawn for it.
    ///
    /// # Errors
    /// Exhausted, if they have too many pixels together.
    pub fn allow_pixels(&self, noun: &str, sizes: impl IntoIterator<Item = Size>) -> Result<()> {
        let sizes = sizes.into_iter().map(Size::pixels);
        let pixels = sizes.fold(0, u64::saturating_add);
        match pixels > self.call_pixels {
            true => Err(Error::exhausted(format!(
                "the {noun} have {pixels} pixels together, but at most {} are allowed \
                 (raise limits.call_pixels)",
                self.call_pixels
            ))),
            false => Ok(()),
        }
    }

    /// Checks the limits themselves.
    ///
    /// # Errors
    /// Invalid, naming the key that is 0.
    pub(crate) fn check(&self) -> Result<()> {
        let limits = [
            ("image_bytes", self.image_bytes),
            ("image_pixels", self.image_pixels),
            ("images", self.images as u64),
            ("call_pixels", self.call_pixels),
            ("layers", self.layers as u64),
            ("regions", self.regions as u64),
            ("pages", self.pages as u64),
            ("hints", self.hints as u64),
            ("prompt_bytes", self.prompt_bytes as u64),
            ("rows", self.rows as u64),
            ("instances", self.instances as u64),
            ("sessions", self.sessions as u64),
        ];
        match limits.into_iter().find(|&(_, limit)| limit == 0) {
            Some((key, _)) => Err(Error::invalid(format!(
                "settings: limits.{key} is 0, but has to be above"
            ))),
            None => Ok(()),
        }
    }
}
