//! video → objects: the frames of a video one after the other → the regions of each, by object.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Call, Capability, Descriptor, Error, Hints, Image, Params, Region, Result};

/// Carries objects through one video. Blocking; the engine calls it on the instance's own thread.
///
/// An instance is one video: what it remembers ends with it. Weights are loaded once and shared by all
/// instances. Calls on one instance never overlap; threads may change.
pub trait Tracker: Send {
    /// The regions of `frame`, at most one an object, in the tracker's own order. An object that is
    /// out of sight has none. The hints of the frame are [`Call::object_hints`].
    ///
    /// Frames come in any order, forwards most often, and one may come again: with hints that correct
    /// what was found, or without to be told what is known of it by now. Frames that bring hints
    /// may all come before the others.
    ///
    /// # Errors
    /// [`ErrorKind::Cancelled`](crate::ErrorKind::Cancelled) soon after the call was cancelled; Invalid
    /// for a frame of another size than the first; any other kind with a message that names what to do.
    fn frame(&mut self, frame: &Frame<'_>, call: &Call<'_>) -> Result<Vec<Tracked>>;
}

/// Makes instances of one tracker: embedded and loaded ones are both this to the engine.
pub trait TrackerFactory: Send + Sync {
    /// Who the tracker is, what it can do and which options and parameters it takes.
    fn descriptor(&self) -> &Descriptor;

    /// A new instance, for one video. `options` were validated by [`Descriptor::options`].
    ///
    /// # Errors
    /// What the tracker reports, such as missing weights.
    fn create(&self, options: &Call<'_>) -> Result<Box<dyn Tracker>>;
}

/// One image of a video.
#[derive(Clone, Debug)]
pub struct Frame<'a> {
    /// Its pixels. All frames of a video have one size.
    pub image: Image<'a>,
    /// Its place in the video, from 0.
    pub index: u64,
    /// How many frames the video has; `None` where that is not known.
    pub count: Option<u64>,
    /// True where objects are carried towards the first frame: the next index is lower.
    pub is_backward: bool,
}

/// A region and whose it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Tracked {
    /// The object, from 1. Objects that are hinted at have the id of their hints; a tracker that finds
    /// objects itself numbers them on, and never gives an id a second meaning.
    pub object: u64,
    /// Its pixels in the frame.
    pub region: Region,
}

/// What is said of one object in one frame.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ObjectHints {
    /// The object, from 1; one that was not spoken of before is new.
    pub object: u64,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Hints::is_empty")]
    pub hints: Hints,
    /// True if it is to be forgotten.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remove: bool,
}

impl ObjectHints {
    /// The `hints` of `params`, which are a list here: `[{"object": 1, "hints": {"points": [..]}},
    /// {"object": 2, "remove": true}]`.
    ///
    /// # Errors
    /// Invalid, if they are malformed, an object is 0 or comes twice, or there is nothing said of one.
    pub fn from_params(params: &Params) -> Result<Vec<Self>> {
        let hints = match params.get("hints") {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(hints) => Vec::<Self>::deserialize(hints)
                .map_err(|error| Error::invalid(format!("hints: {error}")))?,
        };
        for (
            index,
            ObjectHints {
                object,
                hints: said,
                remove,
            },
        ) in hints.iter().enumerate()
        {
            let wrong = |what: &str| Err(Error::invalid(format!("hints: object {object} {what}")));
            if *object == 0 {
                return wrong("is none, they are counted from 1");
            }
            if hints[..index].iter().any(|other| other.object == *object) {
                return wrong("comes twice in one frame");
            }
            if said.is_empty() != *remove {
                return wrong("needs either hints or \"remove\": true");
            }
        }
        Ok(hints)
    }

    /// As a parameter of a frame.
    ///
    /// # Errors
    /// Internal, if a number in them is none.
    pub fn to_value(hints: &[Self]) -> Result<Value> {
        serde_json::to_value(hints)
            .map_err(|error| Error::internal("hints cannot be written").caused_by(error))
    }

    /// JSON Schema of the hints that a tracker with these capabilities takes; `None` if it takes none.
    pub fn schema(capabilities: &[Capability]) -> Option<Value> {
        let mut hints = Hints::schema(capabilities)?;
        hints["type"] = json!("object");
        hints["description"] = json!("Where it is");
        let object = json!({
            "type": "object",
            "properties": {
                "object": {"type": "integer", "minimum": 1},
                "hints": hints,
                "remove": {"type": "boolean"},
            },
            "required": ["object"],
            "additionalProperties": false,
        });
        Some(json!({
            "type": ["array", "null"],
            "description": "What is said of objects in this frame",
            "items": object,
        }))
    }
}

impl Call<'_> {
    /// What is said of objects in a frame; empty where nothing is.
    ///
    /// # Errors
    /// As [`ObjectHints::from_params`].
    pub fn object_hints(&self) -> Result<Vec<ObjectHints>> {
        ObjectHints::from_params(self.params())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PointHint;

    fn read(hints: Value) -> Result<Vec<ObjectHints>> {
        ObjectHints::from_params(&Params::from_iter([("hints".to_owned(), hints)]))
    }

    #[test]
    fn hints_of_objects_are_read_as_written() {
        let points = vec![PointHint {
            x: 3.5,
            y: 2.0,
            label: 0,
        }];
        let said = ObjectHints {
            object: 7,
            hints: Hints {
                points,
                ..Hints::default()
            },
            remove: false,
        };
        let forgotten = ObjectHints {
            object: 2,
            remove: true,
            ..ObjectHints::default()
        };
        let all = vec![said, forgotten];
        let written = ObjectHints::to_value(&all).unwrap();
        assert_eq!(
            written,
            json!([
                {"object": 7, "hints": {"points": [{"x": 3.5, "y": 2.0, "label": 0}]}},
                {"object": 2, "remove": true},
            ])
        );
        assert_eq!(read(written).unwrap(), all);
        assert_eq!(read(Value::Null).unwrap(), []);
    }

    #[test]
    fn hints_of_objects_that_make_no_sense_are_refused() {
        for (hints, told) in [
            (
                json!([{"object": 0, "remove": true}]),
                "object 0 is none, they are counted from 1",
            ),
            (
                json!([{"object": 1}]),
                "object 1 needs either hints or \"remove\": true",
            ),
            (
                json!([{"object": 1, "remove": true}, {"object": 1, "remove": true}]),
                "object 1 comes twice in one frame",
            ),
        ] {
            assert_eq!(read(hints).unwrap_err().message(), format!("hints: {told}"));
        }
    }
}
