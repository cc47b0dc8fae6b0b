//! Marks that stay: numbers and colours are those of objects, and labels keep their places, from frame to
//! frame of a video.

use std::sync::Arc;

use som_core::{Cancellation, Error, KeptMark, Layer, MarkOptions, Region, Result, Tracked};

use crate::{Engine, GivenRegions, MarkRequest, Marking, RegionSource, SharedImage};

/// At most so many marks of objects that are out of sight are kept: the latest.
const KEPT: usize = 4096;

/// The marks of one video. A clone goes its own way from where it was cloned.
#[derive(Clone, Debug)]
pub struct VideoMarks {
    layers: Option<Vec<Layer>>,
    options: MarkOptions,
    /// What each mark was when it was last seen, the latest last.
    kept: Vec<KeptMark>,
}

/// A frame with its marks.
#[derive(Clone, Debug)]
pub struct MarkedFrame {
    /// Marks, with the numbers of their objects, and the one page.
    pub marking: Marking,
    /// By how many pixels of the page labels moved against their objects since these were last seen: the
    /// most; `None`, if none was seen before.
    pub label_shift: Option<f64>,
}

impl VideoMarks {
    /// Of a video of which no frame is marked yet; `None` for the layers in the settings. A frame has one
    /// page.
    pub fn new(layers: Option<Vec<Layer>>, options: MarkOptions) -> Self {
        Self {
            layers,
            options: MarkOptions {
                max_pages: Some(1),
                ..options
            },
            kept: Vec::new(),
        }
    }

    /// Marks the objects of a frame.
    ///
    /// # Errors
    /// As [`Engine::mark`]; Unsupported for an object whose number no mark can have.
    pub async fn mark(
        &mut self,
        engine: &Arc<Engine>,
        image: SharedImage,
        tracked: &[Tracked],
        cancellation: &Cancellation,
    ) -> Result<MarkedFrame> {
        let ids = tracked.iter().map(|tracked| {
            let id = u32::try_from(tracked.object).ok();
            id.filter(|&id| id < u32::MAX).ok_or_else(|| {
                let object = tracked.object;
                Error::unsupported(format!("object {object} has a number too large for a mark"))
            })
        });
        let ids: Vec<u32> = ids.collect::<Result<_>>()?;
        let regions: Vec<Region> = tracked.iter().map(|it| it.region.clone()).collect();
        let request = MarkRequest {
            regions: RegionSource::Given(GivenRegions { regions, ids }),
            layers: self.layers.clone(),
            options: self.options.clone(),
            kept: self.kept.clone(),
            ..MarkRequest::new(image)
        };
        let marking = engine.mark(request, cancellation).await?;
        let allocation = &marking.marked.allocation;
        let mut label_shift: Option<f64> = None;
        for mark in &allocation.marks {
            if let Some(at) = self.kept.iter().position(|kept| kept.id == mark.id) {
                let shift = self.kept.remove(at).shift(mark, allocation.scale);
                label_shift = label_shift.into_iter().chain(shift).reduce(f64::max);
            }
            self.kept.push(KeptMark::of(mark, allocation.scale));
        }
        let over = self
            .kept
            .len()
            .saturating_sub(KEPT.max(allocation.marks.len()));
        self.kept.drain(..over);
        Ok(MarkedFrame {
            marking,
            label_shift,
        })
    }
}
