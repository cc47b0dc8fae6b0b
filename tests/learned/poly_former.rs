//! PolyFormer: a fixture has several expressions, each of which gives one region; alone and together.

use std::fs;

use serde_json::Value;

use super::{
    case::{Case, Expected},
    plugin::{Fixture, Plugin},
    tests_of,
};

pub(super) const POLY_FORMER: Plugin = Plugin {
    folder: "plugins/poly-former",
    cases,
};

tests_of!(POLY_FORMER, tiny);

fn cases(fixture: &Fixture) -> Vec<Case> {
    let expected = fixture.expected();
    // Masks and polygons at the size of the image, which the official evaluation has at another.
    let drawn = fs::read(fixture.file("original_size.json")).unwrap();
    let drawn: Vec<Value> = serde_json::from_slice(&drawn).unwrap();
    let samples = expected["samples"].as_array().unwrap();
    let pairs: Vec<(&Value, &Value)> = samples.iter().zip(&drawn).collect();
    let each = pairs.iter().map(|&pair| case(&[pair]));
    each.chain([case(&pairs)]).collect()
}

fn case(asked: &[(&Value, &Value)]) -> Case {
    let hint = |(sample, _): &(&Value, &Value)| {
        let text = sample["text"].as_str().unwrap();
        ["--hint".to_owned(), format!("text:{text}")]
    };
    Case {
        name: format!("{} expressions", asked.len()),
        arguments: asked.iter().flat_map(hint).collect(),
        regions: asked
            .iter()
            .map(|&(sample, drawn)| region(sample, drawn))
            .collect(),
    }
}

fn region(sample: &Value, drawn: &Value) -> Expected {
    let polygons = drawn["polygons"].as_array().unwrap().iter().enumerate();
    let whole = Expected::new(&drawn["mask"])
        .near_each("/extra/box", &sample["box_xyxy_original_pixels"], 0.5)
        .equal("/label", sample["text"].clone());
    polygons.fold(whole, |region, (index, polygon)| {
        region.near_each(&format!("/extra/polygons/{index}"), polygon, 0.5)
    })
}
