//! GeoJSON (RFC 7946) whose coordinates are pixels from the left and from above: a feature for each
//! region, with holes. Outlines run along the edges of pixels, so nothing is lost.

use serde::Serialize;
use som_core::{BBox, Polygon, Result};

use super::{Picture, corners};

#[derive(Serialize)]
struct Collection<'a> {
    r#type: &'static str,
    features: Vec<Feature<'a>>,
}

#[derive(Serialize)]
struct Feature<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u32>,
    /// None of a region without pixels.
    geometry: Option<Geometry>,
    properties: Properties<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type", content = "coordinates")]
enum Geometry {
    Polygon(Vec<Vec<[f64; 2]>>),
    MultiPolygon(Vec<Vec<Vec<[f64; 2]>>>),
}

#[derive(Serialize)]
struct Properties<'a> {
    label: Option<&'a str>,
    score: Option<f32>,
    /// `box` of a region that no more is known of.
    #[serde(skip_serializing_if = "Option::is_none")]
    shape: Option<&'static str>,
    area: u64,
    bbox: BBox,
}

/// The file of an image.
///
/// # Errors
/// Internal, if it is no JSON.
pub fn geojson(picture: &Picture<'_>) -> Result<Vec<u8>> {
    let features = picture.items.iter().map(|item| {
        let region = item.region;
        Feature {
            r#type: "Feature",
            id: item.id,
            geometry: geometry(&region.mask.polygons()),
            properties: Properties {
                label: region.label.as_deref(),
                score: region.score,
                shape: region.is_box().then(|| region.shape().name()),
                area: region.mask.area(),
                bbox: region.bbox(),
            },
        }
    });
    super::to_lines(&Collection {
        r#type: "FeatureCollection",
        features: features.collect(),
    })
}

fn geometry(polygons: &[Polygon]) -> Option<Geometry> {
    let mut all = polygons.iter().map(|polygon| {
        // Here the first corner is the last one, too.
        let rings = polygon.rings().map(|ring| {
            let mut ring = corners(ring);
            ring.extend(ring.first().copied());
            ring
        });
        rings.collect()
    });
    match polygons {
        [] => None,
        [_] => all.next().map(Geometry::Polygon),
        _ => Some(Geometry::MultiPolygon(all.collect())),
    }
}
