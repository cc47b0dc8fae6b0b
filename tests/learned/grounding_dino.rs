//! Grounding DINO: a fixture has one text, and what is found of it with several pairs of thresholds.

use serde_json::Value;
use som_core::{BBox, Mask, Size};

use super::{
    case::{Case, Expected},
    plugin::{Fixture, Plugin},
    tests_of,
};

pub(super) const GROUNDING_DINO: Plugin = Plugin {
    folder: "plugins/grounding-dino",
    cases,
};

tests_of!(GROUNDING_DINO, tiny);

fn cases(fixture: &Fixture) -> Vec<Case> {
    let expected = fixture.expected();
    let [height, width]: [u32; 2] =
        serde_json::from_value(expected["image_size_hw"].clone()).unwrap();
    let size = Size::new(width, height);
    let text = expected["text"].as_str().unwrap();
    let runs = expected["results"].as_array().unwrap().iter();
    let case = |run: &Value| {
        let mut arguments = vec!["--hint".to_owned(), format!("text:{text}")];
        for name in ["box_threshold", "text_threshold"] {
            arguments.extend(["--set".to_owned(), format!("{name}={}", run[name])]);
        }
        let found = run["detections"].as_array().unwrap().iter();
        Case {
            name: format!(
                "thresholds {} and {}",
                run["box_threshold"], run["text_threshold"]
            ),
            arguments,
            regions: found.map(|found| region(found, size)).collect(),
        }
    };
    runs.map(case).collect()
}

fn region(found: &Value, size: Size) -> Expected {
    let corners: [f64; 4] = serde_json::from_value(found["box_xyxy"].clone()).unwrap();
    // The pixels whose centres lie in the box.
    let [x, y, right, bottom] = corners.map(|edge| (edge - 0.5).ceil().max(0.0) as u32);
    let mask = Mask::rect(size, BBox::new(x, y, right - x, bottom - y));
    Expected::new(&serde_json::to_value(mask.to_rle()).unwrap())
        .near("/score", &found["score"], 1e-3)
        .near_each("/extra/box", &found["box_xyxy"], 0.5)
        .equal("/extra/shape", "box")
        .equal("/extra/phrase", found["phrase_hf"].clone())
        .equal("/label", found["phrase_official"].clone())
}
