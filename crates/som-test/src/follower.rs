//! A tracker that does as it is told.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::sleep,
    time::Duration,
};

use serde_json::json;
use som_core::{
    BBox, Call, Capability, Descriptor, Error, Frame, Mask, ObjectHints, Region, Result, Size,
    Tracked, Tracker, TrackerFactory,
};

/// Moves each object, which is hinted at by a box, by a column from frame to frame.
///
/// Parameters: `sleep_ms` before, unless called off; `fail` with `"panic"`, with `"internal"`, or else as
/// Invalid with that reason. It tells in the `extra` of each region which `video` it is, from 0.
pub struct Follower {
    descriptor: Descriptor,
    born: AtomicUsize,
    alive: Arc<AtomicUsize>,
}

impl Follower {
    /// How many videos are open, counted on.
    pub fn alive(&self) -> Arc<AtomicUsize> {
        self.alive.clone()
    }
}

impl Default for Follower {
    fn default() -> Self {
        let capabilities = vec![Capability::Boxes];
        let mut params = json!({
            "type": "object",
            "properties": {
                "sleep_ms": {"type": "integer", "default": 0, "minimum": 0},
                "fail": {"type": "string", "default": ""},
            }
        });
        if let Some(hints) = ObjectHints::schema(&capabilities) {
            params["properties"]["hints"] = hints;
        }
        let descriptor = Descriptor {
            id: "follower".into(),
            version: "1.0.0".into(),
            about: "Everything drifts to the right.".into(),
            capabilities,
            options: json!({"type": "object", "properties": {"weights": {"type": "string"}}}),
            params,
        };
        Self {
            descriptor,
            born: AtomicUsize::new(0),
            alive: Arc::default(),
        }
    }
}

impl TrackerFactory for Follower {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn create(&self, _options: &Call<'_>) -> Result<Box<dyn Tracker>> {
        self.alive.fetch_add(1, Ordering::SeqCst);
        Ok(Box::new(Video {
            number: self.born.fetch_add(1, Ordering::SeqCst),
            objects: Vec::new(),
            alive: self.alive.clone(),
        }))
    }
}

struct Video {
    number: usize,
    /// Where each would be in frame 0.
    objects: Vec<(u64, BBox)>,
    alive: Arc<AtomicUsize>,
}

impl Tracker for Video {
    // It panics because a test wants to see one.
    #[allow(clippy::panic)]
    fn frame(&mut self, frame: &Frame<'_>, call: &Call<'_>) -> Result<Vec<Tracked>> {
        let said = call.object_hints()?;
        for _ in 0..call.number("sleep_ms").unwrap_or_default() as u32 {
            call.check()?;
            sleep(Duration::from_millis(1));
        }
        match call.text("fail").unwrap_or_default() {
            "" => {}
            "panic" => panic!("told to"),
            "internal" => return Err(Error::internal("its state is gone")),
            why => return Err(Error::invalid(why.to_owned())),
        }
        for ObjectHints { object, hints, .. } in said {
            self.objects.retain(|(other, _)| *other != object);
            self.objects.extend(hints.boxes.first().map(|hint| {
                let [x, y, width, height] =
                    [hint.x, hint.y, hint.width, hint.height].map(|side| side as u32);
                let x = x.saturating_sub(frame.index as u32);
                (object, BBox::new(x, y, width, height))
            }));
        }
        let size = Size::new(frame.image.width(), frame.image.height());
        let tracked = self.objects.iter().map(|&(object, bbox)| {
            let x = bbox.x + frame.index as u32;
            let mut region = Region::new(Mask::rect(size, BBox { x, ..bbox }));
            region.extra.insert("video".into(), self.number.into());
            Tracked { object, region }
        });
        let mut tracked: Vec<Tracked> = tracked.collect();
        tracked.retain(|tracked| !tracked.region.mask.is_empty());
        Ok(tracked)
    }
}

impl Drop for Video {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }
}
