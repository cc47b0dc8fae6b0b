//! image → regions.

use serde::Serialize;

use crate::{Call, Descriptor, Image, Params, Region, Result, granularity::Granularity};

/// Cuts an image into regions. Blocking; the engine calls it on the instance's own thread.
///
/// `&mut self` with `Send` but not `Sync` is the rule "never two calls on one instance, threads
/// may change".
pub trait Segmenter: Send {
    /// The regions of `image`, in the segmenter's own order. An empty list is a normal result.
    ///
    /// # Errors
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) soon after the call was cancelled;
    /// any other kind with a message that names what to do.
    fn segment(&mut self, image: &Image<'_>, call: &Call<'_>) -> Result<Vec<Region>>;
}

/// Makes instances of one segmenter: embedded, loaded and remote ones are all this to the engine.
pub trait SegmenterFactory: Send + Sync {
    /// Who the segmenter is, what it can do and which options and parameters it takes.
    fn descriptor(&self) -> &Descriptor;

    /// How many instances to run where the settings do not say.
    fn instances(&self) -> usize {
        1
    }

    /// Bytes of working memory that an instance takes for a pixel while it cuts, roughly. By default
    /// what `classic` takes, measured on 4 million pixels; networks see to their own memory.
    fn bytes_per_pixel(&self) -> u64 {
        12
    }

    /// A new instance; weights are loaded here. `options` were validated by
    /// [`Descriptor::options`].
    ///
    /// # Errors
    /// What the segmenter reports, such as missing weights.
    fn create(&self, options: &Call<'_>) -> Result<Box<dyn Segmenter>>;
}

/// Who cut an image, and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Segmentation {
    /// Segmenter id.
    #[serde(rename = "id")]
    pub segmenter: String,
    /// Its semantic version.
    pub version: String,
    /// The parameters it got, defaults filled in.
    pub params: Params,
    /// The granularity that chose it; `None` for one that was named, or that is the usual one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub granularity: Option<Granularity>,
}

/// Where regions come from. As JSON a [`Segmentation`], or null.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Origin {
    /// A segmenter cut the image.
    Segmented(Segmentation),
    /// They came with the request.
    Given,
}

impl Origin {
    /// Who cut the image; `None`, if nobody did.
    pub fn segmentation(&self) -> Option<&Segmentation> {
        match self {
            Self::Segmented(segmentation) => Some(segmentation),
            Self::Given => None,
        }
    }
}
