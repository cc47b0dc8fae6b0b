//! The tracker: the masks that people give are examples for every other frame, and so is what was found in
//! the frames before.
//!
//! The official project's video inference (`SegGPT_inference/seggpt_engine.py`), for several objects, each
//! by itself.

use std::collections::{BTreeMap, VecDeque};

use image::RgbImage;
use serde::Deserialize;
use som_core::{
    Call, Error, Example, Frame, Hints, Image, Mask, ObjectHints, Region, Result, Size, Tracked,
    Tracker,
};
use som_plugin::guest::{Create as _, CreateTracker};

use crate::{SegGptSegmenter, params::CallParams, regions::bright};

/// The most frames with masks of people that are kept of an object: those nearest to the frame.
const POINTED: usize = 16;

/// One video. Videos, and instances of the segmenter with the same options, share weights.
#[derive(Debug)]
pub struct SegGptTracker {
    network: SegGptSegmenter,
    settings: Settings,
    objects: Vec<Object>,
    size: Option<Size>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct Settings {
    /// Frames with what was found in them that are examples for the next one.
    num_frames: usize,
}

#[derive(Clone, Debug)]
struct Object {
    id: u64,
    /// By frame, what people said.
    pointed: BTreeMap<u64, Seen>,
    /// What was found in the latest frames.
    recent: VecDeque<Seen>,
}

/// An object in a frame: the frame, and 1 for each of the object's pixels.
type Seen = Example;

impl CreateTracker for SegGptTracker {
    fn create(options: &Call<'_>) -> Result<Self> {
        Ok(Self {
            network: SegGptSegmenter::create(options)?,
            settings: options.parse()?,
            objects: Vec::new(),
            size: None,
        })
    }
}

impl Tracker for SegGptTracker {
    fn frame(&mut self, frame: &Frame<'_>, call: &Call<'_>) -> Result<Vec<Tracked>> {
        let _no_gradients = tch::no_grad_guard();
        let size = Size::new(frame.image.width(), frame.image.height());
        if let Some(first) = self.size.filter(|first| *first != size) {
            return Err(Error::invalid(format!(
                "the frame is {size}, but the video's first was {first}"
            )));
        }
        let params: CallParams = call.parse()?;
        // A frame that fails changes nothing.
        let mut objects = self.objects.clone();
        for said in call.object_hints()? {
            let id = said.object;
            point_at(&mut objects, frame, size, said)
                .map_err(|error| error.at(format!("object {id}")))?;
        }
        let mut tracked = Vec::new();
        let mut encoded = None;
        for object in &mut objects {
            call.check()?;
            let found = match object.pointed.get(&frame.index) {
                Some(said) => mask_of(said, size)?,
                None => {
                    let encoded = match &encoded {
                        Some(encoded) => encoded,
                        None => encoded.insert(self.network.encode(&frame.image, (), call)?),
                    };
                    let examples = object.examples(frame.index);
                    let seg_gpt = self.network.network();
                    let of_pixels = seg_gpt.read(encoded, &examples, &params, call)?;
                    let mut regions = bright(&of_pixels, params.threshold, size)?;
                    let found = regions.pop().map(|region| region.mask);
                    let found = found.unwrap_or(Mask::empty(size));
                    object.remember(&frame.image, &found, self.settings.num_frames);
                    found
                }
            };
            if !found.is_empty() {
                tracked.push(Tracked {
                    object: object.id,
                    region: Region::new(found),
                });
            }
        }
        self.objects = objects;
        self.size = Some(size);
        Ok(tracked)
    }
}

impl Object {
    /// What shows the object to the network in frame `index`: what people said, and what was found last.
    fn examples(&self, index: u64) -> Vec<Example> {
        let pointed = self.nearest(index).into_iter();
        let pointed = pointed.filter_map(|at| self.pointed.get(&at));
        pointed.chain(&self.recent).cloned().collect()
    }

    /// The frames nearest to `index` in which people pointed at it.
    fn nearest(&self, index: u64) -> Vec<u64> {
        let mut frames: Vec<u64> = self.pointed.keys().copied().collect();
        frames.sort_by_key(|frame| frame.abs_diff(index));
        frames.truncate(POINTED);
        frames.sort_unstable();
        frames
    }

    fn remember(&mut self, image: &Image<'_>, mask: &Mask, most: usize) {
        if most == 0 || mask.is_empty() {
            return;
        }
        self.recent.push_back(seen(image, mask));
        while self.recent.len() > most {
            self.recent.pop_front();
        }
    }
}

/// Takes in what is said of an object.
fn point_at(
    objects: &mut Vec<Object>,
    frame: &Frame<'_>,
    size: Size,
    said: ObjectHints,
) -> Result<()> {
    let ObjectHints {
        object: id,
        hints,
        remove,
    } = said;
    if remove {
        objects.retain(|object| object.id != id);
        return Ok(());
    }
    let Hints { masks, .. } = &hints;
    let [mask] = &masks[..] else {
        return Err(Error::invalid(format!(
            "it has {} masks in this frame (give one)",
            masks.len()
        )));
    };
    let mask = Mask::from_rle(mask)?;
    if mask.is_empty() || mask.size() != size {
        return Err(Error::invalid(format!(
            "its mask is empty or not of the frame's size, {size}"
        )));
    }
    let seen = seen(&frame.image, &mask);
    let known = objects.iter().position(|object| object.id == id);
    let at = known.unwrap_or(objects.len());
    if known.is_none() {
        objects.push(Object {
            id,
            pointed: BTreeMap::new(),
            recent: VecDeque::new(),
        });
    }
    objects[at].pointed.insert(frame.index, seen);
    Ok(())
}

fn seen(image: &Image<'_>, mask: &Mask) -> Seen {
    let (width, height) = image.dimensions();
    let pixels = RgbImage::from_raw(width, height, image.as_raw().to_vec());
    Example {
        image: pixels.unwrap_or_default(),
        labels: mask.to_dense(mask.size().bbox()),
    }
}

fn mask_of(seen: &Seen, size: Size) -> Result<Mask> {
    Mask::from_dense(size, size.bbox(), &seen.labels)
}
