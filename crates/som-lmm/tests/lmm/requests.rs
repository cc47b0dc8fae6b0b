use serde_json::json;
use som_core::{AnswerSchema, ErrorKind, Part, Prompt, Role, Turn, encode::Encoding};

use crate::{
    fake::{Fake, KEY, KEY_ENV, Reply, ask, model, open_with, picture, words},
    wire::{OPENAI, SentPart, WIRES},
};

#[tokio::test]
async fn words_and_images_arrive_in_order_and_unchanged() {
    let formats = [Encoding::Png, Encoding::Jpeg, Encoding::Png];
    let images: Vec<_> = (0..3).map(|i| picture(i as u8 * 17, formats[i])).collect();
    let text = |text: &str| Part::Text(text.into());
    let image = |index: usize| Part::Image(images[index].clone());
    let mut prompt = Prompt::new([text("first"), image(0), image(1), text("größer? \"[3]\"\n")]);
    prompt.turns.push(Turn {
        role: Role::Assistant,
        parts: vec![text("[3] is.")],
    });
    prompt.turns.push(Turn {
        role: Role::User,
        parts: vec![image(2), text("and this?")],
    });
    for wire in WIRES {
        let fake = Fake::start([wire.stream(&["ok"])]).await;
        let outcome = ask(&*model(&wire.table(&fake, "")), &prompt).await;
        assert_eq!(outcome.answer.text, "ok");
        let [request] = &fake.requests()[..] else {
            panic!("one request")
        };
        let sent_text = |text: &str| SentPart::Text(text.into());
        let sent_image = |index: usize| {
            let image = &images[index];
            SentPart::Image(image.format.media_type().into(), image.bytes.to_vec())
        };
        let first = [
            sent_text("first"),
            sent_image(0),
            sent_image(1),
            sent_text("größer? \"[3]\"\n"),
        ];
        assert_eq!(wire.parts(&request.body, 0), first, "{wire:?}");
        assert_eq!(wire.parts(&request.body, 1), [sent_text("[3] is.")]);
        assert_eq!(
            wire.parts(&request.body, 2),
            [sent_image(2), sent_text("and this?")]
        );
    }
}

/// Everything a prompt can ask for.
fn full() -> Prompt {
    Prompt {
        system: Some("Be brief.".into()),
        schema: Some(AnswerSchema {
            name: "marks".into(),
            schema: json!({"type": "object", "properties": {"mark": {"enum": [1, 2]}}}),
        }),
        max_tokens: Some(99),
        temperature: Some(0.5),
        seed: Some(7),
        stop: vec!["END".into()],
        ..words("hi")
    }
}

#[tokio::test]
async fn options_are_sent_as_each_provider_names_them() {
    let schema = full().schema.unwrap().schema;
    for wire in WIRES {
        let fake = Fake::start([wire.stream(&["ok"])]).await;
        let model =
            model(&wire.table(&fake, "body = { top_k = 3 }\nheaders = { X-Title = 'som' }"));
        ask(&*model, &full()).await;
        let request = &fake.requests()[0];
        let mut body = request.body.clone();
        let extra = body.as_object_mut().unwrap().remove("top_k");
        assert_eq!(extra, Some(json!(3)), "{wire:?}");
        assert_eq!(body, wire.full(&schema), "{wire:?}");
        assert_eq!(request.path, wire.path(true));
        assert_eq!(request.headers["x-title"], "som");
        let (header, before) = wire.key();
        assert_eq!(request.headers[header], format!("{before}{KEY}"));
    }
}

#[tokio::test]
async fn what_is_not_asked_for_is_not_sent() {
    for wire in WIRES {
        let fake = Fake::start([Reply::json(&wire.whole("ok", wire.finishes().0))]).await;
        ask(&*model(&wire.table(&fake, "stream = false")), &words("hi")).await;
        let request = &fake.requests()[0];
        assert_eq!(request.path, wire.path(false));
        let sent = request.body.as_object().unwrap();
        let keys: Vec<&str> = sent.keys().map(String::as_str).collect();
        assert_eq!(keys, wire.least(), "{wire:?}");
    }
}

#[tokio::test]
async fn a_server_without_keys_gets_none_at_any_spelling_of_its_address() {
    for slash in ["", "/"] {
        let fake = Fake::start([OPENAI.stream(&["ok"])]).await;
        let url = fake.url();
        let model = model(&format!(
            "[lmm.x]\nbase_url = '{url}/v1{slash}'\nmodel = 'm'"
        ));
        assert_eq!(ask(&*model, &words("hi")).await.answer.text, "ok");
        let request = &fake.requests()[0];
        assert_eq!(request.path, "/v1/chat/completions");
        assert!(request.headers.get("authorization").is_none());
    }
}

#[tokio::test]
async fn openai_itself_gets_its_newer_limit_and_detail() {
    let fake = Fake::start([OPENAI.stream(&["ok"])]).await;
    let url = fake.url();
    let table = format!(
        "[lmm.x]\nprovider = 'openai'\nbase_url = '{url}/v1'\nmodel = 'gpt-4o'\n\
         api_key_env = '{KEY_ENV}'\nmax_tokens = 5\nimages = {{ detail = 'low' }}"
    );
    let prompt = Prompt::new([Part::Image(picture(1, Encoding::Png))]);
    ask(&*model(&table), &prompt).await;
    let body = &fake.requests()[0].body;
    assert_eq!(body["max_completion_tokens"], json!(5));
    assert_eq!(body.get("max_tokens"), None);
    assert_eq!(
        body["messages"][0]["content"][0]["image_url"]["detail"],
        json!("low")
    );
}

#[tokio::test]
async fn a_proxy_gets_the_limit_that_the_model_behind_it_takes() {
    for (name, limit) in [
        ("openai/gpt-5", "max_completion_tokens"),
        ("anthropic/claude-sonnet-4-5", "max_tokens"),
        ("m", "max_tokens"),
    ] {
        let fake = Fake::start([OPENAI.stream(&["ok"])]).await;
        let url = fake.url();
        let table = format!("[lmm.x]\nbase_url = '{url}/v1'\nmodel = '{name}'\nmax_tokens = 5");
        ask(&*model(&table), &words("hi")).await;
        let body = &fake.requests()[0].body;
        assert_eq!(body[limit], json!(5), "{name}");
    }
}

#[tokio::test]
async fn azure_has_its_own_address_and_header() {
    let fake = Fake::start([OPENAI.stream(&["ok"])]).await;
    let url = fake.url();
    let table = format!(
        "[lmm.x]\nprovider = 'azure'\nbase_url = '{url}'\nmodel = 'my gpt'\n\
         api_version = '2025-01-01'\napi_key_env = '{KEY_ENV}'"
    );
    assert_eq!(ask(&*model(&table), &words("hi")).await.answer.text, "ok");
    let request = &fake.requests()[0];
    assert_eq!(
        request.path,
        "/openai/deployments/my%20gpt/chat/completions?api-version=2025-01-01"
    );
    assert_eq!(request.headers["api-key"], KEY);
    assert!(request.headers.get("authorization").is_none());
}

#[tokio::test]
async fn secret_headers_come_from_the_environment() {
    let fake = Fake::start([OPENAI.stream(&["ok"])]).await;
    let table = OPENAI.table(&fake, "header_env = { X-Proxy = 'PROXY_TOKEN' }");
    let lmms = open_with(&table, &[("PROXY_TOKEN", "let-me-in")]).unwrap();
    ask(&**lmms.get("x").unwrap(), &words("hi")).await;
    assert_eq!(fake.requests()[0].headers["x-proxy"], "let-me-in");

    let error = ask(&*model(&table), &words("hi")).await.error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.message().contains("PROXY_TOKEN"), "{error}");
}

#[tokio::test]
async fn what_a_model_cannot_take_is_not_sent() {
    let fake = Fake::start([]).await;
    let shown = Prompt::new([Part::Image(picture(0, Encoding::Png))]);
    let table = |more: &str| OPENAI.table(&fake, more);
    let unstructured = table("").replace("structured = true", "structured = false");
    for (table, prompt) in [
        (table("vision = false"), &shown),
        (table("images = { bytes = 10 }"), &shown),
        (unstructured, &full()),
    ] {
        let error = ask(&*model(&table), prompt).await.error.unwrap();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    }
    // A key that is not there is not sent either.
    let keyless = table("").replace(KEY_ENV, "UNSET_KEY");
    let error = ask(&*model(&keyless), &words("hi")).await.error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.message().contains("UNSET_KEY"), "{error}");
    assert!(fake.requests().is_empty());
}
