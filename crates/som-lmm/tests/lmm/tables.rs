use som_core::{ErrorKind, Size};

use crate::fake::{ask, model, open_with, words};

#[test]
fn several_models_have_names() {
    let lmms = open_with(
        "[lmm.gpt4o]\nprovider = 'openai'\nmodel = 'gpt-4o'\nprices = { input = 2.5, output = 10 }\n\
         [lmm.claude]\nprovider = 'anthropic'\nmodel = 'claude-sonnet-4-5'\n\
         [lmm.local]\nbase_url = 'http://localhost:8000/v1'\nmodel = 'Qwen/Qwen2.5-VL-7B-Instruct'\n\
         context_tokens = 32768\nimages = { view = { pixels = 1003520 } }",
        &[],
    )
    .unwrap();
    let names: Vec<&str> = lmms.list().map(|info| info.name.as_str()).collect();
    assert_eq!(names, ["claude", "gpt4o", "local"]);
    let local = lmms.get("local").unwrap().info();
    assert_eq!(local.context_tokens, Some(32768));
    assert!(local.vision && !local.structured);
    assert_eq!(
        local.images.seen(Size::new(1920, 1080)),
        Size::new(1316, 728)
    );
    let gpt4o = lmms.get("gpt4o").unwrap().info();
    assert_eq!(gpt4o.prices.unwrap().output, 10.0);
    assert!(gpt4o.structured);

    let error = lmms.get("gpt4").err().unwrap();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error.message().contains("did you mean \"gpt4o\"?"),
        "{error}"
    );
}

#[test]
fn a_mistake_is_named_with_its_table() {
    let url = "base_url = 'http://host/v1'";
    for (table, why) in [
        (
            "[lmm.x]\nmodel = 'm'".to_owned(),
            "lmm.x: base_url is not set",
        ),
        (format!("[lmm.x]\n{url}"), "lmm.x: model is not set"),
        (
            "[lmm.x]\nprovider = 'azure'\nmodel = 'm'".to_owned(),
            "base_url is not set, which azure needs",
        ),
        (
            format!("[lmm.X_1]\n{url}\nmodel = 'm'"),
            "one or more of a-z",
        ),
        (
            format!("[lmm.x]\n{url}\nmodel = 'm'\nrecord = 'a'\nreplay = 'b'"),
            "record or replay",
        ),
        (
            format!("[lmm.x]\n{url}\nmodel = 'm'\nfamily = 'qwen'"),
            "unknown family",
        ),
        (
            format!("[lmm.x]\n{url}\nmodel = 'm'\nimages = {{ size = 1 }}"),
            "unknown field `size`",
        ),
    ] {
        let error = open_with(&table, &[])
            .err()
            .unwrap_or_else(|| panic!("{table}"));
        assert!(error.message().contains(why), "{error}");
        assert!(error.message().starts_with("lmm."), "{error}");
    }
}

#[tokio::test]
async fn the_baseline_has_the_name_of_its_table() {
    let baseline = model("[lmm.x]\nprovider = 'attributes'");
    assert_eq!(baseline.info().name, "x");
    let outcome = ask(&*baseline, &words("What is red?")).await;
    assert!(outcome.answer.text.contains("baseline without a model"));
    assert!(outcome.answer.is_complete());
}
