//! The JSON of `som mark` and `som segment`; its schemas lie in `schemas/`.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use som_core::{
    AllocatedMark, Allocation, BBox, Color, Layer, Origin, Point, Region, Segmentation, Size,
    Timings, Unmarked, UnmarkedReason, decode::ImageNote,
};

pub(crate) use som_formats::write::{to_line, to_lines};

use crate::{input::InputImage, plural::counted};

/// What `som mark` found and drew on one image.
#[derive(Debug, Serialize)]
pub(crate) struct MarkReport<'a> {
    pub(crate) image: ImageReport<'a>,
    pub(crate) segmenter: &'a Origin,
    /// Who refined the regions, if somebody was asked to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refiner: Option<&'a Segmentation>,
    pub(crate) styles: Vec<&'a str>,
    pub(crate) marks: Vec<MarkEntry<'a>>,
    /// Regions that got no mark, and why.
    pub(crate) unmarked: &'a [Unmarked],
    pub(crate) pages: Vec<String>,
    /// How many times as large as the image the pages are.
    pub(crate) scale: u32,
    /// `None`, where the same request is to give the same bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timings_ms: Option<&'a Timings>,
}

/// The regions that `som segment` found in one image.
#[derive(Debug, Serialize)]
pub(crate) struct SegmentReport<'a> {
    pub(crate) image: ImageReport<'a>,
    pub(crate) segmenter: &'a Segmentation,
    /// As in [`MarkReport`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) refiner: Option<&'a Segmentation>,
    pub(crate) regions: &'a [Region],
    /// As in [`MarkReport`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timings_ms: Option<&'a Timings>,
}

/// The image as it was read.
#[derive(Debug, Serialize)]
pub(crate) struct ImageReport<'a> {
    path: &'a str,
    width: u32,
    height: u32,
    sha256: &'a str,
    /// What is odd about the file.
    notes: &'a [ImageNote],
}

#[derive(Debug, Serialize)]
pub(crate) struct MarkEntry<'a> {
    id: u32,
    text: &'a str,
    label_box: BBox,
    anchor: Point,
    leader: bool,
    page: u32,
    contrast: f64,
    ink_hidden: f64,
    color: Color,
    region: &'a Region,
}

impl<'a> ImageReport<'a> {
    /// The facts of `image`, which is of this `size`, and whose file is odd as `notes` say.
    pub(crate) fn new(image: &'a InputImage, size: Size, notes: &'a [ImageNote]) -> Self {
        Self {
            path: &image.name,
            width: size.width,
            height: size.height,
            sha256: &image.sha256,
            notes,
        }
    }
}

/// What is odd about the file of an image, as lines for the person who waits.
pub(crate) fn odd(image: &InputImage, notes: &[ImageNote]) -> Vec<String> {
    let line = |note| format!("{}: {note}", image.name);
    notes.iter().map(line).collect()
}

/// A line about an image in which as many regions were found as its segmenter was allowed to: it says
/// so itself, or there are as many as a parameter of the call says.
pub(crate) fn capped<'a>(
    image: &InputImage,
    found: impl Iterator<Item = &'a Region>,
    segmentation: Option<&Segmentation>,
) -> Option<String> {
    /// The extra in which a segmenter says so.
    const EXTRA: &str = "capped";
    /// How the segmenters here call the largest number of regions.
    const CAPS: [&str; 2] = ["max_regions", "detections_per_image"];
    let params = &segmentation?.params;
    let (mut count, mut said) = (0_usize, None);
    for region in found {
        count += 1;
        said = said.or_else(|| region.extra.get(EXTRA)?.as_str());
    }
    let is_reached = |cap: &str| params.get(cap).and_then(Value::as_u64) == Some(count as u64);
    let cap = said.or_else(|| CAPS.into_iter().find(|cap| is_reached(cap)))?;
    let regions = counted(count, "region");
    let name = &image.name;
    Some(format!(
        "{name}: {regions}, as many as {cap} allows: there may be more"
    ))
}

/// A line about regions that got no mark; `None`, if all have one.
pub(crate) fn without_marks(image: &InputImage, unmarked: &[Unmarked]) -> Option<String> {
    let why = [
        (UnmarkedReason::OverLimit, "beyond max_marks"),
        (
            UnmarkedReason::Crowded,
            "beyond the pages there may be (--max-pages 0 takes all)",
        ),
        (UnmarkedReason::NoRoom, "without room for a label"),
        (UnmarkedReason::Empty, "without pixels"),
    ];
    let why = why.into_iter().filter_map(|(reason, words)| {
        let of_it = unmarked.iter().filter(|unmarked| unmarked.reason == reason);
        let count = of_it.count();
        (count > 0).then(|| format!("{count} {words}"))
    });
    let why: Vec<String> = why.collect();
    let regions = counted(unmarked.len(), "region");
    (!why.is_empty()).then(|| format!("{}: {regions} unmarked: {}", image.name, why.join(", ")))
}

/// The ids of mark styles.
pub(crate) fn styles(layers: &[Layer]) -> Vec<&str> {
    layers.iter().map(|layer| layer.style.as_str()).collect()
}

/// Every mark of every page.
pub(crate) fn marks(allocation: &Allocation) -> Vec<MarkEntry<'_>> {
    allocation.marks.iter().map(MarkEntry::from).collect()
}

impl<'a> From<&'a AllocatedMark> for MarkEntry<'a> {
    fn from(allocated: &'a AllocatedMark) -> Self {
        let AllocatedMark {
            id,
            page,
            mark,
            facts,
            ..
        } = allocated;
        Self {
            id: *id,
            text: &mark.text,
            label_box: mark.label_box,
            anchor: mark.anchor,
            leader: facts.leader,
            page: *page,
            contrast: (f64::from(facts.contrast) * 100.0).round() / 100.0,
            ink_hidden: (f64::from(facts.ink_hidden) * 1000.0).round() / 1000.0,
            color: mark.color,
            region: &mark.region,
        }
    }
}

/// In milliseconds, to the microsecond.
pub(crate) fn milliseconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e6).round() / 1e3
}
