//! OpenSeeD: a fixture has several runs, each with a class list of its own and with what the official
//! network finds of it. Runs of which it has label maps alone are compared in the plugin's own tests.

use serde_json::{Value, json};

use super::{
    case::{Case, Expected},
    plugin::{Fixture, Plugin},
    tests_of,
};

pub(super) const OPEN_SEED: Plugin = Plugin {
    folder: "plugins/open-seed",
    cases,
};

tests_of!(OPEN_SEED, swinl_decouple, swint);

fn cases(fixture: &Fixture) -> Vec<Case> {
    let expected = fixture.expected();
    let run = &expected["text"];
    let beside_stuff = &expected["instances_seg_task_sorted_by_score"];
    let alone = &expected["instance_only"];
    vec![
        case(
            "panoptic",
            run,
            segments(run, &expected["panoptic"]["segments_info"]),
        ),
        case("instance", run, instances(run, beside_stuff)),
        case(
            "instance",
            alone,
            instances(alone, &alone["instances_sorted_by_score"]),
        ),
    ]
}

fn case(task: &str, run: &Value, regions: Vec<Expected>) -> Case {
    let classes = &run["class_names"];
    let mut arguments = vec!["--set".to_owned(), format!("task={task}")];
    arguments.extend(["--set".to_owned(), format!("classes={classes}")]);
    if let Some(ids) = run["thing_class_ids"].as_array() {
        let things: Vec<&Value> = ids.iter().map(|id| name(run, id)).collect();
        arguments.extend(["--set".to_owned(), format!("things={}", json!(things))]);
    }
    Case {
        name: format!("{task} of {classes}"),
        arguments,
        regions,
    }
}

/// The name of a class.
fn name<'a>(run: &'a Value, id: &Value) -> &'a Value {
    &run["class_names"][id.as_u64().unwrap() as usize]
}

fn segments(run: &Value, found: &Value) -> Vec<Expected> {
    let found = found.as_array().unwrap().iter();
    let expected = found.map(|segment| {
        Expected::new(&segment["segmentation"])
            .equal("/label", name(run, &segment["category_id"]).clone())
            .equal("/extra/thing", segment["isthing"].clone())
    });
    expected.collect()
}

fn instances(run: &Value, found: &Value) -> Vec<Expected> {
    let found = found.as_array().unwrap().iter();
    // An empty mask is no region.
    let found = found.filter(|instance| instance["area"] != 0);
    let expected = found.map(|instance| {
        Expected::new(&instance["segmentation"])
            .near("/score", &instance["score"], 1e-3)
            .near_each("/extra/pred_box", &instance["box_xyxy_predicted"], 1e-2)
            .equal("/label", name(run, &instance["category_id"]).clone())
    });
    expected.collect()
}
