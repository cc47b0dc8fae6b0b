//! GLIP: a fixture has a caption with its phrases, and a list of classes.

use serde_json::Value;
use som_core::{BBox, Mask, Size};

use super::{
    case::{Case, Expected},
    plugin::{Fixture, Plugin},
    tests_of,
};

pub(super) const GLIP: Plugin = Plugin {
    folder: "plugins/glip",
    cases,
};

tests_of!(GLIP, sizes, tiny);

/// Both texts as hints, the one with phrases of its own; and the classes by their names.
fn cases(fixture: &Fixture) -> Vec<Case> {
    let expected = fixture.expected();
    let [height, width]: [u32; 2] =
        serde_json::from_value(expected["original_size_hw"].clone()).unwrap();
    let size = Size::new(width, height);
    let hint = |of: &Value| {
        let text = of["text"].as_str().unwrap();
        vec!["--hint".to_owned(), format!("text:{text}")]
    };
    let set = |name: &str, value: &Value| vec!["--set".to_owned(), format!("{name}={value}")];
    let (caption, classes) = (&expected["caption"], &expected["classes"]);
    let phrases = set("phrases", &caption["phrases"]);
    [
        ("caption", caption, [hint(caption), phrases].concat()),
        ("caption as configured", caption, hint(caption)),
        ("classes in a text", classes, hint(classes)),
        ("classes", classes, set("classes", &classes["phrases"])),
    ]
    .map(|(name, text, arguments)| {
        let found = text["detections"].as_array().unwrap().iter();
        Case {
            name: name.to_owned(),
            arguments: [arguments, set("threshold", &text["threshold"])].concat(),
            regions: found.map(|found| region(found, size)).collect(),
        }
    })
    .into()
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
        .equal("/label", found["phrase"].clone())
}
