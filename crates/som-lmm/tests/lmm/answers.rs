use serde_json::json;
use som_core::{Finish, Usage};

use crate::{
    fake::{Fake, Reply, ask, model, words},
    wire::{OPENAI, WIRES},
};

const USAGE: Usage = Usage {
    input_tokens: 123,
    output_tokens: 7,
    cached_tokens: 20,
};

#[tokio::test]
async fn a_stream_comes_through_piece_by_piece() {
    for wire in WIRES {
        let fake = Fake::start([wire.stream(&["The ", "cup ", "[3]."])]).await;
        let outcome = ask(&*model(&wire.table(&fake, "")), &words("hi")).await;
        assert_eq!(outcome.deltas, ["The ", "cup ", "[3]."], "{wire:?}");
        assert_eq!(outcome.answer.usage, Some(USAGE), "{wire:?}");
        assert_eq!(outcome.answer.finish, Some(Finish::Stop));
        assert!(outcome.answer.is_complete());
    }
}

#[tokio::test]
async fn pieces_are_passed_on_as_they_come() {
    for wire in WIRES {
        // The second half never comes: what is there must not wait for it.
        let start = Reply::events(wire.pieces(&["early"])).pause(60_000);
        let fake = Fake::start([start]).await;
        let model = model(&wire.table(&fake, "idle_ms = 300"));
        let outcome = ask(&*model, &words("hi")).await;
        assert_eq!(outcome.deltas, ["early"], "{wire:?}");
        let Some(Finish::Partial(why)) = outcome.answer.finish else {
            panic!("{:?}", outcome.answer)
        };
        assert!(why.contains("no more of the answer within 300"), "{why}");
    }
}

#[tokio::test]
async fn an_answer_in_one_piece_is_the_same() {
    for wire in WIRES {
        let reply = Reply::json(&wire.whole("The cup [3].", wire.finishes().0));
        // Whether asked for or not.
        let fake = Fake::start([reply.clone(), reply]).await;
        for stream in ["stream = false", "stream = true"] {
            let outcome = ask(&*model(&wire.table(&fake, stream)), &words("hi")).await;
            assert_eq!(outcome.answer.text, "The cup [3].", "{wire:?}");
            assert_eq!(outcome.answer.usage, Some(USAGE), "{wire:?}");
            assert_eq!(outcome.answer.finish, Some(Finish::Stop));
        }
    }
}

#[tokio::test]
async fn an_answer_that_was_too_long_says_so() {
    for wire in WIRES {
        let messages = wire
            .pieces(&["The cup"])
            .into_iter()
            .chain(wire.end(wire.finishes().1));
        let streamed = wire.closed(Reply::events(messages));
        let whole = Reply::json(&wire.whole("The cup", wire.finishes().1));
        let fake = Fake::start([streamed, whole]).await;
        let model = model(&wire.table(&fake, ""));
        for _ in 0..2 {
            let outcome = ask(&*model, &words("hi")).await;
            assert_eq!(outcome.answer.text, "The cup");
            assert_eq!(outcome.answer.finish, Some(Finish::Length), "{wire:?}");
        }
    }
}

#[tokio::test]
async fn refusals_are_told_apart() {
    for wire in WIRES {
        for (message, why) in wire.refusals() {
            let fake = Fake::start([Reply::json(&message)]).await;
            let outcome = ask(&*model(&wire.table(&fake, "stream = false")), &words("hi")).await;
            let refusal = Finish::Refusal(why.into());
            assert_eq!(outcome.answer.finish, Some(refusal), "{wire:?}");
        }
    }
    // In pieces, too.
    let refused =
        |text: &str| json!({"choices": [{"delta": {"refusal": text}, "finish_reason": null}]});
    let messages = [refused("I can"), refused("not.")]
        .into_iter()
        .chain(OPENAI.end("stop"));
    let fake = Fake::start([OPENAI.closed(Reply::events(messages))]).await;
    let outcome = ask(&*model(&OPENAI.table(&fake, "")), &words("hi")).await;
    assert_eq!(
        outcome.answer.finish,
        Some(Finish::Refusal("I cannot.".into()))
    );
}

#[tokio::test]
async fn servers_that_bend_the_rules_are_understood() {
    let wire = OPENAI;
    let text = || wire.pieces(&["ok"]);
    let thought = json!({"choices": [{"delta": {"reasoning_content": "hm", "content": null}}]});
    let in_parts = json!({"choices": [{"delta": {"content": [{"type": "text", "text": "ok"}]}}]});
    let replies = [
        // No reason for the end, but the mark of one.
        Reply::events(text()).then("data: [DONE]\n\n"),
        // The reason, but no mark, and no empty line after the last event.
        Reply::events(text()).then(format!("data: {}", wire.end("stop")[0])),
        // Comments between the events, and other ends of lines.
        Reply::events(text()).then(": keep-alive\r\n\r\ndata: [DONE]\r\n\r\n"),
        wire.closed(Reply::events([thought, in_parts])),
    ];
    let count = replies.len();
    let fake = Fake::start(replies).await;
    let model = model(&wire.table(&fake, ""));
    for case in 0..count {
        let outcome = ask(&*model, &words("hi")).await;
        assert_eq!(outcome.answer.text, "ok", "case {case}");
        assert_eq!(outcome.answer.finish, Some(Finish::Stop), "case {case}");
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut() {
    let long = "x".repeat(1000);
    let pieces = vec![long.as_str(); 10_000];
    for wire in WIRES {
        // Ten megabytes.
        let fake = Fake::start([
            wire.stream(&pieces),
            Reply::json(&wire.whole(&pieces.concat(), "")),
        ])
        .await;
        let model = model(&wire.table(&fake, "answer_bytes = 2500"));
        let outcome = ask(&*model, &words("hi")).await;
        assert_eq!(outcome.answer.text.len(), 2500);
        let why = "longer than 2500 bytes".to_owned();
        assert_eq!(
            outcome.answer.finish,
            Some(Finish::Partial(why)),
            "{wire:?}"
        );

        let error = ask(&*model, &words("hi")).await.error.unwrap();
        assert_eq!(error.kind(), som_core::ErrorKind::Exhausted, "{error}");
    }
}
