//! Objects through a video: frames come one after the other, and what people point at is followed.
//!
//! The official `SAM2VideoPredictor` (`sam2/sam2_video_predictor.py`, `sam2/modeling/sam2_base.py`).
//! A session keeps of each object what the memory attention can still see, and of frames nothing:
//! however long a video is, it takes no more memory.

mod bank;
mod frame;
mod object;
mod settings;
mod step;

use som_core::{Call, Error, Image, Mask, Result};
use som_torch::interactive::Prompt;

pub use self::settings::VideoSettings;
use self::{frame::Frame, object::Object};
use crate::predictor::Predictor;

/// What people say about an object in a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectPrompt {
    /// Which object: one that is followed already is corrected, another one is followed from here on.
    pub object: u64,
    /// Where it is: by points, a box, or a mask.
    pub prompt: Prompt,
}

/// An object in a frame.
#[derive(Clone, Debug)]
pub struct Tracked {
    /// Which object.
    pub object: u64,
    /// Its pixels; none, where it is not seen.
    pub mask: Mask,
    /// How likely it is seen, from 0 to 1.
    pub score: f32,
    /// What the network thinks of the mask.
    pub predicted_iou: f32,
}

/// One video.
#[derive(Debug)]
pub struct Session {
    predictor: Predictor,
    settings: VideoSettings,
    /// In the order in which people pointed at them.
    objects: Vec<Object>,
    /// Of the next frame.
    index: usize,
}

impl Session {
    /// A video of which nothing was seen yet.
    ///
    /// # Errors
    /// Invalid, for settings that contradict each other.
    pub fn new(predictor: &Predictor, settings: VideoSettings) -> Result<Self> {
        settings.check()?;
        Ok(Self {
            predictor: predictor.clone(),
            settings,
            objects: Vec::new(),
            index: 0,
        })
    }

    /// The next frame: every object that is followed, and those that `prompts` point at. Objects stand in
    /// the order in which people first pointed at them.
    ///
    /// An object that is followed already is first found in the frame, and then corrected, as officially
    /// after `propagate_in_video` came to the frame.
    ///
    /// # Errors
    /// Invalid, for a prompt that says nothing, or if the weights give no numbers; Cancelled; Exhausted,
    /// if memory runs out. The session then goes on as if there had been no such frame.
    pub fn frame(
        &mut self,
        image: &Image<'_>,
        prompts: &[ObjectPrompt],
        call: &Call<'_>,
    ) -> Result<Vec<Tracked>> {
        for (index, ObjectPrompt { prompt, .. }) in prompts.iter().enumerate() {
            if prompt.points.is_empty() && prompt.bbox.is_none() && prompt.mask.is_none() {
                return Err(Error::invalid(format!(
                    "prompt {index} of the frame has no point, box or mask"
                )));
            }
        }
        let before = self.objects.clone();
        let tracked = self.next(image, prompts, call);
        if tracked.is_err() {
            self.objects = before;
        }
        tracked
    }

    /// Whether there is anything to follow.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Follows an object no longer.
    pub fn remove(&mut self, object: u64) {
        self.objects.retain(|it| it.id != object);
    }

    fn next(
        &mut self,
        image: &Image<'_>,
        prompts: &[ObjectPrompt],
        call: &Call<'_>,
    ) -> Result<Vec<Tracked>> {
        let _no_gradients = tch::no_grad_guard();
        if self.objects.is_empty() && prompts.is_empty() {
            // Nothing of such a frame is ever seen again.
            self.index += 1;
            return Ok(Vec::new());
        }
        let frame = Frame::encode(&self.predictor, image, self.index, call)?;
        self.propagate(&frame, false, call)?;
        for ObjectPrompt { object, prompt } in prompts {
            call.check()?;
            self.add(&frame, *object, prompt, true)?;
        }
        let tracked = self.tracked(&frame)?;
        self.settle(&frame)?;
        let oldest = self
            .settings
            .oldest(self.index, self.predictor.sam2.memory.sizes.frames);
        for object in &mut self.objects {
            object.forget(oldest, self.settings.max_cond_frames_in_attn);
        }
        self.index += 1;
        Ok(tracked)
    }
}

#[cfg(test)]
mod tests;
