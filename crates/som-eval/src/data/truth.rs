//! Truth as pixels: masks are cut when they are wanted, so that a data set takes little memory.

use std::sync::Arc;

use som_core::{Connectivity, Mask, Size};

use super::{Dataset, Kind, LabelMap};
use crate::{Error, Result, Sample, Segment, Segments, Truth, Video};

/// A segment with its pixels.
#[derive(Clone, Debug)]
pub struct Cut {
    /// Its mark when the truth's own segments are marked.
    pub id: u64,
    /// The class's name and synonyms.
    pub names: Arc<Vec<String>>,
    /// Its pixels.
    pub mask: Mask,
    /// Many things in one mask.
    pub is_crowd: bool,
}

/// The segments of an image with their pixels.
#[derive(Clone, Debug)]
pub struct CutSegments {
    /// Of the image.
    pub size: Size,
    /// In the data set's order.
    pub segments: Vec<Cut>,
    /// Pixels that belong to no segment and count neither way; `None` where all others do count.
    pub void: Option<Mask>,
}

impl Segments {
    /// Cuts the segments of `sample`, which these belong to.
    ///
    /// # Errors
    /// [`Error::Missing`] or [`Error::Malformed`], if the map is not there, damaged, or of another
    /// size, or a mask is.
    pub fn cut(&self, sample: &Sample, kind: Kind) -> Result<CutSegments> {
        match self {
            Self::Listed(segments) => listed(sample, segments),
            Self::Panoptic { map, listed } => {
                let labels = LabelMap::read_of(kind, map)?;
                let is_other = sample.size.is_some_and(|size| size != labels.size);
                if is_other {
                    let message = format!("the map is {}, but the image is not", labels.size);
                    return Err(Error::malformed(map, "size", message));
                }
                let ids: Vec<u32> = listed.iter().map(|segment| segment.id as u32).collect();
                let masks = labels.masks(&ids);
                let segments = listed
                    .iter()
                    .zip(masks)
                    .map(|(segment, mask)| cut(segment, mask));
                Ok(CutSegments {
                    size: labels.size,
                    segments: segments.collect(),
                    void: Some(labels.mask(0)),
                })
            }
            Self::Classes { map, classes } => {
                let labels = LabelMap::read_of(kind, map)?;
                let numbers: Vec<u32> = (1..).take(classes.len()).collect();
                let masks = labels.masks(&numbers);
                let parts = classes.iter().zip(masks).flat_map(|(names, mask)| {
                    let names = Arc::new(names.clone());
                    let parts = mask.components(Connectivity::Eight);
                    parts
                        .into_iter()
                        .map(move |mask| (Arc::clone(&names), mask))
                });
                let cut = |((names, mask), id)| Cut {
                    id,
                    names,
                    mask,
                    is_crowd: false,
                };
                Ok(CutSegments {
                    size: labels.size,
                    segments: parts.zip(1..).map(cut).collect(),
                    void: Some(labels.mask(0)),
                })
            }
        }
    }
}

fn listed(sample: &Sample, segments: &[Segment]) -> Result<CutSegments> {
    let size = sample.size.unwrap_or_default();
    let segments = segments.iter().map(|segment| {
        let mask = match &segment.shape {
            Some(shape) => shape.mask(size).map_err(|error| {
                Error::malformed(&sample.image, format!("segment {}", segment.id), error)
            })?,
            None => std::borrow::Cow::Owned(Mask::empty(size)),
        };
        Ok(cut(segment, mask.into_owned()))
    });
    Ok(CutSegments {
        size,
        segments: segments.collect::<Result<_>>()?,
        void: None,
    })
}

fn cut(segment: &Segment, mask: Mask) -> Cut {
    Cut {
        id: segment.id,
        names: Arc::clone(&segment.names),
        mask,
        is_crowd: segment.is_crowd,
    }
}

impl Video {
    /// The maps of objects, frame by frame.
    ///
    /// # Errors
    /// [`Error::Missing`] or [`Error::Malformed`], if one is not there, damaged, or of another size
    /// than the first.
    pub fn maps(&self, kind: Kind) -> Result<Vec<LabelMap>> {
        let mut maps: Vec<LabelMap> = Vec::with_capacity(self.frames.len());
        for (_, path) in &self.frames {
            let map = LabelMap::read_of(kind, path)?;
            if let Some(first) = maps.first().filter(|first| first.size != map.size) {
                let message = format!("is {}, but the first frame is {}", map.size, first.size);
                return Err(Error::malformed(path, "size", message));
            }
            maps.push(map);
        }
        Ok(maps)
    }
}

impl Dataset {
    /// Cuts the truth of a sample and tells how many things it holds.
    ///
    /// # Errors
    /// As the truth's own.
    pub fn check(&self, sample: &Sample) -> Result<usize> {
        match &sample.truth {
            Truth::Segments(segments) => segments
                .cut(sample, self.kind)
                .map(|cut| cut.segments.len()),
            Truth::Targets { targets, void, .. } => {
                let size = sample.size.unwrap_or_default();
                let shapes = targets.iter().filter_map(|target| target.shape.as_ref());
                for shape in shapes.chain(void) {
                    shape.mask(size).map_err(|error| {
                        Error::malformed(&sample.image, format!("sample {}", sample.id), error)
                    })?;
                }
                Ok(targets.len())
            }
            Truth::Phrases(phrases) => Ok(phrases.len()),
            Truth::Video(video) => video.maps(self.kind).map(|maps| maps.len()),
            Truth::Click(_) => Ok(1),
            Truth::Unpublished(_) => Ok(0),
        }
    }
}
