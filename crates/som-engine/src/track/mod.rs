//! video → objects: one session for each video, frame after frame.
//!
//! > frames, hints → tracker → regions by object
//!
//! A tracker has an instance and a thread for each video. A segmenter that is none is carried: what it
//! finds in one frame is tied to what it found in the one before.

mod carried;
mod instance;
mod marks;

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use som_core::{Cancellation, Error, ObjectHints, Params, Result, Segmentation, Size, Tracked};
use tokio::sync::OwnedSemaphorePermit;

pub use self::marks::{MarkedFrame, VideoMarks};
use self::{carried::Carried, instance::Instance};
use crate::{Engine, SharedImage, registry::TrackerEntry, settings::Counted};

/// Asks for the objects of one video.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrackRequest {
    /// Id of a tracker, or of a segmenter, which is then carried; `None` for the one in the settings.
    pub tracker: Option<String>,
    /// Parameters of every frame, without `hints`.
    pub params: Params,
}

/// One image of a video, and what is said of objects in it.
#[derive(Clone, Debug)]
pub struct TrackFrame {
    /// Its pixels. All frames of a video have one size.
    pub image: SharedImage,
    /// Its place in the video, from 0.
    pub index: u64,
    /// How many frames the video has; `None` where that is not known.
    pub count: Option<u64>,
    /// True where objects are carried towards the first frame.
    pub is_backward: bool,
    /// What is said of objects.
    pub hints: Vec<ObjectHints>,
}

/// The objects in a frame.
#[derive(Clone, Debug)]
pub struct TrackedFrame {
    /// At most one region of each object.
    pub tracked: Vec<Tracked>,
    /// What the tracker took for them.
    pub took: Duration,
}

/// One video that is tracked. It ends when it is dropped, and with it all that is known of the video.
pub struct TrackSession {
    engine: Arc<Engine>,
    tracker: Segmentation,
    work: Work,
    size: Option<Size>,
    _place: OwnedSemaphorePermit,
}

/// Who does the work.
enum Work {
    Instance(Instance),
    Carried(Box<Carried>),
}

impl Engine {
    /// Begins a video.
    ///
    /// # Errors
    /// NotFound for an unknown tracker, Invalid for parameters that do not fit, Exhausted if
    /// `limits.sessions` videos are tracked already, Unavailable for a segmenter that cannot be reached.
    pub async fn track(
        self: &Arc<Self>,
        request: TrackRequest,
        cancellation: &Cancellation,
    ) -> Result<TrackSession> {
        let place = self.sessions.clone().try_acquire_owned().map_err(|_| {
            Error::exhausted(format!(
                "{} videos are tracked already (end one, or raise limits.sessions)",
                self.settings().limits.sessions
            ))
            .passing()
        })?;
        let TrackRequest { tracker, params } = request;
        let id = tracker.unwrap_or_else(|| self.settings().track.tracker.clone());
        if params.contains_key("hints") {
            return Err(Error::invalid(
                "params: hints belong to frames, not to the whole video",
            ));
        }
        let (tracker, work) = match self.registry().tracker(&id) {
            Ok(entry) => self.instance(entry, params)?,
            // Whoever is no tracker may be a segmenter.
            Err(unknown) => match self.registry().segmenter(&id) {
                Ok(_) => {
                    let carried = Carried::new(self, id, params, cancellation).await?;
                    (
                        carried.segmentation().clone(),
                        Work::Carried(carried.into()),
                    )
                }
                Err(_) => return Err(unknown),
            },
        };
        Ok(TrackSession {
            engine: self.clone(),
            tracker,
            work,
            size: None,
            _place: place,
        })
    }

    fn instance(&self, entry: &TrackerEntry, mut params: Params) -> Result<(Segmentation, Work)> {
        for (key, value) in entry.usual(self.settings())? {
            params.entry(key).or_insert(value);
        }
        let params = entry.resolve(&params)?;
        let (factory, options) = entry.maker(self.settings())?;
        let descriptor = entry.descriptor();
        let tracker = Segmentation {
            segmenter: descriptor.id.clone(),
            version: descriptor.version.clone(),
            params,
            granularity: None,
        };
        let instance = Instance::start(factory, options)?;
        Ok((tracker, Work::Instance(instance)))
    }
}

impl TrackSession {
    /// Who tracks, and how.
    pub fn tracker(&self) -> &Segmentation {
        &self.tracker
    }

    /// The regions of a frame. Frames come in any order, forwards most often, and may come again.
    ///
    /// After any error but Internal the session goes on as if there had been no such frame.
    ///
    /// # Errors
    /// Invalid for a frame of another size than the first and for hints that do not fit, Unsupported for
    /// kinds of hints that the tracker does not take, Exhausted for too many of them and while the last
    /// frame is still under way, Cancelled once called off; else what the tracker reports.
    pub async fn frame(
        &mut self,
        frame: TrackFrame,
        cancellation: &Cancellation,
    ) -> Result<TrackedFrame> {
        let size = frame.image.size();
        if let Some(first) = self.size.filter(|first| *first != size) {
            return Err(Error::invalid(format!(
                "frame {} is {size}, but the video's first was {first}",
                frame.index
            )));
        }
        let said = frame.hints.iter().map(|said| said.hints.count()).sum();
        self.engine.settings().limits.allow(Counted::Hints, said)?;
        for said in &frame.hints {
            let checked = said.hints.check(size);
            checked.map_err(|error| error.at(format!("object {}", said.object)))?;
        }
        let seen = match &mut self.work {
            Work::Instance(instance) => {
                let entry = self.engine.registry().tracker(&self.tracker.segmenter)?;
                let params = with_hints(entry, &self.tracker.params, &frame.hints)?;
                instance.frame(frame, params, cancellation).await
            }
            Work::Carried(carried) => carried.frame(&self.engine, frame, cancellation).await,
        };
        if let Ok(frame) = &seen {
            self.size = Some(size);
            tracing::debug!(objects = frame.tracked.len(), "tracked");
        }
        seen
    }
}

/// The parameters of a frame in which this is said.
///
/// # Errors
/// Unsupported for a kind of hint that the tracker does not take, Invalid for what else does not fit.
fn with_hints(entry: &TrackerEntry, params: &Params, hints: &[ObjectHints]) -> Result<Params> {
    if hints.is_empty() {
        return Ok(params.clone());
    }
    let of_object = entry.descriptor().params.pointer("/properties/hints/items");
    for said in hints {
        let taken = said.hints.check_kinds(of_object.unwrap_or(&Value::Null));
        taken.map_err(|error| error.at(entry.who()))?;
    }
    let mut params = params.clone();
    params.insert("hints".to_owned(), ObjectHints::to_value(hints)?);
    entry.resolve(&params)
}
