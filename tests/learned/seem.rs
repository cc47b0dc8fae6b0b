//! SEEM: what a fixture holds at the size of the image are the panoptic segments; what drawings and
//! texts find is there at the size of the resized image.

use serde_json::Value;
use som_core::Size;

use super::{
    case::{Case, Expected, mask},
    plugin::{Fixture, Plugin},
    tests_of,
};

pub(super) const SEEM: Plugin = Plugin {
    folder: "plugins/seem",
    cases,
};

tests_of!(SEEM, focall, focalt);

fn cases(fixture: &Fixture) -> Vec<Case> {
    let expected = fixture.expected();
    let whole = &expected["panoptic_original_size"];
    let side = |name: &str| whole[name].as_u64().unwrap() as u32;
    let size = Size::new(side("width"), side("height"));
    let mut cases = vec![panoptic(whole)];
    for (drawing, case) in expected["interactive"].as_object().unwrap() {
        let drawn = fixture.file(&format!("prompt_{drawing}.png"));
        let prompts = case["prompts"].as_array().unwrap().iter();
        cases.push(Case {
            name: format!("drawn {drawing}"),
            arguments: hint(&format!("stroke:{}", drawn.display())),
            regions: prompts
                .map(|prompt| Expected::new(&brought_back(prompt, size)))
                .collect(),
        });
    }
    for case in expected["grounding"].as_array().unwrap() {
        // Several texts are read together there; a hint has one.
        if let [text] = case["texts"].as_array().unwrap().as_slice() {
            let text = text.as_str().unwrap();
            let found = Expected::new(&brought_back(&case["masks"][0], size));
            let logit = &case["match_logit"][0];
            cases.push(Case {
                name: text.to_owned(),
                arguments: hint(&format!("text:{text}")),
                regions: vec![
                    found
                        .near("/extra/match_logit", logit, 1e-2)
                        .equal("/label", text),
                ],
            });
        }
    }
    cases
}

fn hint(hint: &str) -> Vec<String> {
    vec!["--hint".to_owned(), hint.to_owned()]
}

fn panoptic(run: &Value) -> Case {
    let thresholds = ["object_mask_threshold", "overlap_threshold"];
    let arguments = thresholds.map(|name| ["--set".to_owned(), format!("{name}={}", run[name])]);
    let segments = run["segments_info"].as_array().unwrap().iter();
    let regions = segments.map(|segment| {
        Expected::new(&segment["segmentation"])
            .equal("/label", segment["category_name"].clone())
            .equal("/extra/thing", segment["isthing"].clone())
    });
    Case {
        name: "panoptic".to_owned(),
        arguments: arguments.concat(),
        regions: regions.collect(),
    }
}

/// A mask as it comes back to an image of this size.
fn brought_back(found: &Value, size: Size) -> Value {
    let mask = mask(&found["segmentation"]).resized(size);
    serde_json::to_value(mask.to_rle()).unwrap()
}
