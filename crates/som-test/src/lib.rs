//! Segmenters, and a tracker, that do as they are told, for the tests of other crates.

mod follower;
mod two;

use std::{
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::sleep,
    time::Duration,
};

use serde_json::json;
use som_core::{
    BBox, Call, Capability, Descriptor, Error, Image, Mask, Region, Result, Segmenter,
    SegmenterFactory, Size,
};

pub use self::{
    follower::Follower,
    two::{Calls, Cutter, Finder},
};

/// Cuts an image into columns, or does what its parameters say.
///
/// Parameters: `count` columns; `sleep_ms` before, unless called off; `hang_ms`, whether called off
/// or not; `fail` with `"panic"`, with `"internal"`, or else as Unsupported with that reason; `hints`,
/// which it passes over. Options: `broken` instances cannot be made; `weights` are told in the
/// `extra` of each region, beside the number of the instance that was `born`.
pub struct Columns {
    descriptor: Descriptor,
    calls: Arc<AtomicUsize>,
    born: AtomicUsize,
}

impl Columns {
    /// A segmenter with the id `columns` and this version.
    pub fn new(version: &str) -> Self {
        let number = |default: u32| json!({"type": "integer", "default": default, "minimum": 0});
        let descriptor = Descriptor {
            id: "columns".into(),
            version: version.into(),
            about: "Cuts an image into columns.".into(),
            capabilities: vec![Capability::Automatic],
            options: json!({
                "type": "object",
                "properties": {
                    "broken": {"type": "boolean", "default": false},
                    "weights": {"type": "string"}
                }
            }),
            params: json!({
                "type": "object",
                "properties": {
                    "count": number(3),
                    "sleep_ms": number(0),
                    "hang_ms": number(0),
                    "fail": {"type": "string", "default": ""},
                    "hints": {}
                }
            }),
        };
        Self {
            descriptor,
            calls: Arc::default(),
            born: AtomicUsize::new(0),
        }
    }

    /// The same segmenter under another id.
    #[must_use]
    pub fn named(mut self, id: &str) -> Self {
        self.descriptor.id = id.into();
        self
    }

    /// The same segmenter with a parameter `level`, a number or a list, which it passes over.
    #[must_use]
    pub fn with_levels(mut self, levels: RangeInclusive<u32>) -> Self {
        self.descriptor.capabilities.push(Capability::Levels);
        self.descriptor.params["properties"]["level"] = json!({
            "type": ["integer", "array"],
            "minimum": levels.start(),
            "maximum": levels.end(),
        });
        self
    }

    /// The same segmenter, which takes hints of these kinds alone.
    #[must_use]
    pub fn with_hints(mut self, kinds: &[&str]) -> Self {
        let kinds = kinds
            .iter()
            .map(|&kind| (kind.to_owned(), json!({"type": "array"})));
        let kinds: serde_json::Map<_, _> = kinds.collect();
        self.descriptor.params["properties"]["hints"] = json!({
            "type": "object",
            "properties": kinds,
            "additionalProperties": false,
        });
        self
    }

    /// The same segmenter, which takes no weights.
    #[must_use]
    pub fn without_weights(mut self) -> Self {
        if let Some(options) = self.descriptor.options["properties"].as_object_mut() {
            options.remove("weights");
        }
        self
    }

    /// How many calls its instances have begun, counted on.
    pub fn calls(&self) -> Arc<AtomicUsize> {
        self.calls.clone()
    }
}

impl Default for Columns {
    fn default() -> Self {
        Self::new("1.0.0")
    }
}

impl SegmenterFactory for Columns {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn create(&self, options: &Call<'_>) -> Result<Box<dyn Segmenter>> {
        if options.params()["broken"] == json!(true) {
            return Err(Error::unavailable("no weights"));
        }
        Ok(Box::new(Instance {
            calls: self.calls.clone(),
            born: self.born.fetch_add(1, Ordering::SeqCst),
            weights: options.text("weights").map(str::to_owned),
        }))
    }
}

struct Instance {
    calls: Arc<AtomicUsize>,
    born: usize,
    weights: Option<String>,
}

impl Segmenter for Instance {
    // It panics because a test wants to see one.
    #[allow(clippy::panic)]
    fn segment(&mut self, image: &Image<'_>, call: &Call<'_>) -> Result<Vec<Region>> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let number = |key| call.number(key).unwrap_or_default() as u32;
        for _ in 0..number("sleep_ms") {
            call.check()?;
            sleep(Duration::from_millis(1));
        }
        sleep(Duration::from_millis(number("hang_ms").into()));
        match call.text("fail").unwrap_or_default() {
            "" => {}
            "panic" => panic!("told to"),
            "internal" => return Err(Error::internal("its state is gone")),
            why => return Err(Error::unsupported(why.to_owned())),
        }
        let size = Size::new(image.width(), image.height());
        let column = |index| {
            let left = index * size.width / number("count");
            let right = (index + 1) * size.width / number("count");
            let bbox = BBox::new(left, 0, right - left, size.height);
            let mut region = Region::new(Mask::rect(size, bbox));
            region.score = Some(0.5);
            region.extra.insert("born".into(), self.born.into());
            if let Some(weights) = &self.weights {
                region.extra.insert("weights".into(), json!(weights));
            }
            region
        };
        Ok((0..number("count")).map(column).collect())
    }
}
