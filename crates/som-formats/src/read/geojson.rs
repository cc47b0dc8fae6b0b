//! GeoJSON (RFC 7946) whose coordinates are pixels, as som, QuPath and others of microscopy write it:
//! features that are polygons or several polygons, with holes.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::gathering::{Entry, Gathering, Shape};
use crate::{FormatError, json, rings};

#[derive(Deserialize)]
struct Feature {
    id: Option<Value>,
    geometry: Option<Geometry>,
    #[serde(default)]
    properties: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
struct Geometry {
    r#type: String,
    #[serde(default)]
    coordinates: Value,
}

/// The corners of a closed line, the first one repeated at the end.
type Ring = Vec<[f64; 2]>;

pub(super) fn read(bytes: &[u8], gathering: &mut Gathering) -> Result<(), FormatError> {
    let mut passed = 0;
    json::each(bytes, Some("features"), |index, feature: Feature| {
        let place = format!("features[{index}]");
        let Some(geometry) = feature.geometry else {
            passed += 1;
            return Ok(());
        };
        let wrong = |error: serde_json::Error| {
            FormatError::entry(place.as_str(), format!("coordinates: {error}"))
        };
        let polygons: Vec<Vec<Ring>> = match geometry.r#type.as_str() {
            "Polygon" => vec![serde_json::from_value(geometry.coordinates).map_err(wrong)?],
            "MultiPolygon" => serde_json::from_value(geometry.coordinates).map_err(wrong)?,
            _ => {
                passed += 1;
                return Ok(());
            }
        };
        let lines = polygons
            .iter()
            .map(|polygon| rings::flat(&rings::joined(polygon)));
        let mut entry = Entry::new(place, Shape::Polygons(lines.collect()));
        let mut properties = feature.properties.unwrap_or_default();
        entry.id = feature.id.as_ref().and_then(Value::as_u64);
        entry.score = properties.remove("score").and_then(|score| score.as_f64());
        entry.label = label(&mut properties);
        // What follows from the geometry.
        for derived in ["bbox", "area", "id"] {
            properties.remove(derived);
        }
        entry.extra.extend(properties);
        gathering.add(entry)
    })?;
    if passed > 0 {
        gathering.note(format!(
            "{passed} features are no polygons and were passed over"
        ));
    }
    Ok(())
}

/// The class of a feature: `label`, `name`, or what QuPath calls its classification.
fn label(properties: &mut Map<String, Value>) -> Option<String> {
    let text = |value: Value| match value {
        Value::String(text) => Some(text),
        _ => None,
    };
    for key in ["label", "name"] {
        if let Some(name) = properties.remove(key).and_then(text) {
            return Some(name);
        }
    }
    let class = properties.get("classification")?;
    class.get("name")?.as_str().map(str::to_owned)
}
