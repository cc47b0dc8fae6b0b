//! What the engine is asked for, and what comes of it.
//!
//! A request is written from what it cannot do without, and what else is wanted:
//! `MarkRequest { draw: false, ..MarkRequest::new(image) }`. So it can grow without breaking whoever
//! writes one.

use std::sync::Arc;

use som_core::{
    HintKind, KeptMark, Layer, MarkOptions, Origin, Params, Region, Segmentation, Timings,
    decode::Tags, pipeline::Marked,
};

use crate::{SharedImage, memory::Held};

/// Which segmenter cuts an image, and what it is told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SegmenterChoice {
    /// Segmenter id; `None` for the one in the settings.
    pub id: Option<String>,
    /// Parameters of the call, `hints` among them.
    pub params: Params,
    /// In place of an id, the granularity that chooses the segmenter
    /// ([`granularity`](crate::granularity)).
    pub granularity: Option<f64>,
}

/// Has regions refined: each becomes a hint of a segmenter, whose answer takes its place.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Refinement {
    /// Segmenter id of the refiner.
    pub segmenter: String,
    /// What it is told of each region; `None` for what suits: a box of what is no more than a box, a
    /// point of a point, else the mask, as far as it takes one.
    pub hint: Option<HintKind>,
    /// Parameters of its calls, without `hints`.
    pub params: Params,
}

/// Asks for regions.
#[derive(Clone, Debug)]
pub struct SegmentRequest {
    /// The image, decoded and upright.
    pub image: SharedImage,
    /// Who cuts it.
    pub segmenter: SegmenterChoice,
    /// How the regions are refined; `None` for not at all.
    pub refine: Option<Refinement>,
}

/// The regions of an image, and how they came about.
#[derive(Clone, Debug)]
pub struct Segmented {
    /// Who cut the image, and how.
    pub segmentation: Segmentation,
    /// Who refined the regions, and how; `None`, if nobody was asked to.
    pub refined: Option<Segmentation>,
    /// In the segmenter's own order.
    pub regions: Vec<Region>,
    /// What `segment`, and of that `detect` and `refine`, took.
    pub timings: Timings,
}

/// Asks for a marked image.
#[derive(Clone, Debug)]
pub struct MarkRequest {
    /// The image, decoded and upright.
    pub image: SharedImage,
    /// Where its regions come from.
    pub regions: RegionSource,
    /// How they are refined; `None` for not at all.
    pub refine: Option<Refinement>,
    /// The layers of ink, the lowest first; `None` for those in the settings.
    pub layers: Option<Vec<Layer>>,
    /// What is asked of the marks; what is not set is as in the settings.
    pub options: MarkOptions,
    /// False for marks alone: no page is drawn.
    pub draw: bool,
    /// What marks were on the frame before, which they keep as far as they can.
    pub kept: Vec<KeptMark>,
}

/// Where the regions to mark come from.
#[derive(Clone, Debug, PartialEq)]
pub enum RegionSource {
    /// The image is segmented.
    Segmenter(SegmenterChoice),
    /// They are given.
    Given(GivenRegions),
}

/// Regions that come with a request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GivenRegions {
    /// In the order of whoever gives them.
    pub regions: Vec<Region>,
    /// The numbers of their marks: different and from 1. Empty for numbers by area.
    pub ids: Vec<u32>,
}

impl From<Vec<Region>> for GivenRegions {
    fn from(regions: Vec<Region>) -> Self {
        Self {
            regions,
            ids: Vec::new(),
        }
    }
}

/// A marked image, and how it came about.
#[derive(Clone, Debug)]
pub struct Marking {
    /// Where the regions come from that are now in the marks.
    pub origin: Origin,
    /// Who refined them, and how; `None`, if nobody was asked to.
    pub refined: Option<Segmentation>,
    /// The layers of ink with the parameters they got, defaults filled in.
    pub layers: Vec<Layer>,
    /// Marks and pages; no page, if none was to be drawn.
    pub marked: Marked,
    /// The colour profile and density of image and pages.
    pub tags: Tags,
    /// What `segment` (and of that `detect` and `refine`), `allocate` and `draw` took.
    pub timings: Timings,
    /// The memory of the pages.
    pub held: Arc<Held>,
}

impl SegmentRequest {
    /// As the settings cut `image`.
    pub fn new(image: SharedImage) -> Self {
        Self {
            image,
            segmenter: SegmenterChoice::default(),
            refine: None,
        }
    }
}

impl MarkRequest {
    /// As the settings cut and mark `image`.
    pub fn new(image: SharedImage) -> Self {
        Self {
            image,
            regions: RegionSource::default(),
            refine: None,
            layers: None,
            options: MarkOptions::default(),
            draw: true,
            kept: Vec::new(),
        }
    }
}

impl Default for RegionSource {
    /// The segmenter in the settings.
    fn default() -> Self {
        Self::Segmenter(SegmenterChoice::default())
    }
}
