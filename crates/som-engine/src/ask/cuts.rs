//! Regions that are found once, however many ask for them.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
};

use som_core::{Cancellation, Region, Result, Segmentation, Timings};
use tokio::sync::OnceCell;

use crate::{
    Engine, Refinement, SegmentRequest, Segmented, SharedImage, refine::Cut, segment::CutKey,
};

/// The regions of the images of one question, for all rows of a comparison that cut them alike.
#[derive(Default)]
pub(crate) struct Cuts {
    /// By image.
    cut: Once<(usize, CutKey), Cut>,
    given: Once<(usize, Vec<Region>, Refinement), GivenCut>,
}

/// Given regions, refined: who did it, the regions, and what that took.
type GivenCut = (Option<Segmentation>, Vec<Region>, Timings);

impl Cuts {
    /// image number `index` → regions.
    ///
    /// # Errors
    /// As [`Engine::segment`].
    pub(super) async fn segment(
        &self,
        engine: &Engine,
        index: usize,
        request: SegmentRequest,
        cancellation: &Cancellation,
    ) -> Result<Segmented> {
        let SegmentRequest {
            image,
            segmenter,
            refine,
        } = request;
        let cutting = engine.cutting(image.size(), segmenter, refine.as_ref(), cancellation);
        let cutting = cutting.await?;
        let cut = engine.cut_and_refine(image, &cutting, cancellation);
        let cut = self.cut.get((index, cutting.key()), cut).await?;
        Ok(cutting.segmented(cut))
    }

    /// Regions that are given for image number `index` → the same, refined if that is asked for.
    ///
    /// # Errors
    /// As [`Engine::given`].
    pub(super) async fn given(
        &self,
        engine: &Engine,
        index: usize,
        image: &SharedImage,
        regions: &[Region],
        refine: Option<&Refinement>,
        cancellation: &Cancellation,
    ) -> Result<GivenCut> {
        let refined = engine.given(image, regions.to_vec(), refine, cancellation);
        match refine {
            // There is nothing to save.
            None => refined.await,
            Some(refine) => {
                let key = (index, regions.to_vec(), refine.clone());
                self.given.get(key, refined).await
            }
        }
    }
}

/// Values that are made once each: who asks for one that is in the making waits for it.
struct Once<Key, Value>(Mutex<Vec<(Key, Arc<OnceCell<Value>>)>>);

impl<Key, Value> Default for Once<Key, Value> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<Key: PartialEq, Value: Clone> Once<Key, Value> {
    /// The value of `key`, which `make` makes if nobody did. Where that fails, the next one tries.
    async fn get(&self, key: Key, make: impl Future<Output = Result<Value>>) -> Result<Value> {
        let cell = {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match known.iter().find(|(other, _)| *other == key) {
                Some((_, cell)) => cell.clone(),
                None => {
                    let cell = Arc::default();
                    known.push((key, Arc::clone(&cell)));
                    cell
                }
            }
        };
        Ok(cell.get_or_try_init(|| make).await?.clone())
    }
}
