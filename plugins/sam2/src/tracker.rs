//! The tracker: what a frame's hints say, told to a session.

use serde_json::Value;
use som_core::{Call, Error, Frame, ObjectHints, Region, Result, Tracked, Tracker};
use som_plugin::guest::{Create as _, CreateTracker};
use som_torch::interactive::prompts;

use crate::{
    segmenter::Sam2Segmenter,
    video::{ObjectPrompt, Place, Session, VideoSettings},
};

/// One video. Videos, and instances of the segmenter with the same options, share weights.
#[derive(Debug)]
pub struct Sam2Tracker {
    session: Session,
    /// Keeps the weights for the next video.
    _network: Sam2Segmenter,
}

impl CreateTracker for Sam2Tracker {
    fn create(options: &Call<'_>) -> Result<Self> {
        let network = Sam2Segmenter::create(options)?;
        let settings = VideoSettings::of(network.network()).with(options.params())?;
        Ok(Self {
            session: Session::new(network.network(), settings)?,
            _network: network,
        })
    }
}

impl Tracker for Sam2Tracker {
    fn frame(&mut self, frame: &Frame<'_>, call: &Call<'_>) -> Result<Vec<Tracked>> {
        let (mut said, mut removed) = (Vec::new(), Vec::new());
        for ObjectHints {
            object,
            hints,
            remove,
        } in call.object_hints()?
        {
            let at = |error: Error| error.at(format!("object {object}"));
            if remove {
                removed.push(object);
                continue;
            }
            let mut all = prompts(&hints).map_err(at)?;
            match (all.pop(), all.is_empty()) {
                (Some(prompt), true) => said.push(ObjectPrompt { object, prompt }),
                _ => {
                    return Err(at(Error::invalid(
                        "its hints are about several things (give one box, stroke or mask)",
                    )));
                }
            }
        }
        let number = |number: u64, what: &str| {
            usize::try_from(number)
                .map_err(|_| Error::invalid(format!("{what} {number} is too large")))
        };
        let place = Place {
            index: number(frame.index, "frame")?,
            count: frame
                .count
                .map(|count| number(count, "the count of frames"))
                .transpose()?,
            is_backward: frame.is_backward,
        };
        let found = self
            .session
            .frame(&frame.image, place, &said, &removed, call)?;
        let seen = found.into_iter().filter(|found| !found.mask.is_empty());
        let tracked = seen.map(|found| {
            let mut region = Region::new(found.mask);
            region.score = Some(found.score);
            let extra = [("predicted_iou", found.predicted_iou)];
            let extra = extra.map(|(key, value)| (key.to_owned(), Value::from(value)));
            region.extra.extend(extra);
            Tracked {
                object: found.object,
                region,
            }
        });
        Ok(tracked.collect())
    }
}
