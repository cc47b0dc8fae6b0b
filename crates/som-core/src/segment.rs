//! image → regions.

use crate::{Call, Descriptor, Image, Region, Result};

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

    /// A new instance; weights are loaded here. `options` were validated by
    /// [`Descriptor::options`].
    ///
    /// # Errors
    /// What the segmenter reports, such as missing weights.
    fn create(&self, options: &Call<'_>) -> Result<Box<dyn Segmenter>>;
}
