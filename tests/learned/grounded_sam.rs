//! Grounding DINO and Segment Anything as one segmenter: boxes of what a text names become masks.

use serde_json::Value;

use super::{case::mask, grounding_dino::GROUNDING_DINO, plugin::Fixture, sam::SAM};

/// A text of which something is found in the fixture, and the thresholds for that.
fn asked(fixture: &Fixture) -> Vec<String> {
    let expected = fixture.expected();
    let runs = expected["results"].as_array().unwrap().iter();
    let found = |run: &&Value| run["detections"].as_array().unwrap().len();
    // A few are enough.
    let run = runs.filter(|run| found(run) > 1).min_by_key(found).unwrap();
    let mut asked = vec!["--hint".to_owned()];
    asked.push(format!("text:{}", expected["text"].as_str().unwrap()));
    for name in ["box_threshold", "text_threshold"] {
        asked.extend(["--set".to_owned(), format!("detect.{name}={}", run[name])]);
    }
    asked
}

/// A fixture of Grounding DINO, in whose folder `grounded-sam` is made of it and of `sam`, and the
/// arguments for its text.
fn grounded() -> Option<(Fixture, Vec<String>)> {
    let mut fixture = GROUNDING_DINO.usual()?;
    let sam = SAM.usual()?;
    let tables = [&fixture, &sam].map(|fixture| {
        let (id, weights) = (&fixture.table.segmenter, fixture.file("checkpoint.pth"));
        format!("[segmenter.{id}]\nweights = '{weights}'\ndevice = 'cpu'\n")
    });
    let settings = format!(
        "[plugins]\nlibraries = ['{}', '{}']\n{}\
         [segmenter.grounded-sam]\ndetect = 'grounding-dino'\nrefine = 'sam'\n\
         params = {{ refine.multimask_output = false }}\n",
        fixture.library.display(),
        sam.library.display(),
        tables.concat(),
    );
    fixture.folder.write("som.toml", settings);
    fixture.how = Vec::new();
    let asked = asked(&fixture);
    Some((fixture, asked))
}

#[test]
fn what_grounding_dino_finds_sam_cuts() {
    let Some((mut fixture, asked)) = grounded() else {
        return;
    };
    let plain: Vec<String> = asked
        .iter()
        .map(|word| word.replace("detect.", ""))
        .collect();
    let boxed = fixture.regions(&plain);
    fixture.table.segmenter = "grounded-sam".to_owned();
    let cut = fixture.regions(&asked);
    assert!(boxed.len() > 1 && cut.len() == boxed.len());
    fixture.table.segmenter = "sam".to_owned();
    for (cut, boxed) in cut.iter().zip(&boxed) {
        for key in ["label", "score"] {
            assert_eq!(cut[key], boxed[key]);
        }
        let extra = &cut["extra"];
        assert_eq!(extra["box"], boxed["extra"]["box"]);
        assert_eq!(extra["phrase"], boxed["extra"]["phrase"]);
        assert_eq!(extra.get("shape"), None);
        assert_eq!(extra["detect"]["segmenter"], "grounding-dino");
        assert_eq!(extra["refine"]["segmenter"], "sam");

        // As `sam` cuts what the box is around.
        let corners: [f64; 4] = serde_json::from_value(extra["box"].clone()).unwrap();
        let [height, width]: [f64; 2] =
            serde_json::from_value(fixture.expected()["image_size_hw"].clone()).unwrap();
        let [x, right] = [corners[0], corners[2]].map(|at| at.clamp(0.0, width));
        let [y, bottom] = [corners[1], corners[3]].map(|at| at.clamp(0.0, height));
        let hint = format!("box:{x},{y},{},{}", right - x, bottom - y);
        let alone = fixture.regions(&["--set", "multimask_output=false", "--hint", &hint]);
        assert_eq!(alone.len(), 1);
        let iou = mask(&cut["segmentation"]).iou(&mask(&alone[0]["segmentation"]));
        assert!(iou > 0.999, "{hint}: IoU {iou}");
        let [told, predicted] = [&extra["refine"]["extra"], &alone[0]["extra"]]
            .map(|extra| extra["predicted_iou"].as_f64().unwrap());
        assert!((told - predicted).abs() < 1e-4, "{told}, not {predicted}");
    }
}

#[test]
fn what_a_part_cannot_do_is_told_and_the_next_request_works() {
    let Some((mut fixture, asked)) = grounded() else {
        return;
    };
    fixture.table.segmenter = "grounded-sam".to_owned();
    for (words, code, told) in [
        (
            &[][..],
            2,
            "segmenter \"grounded-sam\": segmenter \"grounding-dino\": there is no text",
        ),
        (
            &["--hint", "text:a cup", "--set", "refine.device=cuda:4095"],
            4,
            "(use device cpu or auto)",
        ),
        (
            &["--hint", "text:a cup", "--set", "detect.box_treshold=0.3"],
            2,
            "did you mean \"detect.box_threshold\"?",
        ),
    ] {
        let ran = fixture.run("segment", words);
        assert_eq!(ran.code, code, "{words:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(told), "{words:?}: {}", ran.stderr);
    }
    assert!(!fixture.regions(&asked).is_empty());
    // Nothing that is like enough: a normal answer.
    let nothing = ["--hint", "text:a cup", "--set", "detect.box_threshold=1"];
    assert!(fixture.regions(&nothing).is_empty());
}
