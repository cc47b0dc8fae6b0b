//! Regions that people have already, and regions for other tools.

use std::{path::Path, process::Command};

use serde_json::{Value, json};
use som_core::{Mask, Rle};

use crate::som::{Folder, Ran, Served};

/// The masks of the regions of a report, in its order.
fn masks(report: &Value) -> Vec<Mask> {
    let marks = report["marks"]
        .as_array()
        .map(|marks| marks.iter().map(|mark| &mark["region"]));
    let regions: Vec<&Value> = match marks {
        Some(regions) => regions.collect(),
        None => report["regions"].as_array().unwrap().iter().collect(),
    };
    let mask = |region: &&Value| {
        let rle: Rle = serde_json::from_value(region["segmentation"].clone()).unwrap();
        Mask::from_rle(&rle).unwrap()
    };
    regions.iter().map(mask).collect()
}

/// What `som mark` says of coffee.png with these arguments, without a picture.
fn marked(folder: &Folder, arguments: &[&str]) -> Value {
    let words = [
        "mark",
        "coffee.png",
        "--no-image",
        "--no-timings",
        "-q",
        "--json",
        "-",
    ];
    folder.som(&[&words, arguments].concat()).succeeded().json()
}

#[test]
fn every_format_comes_back_as_marks() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let plain = marked(&folder, &[]);
    let all = masks(&plain);
    assert!(all.len() > 3);
    for (format, file) in [
        ("json", "a.json"),
        ("coco", "b.json"),
        ("yolo", "yolo/c.txt"),
        ("labelme", "d.json"),
        ("geojson", "e.geojson"),
        ("masks", "masks/"),
    ] {
        let write = [
            "mark",
            "coffee.png",
            "--no-image",
            "-q",
            "--format",
            format,
            "--export",
            file,
        ];
        folder.som(&write).succeeded();
        let back = marked(&folder, &["--regions", file]);
        assert_eq!(back["segmenter"], Value::Null, "{format}");
        assert_eq!(masks(&back), all, "{format}");
    }
    // Boxes alone.
    let write = [
        "segment",
        "coffee.png",
        "--format",
        "csv",
        "--export",
        "f.csv",
    ];
    folder.som(&write).succeeded();
    let back = marked(&folder, &["--regions", "f.csv"]);
    let boxes = masks(&back);
    assert_eq!(boxes.len(), all.len());
    assert!(boxes.iter().all(|mask| mask.area() == mask.bbox().area()));
}

#[test]
fn what_was_edited_is_marked() {
    let folder = Folder::with_photos(&["coffee.png"]);
    folder
        .som(&["segment", "coffee.png", "--json", "r.json"])
        .succeeded();
    let mut report = folder.json("r.json");
    let regions = report["regions"].as_array_mut().unwrap();
    regions.truncate(3);
    for region in regions.iter_mut() {
        region["parent"] = Value::Null;
    }
    regions[1] = json!({"id": 70, "bbox": [10, 20, 100, 50], "label": "spoon"});
    regions[0]["id"] = json!(12);
    regions[2]["id"] = json!(5);
    folder.write("r.json", report.to_string());
    let kept = marked(&folder, &["--regions", "r.json", "--keep-ids"]);
    let ids: Vec<&Value> = kept["marks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mark| &mark["id"])
        .collect();
    assert_eq!(ids, [&json!(5), &json!(12), &json!(70)]);
    assert_eq!(kept["marks"][2]["region"]["label"], "spoon");
    assert_eq!(kept["marks"][2]["region"]["bbox"], json!([10, 20, 100, 50]));
    assert_eq!(kept["marks"][2]["text"], "70");

    let chosen = marked(
        &folder,
        &[
            "--regions",
            "r.json",
            "--only",
            "label:spoon",
            "--start",
            "9",
        ],
    );
    assert_eq!(chosen["marks"].as_array().unwrap().len(), 1);
    assert_eq!(chosen["marks"][0]["id"], 9);
    let chosen = marked(&folder, &["--regions", "r.json", "--only", "id:5,12"]);
    assert_eq!(chosen["marks"].as_array().unwrap().len(), 2);
}

#[test]
fn a_folder_has_the_regions_of_each_image() {
    let folder = Folder::with_photos(&["coffee.png", "rocket.jpg"]);
    folder.write("labels/coffee.txt", "1 0.5 0.5 0.2 0.2\n");
    folder.write("labels/rocket.txt", "");
    folder.write("labels/data.yaml", "names: [cup, spoon]\n");
    let ran = folder.som(&[
        "mark",
        "coffee.png",
        "rocket.jpg",
        "--regions",
        "labels",
        "--json",
        "out",
    ]);
    assert_eq!(
        ran.succeeded().stderr,
        "som: rocket.jpg: no marks\nsom: 2 images: 2 done\n"
    );
    assert_eq!(
        folder.json("out/coffee.json")["marks"][0]["region"]["label"],
        "spoon"
    );
    assert_eq!(folder.json("out/rocket.json")["marks"], json!([]));

    // A dataset of both, and one that has the first alone.
    let both = [
        "segment",
        "coffee.png",
        "rocket.jpg",
        "--format",
        "coco",
        "--json",
        "both.json",
    ];
    folder.som(&both).succeeded();
    let mark = [
        "mark",
        "coffee.png",
        "rocket.jpg",
        "--no-image",
        "--json",
        "out",
    ];
    folder
        .som(&[&mark[..], &["--regions", "both.json"]].concat())
        .succeeded();
    assert!(
        !folder.json("out/rocket.json")["marks"]
            .as_array()
            .unwrap()
            .is_empty()
    );
    let mut dataset = folder.json("both.json");
    dataset["images"][1]["file_name"] = json!("other.jpg");
    folder.write("both.json", dataset.to_string());
    let ran = folder.som(&[&mark[..], &["--regions", "both.json"]].concat());
    assert_eq!(ran.code, 2);
    let why =
        "som: rocket.jpg: both.json: has no entry for rocket.jpg (it has coffee.png, other.jpg)\n";
    assert!(ran.stderr.starts_with(why), "{}", ran.stderr);
}

#[test]
fn what_is_wrong_with_a_file_is_named_with_its_entry() {
    let folder = Folder::with_photos(&["coffee.png"]);
    folder.write(
        "out.csv",
        "x,y,width,height,label\n5,5,20,20,cup\n600,10,20,20,cup\n",
    );
    folder.write("over.csv", "x,y,width,height,label\n580,10,40,20,cup\n");
    folder.write("empty.json", "");
    folder.write("broken.json", "{\"shapes\": [\n  {]}");
    folder.write("words.txt", "These are words.\n");
    folder.write(
        "other.json",
        r#"{"image": {"path": "coffee.png", "width": 400, "height": 600}, "regions": []}"#,
    );
    let fails = |arguments: &[&str]| -> Ran {
        folder.som(&[&["mark", "coffee.png", "--no-image"], arguments].concat())
    };
    for (arguments, code, line) in [
        (
            &["--regions", "nope.json"][..],
            2,
            "nope.json: there is no such file or folder",
        ),
        (
            &["--regions", "out.csv"],
            2,
            "coffee.png: out.csv: line 3: the box 600,10 to 620,30 lies outside of the 600x400 image",
        ),
        (
            &["--regions", "empty.json"],
            2,
            "coffee.png: empty.json: the file is empty",
        ),
        (
            &["--regions", "broken.json"],
            2,
            "coffee.png: broken.json: line 2, column 4: key must be a string",
        ),
        (
            &["--regions", "over.csv", "--only", "label:cups"],
            2,
            "coffee.png: over.csv: unknown label \"cups\" (did you mean \"cup\"? known: cup)",
        ),
        (
            &["--regions", "over.csv", "--only", "id:2"],
            2,
            "coffee.png: over.csv: id:2: no region has such an id (there are 1 from 1 to 1)",
        ),
        (
            &["--regions", "over.csv", "--keep-ids"],
            2,
            "coffee.png: over.csv: --keep-ids: region 1 of the file has no id",
        ),
        (
            &["--regions", "over.csv", "--set", "level=2"],
            2,
            "--set level: regions are given, so no segmenter takes it",
        ),
        (
            &["--regions", "other.json"],
            2,
            "coffee.png: other.json: the file belongs to an image of 400x600, but this one has 600x400 pixels (sizes are those of the image upright, as EXIF has it)",
        ),
    ] {
        fails(arguments).failed(code, line);
    }
    let ran = fails(&["--regions", "words.txt"]);
    assert!(
        ran.stderr
            .starts_with("som: coffee.png: words.txt: no known format: looked for som's own JSON"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.ends_with("(name it with --regions-format)\n"),
        "{}",
        ran.stderr
    );
    for flag in [
        &["--segmenter", "classic"],
        &["--hint", "point:1,1"],
        &["--level", "2"],
    ] {
        let ran = fails(&[&["--regions", "over.csv"], &flag[..]].concat());
        assert!(ran.stderr.contains("cannot be used with"), "{}", ran.stderr);
    }

    let ran = fails(&["--regions", "over.csv"]).succeeded();
    let notes = "som: over.csv: line 2 reaches over the edge of the image and was cut there\n\
                 som: coffee.png: 1 mark\n";
    assert_eq!(ran.stderr, notes);
    assert_eq!(
        ran.json()["marks"][0]["region"]["bbox"],
        json!([580, 10, 20, 20])
    );
}

#[test]
fn questions_are_asked_about_given_regions() {
    let folder = Folder::with_photos(&["coffee.png", "chelsea.png"]);
    folder.write(
        "boxes.json",
        r#"[{"id": 30, "x": 5, "y": 5, "width": 90, "height": 80}]"#,
    );
    let server = Served::start(&folder, &["serve"], &[]);
    let regions = ["--regions", "boxes.json", "--keep-ids"];
    for words in [
        &[
            "ask",
            "coffee.png",
            "which is the largest region?",
            "--json",
            "--no-timings",
        ][..],
        &["mark", "coffee.png", "--no-image", "--no-timings"],
    ] {
        let here = folder.som(&[words, &regions].concat()).succeeded();
        let url = server.url();
        let there = folder
            .som(&[words, &regions, &["--server", &url]].concat())
            .succeeded();
        assert_eq!(here.text(), there.text());
        assert!(here.text().contains("\"id\":30"), "{}", here.text());
    }
    let compare = [
        "compare",
        "coffee.png",
        "what is large?",
        "--row",
        "styles=number",
        "--row",
        "segmenter=classic",
    ];
    let ran = folder.som(&[&compare[..], &regions].concat()).succeeded();
    let marks: Vec<bool> = ran
        .text()
        .lines()
        .map(|line| line.contains("   1 marks"))
        .collect();
    assert_eq!(
        marks.iter().filter(|&&is_one| is_one).count(),
        1,
        "{}",
        ran.text()
    );
    // Two images cannot both have a 30.
    let ran = folder.som(
        &[
            &["ask", "coffee.png", "chelsea.png", "what is red?"][..],
            &regions,
        ]
        .concat(),
    );
    assert!(
        ran.stderr
            .contains("image 2: the id 30 belongs to a region of an image before it"),
        "{}",
        ran.stderr
    );
}

#[test]
fn without_timings_the_same_request_gives_the_same_bytes() {
    let folder = Folder::with_photos(&["coffee.png"]);
    for words in [
        &["segment", "coffee.png", "--no-timings"][..],
        &["mark", "coffee.png", "--no-image", "--no-timings"],
        &[
            "ask",
            "coffee.png",
            "what is red?",
            "--json",
            "--no-timings",
        ],
        &["segment", "coffee.png", "--format", "npz"],
    ] {
        let [first, second] = [0, 1].map(|_| folder.som(words).succeeded().stdout);
        assert!(first == second, "{words:?}");
        assert!(
            !String::from_utf8_lossy(&first).contains("timings_ms"),
            "{words:?}"
        );
    }
    assert_eq!(folder.files(), ["coffee.png"]);
}

#[test]
fn files_that_make_one_whole_are_refused_elsewhere() {
    let folder = Folder::with_photos(&["coffee.png", "rocket.jpg"]);
    folder.write("set/data.yaml", "names: [cup]\n");
    for (words, line) in [
        (
            &["segment", "coffee.png", "--format", "masks"][..],
            "--format masks writes several files (give a folder: --json DIR)",
        ),
        (
            &["segment", "coffee.png", "rocket.jpg", "--format", "csv"],
            "several files cannot go to stdout (give a folder: --json DIR)",
        ),
        (
            &[
                "segment",
                "coffee.png",
                "--format",
                "yolo",
                "--json",
                "set/",
                "--skip-existing",
            ],
            "--skip-existing cannot resume a dataset whose classes are numbered as they are met (leave it out)",
        ),
        (
            &[
                "segment",
                "coffee.png",
                "--format",
                "yolo",
                "--json",
                "set/",
            ],
            "data.yaml has no class \"region\" (add it there, or write to another folder)",
        ),
    ] {
        folder.som(words).failed(2, line);
    }
    assert_eq!(
        folder.files(),
        ["coffee.png", "rocket.jpg", "set/data.yaml"]
    );
}

/// Other tools are the judges of their formats.
#[test]
fn other_tools_read_what_is_written_and_write_what_is_read() {
    let Some(python) = std::env::var_os("SOM_TEST_CLIENTS") else {
        eprintln!("skipped: SOM_TEST_CLIENTS names no Python (`cargo xtask test` sets it)");
        return;
    };
    let folder = Folder::with_photos(&["coffee.png"]);
    for (format, file) in [
        ("json", "report.json"),
        ("coco", "coco.json"),
        ("yolo", "yolo/"),
        ("labelme", "labelme.json"),
        ("geojson", "geojson.json"),
        ("csv", "boxes.csv"),
        ("masks", "masks/"),
        ("npz", "arrays.npz"),
    ] {
        let write = [
            "mark",
            "coffee.png",
            "--no-image",
            "-q",
            "--format",
            format,
            "--export",
            file,
        ];
        folder.som(&write).succeeded();
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/formats.py");
    let output = Command::new(python)
        .arg(script)
        .arg(folder.path(""))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );

    let report = folder.json("report.json");
    let boxes: Vec<Mask> = masks(&report)
        .iter()
        .map(|mask| Mask::rect(mask.size(), mask.bbox()))
        .collect();
    for file in ["sink.json", "sink.csv"] {
        let back = marked(&folder, &["--regions", file, "--keep-ids"]);
        assert_eq!(masks(&back), boxes, "{file}");
        assert_eq!(back["marks"][0]["region"]["label"], "region", "{file}");
    }
    // A map of numbers, in which later regions cover earlier ones.
    let back = marked(&folder, &["--regions", "map.png", "--keep-ids"]);
    let last = masks(&report).pop();
    assert_eq!(masks(&back).pop(), last);
}
