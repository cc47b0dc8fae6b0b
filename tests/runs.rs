//! One run after another: what an earlier one left, what is passed over, and answers that are asked
//! for once more.

use std::fs;

use image::{Rgb, RgbImage};

use crate::{
    model::Model,
    som::{Folder, png},
};

/// Nine squares: as many regions as a page has to have room for.
fn squares() -> Vec<u8> {
    png(&RgbImage::from_fn(300, 300, |x, y| {
        let shade = 40 + 20 * (x / 100 + 3 * (y / 100)) as u8;
        match x % 100 < 90 && y % 100 < 90 {
            true => Rgb([shade, 255 - shade, 120]),
            false => Rgb([255; 3]),
        }
    }))
}

#[test]
fn pages_of_an_earlier_run_do_not_stay() {
    let folder = Folder::new();
    folder.write("a.png", squares());
    for (output, json) in [
        ("out/a.png", "none"),
        ("out/a.jpg", "none"),
        ("out/a.webp", "none"),
        ("out/a.jpeg", "out/a.json"),
    ] {
        let mark = |size: &str| {
            let mut words = vec!["mark", "a.png", "-o", output, "--page-size", size];
            if json != "none" {
                words.extend(["--json", json]);
            }
            folder.som(&words)
        };
        let pages = || -> Vec<String> {
            let ending = output.rsplit_once('.').unwrap().1;
            let files = folder.files().into_iter();
            let pages = files.filter(|name| name.starts_with("out/") && name.ends_with(ending));
            pages.collect()
        };
        mark("2").succeeded();
        assert!(pages().len() >= 4, "{:?}", pages());
        mark("0").succeeded();
        assert_eq!(pages(), [output]);
    }

    // What som does not know, nobody takes away.
    folder.write("out/a.3.png", "a drawing of mine");
    let before = folder.read("out/a.png");
    let ran = folder.som(&["mark", "a.png", "-o", "out/a.png", "--level", "1"]);
    ran.failed(
        2,
        "a.png: out/a.3.png: is there already and would be taken for one of this run's, which are \
         fewer (som did not write it, or does not know it any more: remove it, or choose another \
         place)",
    );
    assert_eq!(folder.read("out/a.3.png"), b"a drawing of mine");
    assert_eq!(folder.read("out/a.png"), before, "nothing was written");
}

/// A folder as annotators have it: each image is done, once, and so is a second run of which each leaves
/// something.
#[test]
fn hundreds_of_small_images_are_done_one_by_one() {
    const IMAGES: usize = 400;
    let folder = Folder::new();
    for index in 0..IMAGES {
        let shade = (index % 200) as u8;
        let image = RgbImage::from_fn(40, 30, |x, y| match x < 20 && y < 15 {
            true => Rgb([shade, 40, 200]),
            false => Rgb([255 - shade, 220, 30]),
        });
        folder.write(&format!("in/{:02}/{index:03}.png", index % 10), png(&image));
    }
    let words = [
        "mark",
        "in",
        "-o",
        "out",
        "--json",
        "out",
        "--skip-existing",
    ];
    let ran = folder.som(&words).succeeded();
    assert_eq!(ran.stderr, format!("som: {IMAGES} images: {IMAGES} done\n"));
    let files = folder.files();
    for ending in [".marked.png", ".json"] {
        let of_it = files
            .iter()
            .filter(|file| file.starts_with("out/") && file.ends_with(ending));
        assert_eq!(of_it.count(), IMAGES, "{ending}");
    }
    let again = folder.som(&words).succeeded();
    assert_eq!(
        again.stderr,
        format!("som: {IMAGES} images: {IMAGES} skipped\n")
    );
}

/// Whatever command wrote them.
#[test]
fn images_of_an_earlier_question_do_not_stay() {
    let folder = Folder::new();
    folder.write("a.png", squares());
    folder.write("b.png", squares());
    let question = "which region is the largest?";
    for ending in ["png", "jpg", "webp"] {
        let (marked, lit) = (format!("out/x.{ending}"), format!("out/lit.{ending}"));
        let ask = |images: &[&str]| {
            let asked = [question, "-o", &marked, "--highlight", &lit];
            folder.som(&[&["ask"], images, &asked].concat()).succeeded();
        };
        let there = || -> Vec<String> {
            let files = folder.files().into_iter();
            files
                .filter(|name| name.ends_with(&format!(".{ending}")) && name.starts_with("out/"))
                .collect()
        };
        ask(&["a.png", "b.png"]);
        assert!(there().len() >= 4, "{:?}", there());
        ask(&["a.png"]);
        assert_eq!(there(), [lit.clone(), marked.clone()]);
        ask(&["a.png", "b.png"]);
        folder.som(&["mark", "a.png", "-o", &marked]).succeeded();
        let left = [lit.clone(), format!("out/lit.2.{ending}"), marked.clone()];
        assert!(
            there().iter().all(|name| left.contains(name)),
            "{:?}",
            there()
        );
    }
}

/// They would be read back as regions.
#[test]
fn masks_of_an_earlier_run_do_not_stay() {
    let folder = Folder::new();
    folder.write("a.png", squares());
    let regions = |level: &str| {
        let words = [
            "segment", "a.png", "--level", level, "--masks", "m", "--json", "a.json",
        ];
        folder.som(&words).succeeded();
        let report = folder.json("a.json");
        report["regions"].as_array().unwrap().len()
    };
    let masks = || {
        let files = folder.files().into_iter();
        files.filter(|name| name.starts_with("m/a.")).count()
    };
    let many = regions("6");
    assert_eq!(masks(), many);
    let few = [
        "segment",
        "a.png",
        "--set",
        "max_regions=2",
        "--masks",
        "m",
        "--json",
        "a.json",
    ];
    folder.som(&few).succeeded();
    let left = folder.json("a.json")["regions"].as_array().unwrap().len();
    assert!(left < many);
    assert_eq!(masks(), left);
}

#[test]
fn images_are_passed_over_only_where_the_same_was_asked() {
    let folder = Folder::with_photos(&["coffee.png"]);
    folder.write("in/a.png", squares());
    folder.write("in/b.png", squares());
    let run = |more: &[&str]| {
        let words = ["segment", "in", "--json", "out", "--skip-existing"];
        folder.som(&[&words[..], more].concat()).succeeded().stderr
    };
    assert_eq!(run(&[]), "som: 2 images: 2 done\n");
    assert_eq!(run(&[]), "som: 2 images: 2 skipped\n");
    // Another picture, even one that is older.
    fs::copy(folder.path("coffee.png"), folder.path("in/a.png")).unwrap();
    let then = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
    let file = fs::File::options()
        .append(true)
        .open(folder.path("in/a.png"));
    file.unwrap().set_modified(then).unwrap();
    let again = "som: 1 image done again: 1 changed since\nsom: 2 images: 1 done, 1 skipped\n";
    assert_eq!(run(&[]), again);
    assert_eq!(folder.json("out/a.json")["image"]["width"], 600);
    // Something else.
    let again = "som: 2 images done again: 2 asked otherwise\nsom: 2 images: 2 done\n";
    assert_eq!(run(&["--level", "1"]), again);
    assert_eq!(run(&["--level", "1"]), "som: 2 images: 2 skipped\n");
    folder.write("som.toml", "[images]\nstretch = true\n");
    assert_eq!(run(&["--level", "1"]), again);
    // A run that was broken off in the middle of a line, and one that kept nothing.
    let kept = folder.read("out/.som-done.jsonl");
    folder.write("out/.som-done.jsonl", &kept[..kept.len() - 9]);
    let again = "som: 1 image done again: 1 asked otherwise\nsom: 2 images: 1 done, 1 skipped\n";
    assert_eq!(run(&["--level", "1"]), again);
    assert_eq!(run(&["--level", "1"]), "som: 2 images: 2 skipped\n");
    fs::remove_file(folder.path("out/.som-done.jsonl")).unwrap();
    assert!(run(&["--level", "1"]).starts_with(
        "som: 2 images done again: 2 done by a run that kept nothing (without --skip-existing)\n"
    ));

    let ran = folder.som(&["segment", "in", "--skip-existing"]);
    ran.failed(
        2,
        "--skip-existing looks for files, but everything goes to stdout (say where it goes: -o or \
         --json)",
    );
}

#[test]
fn other_regions_are_another_request() {
    let folder = Folder::new();
    folder.write("in/a.png", squares());
    folder.write("labels/a.csv", "x,y,width,height\n5,5,50,50\n");
    let run = || {
        let words = [
            "mark",
            "in",
            "-o",
            "out",
            "--regions",
            "labels",
            "--skip-existing",
        ];
        folder.som(&words).succeeded().stderr
    };
    run();
    assert_eq!(run(), "som: 1 image: 1 skipped\n");
    folder.write(
        "labels/a.csv",
        "x,y,width,height\n5,5,50,50\n100,100,50,50\n",
    );
    assert_eq!(
        run(),
        "som: 1 image done again: 1 changed since\nsom: 1 image: 1 done\n"
    );
}

#[test]
fn bad_regions_of_one_image_do_not_stop_the_others() {
    let folder = Folder::new();
    let entry = "1,2,3,4\n";
    for (file, text) in [
        ("good.csv", "x,y,width,height\n5,5,50,50\n".to_owned()),
        (
            "outside.csv",
            "x,y,width,height\n5,5,50,50\n400,5,50,50\n".to_owned(),
        ),
        (
            "size.json",
            r#"{"image": {"path": "size.png", "width": 30, "height": 40}, "regions": []}"#
                .to_owned(),
        ),
        ("empty.json", String::new()),
        (
            "many.csv",
            format!("x,y,width,height\n{}", entry.repeat(1_000_000)),
        ),
        ("nobody.csv", "x,y,width,height\n".to_owned()),
    ] {
        folder.write(&format!("labels/{file}"), text);
        let stem = file.split_once('.').unwrap().0;
        folder.write(&format!("in/{stem}.png"), squares());
    }
    folder.write("in/without.png", squares());
    let words = [
        "mark",
        "in",
        "--regions",
        "labels",
        "-o",
        "out",
        "--json",
        "out",
    ];
    let ran = folder.som(&words);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    for line in [
        "som: in/empty.png: labels/empty.json: the file is empty\n",
        "som: in/many.png: labels/many.csv: there are more than 65536 entries for one image\n",
        "som: in/outside.png: labels/outside.csv: line 3: the box 400,5 to 450,55 lies outside of the \
         300x300 image\n",
        "som: in/size.png: labels/size.json: the file belongs to an image of 30x40, but this one has \
         300x300 pixels",
        "som: in/without.png: labels: has no regions for in/without.png",
        "som: in/nobody.png: no marks\n",
        "som: 7 images: 2 done, 5 failed\n",
    ] {
        assert!(ran.stderr.contains(line), "{line}: {}", ran.stderr);
    }
    assert!(folder.path("out/good.marked.png").exists());
    assert_eq!(
        folder.json("out/nobody.json")["marks"],
        serde_json::json!([])
    );
}

/// Names that are no text: two that look alike are two images.
#[cfg(target_os = "linux")]
#[test]
fn names_of_any_bytes_are_names() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt as _};
    let folder = Folder::new();
    for name in [&b"in/\xff.png"[..], b"in/\xfe.png", b"in/x\xff.tif.png"] {
        let path = folder.path(OsStr::from_bytes(name));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, squares()).unwrap();
    }
    let ran = folder.som(&["mark", "in/*.png", "-o", "out", "--page-size", "3"]);
    assert!(ran.succeeded().stderr.contains("3 images: 3 done"));
    for name in [&b"out/\xff.marked.png"[..], b"out/\xfe.marked.2.png"] {
        assert!(folder.path(OsStr::from_bytes(name)).exists(), "{name:?}");
    }
    let mut command = folder.command(&["ask"]);
    command.arg(OsStr::from_bytes(b"in/\xff.png"));
    let ran = crate::som::Ran::of(command.arg("what is large?"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    // Nor does a variable of somebody else's matter.
    let mut command = folder.command(&["segment", "in/x*", "-q"]);
    let ran = crate::som::Ran::of(command.env("OTHER", OsStr::from_bytes(b"\xff")));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let mut command = folder.command(&["config", "show"]);
    let set = command.env("SOM__MARK__SEGMENTER", OsStr::from_bytes(b"\xff"));
    crate::som::Ran::of(set).failed(
        2,
        "environment variable SOM__MARK__SEGMENTER: its value is no UTF-8",
    );
}

#[test]
fn an_answer_that_was_rejected_is_not_printed() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let model = Model::saying(&["It is [99].", "It is [2]."]);
    model.set_in(&folder, "");
    let ran = folder.som(&["ask", "coffee.png", "which is the cup?"]);
    assert_eq!(
        (ran.code, ran.text()),
        (0, "It is [2].\n"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr
            .starts_with("som: the answer names marks that are not there; asking once more\n"),
        "{}",
        ran.stderr
    );
    assert_eq!(model.requests().len(), 2);
}

#[test]
fn marks_that_are_not_there_are_told_by_the_exit_status() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let model = Model::saying(&["It is [99]."]);
    model.set_in(&folder, "");
    for words in [
        &["ask", "coffee.png", "which is the cup?"][..],
        &["ask", "coffee.png", "which is the cup?", "--json"],
        &[
            "ask",
            "coffee.png",
            "which is the cup?",
            "--max-rounds",
            "1",
        ],
    ] {
        let ran = folder.som(words);
        assert_eq!(ran.code, 7, "{words:?}: {}", ran.stderr);
        assert!(ran.text().contains("It is [99]."), "{words:?}");
        let why = "som: the answer names marks that are not there: 99\n";
        assert!(ran.stderr.contains(why), "{words:?}: {}", ran.stderr);
    }
    let row = ["compare", "coffee.png", "which?", "--row", "level=2"];
    let ran = folder.som(&row).succeeded();
    assert!(
        ran.text()
            .ends_with("(names marks that are not there: 99)\n"),
        "{}",
        ran.text()
    );
}

#[test]
fn no_request_costs_more_than_is_allowed() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let model = Model::saying(&["It is [2]."]);
    model.set_in(&folder, "prices = { input = 1000.0, output = 1000.0 }");
    let ask = |cost: &str| {
        folder.som(&[
            "ask",
            "coffee.png",
            "which?",
            "--votes",
            "4",
            "--max-cost",
            cost,
            "--json",
        ])
    };
    let ran = ask("0.5");
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    assert!(
        ran.stderr.starts_with("som: the budget of $0.5 has"),
        "{}",
        ran.stderr
    );
    assert_eq!(model.requests().len(), 0);

    // A thousand tokens and ten cost $1.01, but a request might have taken several times as many.
    let ran = ask("4.5").succeeded();
    let report = ran.json();
    assert!(report["cost_usd"].as_f64().unwrap() <= 4.5, "{report}");
    assert!(
        report["cut_short"].as_str().unwrap().contains("$4.5"),
        "{report}"
    );
    for request in model.requests() {
        assert!(request["max_tokens"].as_u64().unwrap() < 4096, "{request}");
    }
}
