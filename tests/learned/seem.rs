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
            arguments: hint(&format!("stroke:{}", drawn)),
            regions: prompts
                .map(|prompt| Expected::new(&brought_back(prompt, size)))
                .collect(),
        });
    }
    cases.extend(
        expected["grounding"]
            .as_array()
            .unwrap()
            .iter()
            .map(|case| grounding(case, size)),
    );
    cases
}

fn hint(hint: &str) -> Vec<String> {
    vec!["--hint".to_owned(), hint.to_owned()]
}

/// Texts that are read together.
fn grounding(case: &Value, size: Size) -> Case {
    let texts = case["texts"].as_array().unwrap();
    let texts: Vec<&str> = texts.iter().map(|text| text.as_str().unwrap()).collect();
    let region = |(index, &text): (usize, &&str)| {
        Expected::new(&brought_back(&case["masks"][index], size))
            .near("/extra/match_logit", &case["match_logit"][index], 1e-2)
            .equal("/label", text)
    };
    Case {
        name: texts.join("; "),
        arguments: texts
            .iter()
            .flat_map(|text| hint(&format!("text:{text}")))
            .collect(),
        regions: texts.iter().enumerate().map(region).collect(),
    }
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
