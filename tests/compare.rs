//! `som compare`: rows side by side, what each took, and how far they agree.

use std::collections::HashMap;

use serde_json::Value;

use crate::{model::Model, som::Folder};

#[test]
fn rows_are_compared_in_a_table_and_on_a_page() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let arguments = [
        "compare",
        "coffee.png",
        "what is <large>?",
        "--row",
        "level=1",
        "--row",
        "level=2,styles=contour+number,max_marks=3",
        "--row",
        "lmm=nobody",
        "--html",
        "report.html",
    ];
    let ran = folder.som(&arguments);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    let text = String::from_utf8(ran.stdout).unwrap();
    // Three rows, and how far they agree.
    assert_eq!(text.lines().count(), 8, "{text}");
    assert!(text.contains("failed: unknown lmm \"nobody\""), "{text}");
    assert!(text.contains("  3 marks  "), "{text}");
    let page = String::from_utf8(folder.read("report.html")).unwrap();
    assert_eq!(
        page.matches("<img src=\"data:image/jpeg;base64,").count(),
        2
    );
    assert!(page.contains("what is &lt;large&gt;?") && !page.contains("<large>"));
    // Nothing is fetched from elsewhere.
    assert!(!page.contains("http://") && !page.contains("https://"));
}

/// Two levels cut an image into different regions, and a model that names one of each agrees with
/// itself as far as they overlap.
#[test]
fn rows_agree_by_the_pixels_that_they_mean() {
    let folder = Folder::with_photos(&["coffee.png"]);
    folder.write("a.csv", "x,y,width,height\n0,0,200,200\n");
    let model = Model::saying(&["It is [1]."]);
    model.set_in(&folder, "");
    let words = [
        "compare",
        "coffee.png",
        "which?",
        "--regions",
        "a.csv",
        "--row",
        "styles=number",
        "--row",
        "styles=alphabet",
        "--row",
        "segmenter=classic,level=1",
    ];
    let ran = folder.som(&words).succeeded();
    let told = "\nagreement (mask IoU)\n 1  styles=number\n 2  styles=alphabet";
    assert!(ran.text().contains(told), "{}", ran.text());
    let json = folder.som(&[&words[..], &["--json"]].concat()).succeeded();
    let report = json.json();
    let iou = |pair: usize| report["agreement"][pair]["iou"].as_f64();
    assert_eq!(report["agreement"][0]["rows"], serde_json::json!([0, 1]));
    assert_eq!(report["agreement"].as_array().unwrap().len(), 3);
    // Where marks have letters, "[1]" means nothing.
    assert_eq!(iou(0), Some(0.0));
    let other = iou(1).unwrap();
    assert!(0.0 < other && other < 1.0, "{other}");
}

/// Each image is a trial of its own: of times the mean and the spread are told.
#[test]
fn several_images_may_be_several_trials() {
    let folder = Folder::with_photos(&["coffee.png", "chelsea.png", "rocket.jpg"]);
    let words = [
        "compare",
        "coffee.png",
        "chelsea.png",
        "rocket.jpg",
        "which region is the largest?",
        "--row",
        "level=1",
        "--row",
        "level=1,styles=contour+number",
        "--trials",
        "--csv",
        "rows.csv",
    ];
    let ran = folder.som(&words).succeeded();
    assert_eq!(ran.text().lines().count(), 6, "{}", ran.text());
    assert!(
        ran.text().lines().next().unwrap().contains(" ± "),
        "{}",
        ran.text()
    );
    // The same regions under other ink: the baseline means the same one.
    assert!(ran.text().ends_with("1.00\n"), "{}", ran.text());
    let csv = String::from_utf8(folder.read("rows.csv")).unwrap();
    let mut lines = csv.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let head = lines.next().unwrap();
    let rows: Vec<HashMap<&str, &str>> = lines
        // What is written has a comma in quotes, as has the second row's name.
        .map(|line| {
            head.iter()
                .rev()
                .copied()
                .zip(line.into_iter().rev())
                .collect()
        })
        .collect();
    assert_eq!(rows.len(), 2);
    for row in &rows {
        assert_eq!((row["trials"], row["failed"], row["iou"]), ("3", "0", "1"));
        let number = |key: &str| row[key].parse::<f64>().unwrap();
        assert!(number("segment_ms") > 0.0 && number("segment_spread_ms") > 0.0);
        let stages = number("segment_ms") + number("mark_ms") + number("answer_ms");
        assert!((stages - number("total_ms")).abs() < 0.01, "{row:?}");
    }
    // An image is cut once for both.
    assert_eq!(rows[0]["segment_ms"], rows[1]["segment_ms"]);

    let words = [&words[..10], &["--json"]].concat();
    let report = folder.som(&words).succeeded().json();
    for row in report["rows"].as_array().unwrap() {
        let trials = row["trials"].as_array().unwrap();
        let images: Vec<&Value> = trials
            .iter()
            .map(|trial| &trial["images"][0]["image"])
            .collect();
        assert_eq!(images, [0, 1, 2]);
        assert_eq!(
            row["times_ms"]["segment"]["mean"],
            report["rows"][0]["times_ms"]["segment"]["mean"]
        );
    }
    let track = [
        "compare",
        "coffee.png",
        "chelsea.png",
        "--task",
        "track",
        "--row",
        "level=1",
        "--trials",
    ];
    folder.som(&track).failed(
        2,
        "--trials asks about each image by itself, but track needs several at once",
    );
}

#[test]
fn a_row_says_how_to_ask() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let model = Model::saying(&["It is [1]."]);
    model.set_in(&folder, "");
    let words = [
        "compare",
        "coffee.png",
        "which?",
        "--level",
        "1",
        "--row",
        "template=reason",
        "--row",
        "votes=3,clean=true,table=true",
        "--json",
        "--no-timings",
    ];
    let ran = folder.som(&words).succeeded();
    let report = ran.json();
    let rounds = report["rows"].as_array().unwrap().iter();
    let rounds: Vec<&Value> = rounds.map(|row| &row["trials"][0]["rounds"]).collect();
    assert_eq!(rounds, [1, 3]);
    let images = |request: &Value| request.to_string().matches(";base64,").count();
    let mut images: Vec<usize> = model.requests().iter().map(images).collect();
    images.sort_unstable();
    // One page; and three times a clean image with it.
    assert_eq!(images, [1, 2, 2, 2]);
    let again = folder.som(&words).succeeded();
    assert_eq!(
        again.stdout, ran.stdout,
        "the same request gives the same bytes"
    );
    for (row, why) in [
        ("template=x", "--row template=x: unknown template \"x\""),
        (
            "votes=0",
            "--row votes=0: votes is 0 (write a number from 1 to 64)",
        ),
        ("clean=1", "--row clean=1: clean is 1 (write true or false)"),
    ] {
        let ran = folder.som(&["compare", "coffee.png", "which?", "--row", row]);
        assert_eq!(ran.code, 2, "{row}");
        assert!(ran.stderr.contains(why), "{row}: {}", ran.stderr);
    }
}
