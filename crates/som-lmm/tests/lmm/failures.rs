use std::time::{Duration, Instant};

use serde_json::json;
use som_core::{Cancellation, ErrorKind, Finish};

use crate::{
    fake::{Fake, Outcome, Reply, ask, ask_until, model, words},
    wire::{ANTHROPIC, OPENAI, WIRES, Wire},
};

/// Asks a server that gives `replies`; also tells how many requests it got.
async fn through(wire: &dyn Wire, more: &str, replies: Vec<Reply>) -> (Outcome, usize) {
    let fake = Fake::start(replies).await;
    let outcome = ask(&*model(&wire.table(&fake, more)), &words("hi")).await;
    (outcome, fake.requests().len())
}

#[tokio::test]
async fn every_status_has_its_kind_and_its_words() {
    let cases = [
        (400, ErrorKind::Invalid, "the request was refused"),
        (401, ErrorKind::Denied, "the key was refused"),
        (403, ErrorKind::Denied, "the key was refused"),
        (404, ErrorKind::NotFound, "no such model or address"),
        (413, ErrorKind::Exhausted, "too large"),
        (429, ErrorKind::Exhausted, "too many requests"),
        (500, ErrorKind::Unavailable, "the server failed"),
        (503, ErrorKind::Unavailable, "the server failed"),
        (501, ErrorKind::Unsupported, "cannot do it"),
        (302, ErrorKind::Invalid, "base_url"),
    ];
    for wire in WIRES {
        for (status, kind, words) in cases {
            let reply = wire.error(status, "because of this");
            let (outcome, count) = through(wire, "retries = 0", vec![reply]).await;
            let error = outcome.error.unwrap();
            assert_eq!(error.kind(), kind, "{status}: {error}");
            for part in [words, "because of this", "lmm \"x\"", &status.to_string()] {
                assert!(error.message().contains(part), "{status}: {error}");
            }
            assert_eq!(count, 1);
        }
    }
}

#[tokio::test]
async fn the_words_of_an_error_are_found_in_any_form() {
    let told = async |reply: Reply| {
        let (outcome, _) = through(OPENAI, "retries = 0", vec![reply.status(400)]).await;
        outcome.error.unwrap().message().to_owned()
    };
    for body in [
        json!({"error": {"message": "why"}}),
        json!({"error": "why"}),
        json!({"message": "why"}),
        json!({"detail": "why"}),
        json!({"detail": [{"msg": "why"}]}),
        json!([{"error": {"message": "why"}}]),
        json!({"strange": "why"}),
    ] {
        let message = told(Reply::json(&body)).await;
        assert!(message.contains("why"), "{message}");
    }
    assert!(told(Reply::text("plain why")).await.contains("plain why"));
    assert!(told(Reply::text("")).await.contains("without explanation"));
    let page = told(Reply::page()).await;
    assert!(page.contains("a web page instead of JSON"), "{page}");
    let long = told(Reply::text("long ".repeat(10_000))).await;
    assert!(long.len() < 1000, "{}", long.len());
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    for wire in WIRES {
        let replies = vec![
            wire.error(429, "slow down").header("retry-after", "0"),
            wire.error(503, "busy"),
            // Broken off before the first word.
            Reply::events(wire.pieces(&[])).cut(),
            wire.stream(&["ok"]),
        ];
        let (outcome, count) = through(wire, "", replies).await;
        assert_eq!(outcome.answer.text, "ok", "{wire:?}: {:?}", outcome.error);
        assert_eq!(count, 4);
    }
}

#[tokio::test]
async fn what_will_not_pass_is_not_tried_again() {
    for status in [400, 401, 403, 404, 413, 501] {
        let (outcome, count) = through(OPENAI, "", vec![OPENAI.error(status, "no")]).await;
        assert!(outcome.error.is_some());
        assert_eq!(count, 1, "{status}");
    }
    let quota = "You exceeded your current quota, please check your plan and billing details.";
    let (outcome, count) = through(OPENAI, "", vec![OPENAI.error(429, quota)]).await;
    assert!(outcome.error.unwrap().message().contains("used up"));
    assert_eq!(count, 1);
}

#[tokio::test]
async fn patience_ends() {
    let busy = || OPENAI.error(503, "busy");
    let (outcome, count) = through(OPENAI, "retries = 2", vec![busy(); 5]).await;
    assert_eq!(outcome.error.unwrap().kind(), ErrorKind::Unavailable);
    assert_eq!(count, 3);

    // A pause that takes longer than everything may is not begun.
    let later = busy().header("retry-after", "3600");
    let start = Instant::now();
    let (outcome, count) = through(OPENAI, "total_ms = 60000", vec![later]).await;
    let error = outcome.error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Exhausted, "{error}");
    assert!(error.message().contains("3600"), "{error}");
    assert_eq!(count, 1);
    assert!(start.elapsed() < Duration::from_secs(30));
}

#[tokio::test]
async fn the_server_says_how_long_to_wait() {
    let start = Instant::now();
    let later = OPENAI.error(429, "slow down").header("retry-after", "1");
    let (outcome, _) = through(OPENAI, "", vec![later, OPENAI.stream(&["ok"])]).await;
    assert_eq!(outcome.answer.text, "ok");
    assert!(start.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn what_breaks_off_is_kept_and_never_asked_again() {
    for wire in WIRES {
        let begun = || Reply::events(wire.pieces(&["The ", "cup"]));
        let error = wire.busy();
        for (end, why) in [
            (begun(), "broke off before its end"),
            (begun().cut(), "the connection broke"),
            (begun().pause(30).then(format!("data: {error}\n\n")), "busy"),
            (
                begun().pause(30).then("data: {\"half\n\n"),
                "malformed JSON",
            ),
            // Even if it comes with the words.
            (
                Reply::events(wire.pieces(&["The cup"])).then("data: {]\n\n"),
                "malformed JSON",
            ),
        ] {
            let (outcome, count) = through(wire, "", vec![end, wire.stream(&["again"])]).await;
            assert_eq!(outcome.answer.text, "The cup", "{wire:?} {why}");
            let Some(Finish::Partial(told)) = outcome.answer.finish else {
                panic!("{wire:?} {why}: {:?}", outcome.answer)
            };
            assert!(told.contains(why), "{told}");
            assert_eq!(count, 1);
        }
    }
}

#[tokio::test]
async fn an_overloaded_server_that_says_so_in_the_stream_is_asked_again() {
    let replies = vec![Reply::events([ANTHROPIC.busy()]), ANTHROPIC.stream(&["ok"])];
    let (outcome, count) = through(ANTHROPIC, "", replies).await;
    assert_eq!((outcome.answer.text.as_str(), count), ("ok", 2));
}

#[tokio::test]
async fn what_is_no_answer_is_named() {
    for wire in WIRES {
        let stop = wire.finishes().0;
        for (reply, kind, why) in [
            (Reply::page(), ErrorKind::Invalid, "is base_url right?"),
            (
                Reply::text("{\"half"),
                ErrorKind::Unavailable,
                "malformed JSON",
            ),
            (Reply::text(""), ErrorKind::Unavailable, "with nothing"),
            (
                Reply::json(&wire.whole("", stop)),
                ErrorKind::Unavailable,
                "the answer is empty",
            ),
            (Reply::json(&json!({})), ErrorKind::Unavailable, "broke off"),
            (
                Reply::json(&json!([1])),
                ErrorKind::Unavailable,
                "broke off",
            ),
            (
                wire.stream(&[]),
                ErrorKind::Unavailable,
                "the answer is empty",
            ),
        ] {
            let (outcome, _) = through(wire, "retries = 0", vec![reply]).await;
            let error = outcome.error.unwrap();
            assert_eq!(error.kind(), kind, "{wire:?}: {error}");
            assert!(error.message().contains(why), "{wire:?}: {error}");
        }
    }
}

#[tokio::test]
async fn nobody_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let table = format!("[lmm.x]\nbase_url = 'http://{address}/v1'\nmodel = 'm'\nbackoff_ms = 1");
    let error = ask(&*model(&table), &words("hi")).await.error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message().contains("cannot connect"), "{error}");
}

/// A server that takes connections and says nothing.
async fn silent() -> (tokio::net::TcpListener, String) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    (listener, url)
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let (_listener, url) = silent().await;
    for (limit, why) in [
        ("first_byte_ms = 200", "no response within 200"),
        ("total_ms = 200", "took too long in all"),
    ] {
        let table = format!("[lmm.x]\nbase_url = '{url}'\nmodel = 'm'\n{limit}");
        let error = ask(&*model(&table), &words("hi")).await.error.unwrap();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        assert!(error.message().contains(why), "{error}");
    }
}

#[tokio::test]
async fn the_caller_may_leave_at_any_time() {
    // Before the response, in the middle of the answer, and while waiting to ask again.
    let (_listener, url) = silent().await;
    let begun = Reply::events(OPENAI.pieces(&["The cup"])).pause(60_000);
    let busy = OPENAI.error(503, "busy").header("retry-after", "100");
    let fakes = [Fake::start([begun]).await, Fake::start([busy]).await];
    let urls = [
        url,
        format!("{}/v1", fakes[0].url()),
        format!("{}/v1", fakes[1].url()),
    ];
    for url in urls {
        let table = format!("[lmm.x]\nbase_url = '{url}'\nmodel = 'm'");
        let cancellation = Cancellation::new();
        let later = cancellation.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(200)).await;
            later.cancel();
        });
        let start = Instant::now();
        let outcome = ask_until(&*model(&table), &words("hi"), &cancellation).await;
        assert_eq!(outcome.error.unwrap().kind(), ErrorKind::Cancelled);
        assert!(start.elapsed() < Duration::from_secs(30));

        // A deadline does the same.
        let deadline = Cancellation::new().with_timeout(Duration::from_millis(100));
        let outcome = ask_until(&*model(&table), &words("hi"), &deadline).await;
        assert!(outcome.error.is_some());
    }
}

#[tokio::test]
async fn requests_beyond_the_limit_wait_or_are_refused() {
    let fake = Fake::start([OPENAI.stream(&["ok"]), OPENAI.stream(&["ok"])]).await;
    let model = model(&OPENAI.table(&fake, "requests_per_minute = 1\ntotal_ms = 5000"));
    assert_eq!(ask(&*model, &words("hi")).await.answer.text, "ok");
    let error = ask(&*model, &words("hi")).await.error.unwrap();
    assert_eq!(error.kind(), ErrorKind::Exhausted);
    assert!(error.message().contains("requests a minute"), "{error}");
    assert_eq!(fake.requests().len(), 1);
}
