//! Objects through a video: what people point at in one frame is followed through the others.
//!
//! The official `SAM2VideoPredictor` (`sam2/sam2_video_predictor.py`, `sam2/modeling/sam2_base.py`):
//! frames with prompts are its `add_new_points_or_box` and `add_new_mask`, frames without are its
//! `propagate_in_video`, in either direction. A session keeps of each object what the memory attention can
//! see, as far as a limit allows it, and of frames nothing: however long a video is, it takes no more
//! memory.

mod bank;
mod decode;
mod frame;
mod object;
mod output;
mod settings;
mod step;

use som_core::{Call, Error, Image, Mask, Result, Size};
use som_torch::interactive::Prompt;

pub use self::settings::VideoSettings;
use self::{frame::Frame, object::Object};
use crate::predictor::Predictor;

/// Where a frame stands in its video.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// From 0.
    pub index: usize,
    /// How many frames the video has, where that is known: of a short one fewer pointers are seen.
    pub count: Option<usize>,
    /// Whether objects are followed towards the first frame.
    pub is_backward: bool,
}

/// What people say about an object in a frame.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectPrompt {
    /// Which object; one that nobody pointed at before is followed from here on.
    pub object: u64,
    /// Where it is: by points, a box, or a mask. All that is said of it in this frame.
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
    /// Of all frames.
    size: Option<Size>,
    /// How many frames there are, where that is known.
    frames: Option<usize>,
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
            size: None,
            frames: None,
        })
    }

    /// What is found in a frame, at most once of each object, in the order in which people first pointed
    /// at them.
    ///
    /// Frames come in any order, and may come again. Without prompts, all objects are followed into the
    /// frame, but those that people pointed at there. A prompt for an object that was followed into the
    /// frame before corrects it there; any other prompt is seen for good, as what it points at. Objects
    /// that a frame's prompts leave out are followed into it if the frame before it was seen. Those that are
    /// `forgotten` are followed no longer.
    ///
    /// # Errors
    /// Invalid, for a frame of another size than the first, for a prompt that says nothing, or if the
    /// weights give no numbers; Cancelled; Exhausted, if memory runs out. The session then goes on as if
    /// there had been no such frame.
    pub fn frame(
        &mut self,
        image: &Image<'_>,
        place: Place,
        prompts: &[ObjectPrompt],
        forgotten: &[u64],
        call: &Call<'_>,
    ) -> Result<Vec<Tracked>> {
        let size = Size::new(image.width(), image.height());
        if let Some(first) = self.size.filter(|first| *first != size) {
            return Err(Error::invalid(format!(
                "the frame is {} x {}, but the video's first was {} x {}",
                size.width, size.height, first.width, first.height
            )));
        }
        for ObjectPrompt { object, prompt } in prompts {
            if prompt.points.is_empty() && prompt.bbox.is_none() && prompt.mask.is_none() {
                return Err(Error::invalid(format!(
                    "the prompt of object {object} has no point, box or mask"
                )));
            }
        }
        let before = self.objects.clone();
        self.objects.retain(|it| !forgotten.contains(&it.id));
        let tracked = self.see(image, place, prompts, call);
        match tracked {
            Ok(_) => self.size = Some(size),
            Err(_) => self.objects = before,
        }
        tracked
    }

    /// Whether there is anything to follow.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    fn see(
        &mut self,
        image: &Image<'_>,
        place: Place,
        prompts: &[ObjectPrompt],
        call: &Call<'_>,
    ) -> Result<Vec<Tracked>> {
        let _no_gradients = tch::no_grad_guard();
        if self.objects.is_empty() && prompts.is_empty() {
            // Nothing of such a frame is ever seen again.
            return Ok(Vec::new());
        }
        self.frames = place.count;
        let frame = Frame::encode(&self.predictor, image, place.index, call)?;
        for index in 0..self.objects.len() {
            let object = &self.objects[index];
            let is_named = prompts.iter().any(|it| it.object == object.id);
            if !is_named && (prompts.is_empty() || object.is_beside(place)) {
                call.check()?;
                self.propagate(&frame, index, place.is_backward)?;
            }
        }
        for ObjectPrompt { object, prompt } in prompts {
            call.check()?;
            self.add(&frame, *object, prompt, true)?;
        }
        let tracked = self.tracked(&frame)?;
        self.settle(&frame)?;
        let most = self.most_kept();
        for object in &mut self.objects {
            object.forget(place.index, most, self.settings.max_cond_frames_in_attn);
        }
        Ok(tracked)
    }

    /// How many frames are kept of each object: those that a frame can see, and as many others as there
    /// is room for.
    fn most_kept(&self) -> usize {
        let sizes = &self.predictor.sam2.memory.sizes;
        let places = sizes.grid.pow(2).unsigned_abs();
        // Of 16 bits, and the mask's logits of 32.
        let each = 2 * places * sizes.channels.unsigned_abs() + 4 * 16 * places;
        let objects = self.objects.len().max(1) as u64;
        let room = (self.settings.memory_mib << 20) / (each * objects).max(1);
        let seen = self.settings.seen(sizes.frames);
        seen.max(usize::try_from(room).unwrap_or(usize::MAX))
    }
}

#[cfg(test)]
mod tests;
