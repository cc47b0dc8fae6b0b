//! The JSON of `som mark` and `som segment`: its schemas, its order, what it says; and COCO.

use std::{fs, path::Path, process::Command};

use jsonschema::Validator;
use serde_json::{Value, json};
use som_core::{BBox, Mask, Point, Rle};

use crate::som::Folder;

/// A sample of one's own, and what a run found for it.
const SAMPLES: &str = r#"{"id": "a", "image": "coffee.png", "task": "refer", "expression": "the cup", "targets": [{"box": [120, 20, 350, 290]}]}"#;
const RESULTS: &str = r#"{"sample": "a", "answer": {"boxes": [[120, 20, 340, 290]]}}"#;

#[test]
fn reports_follow_their_schemas() {
    let folder = Folder::with_photos(&["coffee.png", "rocket.jpg"]);
    folder
        .som(&["mark", ".", "-o", "out", "--json", "out"])
        .succeeded();
    folder
        .som(&[
            "mark",
            "coffee.png",
            "--styles",
            "contour",
            "--json",
            "out/bare.json",
        ])
        .succeeded();
    let schema = schema("mark.schema.json");
    for report in ["coffee", "rocket", "bare"] {
        assert_valid(&schema, &folder.json(&format!("out/{report}.json")));
    }
    // An image without room for a label.
    image::RgbImage::new(1, 1)
        .save(folder.path("dot.png"))
        .unwrap();
    let ran = folder.som(&["mark", "dot.png", "--json", "out/dot.json"]);
    assert!(
        ran.succeeded()
            .stderr
            .contains("dot.png: 1 region unmarked: 1 without room for a label\n")
    );
    let report = folder.json("out/dot.json");
    assert_valid(&schema, &report);
    assert_eq!(report["unmarked"][0]["reason"], "no_room");
    for task in [
        &[
            "ask",
            "coffee.png",
            "what is large in {box:9,9,40,40}?",
            "--votes",
            "2",
            "--json",
        ][..],
        &[
            "ask",
            "coffee.png",
            "--task",
            "describe",
            "--json",
            "--highlight",
            "lit.png",
        ],
        &[
            "ask",
            "coffee.png",
            "--task",
            "phrases",
            "a red region",
            "--granularity",
            "2.1",
            "--json",
            "-o",
            "m.png",
        ],
        &[
            "ask",
            "coffee.png",
            "rocket.jpg",
            "--task",
            "track",
            "--json",
        ],
    ] {
        let report = folder.som(task).succeeded().json();
        assert_valid(&self::schema("ask.schema.json"), &report);
    }
    let rows = [
        "--row",
        "level=2",
        "--row",
        "level=4,votes=2",
        "--row",
        "lmm=nobody",
    ];
    for words in [
        &["coffee.png", "rocket.jpg", "what is large?", "--trials"][..],
        &["coffee.png", "rocket.jpg", "what is large?", "--no-timings"],
        &[
            "coffee.png",
            "the largest region; a red one",
            "--task",
            "refer",
        ],
        &["coffee.png", "--task", "describe"],
    ] {
        let words = [&["compare", "--json"], words, &rows].concat();
        let ran = folder.som(&words);
        assert_eq!(ran.code, 2, "{words:?}: {}", ran.stderr);
        assert_valid(&self::schema("compare.schema.json"), &ran.json());
    }
    folder.write("boxes.csv", "x,y,width,height,label\n9,9,90,80,cup\n");
    let given = ["mark", "coffee.png", "--regions", "boxes.csv", "--no-image"];
    for arguments in [&given[..], &[&given[..], &["--no-timings"]].concat()] {
        let report = folder.som(arguments).succeeded().json();
        assert_valid(&schema, &report);
        assert_eq!(report["segmenter"], Value::Null);
    }
    let hint = ["segment", "coffee.png", "--hint", "point:10,10"];
    let granularity = ["segment", "coffee.png", "--granularity", "1.2"];
    for arguments in [&hint[..2], &hint, &granularity] {
        let report = folder.som(arguments).succeeded().json();
        assert_valid(&self::schema("segment.schema.json"), &report);
    }
}

/// A schema that lets everything through would make the test above worthless.
#[test]
fn schemas_refuse_what_is_wrong() {
    let folder = Folder::with_photos(&["coffee.png"]);
    folder
        .som(&["mark", "coffee.png", "--json", "x.json"])
        .succeeded();
    let report = folder.json("x.json");
    let schema = schema("mark.schema.json");
    for (place, wrong) in [
        ("/marks/0/region/segmentation/counts", json!([1, 2])),
        ("/marks/0/label_box", json!([1, 2, 3])),
        ("/marks/0/region/score", json!(1.5)),
        ("/image/sha256", json!("00")),
        ("/timings_ms/draw", json!(-1)),
    ] {
        let mut report = report.clone();
        *report.pointer_mut(place).unwrap() = wrong;
        assert!(!schema.is_valid(&report), "{place}");
    }
}

/// A schema is read alone, so that what several speak of stands in each of them.
#[test]
fn schemas_say_the_same_of_the_same() {
    let mark = text_of("mark.schema.json");
    for name in [
        "segment.schema.json",
        "ask.schema.json",
        "compare.schema.json",
    ] {
        let other = text_of(name);
        let shared = ["image", "segmenter", "region", "bbox", "rle"].iter();
        let more = ["mark", "unmarked"].iter();
        let more = more.filter(|_| !name.starts_with("segment"));
        for definition in shared.chain(more) {
            assert_eq!(
                other["$defs"][definition], mark["$defs"][definition],
                "{name}: {definition}"
            );
        }
    }
    let track = text_of("track.schema.json");
    for definition in ["segmenter", "mark", "region", "bbox", "rle"] {
        assert_eq!(
            track["$defs"][definition], mark["$defs"][definition],
            "{definition}"
        );
    }
    let region = mark["$defs"]["region"]["properties"].as_object().unwrap();
    for (key, value) in region {
        assert_eq!(&track["$defs"]["object"]["properties"][key], value, "{key}");
    }
}

/// The reader that people have.
#[test]
fn python_reads_every_schema_alone() {
    let Some(python) = std::env::var_os("SOM_TEST_PYTHON") else {
        eprintln!("skipped: SOM_TEST_PYTHON names no Python (`cargo xtask test` sets it)");
        return;
    };
    let folder = Folder::with_photos(&["coffee.png", "rocket.jpg", "pan.webp"]);
    let coffee = "coffee.png";
    folder.write("samples.jsonl", SAMPLES);
    folder.write("results.jsonl", RESULTS);
    for (report, words) in [
        ("mark.json", &["mark", coffee, "--no-image"][..]),
        (
            "mark.jsonl",
            &[
                "mark",
                ".",
                "--no-image",
                "--max-marks",
                "2",
                "--no-timings",
            ],
        ),
        (
            "segment.json",
            &["segment", coffee, "--hint", "point:10,10"],
        ),
        ("segment.jsonl", &["segment", ".", "--granularity", "2"]),
        (
            "ask.json",
            &["ask", coffee, "what is large?", "--votes", "2", "--json"],
        ),
        (
            "refer.json",
            &[
                "ask",
                coffee,
                "--task",
                "refer",
                "the cup",
                "--json",
                "--max-marks",
                "1",
            ],
        ),
        (
            "compare.json",
            &[
                "compare",
                coffee,
                "rocket.jpg",
                "what is large?",
                "--row",
                "level=2",
                "--row",
                "level=1,votes=2",
                "--trials",
                "--json",
            ],
        ),
        ("track.json", &["track", "pan.webp", "--every", "3"]),
        (
            "scores.json",
            &[
                "eval",
                "score",
                "--data",
                "lines:samples.jsonl",
                "--results",
                "results.jsonl",
                "--json",
            ],
        ),
    ] {
        let ran = folder.som(words).succeeded();
        folder.write(report, ran.stdout);
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (schema, reports) in [
        (
            "crates/cli/schemas/mark.schema.json",
            &["mark.json", "mark.jsonl"][..],
        ),
        (
            "crates/cli/schemas/segment.schema.json",
            &["segment.json", "segment.jsonl"],
        ),
        (
            "crates/cli/schemas/ask.schema.json",
            &["ask.json", "refer.json"],
        ),
        ("crates/cli/schemas/compare.schema.json", &["compare.json"]),
        ("crates/cli/schemas/track.schema.json", &["track.json"]),
        (
            "crates/som-eval/schemas/samples.schema.json",
            &["samples.jsonl"],
        ),
        (
            "crates/som-eval/schemas/results.schema.json",
            &["results.jsonl"],
        ),
        (
            "crates/som-eval/schemas/scores.schema.json",
            &["scores.json"],
        ),
    ] {
        let output = Command::new(&python)
            .arg(root.join("tests/python/schemas.py"))
            .arg(root.join(schema))
            .args(reports)
            .current_dir(folder.path(""))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{schema}: {said}");
    }
    let schemas = ["crates/cli/schemas", "crates/som-eval/schemas"];
    let all = schemas.map(|folder| fs::read_dir(root.join(folder)).unwrap().count());
    assert_eq!(
        all,
        [5, 5],
        "a schema is missing here, or in the tests of eval"
    );
}

#[test]
fn keys_stand_in_the_documented_order() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let mark = folder
        .som(&["mark", "coffee.png", "--json", "-"])
        .succeeded();
    let keys = keys_in_order(mark.text());
    let of_region = [
        "bbox",
        "area",
        "segmentation",
        "size",
        "counts",
        "score",
        "label",
        "level",
        "parent",
        "extra",
    ];
    let of_mark = [
        "id",
        "text",
        "label_box",
        "anchor",
        "leader",
        "page",
        "contrast",
        "ink_hidden",
        "color",
        "region",
    ];
    let documented = [
        &[
            "image",
            "path",
            "width",
            "height",
            "sha256",
            "notes",
            "segmenter",
            "id",
            "version",
            "params",
        ][..],
        &["styles", "marks"],
        &of_mark,
        &of_region,
    ]
    .concat();
    let without_params = |keys: &[String]| -> Vec<String> {
        // The parameters are the segmenter's own.
        let start = keys.iter().position(|key| key == "params").unwrap() + 1;
        let end = keys
            .iter()
            .position(|key| key == "styles" || key == "regions")
            .unwrap();
        [&keys[..start], &keys[end..]].concat()
    };
    assert_eq!(without_params(&keys)[..documented.len()], documented);
    let end = [
        "pages",
        "scale",
        "timings_ms",
        "decode",
        "segment",
        "allocate",
        "draw",
        "encode",
    ];
    assert_eq!(keys[keys.len() - end.len()..], end);

    let segment = folder.som(&["segment", "coffee.png"]).succeeded();
    let keys = keys_in_order(segment.text());
    let documented = [
        &[
            "image",
            "path",
            "width",
            "height",
            "sha256",
            "notes",
            "segmenter",
            "id",
            "version",
            "params",
        ][..],
        &["regions"],
        &of_region,
    ]
    .concat();
    assert_eq!(without_params(&keys)[..documented.len()], documented);
    assert_eq!(keys[keys.len() - 3..], ["timings_ms", "decode", "segment"]);
}

/// What the JSON says of marks, checked on the masks themselves.
#[test]
fn marks_are_what_the_report_says() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let report = folder
        .som(&["mark", "coffee.png", "--json", "-"])
        .succeeded()
        .json();
    assert_eq!(report["image"]["path"], "coffee.png");
    assert_eq!(
        (&report["image"]["width"], &report["image"]["height"]),
        (&json!(600), &json!(400))
    );
    let digest = "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7";
    assert_eq!(report["image"]["sha256"], digest);
    assert_eq!(report["segmenter"]["id"], "classic");
    assert_eq!(report["styles"], json!(["mask", "contour", "number"]));

    let marks = report["marks"].as_array().unwrap();
    let mut labels: Vec<BBox> = Vec::new();
    let mut largest = u64::MAX;
    for (mark, id) in marks.iter().zip(1_u64..) {
        let region = &mark["region"];
        let rle: Rle = serde_json::from_value(region["segmentation"].clone()).unwrap();
        let mask = Mask::from_rle(&rle).unwrap();
        assert_eq!(
            (&mark["id"], &mark["text"]),
            (&json!(id), &json!(id.to_string()))
        );
        assert_eq!(region["area"], mask.area());
        assert_eq!(region["bbox"], json!(mask.bbox()));
        assert!(
            mask.area() <= largest,
            "mark {id} is larger than the one before"
        );
        largest = mask.area();

        let label: BBox = serde_json::from_value(mark["label_box"].clone()).unwrap();
        let anchor: Point = serde_json::from_value(mark["anchor"].clone()).unwrap();
        assert!(
            mask.contains(anchor),
            "the anchor of mark {id} is not on its region"
        );
        assert!(mask.size().bbox().encloses(label));
        assert!(
            labels.iter().all(|other| !other.intersects(label)),
            "label {id} overlaps"
        );
        assert!(mark["contrast"].as_f64().unwrap() >= 4.5);
        labels.push(label);
    }
}

#[test]
fn a_coco_dataset_has_all_images() {
    let folder = Folder::with_photos(&["coffee.png", "rocket.jpg"]);
    folder
        .som(&["segment", ".", "--format", "coco", "--json", "coco.json"])
        .succeeded();
    let dataset = folder.json("coco.json");
    let files: Vec<_> = dataset["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|image| &image["file_name"])
        .collect();
    assert_eq!(files, ["./coffee.png", "./rocket.jpg"]);
    let annotations = dataset["annotations"].as_array().unwrap();
    for (annotation, id) in annotations.iter().zip(1..) {
        assert_eq!(
            (&annotation["id"], &annotation["category_id"]),
            (&json!(id), &json!(1))
        );
    }
    for image in [1, 2] {
        assert!(
            annotations
                .iter()
                .any(|annotation| annotation["image_id"] == image)
        );
    }
    assert_eq!(
        dataset["categories"],
        json!([{"id": 1, "name": "region", "supercategory": "region"}])
    );
}

/// pycocotools is the judge of what a COCO dataset is.
#[test]
fn pycocotools_loads_the_dataset() {
    let Some(python) = std::env::var_os("SOM_TEST_PYTHON") else {
        eprintln!("skipped: SOM_TEST_PYTHON names no Python (`cargo xtask test` sets it)");
        return;
    };
    let folder = Folder::with_photos(&["coffee.png", "rocket.jpg"]);
    folder
        .som(&["segment", ".", "--format", "coco", "--json", "coco.json"])
        .succeeded();
    folder
        .som(&["segment", ".", "--masks", "masks"])
        .succeeded();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/coco_dataset.py");
    let output = Command::new(python)
        .arg(script)
        .args([folder.path("coco.json"), folder.path("masks")])
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let count = folder.json("coco.json")["annotations"]
        .as_array()
        .unwrap()
        .len();
    assert_eq!(
        String::from_utf8_lossy(&output.stdout).trim(),
        format!("{count} annotations")
    );
}

fn schema(name: &str) -> Validator {
    jsonschema::validator_for(&text_of(name)).unwrap()
}

fn text_of(name: &str) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("crates/cli/schemas");
    serde_json::from_slice(&fs::read(folder.join(name)).unwrap()).unwrap()
}

#[track_caller]
fn assert_valid(schema: &Validator, report: &Value) {
    let errors = schema.iter_errors(report);
    let errors: Vec<String> = errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

/// All keys of a JSON text as they stand in it: a parsed object may have lost their order.
fn keys_in_order(json: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut rest = json;
    while let Some(start) = rest.find('"') {
        let mut end = start + 1;
        while !rest[end..].starts_with('"') {
            end += if rest[end..].starts_with('\\') { 2 } else { 1 };
        }
        if rest[end + 1..].trim_start().starts_with(':') {
            keys.push(rest[start + 1..end].to_owned());
        }
        rest = &rest[end + 1..];
    }
    keys
}
