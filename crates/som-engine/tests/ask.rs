//! The pipeline of asking, over a model that says what the test has it say.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use futures_util::{StreamExt as _, stream};
use image::{Rgb, RgbImage};
use serde_json::json;
use som_core::{
    AnswerEvent, BBox, Call, Cancellation, Canvas, Descriptor, Error, ErrorKind, Finish,
    ImagePolicy, Labelling, LmmProvider, MarkStyle, Marks, Mask, Part, Prompt, ProviderInfo,
    Region, Result, Size, Usage, View,
    lmm::{AnswerStream, Prices, Role},
    prompt::{Layout, Template},
    task::Task,
};
use som_engine::{
    Engine, RegionSource,
    ask::{AskEvent, AskImage, AskOutcome, AskRequest, Budget, Exchange},
    compare::{CompareRequest, CompareRow},
    registry::{Provenance, Registry},
    settings::Ladder,
};
use tokio::sync::mpsc;

const SIZE: Size = Size::new(200, 100);

/// Numbers, drawn as plain plates.
struct Number;

impl Labelling for Number {
    fn label(&self, index: u32) -> Result<String> {
        Ok((index + 1).to_string())
    }

    fn measure(&self, text: &str, call: &Call<'_>) -> Result<Size> {
        let height = call.number("font_size").unwrap_or(10.0).ceil() as u32;
        Ok(Size::new(height * text.len() as u32, height))
    }
}

impl MarkStyle for Number {
    fn labelling(&self) -> Option<&dyn Labelling> {
        Some(self)
    }

    fn draw(&self, canvas: &mut Canvas<'_>, marks: &Marks<'_>, _: &Call<'_>) -> Result<()> {
        for mark in marks {
            let BBox { x, y, .. } = mark.label_box;
            canvas.put_pixel(x, y, Rgb(mark.color.0));
        }
        Ok(())
    }
}

/// A model that gives its answers one after the other, and keeps what it was asked.
struct Script {
    info: ProviderInfo,
    answers: Mutex<VecDeque<Result<Vec<AnswerEvent>>>>,
    prompts: Mutex<Vec<Prompt>>,
}

impl LmmProvider for Script {
    fn info(&self) -> &ProviderInfo {
        &self.info
    }

    fn ask<'a>(&'a self, prompt: &'a Prompt, _: &'a Cancellation) -> AnswerStream<'a> {
        self.prompts.lock().unwrap().push(prompt.clone());
        let answer = self.answers.lock().unwrap().pop_front();
        let events = match answer.unwrap_or_else(|| Err(Error::unavailable("nothing left to say")))
        {
            Ok(events) => events.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        };
        stream::iter(events).boxed()
    }
}

/// Sees images as they are, and can keep to a schema.
fn info() -> ProviderInfo {
    ProviderInfo {
        name: "script".into(),
        provider: "script".into(),
        model: "script-1".into(),
        vision: true,
        structured: true,
        images: ImagePolicy {
            view: View::UNLIMITED,
            ..ImagePolicy::default()
        },
        context_tokens: None,
        prices: Some(Prices {
            input: 1.0,
            output: 10.0,
            cached: None,
        }),
    }
}

/// An answer in two pieces that takes 100 tokens of prompt and 10 of answer.
fn says(text: &str) -> Result<Vec<AnswerEvent>> {
    let middle = text.floor_char_boundary(text.len() / 2);
    let usage = Usage {
        input_tokens: 100,
        output_tokens: 10,
        cached_tokens: 0,
    };
    Ok(vec![
        AnswerEvent::Delta(text[..middle].to_owned()),
        AnswerEvent::Delta(text[middle..].to_owned()),
        AnswerEvent::Usage(usage),
        AnswerEvent::Done(Finish::Stop),
    ])
}

struct Scene {
    engine: Arc<Engine>,
    script: Arc<Script>,
}

fn scene(answers: impl IntoIterator<Item = Result<Vec<AnswerEvent>>>) -> Scene {
    scene_with(info(), answers)
}

fn scene_with(
    info: ProviderInfo,
    answers: impl IntoIterator<Item = Result<Vec<AnswerEvent>>>,
) -> Scene {
    let ladder = Ladder::embedded()
        .with_flag("--lmm", "ask.lmm", "script")
        // Its place is taken by the script below.
        .with_flag("--lmm", "lmm.script", json!({"provider": "attributes"}))
        .with_flag("--styles", "mark.styles", vec!["number"]);
    let (settings, _) = ladder.load().unwrap();
    let mut registry = Registry::default();
    let descriptor = Descriptor {
        id: "number".into(),
        version: "1.0.0".into(),
        about: "numbers".into(),
        capabilities: Vec::new(),
        options: json!({"type": "object"}),
        params: json!({"type": "object"}),
    };
    registry
        .add_style(descriptor, Arc::new(Number), Provenance::Embedded)
        .unwrap();
    let script = Arc::new(Script {
        info,
        answers: Mutex::new(answers.into_iter().collect()),
        prompts: Mutex::default(),
    });
    let engine = Engine::new(settings, registry).unwrap();
    Scene {
        engine: Arc::new(engine.with_lmm(script.clone())),
        script,
    }
}

/// An image with three boxes, which become the marks 1, 2 and 3.
fn image() -> AskImage {
    let boxes = [(10, 10, 80, 80), (100, 10, 60, 60), (165, 10, 30, 30)];
    let region =
        |(x, y, width, height)| Region::new(Mask::rect(SIZE, BBox::new(x, y, width, height)));
    AskImage {
        image: RgbImage::from_pixel(SIZE.width, SIZE.height, Rgb([90, 120, 150])).into(),
        regions: RegionSource::Given(boxes.map(region).to_vec()),
    }
}

fn request(task: Task) -> AskRequest {
    AskRequest {
        images: vec![image()],
        layers: None,
        page_size: None,
        max_marks: None,
        task,
        history: Vec::new(),
        lmm: None,
        template: None,
        layout: Layout::default(),
        structured: None,
        votes: 1,
        budget: Budget::default(),
    }
}

fn question(text: &str) -> AskRequest {
    request(Task::named("ask", Some(text)).unwrap())
}

impl Scene {
    async fn ask(&self, request: AskRequest) -> (Result<AskOutcome>, Vec<AskEvent>) {
        let (events, mut received) = mpsc::channel(256);
        let outcome = self
            .engine
            .ask(request, &Cancellation::new(), &events)
            .await;
        drop(events);
        let mut all = Vec::new();
        while let Some(event) = received.recv().await {
            all.push(event);
        }
        (outcome, all)
    }

    async fn answer(&self, request: AskRequest) -> AskOutcome {
        self.ask(request).await.0.unwrap()
    }

    async fn failure(&self, request: AskRequest) -> Error {
        self.ask(request).await.0.unwrap_err()
    }

    fn prompts(&self) -> Vec<Prompt> {
        self.script.prompts.lock().unwrap().clone()
    }
}

/// All words of one turn.
fn words(prompt: &Prompt, turn: usize) -> String {
    let parts = prompt.turns[turn]
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Image(_) => None,
        });
    parts.collect::<Vec<_>>().join("\n")
}

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
        scene.script.answers.lock().unwrap().push_back(says(&text));
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

    let scene = self::scene(answers());
    let cost = Budget {
        max_cost: Some(0.0001),
        ..Budget::default()
    };
    let outcome = scene.answer(votes(cost)).await;
    assert_eq!(outcome.rounds, 1);
    assert!(outcome.cut_short.unwrap().contains("$0.0001"));

    let without_prices = ProviderInfo {
        prices: None,
        ..info()
    };
    let scene = scene_with(without_prices, answers());
    let error = scene.failure(votes(cost)).await;
    assert!(error.message().contains("set lmm.script.prices"), "{error}");
    assert_eq!(scene.prompts().len(), 0);
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
async fn rows_are_compared_side_by_side() {
    let scene = scene([says("[1]"), says("[1]")]);
    let row = |lmm: Option<&str>| CompareRow {
        lmm: lmm.map(str::to_owned),
        ..CompareRow::default()
    };
    let request = CompareRequest {
        ask: question("which?"),
        rows: vec![row(None), row(Some("script")), row(Some("nobody"))],
    };
    let (done, mut received) = mpsc::channel(8);
    let cancellation = Cancellation::new();
    scene
        .engine
        .compare(request, &cancellation, &done)
        .await
        .unwrap();
    drop(done);
    let mut rows = Vec::new();
    while let Some(row) = received.recv().await {
        rows.push(row);
    }
    rows.sort_by_key(|row| row.row);
    assert_eq!(rows.len(), 3);
    for row in &rows[..2] {
        assert_eq!(row.outcome.as_ref().unwrap().text, "[1]");
        assert_eq!(row.markings[0].marked.allocation.marks.len(), 3);
    }
    let error = rows[2].outcome.as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);

    let none = CompareRequest {
        ask: question("which?"),
        rows: Vec::new(),
    };
    let (done, _received) = mpsc::channel(1);
    let error = scene.engine.compare(none, &cancellation, &done).await;
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Invalid);
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
