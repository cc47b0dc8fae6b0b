//! The pipeline of asking, over a model that says what the test has it say.

#![allow(clippy::unwrap_used, clippy::panic)]

mod compare;
mod script;

use serde_json::json;
use som_core::{
    AnswerEvent, BBox, Cancellation, Error, ErrorKind, Finish, ImagePolicy, Prompt, ProviderInfo,
    Role, Size, Usage, View,
    prompt::{Layout, Template},
    task::Task,
};
use som_engine::ask::{AskEvent, AskRequest, Budget, Exchange};
use tokio::sync::mpsc;

use self::script::{image, info, question, request, says, scene, scene_with, words};

#[tokio::test]
async fn stages_come_in_order() {
    let scene = scene([says("It is [2],\nnot [3].")]);
    let (outcome, events) = scene.ask(question("what is green?")).await;
    let outcome = outcome.unwrap();
    assert_eq!(outcome.text, "It is [2],\nnot [3].");
    let marks: Vec<_> = outcome
        .grounded
        .mentions
        .iter()
        .map(|m| &m.marks[..])
        .collect();
    assert_eq!(marks, [[2], [3]]);
    assert_eq!((outcome.rounds, outcome.is_partial()), (1, false));
    assert_eq!(outcome.cost, Some(100.0 / 1e6 + 10.0 * 10.0 / 1e6));
    assert!(outcome.consensus.is_none() && outcome.cut_short.is_none());

    let names: Vec<&str> = events
        .iter()
        .map(|event| match event {
            AskEvent::Regions { .. } => "regions",
            AskEvent::Marked { .. } => "marked",
            AskEvent::Round { .. } => "round",
            AskEvent::Text(_) => "text",
            AskEvent::Mention(_) => "mention",
            AskEvent::Usage(_) => "usage",
        })
        .collect();
    assert_eq!(
        names,
        ["marked", "round", "text", "text", "mention", "usage"]
    );

    let prompt = &scene.prompts()[0];
    let system = prompt.system.as_ref().unwrap();
    assert!(system.contains("carry the labels 1 to 3"), "{system}");
    assert_eq!(words(prompt, 0), "what is green?");
    assert_eq!(prompt.images().count(), 1);
    assert_eq!((&prompt.schema, prompt.max_tokens), (&None, None));
    assert_eq!(prompt.notes.question, "what is green?");
    let names: Vec<_> = prompt
        .notes
        .regions
        .iter()
        .map(|note| &note.name[..])
        .collect();
    assert_eq!(names, ["1", "2", "3"]);
}

#[tokio::test]
async fn an_answer_with_missing_marks_is_mended_once() {
    let scene = scene([says("It is [7]."), says("It is [9]."), says("never")]);
    let outcome = scene.answer(question("which?")).await;
    assert_eq!((outcome.text.as_str(), outcome.rounds), ("It is [9].", 2));
    let prompts = scene.prompts();
    assert_eq!(prompts.len(), 2);
    let roles: Vec<Role> = prompts[1].turns.iter().map(|turn| turn.role).collect();
    assert_eq!(roles, [Role::User, Role::Assistant, Role::User]);
    assert_eq!(words(&prompts[1], 1), "It is [7].");
    assert!(words(&prompts[1], 2).starts_with("There is no region labelled [7]."));

    // Without a second round, or if it fails, the first answer stands.
    let once = Budget {
        max_rounds: 1,
        ..Budget::default()
    };
    for (budget, rounds) in [(once, 1), (Budget::default(), 1)] {
        let scene = self::scene([says("It is [7].")]);
        let request = AskRequest {
            budget,
            ..question("which?")
        };
        let outcome = scene.answer(request).await;
        assert_eq!(
            (outcome.text.as_str(), outcome.rounds),
            ("It is [7].", rounds)
        );
    }
}

#[tokio::test]
async fn a_second_answer_that_is_worse_is_not_taken() {
    let first = "The cup is [3], the plate [2], the spoon [99].";
    let cut = vec![
        AnswerEvent::Delta("The cu".to_owned()),
        AnswerEvent::Done(Finish::Length),
    ];
    for second in [Ok(cut), says("[98] or [99]"), says(" ")] {
        let scene = scene([says(first), second]);
        let outcome = scene.answer(question("which?")).await;
        assert_eq!((outcome.text.as_str(), outcome.rounds), (first, 2));
        assert_eq!(outcome.finish, Finish::Stop);
    }
}

#[tokio::test]
async fn what_is_too_much_or_has_no_place_is_refused() {
    let votes = AskRequest {
        votes: 65,
        ..question("which?")
    };
    let wordless = AskRequest {
        template: Some(Template::parse("Name what you see.").unwrap()),
        ..question("which?")
    };
    for (request, why) in [(votes, "votes is 65"), (wordless, "write {question}")] {
        let scene = scene([says("never")]);
        let error = scene.failure(request).await;
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.message().contains(why), "{error}");
        assert!(scene.prompts().is_empty());
    }
}

#[tokio::test]
async fn boxes_become_marks_and_history_keeps_them() {
    let scene = scene([says("[4] is dark."), says("[5] is darker than [4].")]);
    let (_, events) = scene
        .ask(question("what is in {box:5,5,20,10}, next to [1]?"))
        .await;
    let Some(AskEvent::Marked { marking, .. }) = events.first() else {
        panic!("{events:?}");
    };
    let marks = &marking.marked.allocation.marks;
    assert_eq!(marks.len(), 4);
    assert_eq!(marks[3].mark.region.bbox(), BBox::new(5, 5, 20, 10));
    assert_eq!(
        words(&scene.prompts()[0], 0),
        "what is in [4], next to [1]?"
    );

    let request = AskRequest {
        history: vec![Exchange {
            question: "what is in {box:5,5,20,10}, next to [1]?".into(),
            answer: "[4] is dark.".into(),
        }],
        ..question("and in {box:100,80,90,15}?")
    };
    let outcome = scene.answer(request).await;
    let prompt = &scene.prompts()[1];
    assert_eq!(prompt.turns.len(), 3);
    assert_eq!(words(prompt, 0), "what is in [4], next to [1]?");
    assert_eq!(words(prompt, 1), "[4] is dark.");
    assert_eq!(words(prompt, 2), "and in [5]?");
    assert_eq!(outcome.grounded.mentions.len(), 2);

    let error = scene.failure(question("what is {mark:9}?")).await;
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.message().contains("the marks are 1 to 3"), "{error}");
    let error = scene.failure(question("what is {box:190,5,20,10}?")).await;
    assert!(
        error.message().contains("does not lie in the image"),
        "{error}"
    );
}

/// Whatever the labels say in each vote, the model of this test means the same regions.
#[tokio::test]
async fn votes_are_told_in_the_labels_of_the_first() {
    let task = Task::named("refer", Some("the left box; the box beside [1]")).unwrap();
    // The second and third answers are written once the labels are known.
    let scene = scene([says("the left box: [1]\nthe box beside [1]: [3]")]);
    let request = AskRequest {
        votes: 3,
        structured: Some(false),
        // What finds the labels out leaves an expression out.
        budget: Budget {
            max_rounds: 1,
            ..Budget::default()
        },
        ..request(task)
    };
    let labels = {
        // The same request gives the same labels: a first run finds them out.
        let spy = self::scene([says("[1]"), says("[1]"), says("[1]")]);
        spy.answer(request.clone()).await;
        let prompts = spy.prompts();
        let names = |prompt: &Prompt| -> Vec<String> {
            let notes = prompt.notes.regions.iter();
            notes.map(|note| note.name.clone()).collect()
        };
        prompts.iter().map(names).collect::<Vec<_>>()
    };
    assert_eq!(labels[0], ["1", "2", "3"]);
    assert!(
        labels[1..].iter().any(|names| *names != labels[0]),
        "{labels:?}"
    );
    for names in &labels[1..] {
        let (first, second) = (&names[0], &names[1]);
        let text = format!("the left box: [{first}]\nthe box beside [{first}]: [{second}]");
        scene.then_says(&text);
    }
    let outcome = scene.answer(request).await;
    for (prompt, names) in scene.prompts().iter().zip(&labels) {
        let asked = words(prompt, 0);
        assert!(
            asked.contains(&format!("the box beside [{}]", names[0])),
            "{asked}"
        );
    }
    assert_eq!(outcome.text, "the left box: [1]\nthe box beside [1]: [2]");
    let findings = &outcome.grounded.findings;
    assert_eq!(findings[1].text, "the box beside [1]");
    assert_eq!(
        (&findings[0].marks[..], &findings[1].marks[..]),
        (&[1][..], &[2][..])
    );
    let consensus = outcome.consensus.unwrap();
    assert_eq!(consensus.findings[0], 1.0);
    assert!((consensus.findings[1] - 2.0 / 3.0).abs() < 1e-9);
    let votes: Vec<_> = consensus
        .regions
        .iter()
        .map(|r| (r.mark, r.votes))
        .collect();
    assert_eq!(votes, [(1, 3), (2, 2), (3, 1)]);
}

#[tokio::test]
async fn budgets_end_what_they_limit() {
    let votes = |budget| AskRequest {
        votes: 3,
        budget,
        ..question("which?")
    };
    let answers = || [says("[1]"), says("[1]"), says("[1]")];
    let scene = self::scene(answers());
    let tokens = Budget {
        max_tokens: Some(15),
        ..Budget::default()
    };
    let outcome = scene.answer(votes(tokens)).await;
    assert_eq!(outcome.rounds, 2);
    assert_eq!(
        outcome.cut_short.as_deref(),
        Some("the budget of 15 tokens is used up")
    );
    let limits: Vec<_> = scene
        .prompts()
        .iter()
        .map(|prompt| prompt.max_tokens)
        .collect();
    assert_eq!(limits, [Some(15), Some(5)]);

    let cost = |dollars| Budget {
        max_cost: Some(dollars),
        ..Budget::default()
    };
    let without_prices = ProviderInfo {
        prices: None,
        ..info()
    };
    let scene = scene_with(without_prices, answers());
    let error = scene.failure(votes(cost(1.0))).await;
    assert!(error.message().contains("set lmm.script.prices"), "{error}");
    assert_eq!(scene.prompts().len(), 0);
}

/// A million tokens cost $1 in a prompt, and $10 in an answer.
#[tokio::test]
async fn no_request_may_cost_more_than_is_left() {
    let votes = |max_cost| AskRequest {
        votes: 3,
        budget: Budget {
            max_cost: Some(max_cost),
            ..Budget::default()
        },
        ..question("which?")
    };
    // The prompt alone may cost more.
    let scene = self::scene([says("[1]")]);
    let error = scene.failure(votes(0.0001)).await;
    assert_eq!(error.kind(), ErrorKind::Exhausted);
    assert!(
        error.message().starts_with("the budget of $0.0001"),
        "{error}"
    );
    assert_eq!(scene.prompts().len(), 0);

    // What is left when the prompt is paid limits the answer.
    let budget = 0.01;
    let outcome = scene.answer(votes(budget)).await;
    assert_eq!(outcome.rounds, 1, "{:?}", outcome.cut_short);
    let limit = scene.prompts()[0].max_tokens.unwrap();
    assert!(
        limit > 100 && f64::from(limit) * 10.0 / 1e6 < budget,
        "{limit}"
    );

    // A model that counts a hundred times as many tokens as expected is known from then on.
    let dear = |tokens| {
        let usage = Usage {
            input_tokens: tokens,
            output_tokens: 10,
            cached_tokens: 0,
        };
        Ok(vec![
            AnswerEvent::Delta("[1]".to_owned()),
            AnswerEvent::Usage(usage),
            AnswerEvent::Done(Finish::Stop),
        ])
    };
    let scene = self::scene([dear(100_000), says("[1]"), says("[1]")]);
    let outcome = scene.answer(votes(0.19)).await;
    assert_eq!((outcome.rounds, scene.prompts().len()), (1, 1));
    let why = outcome.cut_short.unwrap();
    assert!(
        why.contains("the budget of $0.19 has $0.0899 left"),
        "{why}"
    );
    assert!(outcome.cost.unwrap() < 0.19);
}

#[tokio::test]
async fn broken_answers_are_kept() {
    let endings = [
        (Finish::Length, true),
        (Finish::Partial("the stream stopped".into()), true),
        (Finish::Refusal("unsafe".into()), true),
        (Finish::Stop, false),
    ];
    for (finish, is_partial) in endings {
        let events = vec![
            AnswerEvent::Delta("[2] is".into()),
            AnswerEvent::Done(finish.clone()),
        ];
        let outcome = scene([Ok(events)]).answer(question("which?")).await;
        assert_eq!(
            (&outcome.finish, outcome.is_partial()),
            (&finish, is_partial)
        );
        assert_eq!(outcome.grounded.mentions[0].marks, [2]);
    }
    let empty = scene([Ok(vec![AnswerEvent::Done(Finish::Stop)])]);
    assert_eq!(empty.answer(question("which?")).await.text, "");
    let failing = scene([Err(Error::unavailable("no route"))]);
    let error = failing.failure(question("which?")).await;
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    // A further vote that fails leaves the others.
    let scene = scene([says("[1]"), Err(Error::unavailable("no route"))]);
    let request = AskRequest {
        votes: 2,
        ..question("which?")
    };
    let outcome = scene.answer(request).await;
    assert_eq!(outcome.text, "[1]");
    assert!(outcome.cut_short.unwrap().contains("no route"));
}

#[tokio::test]
async fn what_the_model_cannot_do_is_refused_before_anything_is_sent() {
    let blind = ProviderInfo {
        vision: false,
        ..info()
    };
    let scene = scene_with(blind, [says("never")]);
    let error = scene.failure(question("which?")).await;
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(scene.prompts().is_empty());

    let scene = self::scene([says("never")]);
    for (text, why) in [
        ("what is [99]?", "there is no mark 99 (the marks are "),
        ("is mark 7 left of mark 1?", "\"7\": there is no mark 7"),
    ] {
        let error = scene.failure(question(text)).await;
        assert_eq!(error.kind(), ErrorKind::Invalid, "{text}: {error}");
        assert!(error.message().contains(why), "{text}: {error}");
        assert!(scene.prompts().is_empty(), "{text}");
    }
    for (request, why) in [
        (
            AskRequest {
                images: Vec::new(),
                ..question("which?")
            },
            "no image",
        ),
        (
            AskRequest {
                votes: 0,
                ..question("which?")
            },
            "votes is 0",
        ),
        (
            request(Task::Track { marks: Vec::new() }),
            "at least two images",
        ),
        (
            request(Task::Describe {
                marks: vec![9],
                vocabulary: Vec::new(),
            }),
            "no mark 9",
        ),
        (
            AskRequest {
                lmm: Some("scrpt".into()),
                ..question("which?")
            },
            "did you mean \"script\"?",
        ),
        (
            AskRequest {
                template: Some(Template::parse("{question} {vocabulary}").unwrap()),
                ..question("which?")
            },
            "{vocabulary}",
        ),
    ] {
        let error = scene.failure(request).await;
        assert!(error.message().contains(why), "{error}");
    }
    assert!(scene.prompts().is_empty());
}

#[tokio::test]
async fn tasks_are_answered_by_schema_where_the_model_can() {
    let json = r#"{"objects": [{"mark": "2", "found": ["5"]}]}"#;
    let scene = scene([says(json)]);
    let request = AskRequest {
        images: vec![image(), image()],
        layout: Layout {
            clean: true,
            table: true,
        },
        ..request(Task::Track { marks: vec![2] })
    };
    let outcome = scene.answer(request).await;
    let finding = &outcome.grounded.findings[0];
    assert_eq!((finding.of, &finding.marks[..]), (Some(2), &[5][..]));
    let prompt = &scene.prompts()[0];
    assert_eq!(prompt.schema.as_ref().unwrap().name, "track");
    // Both clean and marked, of both images.
    assert_eq!(prompt.images().count(), 4);
    let words = words(prompt, 0);
    assert!(words.contains("[4] 2 10,10,80,80 6400"), "{words}");
}

#[tokio::test]
async fn images_go_out_as_the_model_sees_them() {
    let view = View {
        long_side: 100,
        ..View::UNLIMITED
    };
    let narrow = ProviderInfo {
        images: ImagePolicy {
            view,
            ..ImagePolicy::default()
        },
        ..info()
    };
    let scene = scene_with(narrow, [says(r#"{"bbox_2d": [50, 5, 80, 35]}"#)]);
    let (outcome, events) = scene.ask(question("where is it?")).await;
    let image = scene.prompts()[0].images().next().unwrap().clone();
    assert_eq!(image.size, Size::new(100, 50));
    // Labels are planned for that, and a box in its pixels finds its region.
    let Some(AskEvent::Marked { marking, .. }) = events.first() else {
        panic!("{events:?}");
    };
    let marks = &marking.marked.allocation.marks;
    assert!(
        marks
            .iter()
            .all(|mark| mark.facts.glyph_height >= 9.0 && mark.font_size > 25.0)
    );
    let mention = &outcome.unwrap().grounded.mentions[0];
    assert_eq!(mention.marks, [2]);
}

#[tokio::test]
async fn nobody_listening_calls_the_request_off() {
    let scene = scene([says("[1]")]);
    let (events, received) = mpsc::channel(1);
    drop(received);
    let cancellation = Cancellation::new();
    let outcome = scene.engine.ask(question("which?"), &cancellation, &events);
    assert_eq!(outcome.await.unwrap_err().kind(), ErrorKind::Cancelled);
    assert!(scene.prompts().is_empty());
}

#[tokio::test]
async fn a_probe_counts_what_the_model_reads() {
    let colors = ["red", "blue", "green", "yellow", "white", "black"];
    let matches = |marks: [u32; 6]| {
        let entries = colors.iter().zip(marks).map(|(color, mark)| {
            json!({"expression": format!("the {color} disc"), "marks": [mark.to_string()]})
        });
        json!({"matches": entries.collect::<Vec<_>>()}).to_string()
    };
    let scene = scene([
        says(&matches([1, 2, 3, 4, 5, 6])),
        says(&matches([1, 2, 3, 4, 6, 5])),
        says("I see six discs."),
    ]);
    let cancellation = Cancellation::new();
    for (right, structured) in [(6, true), (4, true), (0, false)] {
        let probe = scene.engine.probe("script", &cancellation).await.unwrap();
        assert_eq!((probe.asked, probe.right), (6, right), "{}", probe.text);
        assert_eq!(probe.structured, Some(structured));
    }
    let prompt = &scene.prompts()[0];
    assert_eq!(prompt.images().count(), 1);
    assert!(words(prompt, 0).contains("the yellow disc"));
}
