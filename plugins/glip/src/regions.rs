//! From what the network finds to regions: boxes, each with its phrase.
//!
//! Official file `predictor_glip.py`, `compute_prediction` and `_post_process`.

use serde_json::json;
use som_core::{Region, Size};

use crate::{asked::Query, network::Detection};

/// Detections that are likelier than `threshold`, in the pixels of an image of `size` that was resized to
/// `inside`, in their order.
pub(crate) fn regions(
    found: &[Detection],
    query: &Query,
    threshold: f32,
    inside: Size,
    size: Size,
) -> Vec<Region> {
    let likely = found.iter().filter(|found| found.score > threshold);
    let region = |found: &Detection| {
        let ratio = |to: u32, from: u32| f64::from(to) / f64::from(from.max(1));
        let across = ratio(size.width, inside.width);
        let down = ratio(size.height, inside.height);
        let [left, top, right, bottom] = found.corners.map(f64::from);
        let corners = [left * across, top * down, right * across, bottom * down];
        let mut region = rectangle(corners, size);
        let place = query.phrases.get(found.phrase).cloned().unwrap_or_default();
        region.score = Some(found.score);
        region.label = Some(query.phrase(found.phrase).to_owned());
        region
            .extra
            .insert("phrase_bytes".to_owned(), json!([[place.start, place.end]]));
        region
    };
    likely.map(region).collect()
}

/// The region of a box. In the official project, one without extent is a pixel: so it is here.
fn rectangle([left, top, right, bottom]: [f64; 4], size: Size) -> Region {
    let mut region = Region::of_box(size, [left, top, right, bottom]);
    if region.mask.is_empty() {
        let (x, y) = (
            left.min(f64::from(size.width) - 1.0),
            top.min(f64::from(size.height) - 1.0),
        );
        let pixel = Region::of_box(size, [x, y, right.max(x + 1.0), bottom.max(y + 1.0)]);
        region.mask = pixel.mask;
    }
    region
}

#[cfg(test)]
mod tests {
    use som_core::{BBox, Call, Params};

    use super::*;
    use crate::golden::{BOX, Golden, SCORE};

    #[test]
    fn a_box_without_extent_is_a_pixel() {
        let size = Size::new(8, 6);
        for (corners, expected) in [
            ([1.0, 2.0, 4.0, 5.0], BBox::new(1, 2, 3, 3)),
            ([2.6, 2.6, 2.7, 2.7], BBox::new(3, 3, 1, 1)),
            ([7.8, 1.0, 7.8, 3.0], BBox::new(7, 1, 1, 2)),
            ([0.0, 0.0, 0.0, 0.0], BBox::new(0, 0, 1, 1)),
        ] {
            let region = rectangle(corners, size);
            assert_eq!(region.mask.bbox(), expected, "{corners:?}");
            assert_eq!(region.extra["box"], json!(corners));
        }
    }

    /// What passes the threshold, and all that is left without one.
    #[test]
    fn boxes_scores_and_phrases_are_those_of_the_reference() {
        let _guard = tch::no_grad_guard();
        let golden = Golden::open("tiny");
        let nothing = Params::new();
        let call = Call::uncancellable(&nothing);
        let image = golden.encode();
        for name in ["caption", "classes"] {
            let text = &golden.json[name];
            let (query, pieces, phrases) = golden.asked(name);
            let network = &golden.glip.network;
            let found = network.detect(&image, &pieces, &phrases, &call).unwrap();
            let threshold = text["threshold"].as_f64().unwrap() as f32;
            for (threshold, expected) in [(threshold, "detections"), (0.0, "all_final")] {
                let found = regions(&found, &query, threshold, image.inside, image.size);
                let expected = text[expected].as_array().unwrap();
                assert_eq!(found.len(), expected.len(), "{name}");
                for (region, expected) in found.iter().zip(expected) {
                    let score = expected["score"].as_f64().unwrap();
                    let apart = (f64::from(region.score.unwrap()) - score).abs();
                    assert!(apart <= SCORE, "{name}: score off by {apart}");
                    for side in 0..4 {
                        let found = region.extra["box"][side].as_f64().unwrap();
                        let apart = (found - expected["box_xyxy"][side].as_f64().unwrap()).abs();
                        assert!(apart <= BOX, "{name}: box off by {apart}");
                    }
                    assert_eq!(region.label.as_deref(), expected["phrase"].as_str());
                    assert_eq!(region.extra["shape"], "box");
                }
            }
        }
    }
}
