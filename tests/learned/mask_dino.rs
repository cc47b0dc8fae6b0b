//! Mask DINO: `instances_sorted_by_score`, `panoptic` and `semantic` of a fixture are what the official
//! network finds, as far as it does each of them.

use serde_json::Value;

use super::{
    case::{Case, Expected},
    plugin::{Fixture, Plugin},
    tests_of,
};

pub(super) const MASK_DINO: Plugin = Plugin {
    folder: "plugins/mask-dino",
    cases,
};

tests_of!(MASK_DINO, r50_instance, r50_semantic, swin_panoptic);

fn cases(fixture: &Fixture) -> Vec<Case> {
    let expected = fixture.expected();
    let of = |task: &str, found: &Value, regions: &dyn Fn(&Value) -> Vec<Expected>| {
        (!found.is_null()).then(|| Case {
            name: task.to_owned(),
            arguments: vec!["--set".to_owned(), format!("task={task}")],
            regions: regions(found),
        })
    };
    let cases = [
        of(
            "instance",
            &expected["instances_sorted_by_score"],
            &instances,
        ),
        of(
            "panoptic",
            &expected["panoptic"]["segments_info"],
            &segments,
        ),
        of(
            "semantic",
            &expected["semantic"]["masks_by_class"],
            &classes,
        ),
    ];
    cases.into_iter().flatten().collect()
}

fn instances(found: &Value) -> Vec<Expected> {
    let found = found.as_array().unwrap().iter();
    // An empty mask is no region.
    let found = found.filter(|instance| instance["area"] != 0);
    let expected = found.map(|instance| {
        Expected::new(&instance["segmentation"])
            .near("/score", &instance["score"], 1e-3)
            .near_each("/extra/pred_box", &instance["bbox_xyxy"], 1e-2)
            .equal("/extra/category_id", instance["category_id"].clone())
    });
    expected.collect()
}

fn segments(found: &Value) -> Vec<Expected> {
    let found = found.as_array().unwrap().iter();
    let expected = found.map(|segment| {
        Expected::new(&segment["segmentation"])
            .equal("/extra/category_id", segment["category_id"].clone())
            .equal("/extra/thing", segment["isthing"].clone())
    });
    expected.collect()
}

fn classes(found: &Value) -> Vec<Expected> {
    let found = found.as_object().unwrap().iter();
    let expected = found.map(|(class, mask)| {
        let class: u32 = class.parse().unwrap();
        Expected::new(mask).equal("/extra/category_id", class)
    });
    expected.collect()
}
