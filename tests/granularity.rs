//! `--granularity`: one slider over all segmenters, of which here only `classic` can answer.

use serde_json::{Value, json};

use crate::som::{Folder, Ran, Served};

/// Why `classic` answers where nothing else is there.
const ALONE: &str = "seem is not there; semantic-sam is not there; sam is not there; the levels of classic are spread evenly";

/// What the JSON of a run says of who cut.
#[track_caller]
fn cutter(ran: Ran) -> Value {
    ran.succeeded().json()["segmenter"].clone()
}

/// Steps of which one has a segmenter that is there.
fn own_steps(folder: &Folder) {
    let steps = "[granularity]\nsteps = [{ from = 1, segmenter = 'classic', params = { level = 2 } }, { above = 2, segmenter = 'sam', hinted = 'classic' }]\n";
    folder.write("som.toml", steps);
}

#[test]
fn the_levels_of_the_usual_segmenter_are_spread() {
    let folder = Folder::with_photos(&["coffee.png"]);
    for (granularity, level, start) in [
        ("1.0", 1, "1 is from 1"),
        ("1.5", 2, "1.5 is from 1.33"),
        ("2", 4, "2 is from 2"),
        ("2.5", 5, "2.5 is from 2.33"),
        ("3.0", 6, "3 is from 2.67"),
    ] {
        let line = ["mark", "coffee.png", "-o", "m.png", "--json", "-"];
        let told = cutter(folder.som(&[&line[..], &["--granularity", granularity]].concat()));
        assert_eq!(told["id"], "classic");
        assert_eq!(told["params"]["level"], level, "{granularity}");
        assert_eq!(
            told["granularity"]["reason"],
            format!("{start}: classic, level {level}; {ALONE}")
        );
    }
    let regions = |words: &[&str]| {
        let line = [&["segment", "coffee.png"], words].concat();
        folder.som(&line).succeeded().json()["regions"].clone()
    };
    assert_eq!(regions(&["--granularity", "3"]), regions(&["--level", "6"]));
}

#[test]
fn the_log_says_who_answered_and_why() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let ran = folder
        .som(&["segment", "coffee.png", "--granularity", "2", "-v"])
        .succeeded();
    for part in [
        "granularity chose the segmenter",
        "classic, level 4",
        "sam is not there",
    ] {
        assert!(ran.stderr.contains(part), "{part}: {}", ran.stderr);
    }
}

#[test]
fn what_does_not_go_together_is_named() {
    let folder = Folder::with_photos(&["coffee.png"]);
    for other in [&["--segmenter", "classic"], &["--level", "3"]] {
        let line = [&["mark", "coffee.png", "--granularity", "2"][..], other].concat();
        let ran = folder.som(&line);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains("cannot be used with"), "{}", ran.stderr);
    }
    let row = "granularity=2,segmenter=classic";
    folder
        .som(&["compare", "coffee.png", "what?", "--row", row])
        .failed(
            2,
            "--row granularity=2,segmenter=classic: granularity chooses the segmenter: leave out one of them",
        );
    folder.write("wrong.toml", "[granularity]\nsteps = []\n");
    let ran = folder.som(&["mark", "coffee.png", "--config", "wrong.toml"]);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("steps has no step"), "{}", ran.stderr);
    assert_eq!(folder.files(), ["coffee.png", "wrong.toml"]);
}

#[test]
fn the_settings_may_choose_by_granularity() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let usual = |words: &[&str]| {
        let mut command = folder.command(&[&["segment", "coffee.png"], words].concat());
        cutter(Ran::of(command.env("SOM__MARK__GRANULARITY", "2.7")))
    };
    let told = usual(&[]);
    assert_eq!(told["params"]["level"], 6);
    assert_eq!(told["granularity"]["value"], 2.7);
    let told = usual(&["--granularity", "1"]);
    assert_eq!(told["params"]["level"], 1);
    // A level goes before that of the step, and a segmenter before any granularity.
    let told = usual(&["--level", "2"]);
    assert_eq!(told["params"]["level"], 2);
    assert_eq!(
        told["granularity"]["reason"],
        format!("2.7 is from 2.67: classic, level 6; {ALONE}; but the request sets level")
    );
    let told = usual(&["--segmenter", "classic"]);
    assert_eq!(told["params"]["level"], 3);
    assert_eq!(told.get("granularity"), None);
}

#[test]
fn steps_of_ones_own_answer_here_and_at_a_server() {
    let folder = Folder::with_photos(&["coffee.png"]);
    own_steps(&folder);
    let server = Served::start(&folder, &["serve"], &[("SOM__MARK__GRANULARITY", "1.5")]);
    let url = server.url();
    for (words, reason) in [
        (&["--granularity", "2"][..], "2 is from 1: classic, level 2"),
        (
            &["--granularity", "3", "--set", "max_regions=5"],
            "3 is above 2: classic, level 2; sam is not there; the nearest step is from 1",
        ),
        (
            &["--granularity", "3", "--hint", "point:300.5,200.5"],
            "3 is above 2, with hints: classic",
        ),
    ] {
        let words = [&["segment", "coffee.png"], words].concat();
        let here = folder.som(&words).succeeded().json();
        let words = [&words[..], &["--server", &url]].concat();
        let there = folder.som(&words).succeeded().json();
        assert_eq!(here["segmenter"]["granularity"]["reason"], reason);
        for key in ["segmenter", "regions"] {
            assert_eq!(here[key], there[key], "{words:?}: {key}");
        }
    }
    // What the server's settings choose.
    let words = ["segment", "coffee.png", "--server", &url];
    let told = cutter(folder.som(&words));
    assert_eq!(
        told["granularity"],
        json!({"value": 1.5, "reason": "1.5 is from 1: classic, level 2"})
    );
    // Each row has its own, and what is pointed at stays.
    let row = ["compare", "coffee.png", "what is large?", "--row"];
    for server in [&["--server", url.as_str()][..], &[]] {
        let hint = ["granularity=3", "--hint", "point:300.5,200.5"];
        let line = [&row[..], &hint, &["--row", "granularity=1"], server].concat();
        let ran = folder.som(&line).succeeded();
        // Below an empty line it is told how far they agree.
        let text = ran.text();
        let lines: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).collect();
        assert_eq!(lines.len(), 2, "{lines:?}");
        for line in lines {
            let marks = line.split_whitespace().collect::<Vec<_>>();
            let at = marks.iter().position(|word| *word == "marks").unwrap();
            let count: usize = marks[at - 1].parse().unwrap();
            assert!((1..=3).contains(&count), "{line}");
        }
    }
}
