//! Defaults of one's own: what stands in `som.toml` holds where a flag says nothing else, and what is
//! wrong with it is told with its line.

use serde_json::{Value, json};

use crate::{
    model::Model,
    som::{Folder, Ran, Served},
};

#[test]
fn parameters_of_segmenters_and_styles_have_defaults() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let mark = |more: &[&str]| {
        let words = [
            "mark",
            "coffee.png",
            "--no-timings",
            "--json",
            "-",
            "-o",
            "x.png",
            "-q",
        ];
        let ran = folder.som(&[&words[..], more].concat()).succeeded();
        (ran.json(), folder.read("x.png"))
    };
    let plain = mark(&[]);
    let asked = mark(&[
        "--level",
        "1",
        "--set",
        "mask.opacity=0.4",
        "--page-size",
        "5",
        "--colors",
        "#ff0000,#0000ff",
    ]);
    assert_ne!(plain, asked);
    folder.write(
        "som.toml",
        "[mark]\npage_size = 5\ncolors = [\"#ff0000\", \"#0000ff\"]\n\
         [segmenter.classic.params]\nlevel = 1\n[style.mask]\nopacity = 0.4\n",
    );
    let (report, image) = mark(&[]);
    assert_eq!((&report, &image), (&asked.0, &asked.1));
    assert_eq!(report["segmenter"]["params"]["level"], 1);
    let marks = report["marks"].as_array().unwrap();
    let is_own = |mark: &Value| ["#ff0000", "#0000ff"].contains(&mark["color"].as_str().unwrap());
    assert!(!marks.is_empty() && marks.iter().all(is_own));
    // A flag goes before, for what it names.
    let (report, _) = mark(&["--level", "2", "--set", "contour.thickness=4"]);
    assert_eq!(report["segmenter"]["params"]["level"], 2);
    // A server's settings are its own; whoever calls it need not have them.
    let server = Served::start(&folder, &["serve"], &[]);
    std::fs::remove_file(folder.path("som.toml")).unwrap();
    let (there, pixels) = mark(&["--server", &server.url()]);
    assert_eq!((&there, &pixels), (&asked.0, &asked.1));
    // Variables say it, too.
    let mut command = folder.command(&["segment", "coffee.png"]);
    let ran = Ran::of(command.env("SOM__SEGMENTER__CLASSIC__PARAMS__LEVEL", "1"));
    assert_eq!(ran.succeeded().json()["segmenter"]["params"]["level"], 1);
}

#[test]
fn a_prompt_has_words_of_ones_own() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let model = Model::saying(&["[1]"]);
    folder.write("words.txt", "Say it in one word: {question}");
    let asked = |ask: &str, more: &[&str]| {
        model.set_in(&folder, "");
        let settings = String::from_utf8(folder.read("som.toml")).unwrap();
        folder.write(
            "som.toml",
            settings.replace("[ask]\n", &format!("[ask]\n{ask}\n")),
        );
        let words = ["ask", "coffee.png", "which is red?"];
        folder.som(&[&words[..], more].concat()).succeeded();
        let request = model.requests().pop().unwrap();
        request["messages"].to_string()
    };
    assert!(!asked("", &[]).contains("Say it in one word"));
    let own = "prompt_file = \"words.txt\"";
    assert!(asked(own, &[]).contains("Say it in one word: which is red?"));
    let reason = asked("", &["--template", "reason"]);
    assert_eq!(asked("template = \"reason\"", &[]), reason);
    assert_eq!(asked(own, &["--template", "reason"]), reason);
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let folder = Folder::with_photos(&["coffee.png"]);
    folder.write("template.txt", "no place for it");
    for (text, told) in [
        ("[mark]\nsegmenter = \n", "som.toml, line 2: "),
        (
            "[mark]\n\ncolour = 1\n",
            "som.toml, line 3: unknown setting \"mark.colour\" (did you mean \"mark.colors\"? known: \
             mark.segmenter, ",
        ),
        (
            "[marks]\nsegmenter = \"x\"\n",
            "som.toml, line 1: unknown setting \"marks\" (did you mean \"mark\"? known: ",
        ),
        (
            "# one\n[mark]\npage_size = \"many\"\n",
            "som.toml, line 3: mark.page_size is \"many\", but must be a whole number\n",
        ),
        (
            "[mark]\ncolors = [\"red\"]\n",
            "som.toml, line 2: mark.colors: \"red\" is not a colour like #1f77b4\n",
        ),
        (
            "[segmenter.classic.params]\nlevel = 9\n",
            "som.toml, line 1: segmenter.classic.params: segmenter \"classic\": ",
        ),
        (
            "[segmenter.classic]\nparams = 3\n",
            "som.toml, line 2: segmenter.classic.params is 3",
        ),
        (
            "[segmenter.classic]\nqueue = 0\n",
            "som.toml, line 2: segmenter.classic.queue is 0, but must be a whole number of at least 1\n",
        ),
        (
            "[style.mask]\nopacitiy = 0.1\n",
            "som.toml, line 1: style.mask: mark style \"mask\": unknown parameter \"opacitiy\"",
        ),
        (
            "[style.ink]\n",
            "som.toml, line 1: style.ink: mark style \"ink\" does not exist",
        ),
        (
            "[ask]\ntemplate = \"resaon\"\n",
            "som.toml, line 2: ask.template: unknown template \"resaon\" (did you mean \"reason\"?",
        ),
        (
            "[ask]\nprompt_file = \"nowhere.txt\"\n",
            "som.toml, line 2: ask.prompt_file: nowhere.txt: ",
        ),
        (
            "[ask]\nlmm = \"gpt\"\n",
            "som.toml, line 2: ask.lmm: unknown lmm \"gpt\"",
        ),
        (
            "\n[lmm.x]\nprovider = \"azure\"\nmodel = \"m\"\n",
            "som.toml, line 2: lmm.x: base_url is not set",
        ),
    ] {
        folder.write("som.toml", text);
        let ran = folder.som(&["ask", "coffee.png", "which?"]);
        assert_eq!(ran.code, 2, "{text:?}: {}", ran.stderr);
        assert!(
            ran.stderr.starts_with(&format!("som: {told}")),
            "{text:?}: {}",
            ran.stderr
        );
    }
    std::fs::remove_file(folder.path("som.toml")).unwrap();
    for (name, value, told) in [
        (
            "SOM__MARK__PAGE_SIZE",
            "many",
            "environment variable SOM__MARK__PAGE_SIZE: mark.page_size",
        ),
        (
            "SOM__MARK__SEGMENTR",
            "x",
            "environment variable SOM__MARK__SEGMENTR: unknown setting \"mark.segmentr\"",
        ),
    ] {
        let ran = Ran::of(folder.command(&["segment", "coffee.png"]).env(name, value));
        assert_eq!(ran.code, 2, "{name}");
        assert!(
            ran.stderr.starts_with(&format!("som: {told}")),
            "{name}: {}",
            ran.stderr
        );
    }
}

#[test]
fn a_new_file_of_settings_changes_nothing_until_it_is_changed() {
    let folder = Folder::new();
    let values = |file: &[&str]| -> Vec<Value> {
        let words = [&["config", "show", "--json"], file].concat();
        let shown = folder.som(&words).succeeded().json();
        let settings = shown.as_array().unwrap().iter();
        settings.map(|setting| setting["value"].clone()).collect()
    };
    let before = values(&[]);
    folder.som(&["config", "init"]).succeeded();
    assert_eq!(values(&[]), before);
    folder.som(&["config", "init"]).failed(
        2,
        "som.toml: is there already (remove it, or name another file)",
    );
    folder
        .som(&["config", "init", "other/mine.toml"])
        .succeeded();
    let text = String::from_utf8(folder.read("other/mine.toml")).unwrap();
    // Without the first signs of settings it is what is built in.
    let taken: String = text
        .lines()
        .map(|line| match line.strip_prefix('#') {
            // What is set goes on in lines that are further in.
            Some(rest) if rest.starts_with("    ") => format!("{rest}\n"),
            Some(rest) if !rest.starts_with(' ') && !rest.is_empty() => format!("{rest}\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    folder.write("taken.toml", &taken);
    assert_eq!(values(&["--config", "taken.toml"]), before);
    assert!(taken.contains("\npage_size = 0\n") && text.contains("\n#page_size = 0\n"));
    folder.write(
        "changed.toml",
        text.replace("#page_size = 0", "page_size = 7"),
    );
    let shown = folder.som(&["config", "show", "--json", "--config", "changed.toml"]);
    let shown = shown.succeeded().json();
    let changed = json!({"key": "mark.page_size", "value": 7, "from": "changed.toml"});
    assert!(shown.as_array().unwrap().contains(&changed));
}

#[test]
fn what_a_plugin_takes_is_shown() {
    let folder = Folder::new();
    let shown = folder.som(&["plugin", "show", "classic"]).succeeded();
    insta::assert_snapshot!("plugin_show_classic", shown.text());
    let shown = folder.som(&["plugin", "show", "mask"]).succeeded();
    insta::assert_snapshot!("plugin_show_mask", shown.text());
    folder.write("som.toml", "[segmenter.classic.params]\nlevel = 5\n");
    let shown = folder.som(&["plugin", "show", "classic"]).succeeded();
    assert!(
        shown
            .text()
            .contains("level: whole number from 1 to 6; set to 5\n"),
        "{}",
        shown.text()
    );
    let ran = folder.som(&["plugin", "show", "clasic"]);
    ran.failed(
        2,
        "plugin \"clasic\" does not exist (there are: classic, alphabet, box, contour, mask, number)",
    );
}
