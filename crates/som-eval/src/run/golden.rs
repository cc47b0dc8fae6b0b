//! The truth's own regions: what a data set outlines in an image.

use std::collections::HashMap;

use som_core::{Error, Mask, Region, Result, Size};

use crate::{Sample, Target, Truth, data::Dataset};

/// What every data set outlines, by image: its segments, or whatever any of its expressions, phrases
/// and clicks means there.
pub(super) struct Golden {
    targets: HashMap<String, Vec<Target>>,
}

/// The regions of an image, and the ids of the truth's segments that they are.
pub(super) struct GoldenRegions {
    pub(super) regions: Vec<Region>,
    /// One for each region; empty where the truth is no list of segments.
    pub(super) ids: Vec<u64>,
}

impl Golden {
    /// What all of `data` outlines.
    pub(super) fn of(data: &Dataset) -> Self {
        let mut targets: HashMap<String, Vec<Target>> = HashMap::new();
        for sample in &data.samples {
            let of_image = targets.entry(sample.group.clone()).or_default();
            let mut add = |target: Target| {
                if !of_image.contains(&target) {
                    of_image.push(target);
                }
            };
            let boxed = |rect| Target {
                bbox: Some(rect),
                shape: None,
            };
            match &sample.truth {
                Truth::Targets { targets, .. } => targets.iter().cloned().for_each(add),
                Truth::Phrases(phrases) => {
                    let boxes = phrases.iter().flat_map(|phrase| &phrase.boxes);
                    boxes.for_each(|rect| add(boxed(*rect)));
                }
                Truth::Click(rect) => add(boxed(*rect)),
                Truth::Segments(_) | Truth::Video(_) | Truth::Unpublished(_) => {}
            }
        }
        Self { targets }
    }

    /// The regions of the image of `sample`, which is of this `size`. None of them has a label.
    ///
    /// # Errors
    /// As the truth's own; Unsupported for a sequence.
    pub(super) fn regions(
        &self,
        data: &Dataset,
        sample: &Sample,
        size: Size,
    ) -> Result<GoldenRegions> {
        let (mut regions, mut ids) = (Vec::new(), Vec::new());
        match &sample.truth {
            Truth::Segments(segments) => {
                let cut = segments.cut(sample, data.kind)?;
                for segment in cut.segments {
                    if !segment.is_crowd && !segment.mask.is_empty() {
                        regions.push(Region::new(segment.mask));
                        ids.push(segment.id);
                    }
                }
            }
            Truth::Targets { .. } | Truth::Phrases(_) | Truth::Click(_) => {
                for target in self.targets.get(&sample.group).into_iter().flatten() {
                    let region = region(target, size);
                    let at = |error: Error| error.at(format!("sample {}", sample.id));
                    let region = region.map_err(at)?;
                    if !region.mask.is_empty() {
                        regions.push(region);
                    }
                }
            }
            Truth::Video(_) | Truth::Unpublished(_) => {
                return Err(Error::unsupported(format!(
                    "sample {}: its truth gives no regions to mark",
                    sample.id
                )));
            }
        }
        Ok(GoldenRegions { regions, ids })
    }
}

/// A target as a region: its pixels, or its box where no more is known.
fn region(target: &Target, size: Size) -> Result<Region> {
    match (&target.shape, target.bbox) {
        (Some(shape), _) => Ok(Region::new(shape.mask(size)?.into_owned())),
        (None, Some(rect)) => Ok(Region::of_box(size, rect.corners())),
        (None, None) => Ok(Region::new(Mask::empty(size))),
    }
}
