//! `som ask --dry-run`: what would be sent is what is sent, and nothing is.

use serde_json::json;

use crate::{model::Model, som::Folder};

const ASK: [&str; 5] = ["ask", "coffee.png", "--task", "refer", "the cup; the spoon"];

#[test]
fn what_would_be_sent_is_what_is_sent() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let model = Model::saying(&[r#"{"answers": []}"#]);
    model.set_in(
        &folder,
        "structured = true\nprices = { input = 2.0, output = 8.0 }",
    );
    let dry = ["--dry-run", "--json", "-o", "page.png", "--votes", "2"];
    let draft = folder.som(&[&ASK[..], &dry].concat()).succeeded().json();
    assert_eq!(model.requests(), Vec::<serde_json::Value>::new());

    folder.som(&ASK);
    let sent = &model.requests()[0];
    assert_eq!(&draft["body"], sent);
    assert_eq!(draft["requests"], 2);
    let url = draft["url"].as_str().unwrap();
    assert!(url.ends_with("/v1/chat/completions"), "{url}");
    let tokens = draft["max_input_tokens"].as_f64().unwrap();
    assert_eq!(draft["max_input_cost_usd"], tokens * 2.0 / 1e6);
    // The page that the model would see was written.
    assert_eq!(draft["marked"], json!(["page.png"]));
    let (width, height) = folder.image("page.png").dimensions();
    let [image] = &draft["images"].as_array().unwrap()[..] else {
        panic!("{}", draft["images"]);
    };
    let size = json!({"width": width, "height": height, "media_type": "image/png"});
    for (key, value) in size.as_object().unwrap() {
        assert_eq!(&image[key], value);
    }
}

#[test]
fn the_words_are_shown_to_people() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let model = Model::saying(&["nothing"]);
    model.set_in(&folder, "");
    let ran = folder.som(&[&ASK[..], &["--dry-run"]].concat()).succeeded();
    for part in [
        "lmm      fake (openai-compatible, fake-vl)\nto       http://127.0.0.1:",
        "input    at most ",
        "[user]\n<image ",
        "the spoon",
    ] {
        assert!(
            ran.text().contains(part),
            "{part:?} is not in {}",
            ran.text()
        );
    }
    assert_eq!(model.requests(), Vec::<serde_json::Value>::new());
}

#[test]
fn what_would_be_refused_is() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let run = |more: &[&str]| folder.som(&[&ASK[..], &["--dry-run"], more].concat());
    // A model of this process.
    let ran = run(&["--json"]).succeeded().json();
    assert_eq!([&ran["url"], &ran["body"]], [&json!(null); 2]);
    let refused = |more: &[&str], code, why: &str| {
        let ran = run(more);
        assert!(ran.stderr.contains(why), "{}", ran.stderr);
        assert_eq!(ran.code, code);
    };
    refused(&["--chat"], 2, "--chat");
    // A key that is not there is not needed, for nothing is sent; a budget that allows nothing is
    // told.
    let more = "api_key_env = \"NO_SUCH_KEY\"\nprices = { input = 2.0, output = 8.0 }";
    Model::saying(&["nothing"]).set_in(&folder, more);
    run(&[]).succeeded();
    refused(&["--max-cost", "0.000001"], 5, "the budget of $0.000001");
}
