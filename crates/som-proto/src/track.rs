//! What is said of the objects of a video, and what is found of them.

use serde_json::Value;
use som_core::{Error, Hints, ObjectHints, Params, Result, Size, Tracked};

use crate::{params, pb::v1 as pb, region};

/// To the wire.
///
/// # Errors
/// Internal, if a hint is no JSON.
pub fn hints_to_wire(hints: &[ObjectHints]) -> Result<Vec<pb::ObjectHints>> {
    let all = hints.iter().map(|said| {
        let hints = match serde_json::to_value(&said.hints) {
            Ok(Value::Object(hints)) => hints,
            _ => return Err(Error::internal("hints cannot be written")),
        };
        Ok(pb::ObjectHints {
            object: said.object,
            hints: Some(params::to_wire(&hints)),
            remove: said.remove,
        })
    });
    all.collect()
}

/// From the wire.
///
/// # Errors
/// Invalid, if they are malformed, or as [`ObjectHints::from_params`].
pub fn hints_from_wire(wire: Vec<pb::ObjectHints>) -> Result<Vec<ObjectHints>> {
    let all = wire.into_iter().map(|said| {
        let at = |error: Error| error.at(format!("object {}", said.object));
        let hints = Value::Object(params::from_wire(said.hints).map_err(at)?);
        let params = Params::from_iter([("hints".to_owned(), hints)]);
        let hints = Hints::from_params(&params).map_err(at)?;
        Ok(ObjectHints {
            object: said.object,
            hints: hints.unwrap_or_default(),
            remove: said.remove,
        })
    });
    let all: Vec<ObjectHints> = all.collect::<Result<_>>()?;
    let params = Params::from_iter([("hints".to_owned(), ObjectHints::to_value(&all)?)]);
    ObjectHints::from_params(&params)
}

/// To the wire.
pub fn to_wire(tracked: &Tracked) -> pb::TrackedObject {
    pb::TrackedObject {
        object: tracked.object,
        region: Some(region::to_wire(&tracked.region)),
    }
}

/// From the wire: an object in a frame of size `image`.
///
/// # Errors
/// Invalid, if the region is missing or does not fit the frame.
pub fn from_wire(wire: pb::TrackedObject, image: Size) -> Result<Tracked> {
    let at = |error: Error| error.at(format!("object {}", wire.object));
    let region = wire
        .region
        .ok_or_else(|| at(Error::invalid("region is not set")))?;
    Ok(Tracked {
        object: wire.object,
        region: region::from_wire(region, image).map_err(at)?,
    })
}

#[cfg(test)]
mod tests {
    use som_core::{BBox, Mask, PointHint, Region};

    use super::*;

    #[test]
    fn hints_of_objects_come_back() {
        let points = vec![PointHint {
            x: 3.5,
            y: 2.0,
            label: 0,
        }];
        let pointed = ObjectHints {
            object: 4_000_000_000_000,
            hints: Hints {
                points,
                ..Hints::default()
            },
            remove: false,
        };
        let removed = ObjectHints {
            object: 2,
            remove: true,
            ..ObjectHints::default()
        };
        let all = vec![pointed, removed];
        let wire = hints_to_wire(&all).unwrap();
        assert_eq!(hints_from_wire(wire.clone()).unwrap(), all);
        let twice = vec![wire[1].clone(), wire[1].clone()];
        let error = hints_from_wire(twice).unwrap_err();
        assert_eq!(error.message(), "hints: object 2 comes twice in one frame");
    }

    #[test]
    fn an_object_comes_back() {
        let size = Size::new(9, 7);
        let tracked = Tracked {
            object: 12,
            region: Region::new(Mask::rect(size, BBox::new(2, 1, 3, 3))),
        };
        assert_eq!(from_wire(to_wire(&tracked), size).unwrap(), tracked);
        let empty = pb::TrackedObject {
            object: 12,
            region: None,
        };
        let error = from_wire(empty, size).unwrap_err();
        assert_eq!(error.message(), "object 12: region is not set");
    }
}
