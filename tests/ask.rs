//! `som ask` and `som lmm` on a fresh machine: with the baseline that needs no model.

use serde_json::{Value, json};

use crate::som::Folder;

#[test]
fn a_question_is_answered_without_any_settings() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let arguments = [
        "ask",
        "coffee.png",
        "which is the largest region?",
        "--highlight",
        "lit.png",
        "-o",
        "marked.png",
    ];
    let ran = folder.som(&arguments);
    let text = String::from_utf8(ran.stdout.clone()).unwrap();
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(text.contains("baseline without a model"), "{text}");
    assert!(text.contains("[1]"), "{text}");
    // Not a terminal: no colours.
    assert!(!text.contains('\x1b'), "{text}");
    // The largest region is lit, and the rest is dim.
    let (photo, lit) = (folder.image("coffee.png"), folder.image("lit.png"));
    assert_eq!(photo.dimensions(), lit.dimensions());
    let brightness = |image: &image::RgbImage| {
        let all: u64 = image
            .as_raw()
            .iter()
            .map(|&channel| u64::from(channel))
            .sum();
        all / image.as_raw().len() as u64
    };
    assert!(brightness(&lit) < brightness(&photo));
    assert_ne!(folder.image("marked.png"), photo);
}

#[test]
fn the_json_ties_the_answer_to_regions() {
    let folder = Folder::with_photos(&["coffee.png", "chelsea.png"]);
    let arguments = [
        "ask",
        "coffee.png",
        "what is [2] beside {box:20,30,60,50}?",
        "--json",
    ];
    let report = folder.som(&arguments).succeeded().json();
    let marks = report["images"][0]["marks"].as_array().unwrap();
    let last = marks.last().unwrap();
    assert_eq!(last["region"]["bbox"], json!([20, 30, 60, 50]));
    assert_eq!(last["id"], marks.len());
    let text = report["answer"]["text"].as_str().unwrap();
    for mention in report["mentions"].as_array().unwrap() {
        let place = |end: &str| mention["span"][end].as_u64().unwrap() as usize;
        let span = &text[place("start")..place("end")];
        assert_eq!(span, format!("[{}]", mention["marks"][0]));
        assert_eq!(mention["status"], "resolved");
    }
    let named = |id: &Value| {
        let mentions = report["mentions"].as_array().unwrap();
        mentions.iter().any(|mention| mention["marks"][0] == *id)
    };
    assert!(named(&json!(2)) && named(&last["id"]), "{text}");

    // Marks are numbered on from image to image.
    let two = [
        "ask",
        "coffee.png",
        "chelsea.png",
        "what is large?",
        "--json",
    ];
    let report = folder.som(&two).succeeded().json();
    let ids = |image: usize| -> Vec<u64> {
        let marks = report["images"][image]["marks"].as_array().unwrap();
        marks
            .iter()
            .map(|mark| mark["id"].as_u64().unwrap())
            .collect()
    };
    let all = [ids(0), ids(1)].concat();
    assert_eq!(all, (1..=all.len() as u64).collect::<Vec<_>>());
}

#[test]
fn tasks_print_their_findings() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let ran = folder.som(&["ask", "coffee.png", "--task", "describe", "--marks", "2,1"]);
    let text = String::from_utf8(ran.stdout.clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("[2]: ") && lines[1].starts_with("[1]: "),
        "{text}"
    );
    let refer = [
        "ask",
        "coffee.png",
        "--task",
        "refer",
        "the largest region",
        "--votes",
        "3",
    ];
    let ran = folder.som(&refer);
    let text = String::from_utf8(ran.stdout.clone()).unwrap();
    assert_eq!(text, "the largest region: [1] 100%\n", "{}", ran.stderr);
    assert!(
        ran.stderr.contains("agreement: mark 1: 100%"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_chat_survives_a_question_that_makes_no_sense() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let arguments = ["ask", "coffee.png", "what is {mark:999}?", "--chat", "-q"];
    let ran = folder.som_reading(
        &arguments,
        b"what is [2]?\nand {box:1,1,9999,9}?\nand [1]?\n",
    );
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let text = String::from_utf8(ran.stdout).unwrap();
    assert!(text.contains("[2]") && text.contains("[1]"), "{text}");
    assert_eq!(ran.stderr.matches("som: ").count(), 2, "{}", ran.stderr);
}

#[test]
fn a_chat_goes_on_about_the_same_marks() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let arguments = [
        "ask",
        "coffee.png",
        "what is in {box:20,30,60,50}?",
        "--chat",
        "--json",
    ];
    let ran = folder.som_reading(&arguments, b"\nand what is [2]?\nand in {box:1,2,30,40}?\n");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let text = String::from_utf8(ran.stdout).unwrap();
    let reports: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(reports.len(), 3);
    let boxes = |report: &Value| -> Vec<Value> {
        let marks = report["images"][0]["marks"].as_array().unwrap();
        marks
            .iter()
            .map(|mark| mark["region"]["bbox"].clone())
            .collect()
    };
    let first = boxes(&reports[0]);
    assert_eq!(boxes(&reports[1]), first);
    assert_eq!(boxes(&reports[2])[..first.len()], first);
    assert_eq!(boxes(&reports[2])[first.len()..], [json!([1, 2, 30, 40])]);
}

#[test]
fn mistakes_are_named() {
    let folder = Folder::with_photos(&["coffee.png"]);
    folder.write("template.txt", "{qestion}");
    let photo = "coffee.png";
    for (arguments, code, why) in [
        (&["ask", photo][..], 2, "the question is missing"),
        (
            &["ask", "no.png", "what?"],
            2,
            "no.png: there is no such file",
        ),
        (
            &["ask", photo, "what?", "--lmm", "gpt"],
            2,
            "unknown lmm \"gpt\"",
        ),
        (
            &["ask", photo, "what?", "--task", "grond"],
            2,
            "unknown task \"grond\"",
        ),
        (
            &["ask", photo, "what?", "--vocabulary", "cup"],
            2,
            "does not take it",
        ),
        (
            &["ask", photo, "what is {mark:999}?"],
            2,
            "there is no such mark",
        ),
        (
            &["ask", photo, "what?", "--template", "refr"],
            2,
            "unknown template \"refr\"",
        ),
        (
            &["ask", photo, "what?", "--prompt-file", "template.txt"],
            2,
            "did you mean \"question\"",
        ),
        (
            &["ask", photo, "what?", "--prompt-file", "no.txt"],
            2,
            "no.txt",
        ),
        (&["ask", photo, "--task", "track"], 2, "at least two images"),
        (&["ask", photo, "what?", "--highlight", "x.gif"], 2, "x.gif"),
        (&["compare", photo, "what?", "--row", "x"], 2, "KEY=VALUE"),
        (
            &["compare", photo, "what?", "--row", "level=99"],
            2,
            "level",
        ),
        (
            &["compare", photo, "what?", "--row", "styles=ink"],
            2,
            "mark style \"ink\" does not exist",
        ),
        (
            &["compare", photo, "what?", "--row", "max_marks=few"],
            2,
            "--row max_marks=few",
        ),
        (&["lmm", "test", "gpt"], 2, "unknown lmm \"gpt\""),
    ] {
        let ran = folder.som(arguments);
        assert_eq!(ran.code, code, "{arguments:?}: {}", ran.stderr);
        let said = [ran.stderr, String::from_utf8(ran.stdout).unwrap()].concat();
        assert!(said.contains(why), "{arguments:?}: {said}");
    }
    assert_eq!(folder.files(), ["coffee.png", "template.txt"]);
}

#[test]
fn models_are_listed_without_their_keys() {
    let folder = Folder::new();
    folder.write(
        "som.toml",
        "[lmm.local]\nbase_url = \"http://127.0.0.1:9/v1\"\nmodel = \"qwen2.5-vl\"\n\
         api_key_env = \"LOCAL_KEY\"\n",
    );
    let mut command = folder.command(&["lmm", "list", "--json"]);
    let ran = crate::som::Ran::of(command.env("LOCAL_KEY", "sk-secret"));
    let models = ran.succeeded().json();
    let names: Vec<&str> = models
        .as_array()
        .unwrap()
        .iter()
        .map(|model| model["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["attributes", "local"]);
    assert!(!models.to_string().contains("sk-secret"));
    let listed = folder.som(&["lmm", "list"]).succeeded();
    assert!(listed.text().contains("qwen2.5-vl"), "{}", listed.text());
}

#[test]
fn a_model_that_is_none_cannot_read_marks() {
    let folder = Folder::new();
    let ran = folder.som(&["lmm", "test", "attributes", "--json"]);
    let report = ran.json();
    assert_eq!(report["asked"], 6);
    let right = report["right"].as_u64().unwrap();
    assert_eq!(ran.code, i32::from(right * 2 <= 6), "{report}");
}
