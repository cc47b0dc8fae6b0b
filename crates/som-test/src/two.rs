//! A detector and a refiner that do as they are told.

use std::{
    sync::{Arc, Mutex, PoisonError},
    thread::sleep,
    time::Duration,
};

use serde_json::{Value, json};
use som_core::{
    BBox, BoxHint, Call, Capability, Descriptor, Error, HintKind, Hints, Image, Mask, PointHint,
    Region, Result, Segmenter, SegmenterFactory, Size,
};

/// Finds what its parameters say.
///
/// Parameters: `boxes`, each `[left, top, right, bottom]`, and `shape`, what they are told as, `"box"`,
/// `"mask"` or `"point"` (of their middle); `hints`, whose texts are the labels in turn; `sleep_ms` and
/// `fail` as of [`Columns`](crate::Columns). Scores fall from 0.9 on. Its options are `weights`, which it
/// passes over.
pub struct Finder(Descriptor);

/// Cuts what hints point at.
///
/// Parameters: `inset`, by how many pixels it stays inside of a box or mask; `several`, to find a part of
/// a thing before the thing; `misses`, the number of a hint of a call of which it finds nothing; `silent`,
/// not to say which hint a region is for; `sleep_ms` and `fail` as of [`Columns`](crate::Columns).
pub struct Cutter {
    descriptor: Descriptor,
    calls: Calls,
}

/// How many hints each call had, in the order of calls.
#[derive(Clone, Debug, Default)]
pub struct Calls(Arc<Mutex<Vec<usize>>>);

impl Calls {
    /// Those so far, which are forgotten.
    pub fn take(&self) -> Vec<usize> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, hints: usize) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.push(hints);
    }
}

impl Default for Finder {
    fn default() -> Self {
        Self(Descriptor {
            id: "finder".into(),
            version: "1.0.0".into(),
            about: "Finds what it is told to.".into(),
            capabilities: vec![Capability::Automatic, Capability::Text, Capability::Labels],
            options: json!({"type": "object", "properties": {"weights": {"type": "string"}}}),
            params: json!({
                "type": "object",
                "properties": {
                    "boxes": {
                        "type": "array",
                        "items": {"type": "array", "items": {"type": "number"}},
                        "default": [[2.5, 3.0, 12.0, 14.0], [20.0, 4.0, 30.0, 18.5]],
                    },
                    "shape": {"enum": ["box", "mask", "point"], "default": "box"},
                    "sleep_ms": {"type": "integer", "default": 0, "minimum": 0},
                    "fail": {"type": "string", "default": ""},
                    "hints": Hints::schema(&[Capability::Text]),
                }
            }),
        })
    }
}

impl Cutter {
    /// One that takes hints of these kinds.
    pub fn of(kinds: &[HintKind]) -> Self {
        let kinds = kinds.iter().map(|kind| kind.capability());
        let capabilities: Vec<Capability> = kinds.collect();
        let hints = Hints::schema(&capabilities);
        Self {
            descriptor: Descriptor {
                id: "cutter".into(),
                version: "2.0.0".into(),
                about: "Cuts what it is pointed at.".into(),
                params: json!({
                    "type": "object",
                    "properties": {
                        "inset": {"type": "integer", "default": 1, "minimum": 0},
                        "several": {"type": "boolean", "default": false},
                        "misses": {"type": ["integer", "null"], "default": null},
                        "silent": {"type": "boolean", "default": false},
                        "sleep_ms": {"type": "integer", "default": 0, "minimum": 0},
                        "fail": {"type": "string", "default": ""},
                        "hints": hints,
                    }
                }),
                options: json!({"type": "object"}),
                capabilities,
            },
            calls: Calls::default(),
        }
    }

    /// The same segmenter under another id.
    #[must_use]
    pub fn named(mut self, id: &str) -> Self {
        self.descriptor.id = id.into();
        self
    }

    /// How many hints the calls of its instances had.
    pub fn calls(&self) -> Calls {
        self.calls.clone()
    }
}

impl SegmenterFactory for Finder {
    fn descriptor(&self) -> &Descriptor {
        &self.0
    }

    fn create(&self, _options: &Call<'_>) -> Result<Box<dyn Segmenter>> {
        Ok(Box::new(Finding))
    }
}

impl SegmenterFactory for Cutter {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn create(&self, _options: &Call<'_>) -> Result<Box<dyn Segmenter>> {
        Ok(Box::new(Cutting(self.calls.clone())))
    }
}

struct Finding;

impl Segmenter for Finding {
    fn segment(&mut self, image: &Image<'_>, call: &Call<'_>) -> Result<Vec<Region>> {
        obey(call)?;
        let size = Size::new(image.width(), image.height());
        let boxes = call.params().get("boxes").cloned().unwrap_or_default();
        let boxes: Vec<[f64; 4]> = serde_json::from_value(boxes)
            .map_err(|error| Error::invalid(format!("boxes: {error}")))?;
        let texts = call.hints()?.unwrap_or_default().texts;
        let region = |(index, corners): (usize, [f64; 4])| {
            let [left, top, right, bottom] = corners;
            let boxed = Region::of_box(size, corners);
            let found = match call.text("shape") {
                Some("mask") => Region::new(boxed.mask),
                Some("point") => {
                    let middle = [(left + right) / 2.0, (top + bottom) / 2.0];
                    Region::of_point(size, middle)
                }
                _ => boxed,
            };
            let label = texts.get(index % texts.len().max(1)).cloned();
            let score = 0.9 - 0.1 * index as f32;
            Region {
                label,
                score: Some(score.max(0.0)),
                ..found
            }
        };
        Ok(boxes.into_iter().enumerate().map(region).collect())
    }
}

struct Cutting(Calls);

impl Segmenter for Cutting {
    fn segment(&mut self, image: &Image<'_>, call: &Call<'_>) -> Result<Vec<Region>> {
        obey(call)?;
        let size = Size::new(image.width(), image.height());
        let Some(hints) = call.hints()? else {
            return Err(Error::invalid("there is no hint"));
        };
        let inset = call.number("inset").unwrap_or_default() as u32;
        let wanted = wanted(&hints, size)?;
        self.0.add(wanted.len());
        let mut regions = Vec::new();
        for (index, bbox) in wanted.into_iter().enumerate() {
            if call.number("misses") == Some(index as f64) {
                continue;
            }
            let BBox {
                x,
                y,
                width,
                height,
            } = bbox;
            let inside = |extent: u32| extent.saturating_sub(2 * inset).max(1);
            let whole = BBox::new(x + inset, y + inset, inside(width), inside(height));
            let part = BBox::new(whole.x, whole.y, whole.width.div_ceil(2), whole.height);
            let is_several = call.params().get("several") == Some(&Value::Bool(true));
            let found = is_several.then_some((part, 0.99));
            for (bbox, score) in found.into_iter().chain([(whole, 0.8)]) {
                let mut region = Region::new(Mask::rect(size, bbox));
                region.score = Some(score);
                region.label = Some("cut".into());
                region.extra.insert("predicted_iou".into(), json!(score));
                if call.params().get("silent") != Some(&Value::Bool(true)) {
                    region.extra.insert("prompt".into(), index.into());
                }
                regions.push(region);
            }
        }
        Ok(regions)
    }
}

/// Where the hints point; all points are about one thing.
fn wanted(hints: &Hints, size: Size) -> Result<Vec<BBox>> {
    hints.check(size)?;
    let boxed =
        |&BoxHint {
             x,
             y,
             width,
             height,
         }: &BoxHint| { Region::of_box(size, [x, y, x + width, y + height]).bbox() };
    let mut wanted: Vec<BBox> = hints.boxes.iter().map(boxed).collect();
    for mask in &hints.masks {
        wanted.push(Mask::from_rle(mask)?.bbox());
    }
    if let [PointHint { x, y, .. }, ..] = hints.points[..] {
        let around = [x - 3.0, y - 3.0, x + 3.0, y + 3.0];
        wanted.push(Region::of_box(size, around).bbox());
    }
    Ok(wanted)
}

/// What every call may be told.
fn obey(call: &Call<'_>) -> Result<()> {
    for _ in 0..call.number("sleep_ms").unwrap_or_default() as u32 {
        call.check()?;
        sleep(Duration::from_millis(1));
    }
    match call.text("fail").unwrap_or_default() {
        "" => Ok(()),
        "internal" => Err(Error::internal("its state is gone")),
        why => Err(Error::unsupported(why.to_owned())),
    }
}
