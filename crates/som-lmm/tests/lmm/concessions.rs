use std::io::Write as _;

use serde_json::{Value, json};
use som_core::{AnswerSchema, Finish, Prompt};

use crate::{
    fake::{Fake, Reply, Seen, ask, model, words},
    wire::{ANTHROPIC, GEMINI, OPENAI, Wire},
};

/// A prompt with everything that servers are known to refuse.
fn full() -> Prompt {
    Prompt {
        system: Some("Be brief.".into()),
        schema: Some(AnswerSchema {
            name: "marks".into(),
            schema: json!({"type": "object", "title": "of this form"}),
        }),
        temperature: Some(0.0),
        seed: Some(7),
        ..words("hi")
    }
}

/// What reaches a server that refuses with `refusals`, one after another, and then answers; asked
/// twice.
async fn through(wire: &dyn Wire, more: &str, refusals: &[&str]) -> Vec<Seen> {
    let refused = refusals.iter().map(|said| wire.error(400, said));
    let answers = [wire.stream(&["ok"]), wire.stream(&["ok"])];
    let fake = Fake::start(refused.chain(answers)).await;
    // What is conceded is no retry.
    let model = model(&wire.table(&fake, &format!("retries = 0\n{more}")));
    for _ in 0..2 {
        let outcome = ask(&*model, &full()).await;
        assert_eq!(outcome.answer.text, "ok", "{:?}", outcome.error);
    }
    fake.requests()
}

fn keys(request: &Seen) -> Vec<&str> {
    let body = request.body.as_object().unwrap();
    body.keys().map(String::as_str).collect()
}

#[tokio::test]
async fn a_token_limit_goes_under_the_name_that_the_server_takes() {
    let refusal = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    let requests = through(OPENAI, "", &[refusal]).await;
    let limits = |name: &str| -> Vec<bool> {
        let requests = requests.iter();
        requests
            .map(|request| keys(request).contains(&name))
            .collect()
    };
    // Asked once more, and the second question is right at once.
    assert_eq!(limits("max_tokens"), [true, false, false]);
    assert_eq!(limits("max_completion_tokens"), [false, true, true]);

    let requests = through(OPENAI, "body = { max_completion_tokens = 9 }", &[]).await;
    assert!(!keys(&requests[0]).contains(&"max_tokens"));
    assert_eq!(requests[0].body["max_completion_tokens"], json!(9));
}

#[tokio::test]
async fn words_for_the_system_go_to_the_user_where_there_is_no_such_turn() {
    for (wire, refusal) in [
        (OPENAI, "System role not supported"),
        (
            GEMINI,
            "Developer instruction is not enabled for models/gemma-3-27b-it",
        ),
    ] {
        let requests = through(wire, "", &[refusal]).await;
        assert_eq!(requests.len(), 3);
        let whole = |request: &Seen| request.body.to_string();
        assert!(whole(&requests[0]).contains("Be brief."));
        for request in &requests[1..] {
            let first = wire.content(&request.body, 0).to_string();
            assert!(
                first.contains("Be brief.") && first.contains("hi"),
                "{first}"
            );
            assert!(!whole(request).contains("\"system\""), "{request:?}");
            assert!(request.body.get("systemInstruction").is_none());
        }
    }
}

#[tokio::test]
async fn a_form_that_is_refused_is_asked_for_in_words() {
    let refusal = "'response_format' of type 'json_schema' is not supported with this model";
    let requests = through(OPENAI, "", &[refusal]).await;
    assert!(requests[0].body.get("response_format").is_some());
    for request in &requests[1..] {
        assert!(request.body.get("response_format").is_none());
        let said = OPENAI.content(&request.body, 1).to_string();
        assert!(said.contains("of this form"), "{said}");
    }
}

#[tokio::test]
async fn what_only_says_how_to_answer_is_left_out_one_by_one() {
    let requests = through(
        OPENAI,
        "",
        &[
            "Unsupported value: 'temperature' does not support 0 with this model.",
            "body.stream_options: Extra inputs are not permitted",
        ],
    )
    .await;
    let lacks: Vec<(bool, bool)> = requests
        .iter()
        .map(|request| {
            let lacks = |key: &str| request.body.get(key).is_none();
            (lacks("temperature"), lacks("stream_options"))
        })
        .collect();
    assert_eq!(
        lacks,
        [(false, false), (true, false), (true, true), (true, true)]
    );
}

#[tokio::test]
async fn a_server_that_refuses_everything_is_not_asked_for_ever() {
    let refusal = "System role not supported";
    let fake = Fake::start((0..9).map(|_| OPENAI.error(400, refusal))).await;
    let model = model(&OPENAI.table(&fake, ""));
    let error = ask(&*model, &full()).await.error.unwrap();
    assert!(error.message().contains(refusal), "{error}");
    assert_eq!(fake.requests().len(), 2);
    // It did not help: the next question goes out as it is meant.
    ask(&*model, &full()).await;
    let third = fake.requests()[2].body.to_string();
    assert!(third.contains("\"system\""), "{third}");
}

#[tokio::test]
async fn streams_and_whole_answers_are_known_by_what_they_are() {
    let (stop, _) = OPENAI.finishes();
    let events = |kind: &str| {
        let mut reply = Reply::text("");
        if !kind.is_empty() {
            reply = reply.header("content-type", kind);
        }
        let pieces = OPENAI.pieces(&["The ", "cup"]);
        let messages = pieces.into_iter().chain(OPENAI.end(stop));
        messages.fold(reply, |reply, message| {
            reply.then(format!("data: {message}\n\n"))
        })
    };
    let lines: String = OPENAI
        .pieces(&["The ", "cup"])
        .into_iter()
        .chain(OPENAI.end(stop))
        .map(|message| format!("{message}\n"))
        .collect();
    let whole = OPENAI.whole("The cup", stop);
    let mut unended = whole.clone();
    unended["choices"][0]["finish_reason"] = Value::Null;
    for reply in [
        events(""),
        events("application/json"),
        events("text/plain; charset=utf-8"),
        Reply::text(lines).header("content-type", "application/x-ndjson"),
        Reply::json(&whole).header("content-type", "text/event-stream"),
        Reply::text(whole.to_string()).header("content-type", "text/event-stream"),
        Reply::text(format!("\u{feff}{whole}")),
        Reply::text("\r\n \n").then(whole.to_string()),
        Reply::json(&unended),
        Reply::text(gzip(whole.to_string().as_bytes())).header("content-encoding", "gzip"),
    ] {
        let fake = Fake::start([reply]).await;
        let outcome = ask(&*model(&OPENAI.table(&fake, "retries = 0")), &words("hi")).await;
        assert_eq!(outcome.answer.text, "The cup", "{:?}", outcome.error);
        assert_eq!(outcome.answer.finish, Some(Finish::Stop));
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn what_came_instead_of_an_answer_is_told() {
    let openai = |message: Value, finish: &str| json!({"choices": [{"index": 0, "message": message, "finish_reason": finish}]});
    let call = json!({"content": null, "tool_calls": [{"function": {"name": "f", "arguments": "{\"marks\":[3]}"}}]});
    let thought = json!({"content": "", "reasoning_content": "It may be [3]"});
    for (wire, message, told) in [
        (OPENAI, openai(call, "tool_calls"), "the call of a tool"),
        (
            OPENAI,
            openai(thought.clone(), "stop"),
            "thought, but said nothing",
        ),
        (OPENAI, openai(thought, "length"), "used up max_tokens"),
        (OPENAI, json!({"choices": []}), "{\"choices\":[]}"),
        (
            OPENAI,
            json!({"code": 500, "msg": "404 NOT_FOUND", "success": false}),
            "HTTP 500: 404 NOT_FOUND",
        ),
        (
            OPENAI,
            json!({"choices": [{"error": {"code": 502, "message": "upstream is gone"}, "finish_reason": "error"}]}),
            "upstream is gone",
        ),
        (
            ANTHROPIC,
            json!({"type": "message", "content": [{"type": "tool_use", "name": "f", "input": {}}], "stop_reason": "tool_use"}),
            "the call of a tool",
        ),
        (
            GEMINI,
            json!({"candidates": [{"content": {"parts": [{"text": "hm", "thought": true}]}, "finishReason": "STOP"}]}),
            "thought, but said nothing",
        ),
    ] {
        let fake = Fake::start([Reply::json(&message)]).await;
        let outcome = ask(&*model(&wire.table(&fake, "retries = 0")), &words("hi")).await;
        let error = outcome.error.unwrap();
        assert!(error.message().contains(told), "{message}: {error}");
    }

    let event = Reply::text(
        "event: error\ndata: {\"message\":\"rate limited\",\"type\":\"rate_limit\"}\n\n",
    );
    let event = event.header("content-type", "text/event-stream");
    let fake = Fake::start([event]).await;
    let outcome = ask(&*model(&OPENAI.table(&fake, "retries = 0")), &words("hi")).await;
    let error = outcome.error.unwrap();
    assert!(error.message().contains("rate limited"), "{error}");
}

#[tokio::test]
async fn certificates_that_cannot_be_read_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("company.pem");
    let fake = Fake::start([]).await;
    let told = async || {
        let more = format!("certificates = '{}'", file.display());
        let outcome = ask(&*model(&OPENAI.table(&fake, &more)), &words("hi")).await;
        outcome.error.unwrap().message().to_owned()
    };
    let missing = told().await;
    assert!(missing.contains("company.pem"), "{missing}");
    std::fs::write(&file, "no certificate").unwrap();
    let none = told().await;
    assert!(none.contains("no certificate in it"), "{none}");
    assert!(fake.requests().is_empty());
}
