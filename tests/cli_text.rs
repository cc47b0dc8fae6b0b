//! What `som` says of itself: help, version, settings, completions.

use std::collections::BTreeSet;

use serde_json::json;

use crate::som::Folder;

#[test]
fn help_is_written_for_a_person() {
    let folder = Folder::new();
    for (name, line) in [
        ("short", "-h"),
        ("long", "--help"),
        ("mark", "mark --help"),
        ("segment", "segment --help"),
        ("ask", "ask --help"),
        ("compare", "compare --help"),
        ("eval", "eval --help"),
        ("lmm", "lmm --help"),
        ("serve", "serve --help"),
        ("backend", "backend --help"),
        ("config", "config show --help"),
        ("config_init", "config init --help"),
        ("plugin_show", "plugin show --help"),
        ("plugin", "plugin --help"),
        ("models", "models --help"),
        ("models_pull", "models pull --help"),
        ("completions", "completions --help"),
    ] {
        let ran = folder.som(&line.split(' ').collect::<Vec<_>>()).succeeded();
        assert!(
            ran.text().lines().all(|line| line.chars().count() <= 100),
            "{line}"
        );
        insta::assert_snapshot!(format!("help_{name}"), ran.text());
    }
}

#[test]
fn the_version_tells_how_it_was_built() {
    let folder = Folder::new();
    let short = folder.som(&["-V"]).succeeded();
    assert_eq!(short.text(), format!("som {}\n", env!("CARGO_PKG_VERSION")));
    let long = folder.som(&["--version"]).succeeded();
    let facts: Vec<_> = long
        .text()
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .collect();
    let names: Vec<_> = facts.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["commit", "target", "rustc", "profile"]);
    assert!(facts[1].1.contains(std::env::consts::ARCH), "{facts:?}");
    assert!(facts[2].1.trim().starts_with("1."), "{facts:?}");
}

#[test]
fn plugins_are_listed_with_where_they_come_from() {
    let folder = Folder::new();
    let list = folder.som(&["plugin", "list"]).succeeded();
    insta::assert_snapshot!(list.text());
    let json = folder.som(&["plugin", "list", "--json"]).succeeded().json();
    let ids: Vec<_> = json
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["id"].as_str().unwrap())
        .collect();
    assert_eq!(
        ids,
        ["classic", "alphabet", "box", "contour", "mask", "number"]
    );
    assert_eq!(json[0]["params"]["properties"]["level"]["maximum"], 6);
}

#[test]
fn a_library_in_the_settings_is_listed_and_a_wrong_one_is_named() {
    let folder = Folder::new();
    folder.write("libwrong.so", "not a library");
    let wrong = folder.path("libwrong.so");
    folder.write(
        "som.toml",
        format!("[plugins]\nlibraries = ['{}']\n", wrong.display()),
    );
    let ran = folder.som(&["plugin", "list"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    assert!(ran.stderr.contains("libwrong.so"), "{ran:?}");
}

#[test]
fn the_header_is_the_contract_itself() {
    let ran = Folder::new().som(&["plugin", "header"]).succeeded();
    assert_eq!(
        ran.text(),
        include_str!("../crates/som-plugin/include/som_plugin.h")
    );
}

#[test]
fn settings_are_shown_with_the_layer_they_come_from() {
    let folder = Folder::new();
    folder.write(
        "som.toml",
        "[mark]\npage_size = 7\n[segmenter.classic]\nqueue = 9\n",
    );
    folder.write("more.toml", "[mark]\nmin_glyph = 12\n");
    let show = |arguments: &[&str]| {
        let mut command = folder.command(&[&["config", "show"], arguments].concat());
        command.env("SOM__MARK__STYLES", "contour,number");
        crate::som::Ran::of(&mut command).succeeded()
    };
    let json = show(&["--json", "--config", "more.toml"]).json();
    let find = |key: &str| {
        let mut settings = json.as_array().unwrap().iter();
        settings
            .find(|setting| setting["key"] == key)
            .unwrap()
            .clone()
    };
    let setting = |key: &str, value, from: &str| json!({"key": key, "value": value, "from": from});
    for expected in [
        setting("mark.segmenter", json!("classic"), "built-in"),
        setting("mark.page_size", json!(7), "som.toml"),
        setting("segmenter.classic.queue", json!(9), "som.toml"),
        setting("mark.min_glyph", json!(12.0), "more.toml"),
        setting(
            "mark.styles",
            json!(["contour", "number"]),
            "SOM__MARK__STYLES",
        ),
    ] {
        assert_eq!(find(expected["key"].as_str().unwrap()), expected);
    }

    let text = show(&["--config", "more.toml"]);
    assert_eq!(text.text().lines().count(), json.as_array().unwrap().len());
    let columns = text.text().lines().filter_map(|line| line.find("  # "));
    // But for those of lines that are too long.
    let columns: BTreeSet<_> = columns.filter(|&column| column <= 100).collect();
    assert_eq!(columns.len(), 1, "the origins stand in one column");
    assert!(
        text.text().contains("mark.page_size = 7 "),
        "{}",
        text.text()
    );
    // What is printed can be read back as settings.
    folder.write("shown.toml", text.text());
    let again = folder
        .som(&["config", "show", "--config", "shown.toml", "--json"])
        .succeeded();
    let values = |settings: &serde_json::Value| -> Vec<_> {
        settings
            .as_array()
            .unwrap()
            .iter()
            .map(|setting| setting["value"].clone())
            .collect()
    };
    assert_eq!(values(&again.json()), values(&json));
}

#[test]
fn completions_know_the_commands() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = folder.som(&["completions", shell]).succeeded();
        for word in ["segment", "page-size", "skip-existing"] {
            assert!(script.text().contains(word), "{shell} does not know {word}");
        }
    }
}

#[test]
fn logs_go_to_stderr_when_asked_for() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let quiet = folder
        .som(&["segment", "coffee.png", "--json", "a.json"])
        .succeeded();
    assert_eq!(quiet.stderr, "");
    let talkative = folder
        .som(&["segment", "coffee.png", "--json", "b.json", "-vv"])
        .succeeded();
    assert!(talkative.stderr.contains("DEBUG"), "{}", talkative.stderr);
    assert!(talkative.stdout.is_empty());

    let mut command = folder.command(&["segment", "coffee.png"]);
    let ran = crate::som::Ran::of(command.env("SOM_LOG", "no=such=level"));
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("SOM_LOG"), "{}", ran.stderr);
}
