//! `som eval`: data sets looked at, samples asked, runs scored, told and compared.

mod scripted;

use std::{process::Stdio, thread, time::Duration};

use serde_json::json;

use self::scripted::Scripted;
use crate::{som::Folder, source::root};

/// RefCOCO's miniature.
fn refcoco() -> String {
    let folder = root().join("crates/som-eval/tests/assets/refcoco");
    format!("refcoco:{}", folder.display())
}

#[test]
fn what_is_there_of_a_data_set_is_listed() {
    let folder = Folder::new();
    let ran = folder
        .som(&["eval", "data", &refcoco(), "--check"])
        .succeeded();
    let text = ran.text();
    assert!(
        text.starts_with("RefCOCO (https://github.com/lichengunc/refer"),
        "{text}"
    );
    assert!(text.contains("samples                3\n"), "{text}");
    let report = folder
        .som(&["eval", "data", &refcoco(), "--json"])
        .succeeded()
        .json();
    assert_eq!(report["samples"][0]["id"], "1:0");
    assert_eq!(report["samples"][0]["text"], "the cup");
}

#[test]
fn a_run_is_scored() {
    let folder = Folder::new();
    let line = json!({"sample": "1:0", "answer": {"boxes": [[173, 18, 235, 290]]}});
    folder.write("results.jsonl", format!("{line}\nno json\n"));
    let arguments = [
        "eval",
        "score",
        "--data",
        &refcoco(),
        "--results",
        "results.jsonl",
    ];
    let ran = folder.som(&arguments).succeeded();
    let text = ran.text();
    assert!(
        text.contains("1 of 3 samples answered, 2 not in the results (wrong)"),
        "{text}"
    );
    assert!(text.contains("left out: results.jsonl: line 2: "), "{text}");
    let report = folder.som(&[&arguments[..], &["--json", "--only-run"]].concat());
    let report = report.succeeded().json();
    assert_eq!(report["scores"][0]["metric"], "acc@0.5");
    assert_eq!(report["scores"][0]["value"], 1.0);
}

#[test]
fn what_is_missing_is_named_with_where_it_can_be_had() {
    let folder = Folder::new();
    let ran = folder.som(&["eval", "data", "reasonseg:nowhere"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("dvlab-research/LISA"), "{}", ran.stderr);
}

/// The boxes of the scripted samples, the largest first: their marks are 1 to 4.
const BOXES: [[u32; 4]; 4] = [
    [10, 10, 200, 150],
    [300, 10, 180, 140],
    [10, 220, 160, 120],
    [300, 220, 120, 100],
];

/// A folder with 40 expressions about a photograph, and a model that names the wrong mark at every fifth
/// of them, and none at one of ten more.
fn scripted() -> (Folder, Scripted) {
    let folder = Folder::with_photos(&["coffee.png"]);
    let lines: String = (0..40)
        .map(|number| {
            let bbox = BOXES[number % 4];
            let line = json!({"id": number.to_string(), "image": "coffee.png",
                "size": [600, 400], "task": "refer", "expression": format!("thing {number:02}"),
                "targets": [{"box": bbox}]});
            format!("{line}\n")
        })
        .collect();
    folder.write("samples.jsonl", lines);
    let server = Scripted::start(|words| {
        let asked = (0..40).find(|number| words.contains(&format!("thing {number:02}")));
        let number = asked.expect("a thing is asked for");
        match (number % 5, number % 10) {
            (0, _) => format!("It is [{}].", (number + 1) % 4 + 1),
            (_, 3) => "I cannot say.".to_owned(),
            _ => format!("It is [{}].", number % 4 + 1),
        }
    });
    folder.write("som.toml", server.settings());
    (folder, server)
}

const GRID: &str = r#"
data = "lines:samples.jsonl"
jobs = 4
[every]
styles = ["number"]
[[row]]
name = "golden"
regions = "golden"
[[row]]
name = "baseline"
regions = "golden"
lmm = "attributes"
"#;

#[test]
fn the_reported_rate_is_the_servers() {
    let (folder, server) = scripted();
    folder.write(
        "grid.toml",
        GRID.replace(
            "[[row]]\nname = \"baseline\"\nregions = \"golden\"\nlmm = \"attributes\"\n",
            "",
        ),
    );
    let dry = folder
        .som(&["eval", "run", "grid.toml", "--dry-run"])
        .succeeded();
    assert!(
        dry.text()
            .contains("golden: 40 samples to ask (24 looked at)"),
        "{}",
        dry.text()
    );
    assert!(
        dry.text().contains("40 requests, 40 images"),
        "{}",
        dry.text()
    );
    assert_eq!(server.asked(), 0);
    // Of 40, 8 are wrong and 4 unreadable.
    let ran = folder
        .som(&["eval", "run", "grid.toml", "--json"])
        .succeeded();
    let report = &ran.json()[0]["rows"][0];
    let score = &report["scores"]["scores"][0];
    assert_eq!(
        (&score["metric"], &score["value"]),
        (&json!("acc@0.5"), &json!(0.7))
    );
    let losses = &report["scores"]["losses"]["acc@0.5"];
    let near = |name: &str, share: f64| {
        assert!(
            (losses[name].as_f64().unwrap() - share).abs() < 1e-9,
            "{losses}"
        )
    };
    near("model", 0.2);
    near("parsing", 0.1);
    near("segmenter", 0.0);
    near("marks", 0.0);
    assert_eq!(
        report["verdicts"],
        json!({"right": 28, "model": 8, "parsing": 4})
    );
    assert_eq!(report["took"]["input_tokens"], 40 * 500);
    assert_eq!(server.asked(), 40);
    // Nothing is asked again, neither by the same run nor by a report.
    folder.som(&["eval", "run", "grid.toml"]).succeeded();
    let told = folder.som(&[
        "eval",
        "report",
        "grid",
        "--html",
        "page.html",
        "--csv",
        "scores.csv",
        "--samples",
        "samples.csv",
    ]);
    let told = told.succeeded();
    assert!(
        told.text().contains("28 right, 8 model, 4 parsing"),
        "{}",
        told.text()
    );
    assert_eq!(server.asked(), 40);
    assert_eq!(
        String::from_utf8(folder.read("samples.csv"))
            .unwrap()
            .lines()
            .count(),
        41
    );
    assert!(
        String::from_utf8(folder.read("page.html"))
            .unwrap()
            .contains("<article")
    );
}

#[test]
fn a_killed_run_loses_what_was_under_way_alone() {
    let (folder, server) = scripted();
    folder.write("grid.toml", GRID);
    let mut command = folder.command(&["eval", "run", "grid.toml"]);
    let mut child = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while server.asked() < 10 {
        thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let again = folder.som(&["eval", "run", "grid.toml"]).succeeded();
    assert!(
        again.text().contains("28 right, 8 model, 4 parsing"),
        "{}",
        again.text()
    );
    // Four at a time.
    assert!((40..=44).contains(&server.asked()), "{}", server.asked());
}

#[test]
fn a_budget_stops_a_run_that_goes_on_with_more() {
    let (folder, server) = scripted();
    folder.write("grid.toml", GRID);
    // An answer costs half a dollar, of which it is known beforehand that it may be a bit more.
    let stopped = folder.som(&["eval", "run", "grid.toml", "--max-cost", "5"]);
    assert_eq!(stopped.code, 5, "{}", stopped.stderr);
    assert!(
        stopped
            .stderr
            .contains("stopped before everything was asked"),
        "{}",
        stopped.stderr
    );
    let first = server.asked();
    assert!((1..=9).contains(&first), "{first}");
    let rest = folder
        .som(&["eval", "run", "grid.toml", "--max-cost", "50"])
        .succeeded();
    assert_eq!(server.asked(), 40, "{}", rest.stderr);
    let compared = folder
        .som(&["eval", "compare", "grid:baseline", "grid:golden"])
        .succeeded();
    assert!(
        compared.text().contains("40 samples in both"),
        "{}",
        compared.text()
    );
    assert!(
        compared.text().contains("McNemar p 0.0"),
        "{}",
        compared.text()
    );
}

#[test]
fn published_formats_are_run_over_photographs() {
    let folder = Folder::new();
    let assets = root().join("crates/som-eval/tests/assets/coco");
    let photos = root().join("examples/images");
    let (data, photos) = (
        format!("coco-panoptic:{}", assets.display()),
        photos.display().to_string(),
    );
    let run = folder.som(&[
        "eval",
        "run",
        "--data",
        &data,
        "--split",
        "handmade",
        "--images",
        &photos,
        "--out",
        "run",
        "--row",
        "name=golden,regions=golden",
        "--row",
        "name=cut,segmenter=classic,level=2",
        "--no-images",
    ]);
    let run = run.succeeded();
    for told in [
        "golden\n",
        "cut\n",
        "precision",
        "who lost what of precision",
        "GPT-4V + SoM",
    ] {
        assert!(run.text().contains(told), "{told}: {}", run.text());
    }
    let cut = folder.som(&[
        "eval",
        "segment",
        "--data",
        &data,
        "--split",
        "handmade",
        "--images",
        &photos,
        "--row",
        "segmenter=classic,level=1",
        "--row",
        "segmenter=classic,level=5",
        "--json",
    ]);
    let cut = cut.succeeded().json();
    let covering = |row: usize| cut[row]["scores"][0]["value"].as_f64().unwrap();
    assert_eq!(cut[0]["scores"][0]["metric"], "covering");
    assert!(covering(0) > 0.1 && covering(1) > 0.01, "{cut}");
    assert!(cut[1]["regions"].as_f64() > cut[0]["regions"].as_f64());
}

#[test]
fn marks_are_measured_without_a_model() {
    let folder = Folder::with_photos(&["coffee.png", "chelsea.png"]);
    let facts = folder.som(&[
        "eval",
        "marks",
        ".",
        "--row",
        "level=3",
        "--row",
        "level=3,styles=number",
        "--json",
    ]);
    let facts = facts.succeeded().json();
    let of = |row: usize, fact: &str| facts[row]["facts"][fact].as_f64().unwrap();
    assert_eq!(facts[0]["facts"]["images"], 2);
    assert_eq!(of(0, "overlapping"), 0.0);
    assert!(of(0, "least_contrast") >= 4.5);
    assert!(
        of(0, "changed") > of(1, "changed"),
        "more layers change more: {facts}"
    );
    assert!(of(1, "hidden_by_labels") > 0.0 && of(1, "hidden_by_labels") < 0.5);
}

#[test]
fn the_papers_figures_are_told_to_be_copied() {
    let folder = Folder::new();
    let text = folder.som(&["eval", "paper"]).succeeded();
    assert!(
        text.text().starts_with("copied from arXiv 2310.11441"),
        "{}",
        text.text()
    );
    let figures = folder.som(&["eval", "paper", "--json"]).succeeded().json();
    assert_eq!(figures["figures"][0]["value"], 0.757);
}

#[test]
fn mistakes_of_a_run_are_named() {
    let folder = Folder::new();
    folder.write("grid.toml", "[[row]]\nvote = 3\n");
    for (arguments, code, why) in [
        (
            &["eval", "run", "grid.toml"][..],
            2,
            "grid.toml: row 1: unknown field `vote`",
        ),
        (
            &["eval", "run", "nowhere.toml"],
            2,
            "nowhere.toml: there is no such file",
        ),
        (&["eval", "run", "--row", "votes=1"], 2, "data is missing"),
        (&["eval", "run", "--data", "lines:x"], 2, "--out is missing"),
        (
            &["eval", "run", "--data", "lines:x", "--out", "o"],
            2,
            "there is no row",
        ),
        (&["eval", "report", "nowhere"], 2, "nowhere: holds no run"),
    ] {
        let ran = folder.som(arguments);
        assert_eq!(ran.code, code, "{}", ran.stderr);
        assert!(ran.stderr.contains(why), "{why}: {}", ran.stderr);
    }
}
