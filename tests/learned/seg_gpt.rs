//! SegGPT: the cases of the fixture, each with examples of its own. What the reference gives as brightness
//! is, in `masks.json`, cut where a pixel belongs to a thing.

use std::fs;

use serde_json::Value;

use super::{
    case::{Case, Expected},
    plugin::{Fixture, Plugin},
    tests_of,
};

pub(super) const SEG_GPT: Plugin = Plugin {
    folder: "plugins/seg-gpt",
    cases,
};

tests_of!(SEG_GPT, tiny);

fn cases(fixture: &Fixture) -> Vec<Case> {
    let masks = fs::read(fixture.file("masks.json")).unwrap();
    let masks: Value = serde_json::from_slice(&masks).unwrap();
    let classes = ["num_labels=3", "embedding_type=semantic"];
    [
        ("binary_single", &[("prompt1", "prompt1_mask")][..], &[][..]),
        (
            "feature_ensemble",
            &[("prompt1", "prompt1_mask"), ("prompt2", "prompt2_mask")],
            &[],
        ),
        ("palette", &[("prompt1", "prompt1_labels")], &classes),
    ]
    .map(|(name, examples, settings)| {
        let file = |name: &str| fixture.file(&format!("{name}.png"));
        let hint = |(picture, mask): &(&str, &str)| {
            let example = format!("example:{},{}", file(picture), file(mask));
            ["--hint".to_owned(), example]
        };
        let set = |setting: &&str| ["--set".to_owned(), (*setting).to_owned()];
        let hints = examples.iter().flat_map(hint);
        Case {
            name: name.to_owned(),
            arguments: hints.chain(settings.iter().flat_map(set)).collect(),
            regions: masks[name].as_array().unwrap().iter().map(region).collect(),
        }
    })
    .into()
}

fn region(found: &Value) -> Expected {
    Expected::new(&found["mask"]).equal("/label", found["label"].clone())
}
