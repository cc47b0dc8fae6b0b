//! The settings ladder: which layer wins, where values come from, what is refused.

#![allow(clippy::unwrap_used, clippy::panic)]

use serde_json::json;
use som_core::{ErrorKind, Result};
use som_engine::settings::{GranularitySettings, Ladder, Settings};
use som_lmm::ProviderKind;

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs
        .iter()
        .map(|&(name, text)| (name.to_owned(), text.to_owned()))
        .collect()
}

#[test]
fn embedded_defaults_stand_alone() {
    let (settings, origins) = Ladder::embedded().load().unwrap();
    assert_eq!(settings.mark.segmenter, "classic");
    assert_eq!(settings.mark.styles, ["mask", "contour", "number"]);
    assert!(
        origins.iter().all(|origin| origin.from == "built-in"),
        "{origins:?}"
    );
}

#[test]
fn each_layer_wins_over_the_one_below() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(
        file.path(),
        "[mark]\nsegmenter = 'from-file'\npage_size = 7\n[view]\nlong_side = 100\n[segmenter.sam]\nweights = 'a.pth'\n",
    )
    .unwrap();
    let ladder = Ladder::embedded()
        .with_file(file.path())
        .with_environment(variables(&[
            ("SOM__VIEW__LONG_SIDE", "200"),
            ("SOM__MARK__SEGMENTER", "from-environment"),
            ("SOM__MARK__STYLES", "box, number"),
            ("SOM__SEGMENTER__SEMANTIC_SAM__DEVICE", "cuda:0"),
            ("SOM_UNRELATED", "ignored"),
        ]))
        .with_flag("--segmenter", "mark.segmenter", "from-flag");
    let (settings, origins) = ladder.load().unwrap();
    assert_eq!(settings.mark.options.page_size, Some(7));
    assert_eq!(settings.view.long_side, 200);
    assert_eq!(settings.mark.segmenter, "from-flag");
    assert_eq!(settings.mark.styles, ["box", "number"]);
    assert_eq!(settings.segmenter["sam"]["weights"], json!("a.pth"));
    assert_eq!(
        settings.segmenter["semantic-sam"]["device"],
        json!("cuda:0")
    );

    let from = |key: &str| {
        origins
            .iter()
            .find(|origin| origin.key == key)
            .unwrap()
            .from
            .clone()
    };
    assert_eq!(from("mark.segmenter"), "--segmenter");
    assert_eq!(from("view.long_side"), "SOM__VIEW__LONG_SIDE");
    assert_eq!(from("mark.page_size"), file.path().display().to_string());
    assert_eq!(from("view.short_side"), "built-in");
}

#[test]
fn every_layer_can_say_what_is_asked_of_marks() {
    let ladder = Ladder::embedded()
        .with_environment(variables(&[
            ("SOM__MARK__MAX_MARKS", "12"),
            ("SOM__MARK__FONT_SIZE", "20.5"),
        ]))
        .with_flag("--page-size", "mark.page_size", 3);
    let options = ladder.load().unwrap().0.mark.options;
    assert_eq!(options.page_size, Some(3), "a flag");
    assert_eq!(options.max_marks, Some(12), "a variable");
    assert_eq!(options.font_size, Some(20.5), "a variable");
    assert_eq!(options.min_glyph, Some(9.0), "built in");

    let negative = Ladder::embedded().with_flag("--page-size", "mark.page_size", -1);
    let error = negative.load().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.message().contains("mark.page_size"), "{error}");
}

#[test]
fn an_unknown_key_is_refused_and_the_known_ones_listed() {
    for ladder in [
        Ladder::embedded().with_environment(variables(&[("SOM__MARK__SEGMENTR", "x")])),
        Ladder::embedded().with_flag("--x", "mark.segmentr", "x"),
    ] {
        let error = ladder.load().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.message().contains("segmentr"), "{error}");
        for known in ["segmenter", "styles", "page_size", "max_marks"] {
            assert!(
                error.message().contains(&format!("mark.{known}")),
                "{error}"
            );
        }
    }
}

#[test]
fn malformed_layers_are_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "[mark\n").unwrap();
    let error = Ladder::embedded()
        .with_file(file.path())
        .load()
        .unwrap_err();
    assert!(
        error.message().contains(&file.path().display().to_string()),
        "{error}"
    );

    let error = Ladder::embedded()
        .with_file("does-not-exist.toml")
        .load()
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);

    let text = variables(&[("SOM__VIEW__LONG_SIDE", "wide")]);
    let error = Ladder::embedded()
        .with_environment(text)
        .load()
        .unwrap_err();
    assert!(error.message().contains("long_side"), "{error}");

    let error = Ladder::embedded()
        .with_environment(variables(&[("SOM____X", "1")]))
        .load()
        .unwrap_err();
    assert!(error.message().contains("SOM____X"), "{error}");
}

#[test]
fn som_keeps_its_own_keys_and_leaves_the_options() {
    let ladder = Ladder::embedded()
        .with_environment(variables(&[("SOM__SEGMENTER__SAM__INSTANCES", "3")]))
        .with_flag("--set", "segmenter.sam.weights", "b.pth");
    let (worker, options) = ladder.load().unwrap().0.segmenter("sam").unwrap();
    assert_eq!((worker.instances, worker.queue), (3, 32));
    assert_eq!(
        options.into_iter().collect::<Vec<_>>(),
        [("weights".to_owned(), json!("b.pth"))]
    );

    let ladder = Ladder::embedded().with_flag("--set", "segmenter.sam.queue", 0);
    let error = ladder.load().unwrap().0.segmenter("sam").unwrap_err();
    assert!(
        error.message().contains("segmenter.sam.queue is 0"),
        "{error}"
    );
}

/// The settings with `text` on top of the embedded ones.
fn with(text: &str) -> Result<Settings> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let (settings, _) = Ladder::embedded().with_file(file.path()).load()?;
    Ok(settings)
}

#[test]
fn the_granularity_slider_starts_as_the_demo_has_it() {
    let settings = with("").unwrap();
    let steps = &settings.granularity.steps;
    let starts: Vec<String> = steps.iter().map(|step| step.start.to_string()).collect();
    assert_eq!(
        starts,
        [
            "from 1",
            "from 1.5",
            "from 1.64",
            "from 1.78",
            "from 1.92",
            "from 2.06",
            "from 2.2",
            "from 2.34",
            "above 2.5"
        ]
    );
    let segmenters: Vec<&str> = steps.iter().map(|step| &*step.segmenter).collect();
    assert_eq!(segmenters[..2], ["seem", "semantic-sam"]);
    assert_eq!(segmenters[8], "sam");
    assert_eq!(steps[7].params["level"], json!([6, 1, 2, 3, 4, 5]));
    assert_eq!(steps[7].hinted.as_deref(), Some("sam"));
    assert_eq!(settings.mark.granularity(), None);
    // What is shown can be read again.
    let shown = serde_json::to_value(&settings.granularity).unwrap();
    assert_eq!(
        serde_json::from_value::<GranularitySettings>(shown).unwrap(),
        settings.granularity
    );
}

#[test]
fn a_ladder_of_ones_own_replaces_that_of_the_demo() {
    let own = "[granularity]\nsteps = [{ from = 1, segmenter = 'classic' }, { above = 1, segmenter = 'sam' }, { from = 3, segmenter = 'seem', hinted = 'sam' }]";
    let steps = with(own).unwrap().granularity.steps;
    let segmenters: Vec<&str> = steps.iter().map(|step| &*step.segmenter).collect();
    assert_eq!(segmenters, ["classic", "sam", "seem"]);

    let first = "{ from = 1, segmenter = 'a' }";
    for (steps, why) in [
        (String::new(), "steps has no step"),
        (
            "{ from = 1.5, segmenter = 'a' }".to_owned(),
            "steps[0] begins from 1.5, but the first step begins from 1",
        ),
        (
            "{ above = 1, segmenter = 'a' }".to_owned(),
            "steps[0] begins above 1, but the first step begins from 1",
        ),
        (
            format!("{first}, {{ from = 2, segmenter = 'a' }}, {{ from = 2, segmenter = 'b' }}"),
            "steps[2] begins from 2, but the step before it from 2: they must rise",
        ),
        (
            format!("{first}, {{ above = 2, segmenter = 'a' }}, {{ from = 2, segmenter = 'b' }}"),
            "steps[2] begins from 2, but the step before it above 2: they must rise",
        ),
        (
            format!("{first}, {{ from = 3.5, segmenter = 'a' }}"),
            "a step that begins from 3.5: granularity is 3.5, but must be from 1 (coarsest) to 3 (finest)",
        ),
        (
            format!("{first}, {{ above = 3, segmenter = 'a' }}"),
            "a step that begins above 3: no granularity is",
        ),
        (
            format!("{first}, {{ segmenter = 'a' }}"),
            "a step has either `from` or `above`",
        ),
        (
            format!("{first}, {{ from = 2, above = 2, segmenter = 'a' }}"),
            "a step has either `from` or `above`",
        ),
        (
            format!("{first}, {{ from = 2, segmenter = 'A B' }}"),
            "segmenter must be one or more of a-z, 0-9 and -",
        ),
        (
            format!("{first}, {{ form = 2, segmenter = 'a' }}"),
            "form\" (did you mean \"",
        ),
    ] {
        let error = with(&format!("[granularity]\nsteps = [{steps}]")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.message().contains(why), "{steps}: {error}");
        assert!(error.message().contains("granularity"), "{steps}: {error}");
    }
}

#[test]
fn a_granularity_may_be_the_usual_one() {
    let usual = |text: &str| {
        let ladder = Ladder::embedded()
            .with_environment(variables(&[("SOM__MARK__GRANULARITY", text)]))
            .load();
        ladder.map(|(settings, _)| settings.mark.granularity())
    };
    assert_eq!(usual("1.7").unwrap(), Some(1.7));
    assert_eq!(usual("3").unwrap(), Some(3.0));
    assert_eq!(usual("0").unwrap(), None);
    for wrong in ["0.5", "4", "NaN"] {
        let error = usual(wrong).unwrap_err();
        let why = "but must be from 1 (coarsest) to 3 (finest), or 0 for none";
        assert!(error.message().contains(why), "{error}");
        assert!(error.message().contains("mark"), "{error}");
    }
    assert!(usual("fine").is_err());
}

#[test]
fn a_fresh_machine_has_the_baseline() {
    let settings = with("").unwrap();
    let lmms = settings.lmms(|_| None).unwrap();
    let baseline = lmms.get(&settings.ask.lmm).unwrap().info();
    assert_eq!(baseline.provider, "attributes");
    assert!(baseline.vision);
}

#[test]
fn models_are_opened_by_their_names() {
    let local = "[lmm.local]\nbase_url = 'http://host/v1'\nmodel = 'm'";
    let lmms = with(local).unwrap().lmms(|_| None).unwrap();
    let names: Vec<&str> = lmms.list().map(|info| info.name.as_str()).collect();
    assert_eq!(names, ["attributes", "local"]);

    for (text, why) in [
        (
            "[ask]\nlmm = 'nobody'",
            ", line 2: ask.lmm: unknown lmm \"nobody\"",
        ),
        (
            "[lmm.x]\nmodel = 'm'",
            ", line 1: lmm.x: base_url is not set",
        ),
    ] {
        let error = with(text).unwrap().lmms(|_| None).err().unwrap();
        assert!(error.message().contains(why), "{error}");
    }
    // An unknown key lists the known ones, as everywhere in the settings.
    let error = with("[lmm.x]\nmodell = 'm'").unwrap_err();
    assert!(error.message().contains("modell"), "{error}");
    assert!(error.message().contains("api_key_env"), "{error}");
    let error = with("[lmm.x]\nprovider = 'open-ai'").unwrap_err();
    assert!(error.message().contains("openai-compatible"), "{error}");
}

#[test]
fn every_provider_is_explained() {
    let explained = include_str!("../src/settings.toml");
    let comments: Vec<&str> = explained
        .lines()
        .filter_map(|line| line.strip_prefix("# "))
        .collect();
    let comments = comments.join(" ");
    let is_told = |word: &str| {
        comments
            .split(|c: char| !(c.is_alphanumeric() || "-_".contains(c)))
            .any(|told| told == word)
    };
    for provider in ProviderKind::all() {
        let name = provider.name();
        let has_a_table = explained.contains(&format!("\nprovider = \"{name}\"\n"));
        assert!(is_told(name) || has_a_table, "{name} is not explained");
        if let Some(key) = provider.key_env() {
            assert!(is_told(key), "{key} is not explained");
        }
    }
}
