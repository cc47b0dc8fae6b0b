//! SAM 2: `amg` of a fixture holds settings of the official generator with all their masks, `predict`
//! prompts of the official predictor with theirs.

use serde_json::Value;
use som_core::{Mask, Rle};

use super::{
    case::{Case, Expected},
    plugin::{Fixture, Plugin},
    tests_of,
};
use crate::som::Ran;

pub(super) const SAM2: Plugin = Plugin {
    folder: "plugins/sam2",
    cases,
};

tests_of!(SAM2, tiny);

fn cases(fixture: &Fixture) -> Vec<Case> {
    let expected = fixture.expected();
    let settings = expected["amg"].as_object().unwrap().iter();
    // Of what comes after a second answer, the order depends on last bits: the plugin's own tests allow
    // for that.
    let settings = settings.filter(|(_, setting)| setting["params"]["use_m2m"] == false);
    let automatic = settings.map(|(name, setting)| Case {
        name: name.clone(),
        arguments: arguments(setting),
        regions: setting["masks"]
            .as_array()
            .unwrap()
            .iter()
            .map(generated)
            .collect(),
    });
    let prompted = expected["predict"].as_object().unwrap().iter();
    // Logits of an earlier call are no hint, nor are fractions of the image. Of several things at once
    // the official predictor is told otherwise.
    let prompted = prompted.filter(|(_, case)| {
        let is_one = !case["point_labels"][0].is_array() && !case["box"][0].is_array();
        is_one && case["mask_input"].is_null() && case["normalize_coords"] == true
    });
    automatic
        .chain(prompted.map(|(name, case)| predicted(name, case)))
        .collect()
}

/// The parameters of a setting of the official generator.
fn arguments(setting: &Value) -> Vec<String> {
    let params = setting["params"].as_object().unwrap().iter();
    // How masks are written, which is the same always here.
    let params = params.filter(|(key, _)| *key != "output_mode");
    params
        .flat_map(|(key, value)| ["--set".to_owned(), format!("{key}={value}")])
        .collect()
}

/// A mask of the official generator.
fn generated(found: &Value) -> Expected {
    Expected::new(&found["segmentation"])
        .near("/extra/predicted_iou", &found["predicted_iou"], 1e-2)
        .near("/extra/stability_score", &found["stability_score"], 1e-2)
        .near_each("/extra/point_coords/0", &found["point_coords"][0], 1e-9)
        .near_each("/extra/crop_box", &found["crop_box"], 0.0)
}

/// A prompt of the official predictor.
fn predicted(name: &str, case: &Value) -> Case {
    let ambiguous = format!("multimask_output={}", case["multimask_output"]);
    let mut arguments = vec!["--set".to_owned(), ambiguous];
    for hint in hints(case) {
        arguments.extend(["--hint".to_owned(), hint]);
    }
    let masks = case["masks"].as_array().unwrap().iter();
    let ious = case["iou_predictions"].as_array().unwrap();
    let regions = masks
        .zip(ious)
        .map(|(mask, iou)| Expected::new(mask).near("/extra/predicted_iou", iou, 1e-2));
    Case {
        name: name.to_owned(),
        arguments,
        regions: regions.collect(),
    }
}

fn hints(case: &Value) -> Vec<String> {
    let points: Vec<[f64; 2]> =
        serde_json::from_value(case["point_coords"].clone()).unwrap_or_default();
    let labels: Vec<u8> = serde_json::from_value(case["point_labels"].clone()).unwrap_or_default();
    let mut hints: Vec<String> = points
        .iter()
        .zip(labels)
        .map(|([x, y], label)| format!("point:{x},{y},{label}"))
        .collect();
    if let Ok([left, top, right, bottom]) = serde_json::from_value::<[f64; 4]>(case["box"].clone())
    {
        hints.push(format!(
            "box:{left},{top},{},{}",
            right - left,
            bottom - top
        ));
    }
    hints
}

/// The first hints of a session of the official video predictor, up to where it follows them, and the
/// objects by frame that it finds then.
fn session(expected: &Value, name: &str) -> (Vec<String>, Vec<Vec<(u64, Mask)>>) {
    let steps = expected["video"][name]["steps"].as_array().unwrap();
    let is_told = |step: &&Value| step["op"] != "propagate";
    let told = steps.iter().take_while(is_told);
    let hints = told.flat_map(|step| {
        let (frame, object) = (&step["frame_idx"], &step["obj_id"]);
        let points: Vec<[f64; 2]> = serde_json::from_value(step["points"].clone()).unwrap();
        let labels: Vec<u8> = serde_json::from_value(step["labels"].clone()).unwrap();
        let points = points.into_iter().zip(labels);
        points.flat_map(move |([x, y], label)| {
            let hint = format!("{frame}:{object}:point:{x},{y},{label}");
            ["--hint".to_owned(), hint]
        })
    });
    let followed = steps.iter().find(|step| step["op"] == "propagate").unwrap();
    let frames = (0..followed["order"].as_array().unwrap().len()).map(|frame| {
        let objects = followed["results"][frame.to_string()].as_array().unwrap();
        objects
            .iter()
            .map(|object| (object["obj_id"].as_u64().unwrap(), mask(&object["mask"])))
            .collect()
    });
    (hints.collect(), frames.collect())
}

fn mask(rle: &Value) -> Mask {
    let rle: Rle = serde_json::from_value(rle.clone()).unwrap();
    Mask::from_rle(&rle).unwrap()
}

#[test]
fn videos_are_followed_as_officially() {
    let Some(fixture) = SAM2.usual() else { return };
    let frames = fixture.folder.path("frames");
    std::fs::create_dir(&frames).unwrap();
    for index in 0..6 {
        let name = format!("frame{index}.png");
        std::fs::copy(fixture.file(&name), frames.join(name)).unwrap();
    }
    for (name, settings) in [
        ("points", &[][..]),
        ("fill_holes", &["--set", "fill_hole_area=8"]),
    ] {
        let (hints, expected) = session(&fixture.expected(), name);
        let mut words = vec!["track", "frames", "--tracker", "sam2"];
        words.extend(fixture.how.iter().map(String::as_str));
        words.extend(settings);
        words.extend(hints.iter().map(String::as_str));
        let report = Ran::of(&mut fixture.folder.command(&words))
            .succeeded()
            .json();
        let found = report["frames"].as_array().unwrap();
        assert_eq!(found.len(), expected.len());
        for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let found = found["objects"].as_array().unwrap();
            for (object, official) in expected {
                let own = found.iter().find(|it| it["object"] == *object);
                let own = own.map(|it| mask(&it["segmentation"]));
                let Some(own) = own else {
                    assert!(
                        official.is_empty(),
                        "{name}, frame {at}: no object {object}"
                    );
                    continue;
                };
                let iou = own.iou(official);
                println!("{name}, frame {at}, object {object}: {iou}");
                // What the official project recommends, with memories of 16 bits.
                assert!(
                    iou >= 0.97 || official.area() < 200,
                    "{name}, frame {at}, object {object}: {iou}"
                );
            }
        }
    }
}

#[test]
fn what_nobody_can_follow_is_refused() {
    let Some(fixture) = SAM2.usual() else { return };
    let image = fixture.file("image.png");
    for (words, code, told) in [
        (
            &["--hint", "0:1:text:cup"][..],
            3,
            "tracker \"sam2\": it takes no text as hints",
        ),
        (
            &["--hint", "0:1:box:0,0,9,9", "--hint", "0:1:box:9,9,9,9"],
            2,
            "object 1: its hints are about several things",
        ),
        (
            &["--set", "memory_temporal_stride_for_eval=0"],
            2,
            "must be at least 1",
        ),
    ] {
        let mut all = vec!["track", &image, "--tracker", "sam2"];
        all.extend(fixture.how.iter().map(String::as_str));
        all.extend(words);
        let ran = Ran::of(&mut fixture.folder.command(&all));
        assert_eq!(ran.code, code, "{}", ran.stderr);
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
}
