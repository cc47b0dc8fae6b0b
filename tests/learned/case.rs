//! One call, and what the official project gives for it.

use serde_json::Value;
use som_core::{Mask, Rle};

/// A call of `som segment` on the image of a fixture, and its result.
pub(super) struct Case {
    pub name: String,
    /// Of the command, beyond image, segmenter and weights.
    pub arguments: Vec<String>,
    /// In order.
    pub regions: Vec<Expected>,
}

/// A region as the official project has it.
pub(super) struct Expected {
    /// As COCO RLE.
    mask: Value,
    near: Vec<Near>,
    equal: Vec<(&'static str, Value)>,
}

/// A number of a region: where it stands (a JSON pointer), and how far it may be off.
struct Near {
    place: String,
    value: f64,
    tolerance: f64,
}

impl Expected {
    pub(super) fn new(mask: &Value) -> Self {
        Self {
            mask: mask.clone(),
            near: Vec::new(),
            equal: Vec::new(),
        }
    }

    /// With a number at a JSON pointer that may be off by so much.
    #[must_use]
    pub(super) fn near(mut self, place: impl Into<String>, value: &Value, tolerance: f64) -> Self {
        self.near.push(Near {
            place: place.into(),
            value: value.as_f64().unwrap(),
            tolerance,
        });
        self
    }

    /// With numbers in a list at a JSON pointer.
    #[must_use]
    pub(super) fn near_each(mut self, place: &str, values: &Value, tolerance: f64) -> Self {
        for (index, value) in values.as_array().unwrap().iter().enumerate() {
            self = self.near(format!("{place}/{index}"), value, tolerance);
        }
        self
    }

    /// With exactly this at a JSON pointer.
    #[must_use]
    pub(super) fn equal(mut self, place: &'static str, value: impl Into<Value>) -> Self {
        self.equal.push((place, value.into()));
        self
    }
}

impl Case {
    /// Compares with what was found.
    #[track_caller]
    pub(super) fn assert_found(&self, regions: &[Value]) {
        let name = &self.name;
        assert_eq!(regions.len(), self.regions.len(), "{name}");
        for (index, (region, expected)) in regions.iter().zip(&self.regions).enumerate() {
            let iou = mask(&region["segmentation"]).iou(&mask(&expected.mask));
            assert!(iou >= 0.99, "{name}, region {index}: IoU {iou}");
            for (place, value) in &expected.equal {
                assert_eq!(
                    region.pointer(place),
                    Some(value),
                    "{name}, region {index}, {place}"
                );
            }
            for Near {
                place,
                value,
                tolerance,
            } in &expected.near
            {
                let found = region.pointer(place).and_then(Value::as_f64);
                assert!(
                    found.is_some_and(|found| (found - value).abs() <= *tolerance),
                    "{name}, region {index}, {place}: {found:?}, expected {value}"
                );
            }
        }
    }
}

/// A mask of a report or a fixture.
pub(super) fn mask(rle: &Value) -> Mask {
    let rle: Rle = serde_json::from_value(rle.clone()).unwrap();
    Mask::from_rle(&rle).unwrap()
}
