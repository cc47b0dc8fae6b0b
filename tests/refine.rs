//! Segmenters made of two, and `--refine`: here with `classic`, which takes every hint.

use serde_json::{Value, json};
use som_core::{Mask, Rle};

use crate::{
    plugin::rust_library,
    som::{Folder, Ran, Served},
};

const BOXES: &str = "\
id,label,x1,y1,x2,y2
7,cup,238.5,20,520,330.2
3,spoon,40,60,160,140
";

fn mask(region: &Value) -> Mask {
    let rle: Rle = serde_json::from_value(region["segmentation"].clone()).unwrap();
    Mask::from_rle(&rle).unwrap()
}

#[track_caller]
fn regions(ran: Ran) -> Vec<Value> {
    ran.succeeded().json()["regions"]
        .as_array()
        .unwrap()
        .clone()
}

/// The regions without what says by whom they are.
fn anonymous(mut regions: Vec<Value>) -> Vec<Value> {
    for region in &mut regions {
        for part in ["detect", "refine"] {
            region["extra"][part]["segmenter"] = json!(null);
        }
    }
    regions
}

/// As in `2.0`, which is `2` on the wire.
fn floating(json: &mut Value) {
    match json {
        Value::Number(number) => *json = json!(number.as_f64()),
        Value::Array(items) => items.iter_mut().for_each(floating),
        Value::Object(fields) => fields.values_mut().for_each(floating),
        _ => {}
    }
}

#[test]
fn embedded_loaded_and_remote_ones_make_one_alike() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let backend = Served::start(&folder, &["backend", "--segmenter", "classic"], &[]);
    let grid = rust_library("example-segmenter");
    let settings = format!(
        "[plugins]\nlibraries = ['{}']\n\
         [segmenter.far]\nremote = ['{}']\n\
         [segmenter.near-cells]\ndetect = 'grid'\nrefine = 'classic'\n\
         params = {{ detect.cell = 200, hint = 'box' }}\n\
         [segmenter.far-cells]\ndetect = 'grid'\nrefine = 'far'\n\
         params = {{ detect.cell = 200, hint = 'box' }}\n",
        grid.display(),
        backend.url()
    );
    folder.write("som.toml", settings);
    let cut = |id: &str, more: &[&str]| {
        let words = ["segment", "coffee.png", "--segmenter", id];
        folder.som(&[&words[..], more].concat())
    };
    let near = regions(cut("near-cells", &[]));
    assert_eq!(near.len(), 6, "one for each cell of 600x400 pixels");
    for region in &near {
        let [detect, refine] = ["detect", "refine"].map(|part| &region["extra"][part]);
        assert_eq!(detect["segmenter"], "grid");
        assert_eq!(refine["segmenter"], "classic");
        assert_eq!(refine["hint"], "box");
    }
    let cells = regions(cut("grid", &["--set", "cell=200"]));
    let is_cut = |(near, cell): (&Value, &Value)| mask(near) != mask(cell);
    assert!(near.iter().zip(&cells).any(is_cut));

    let mut far = Value::Array(anonymous(regions(cut("far-cells", &[]))));
    let mut expected = Value::Array(anonymous(near.clone()));
    floating(&mut far);
    floating(&mut expected);
    assert_eq!(far, expected);
    // The same for one call.
    let words = ["--set", "cell=200", "--refine", "classic:box"];
    assert_eq!(regions(cut("grid", &words)), near);
    // Parts take what they take.
    let words = ["--set", "detect.cell=300", "--set", "refine.max_regions=1"];
    assert_eq!(regions(cut("near-cells", &words)).len(), 4);
    let list = folder.som(&["plugin", "list"]).succeeded();
    let row = "What grid finds, as classic cuts it  (made of grid and classic)";
    assert!(list.text().contains(row), "{}", list.text());
}

#[test]
fn own_boxes_become_masks_here_and_at_a_server() {
    let folder = Folder::with_photos(&["coffee.png"]);
    folder.write("boxes.csv", BOXES);
    let words = [
        "mark",
        "coffee.png",
        "--regions",
        "boxes.csv",
        "--keep-ids",
        "--no-image",
    ];
    let boxed = folder.som(&words).succeeded().json();
    assert_eq!(boxed.get("refiner"), None);
    for mark in boxed["marks"].as_array().unwrap() {
        assert_eq!(mark["region"]["extra"]["shape"], "box");
    }

    let words = [
        &words[..],
        &["--refine", "classic", "--set", "refine.max_regions=2"],
    ]
    .concat();
    let here = folder.som(&words).succeeded().json();
    assert_eq!(here["segmenter"], json!(null));
    assert_eq!(here["refiner"]["id"], "classic");
    assert_eq!(here["refiner"]["params"]["max_regions"], 2);
    let told: Vec<_> = here["marks"].as_array().unwrap().iter().collect();
    let names = told
        .iter()
        .map(|mark| (&mark["id"], &mark["region"]["label"]));
    let names: Vec<_> = names.collect();
    assert_eq!(
        names,
        [(&json!(3), &json!("spoon")), (&json!(7), &json!("cup"))]
    );
    let cup = &told[1]["region"];
    assert_eq!(cup["extra"]["box"], json!([238.5, 20.0, 520.0, 330.2]));
    assert_eq!(cup["extra"]["refine"]["hint"], "box");
    let rect = mask(&boxed["marks"][1]["region"]);
    assert!(mask(cup) != rect && mask(cup).iou(&rect) > 0.1);

    let server = Served::start(&folder, &["serve"], &[]);
    let url = server.url();
    let words = [&words[..], &["--server", &url]].concat();
    let mut there = folder.som(&words).succeeded().json();
    let mut here = here;
    for json in [&mut here, &mut there] {
        json["timings_ms"] = json!(null);
        floating(json);
    }
    assert_eq!(here, there);
}

#[test]
fn a_chat_and_the_rows_of_a_comparison_are_refined() {
    let folder = Folder::with_photos(&["coffee.png"]);
    folder.write("boxes.csv", BOXES);
    let words = [
        "ask",
        "coffee.png",
        "what is large?",
        "--json",
        "--refine",
        "classic:box",
    ];
    let words = [&words[..], &["--level", "1", "--chat"]].concat();
    let ran = folder.som_reading(&words, b"what is small?\n").succeeded();
    let answers: Vec<Value> = ran
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[0]["images"][0]["refiner"]["id"], "classic");
    assert_eq!(answers[0]["images"], answers[1]["images"], "refined once");

    let words = [
        "compare",
        "coffee.png",
        "what is large?",
        "--regions",
        "boxes.csv",
    ];
    let rows = ["--row", "refine=classic", "--row", "page_size=1"];
    let ran = folder.som(&[&words[..], &rows].concat()).succeeded();
    // Below an empty line it is told how far they agree.
    let text = ran.text();
    let rows = text.lines().take_while(|line| !line.is_empty());
    assert_eq!(rows.count(), 2, "{text}");
}

#[test]
fn what_does_not_fit_is_named() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let grid = rust_library("example-segmenter");
    let plugins = format!("[plugins]\nlibraries = ['{}']\n", grid.display());
    folder.write("som.toml", &plugins);
    folder.write("boxes.csv", BOXES);
    let segment = ["segment", "coffee.png"];
    for (words, code, told) in [
        (
            &["--refine", "nobody"][..],
            2,
            "refine: segmenter \"nobody\" does not exist",
        ),
        (
            &["--refine", "grid"],
            3,
            "refine: segmenter \"grid\": takes no hints of regions, so it cannot refine any (hints that it takes of a region: none)",
        ),
        (
            &["--refine", "classic", "--set", "refine.levle=3"],
            2,
            "--set refine.levle: nothing takes this key (parameters of segmenter \"classic\": ",
        ),
        (
            &["--set", "refine.level=3"],
            2,
            "--set refine.level: nothing takes this key (parameters of segmenter \"classic\": ",
        ),
        (
            &["--refine", "classic", "--set", "refine.level=9"],
            2,
            "segmenter \"classic\": parameter \"level\" is 9",
        ),
    ] {
        let ran = folder.som(&[&segment[..], words].concat());
        assert_eq!(ran.code, code, "{}", ran.stderr);
        assert!(ran.stderr.contains(told), "{words:?}: {}", ran.stderr);
    }
    let words = [
        "mark",
        "coffee.png",
        "--regions",
        "boxes.csv",
        "--set",
        "refine.level=3",
    ];
    folder.som(&words).failed(
        2,
        "--set refine.level: regions are given, so no segmenter takes it",
    );

    let both = "[segmenter.both]\ndetect = 'grid'\nrefine = 'classic'\n";
    folder.write("som.toml", format!("{plugins}{both}"));
    let both = ["segment", "coffee.png", "--segmenter", "both"];
    let ran = folder.som(&[&both[..], &["--set", "detect.cel=30"]].concat());
    let known =
        "unknown parameter \"detect.cel\" (did you mean \"detect.cell\"? known: detect.cell)";
    assert!(ran.stderr.contains(known), "{}", ran.stderr);

    for (table, told) in [
        (
            "detect = 'round'\nrefine = 'classic'\n",
            "settings: segmenter.round: \"round\" → \"round\": a segmenter cannot be a part of itself",
        ),
        (
            "detect = 'classic'\nrefine = 'grid'\n",
            "settings: segmenter.round: segmenter \"grid\" takes no boxes, points or masks, so it cannot refine what \"classic\" finds",
        ),
    ] {
        folder.write("som.toml", format!("{plugins}[segmenter.round]\n{table}"));
        let ran = folder.som(&segment);
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
        assert!([2, 3].contains(&ran.code));
    }
}

#[test]
fn a_task_says_what_its_segmenter_looks_for() {
    let folder = Folder::with_photos(&["coffee.png"]);
    // `classic` takes no text, and says so: it was given the words.
    let ask = ["ask", "coffee.png", "--hint", "task", "--task"];
    let ran = folder.som(&[&ask[..], &["refer", "the cup; the spoon"]].concat());
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    let told = "segmenter \"classic\": it takes no text as hints";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    for (words, told) in [
        (
            &["ask", "coffee.png", "what is red?", "--hint", "task"][..],
            "--hint task: the task ask has no words to look for (refer and phrases have some, and describe with --vocabulary)",
        ),
        (
            &["segment", "coffee.png", "--hint", "task"],
            "--hint task: there is no task (that is for som ask and som compare)",
        ),
    ] {
        folder.som(words).failed(2, told);
    }
}
