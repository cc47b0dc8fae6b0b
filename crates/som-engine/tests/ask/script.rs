//! A model that says what a test has it say, and the scene that it is asked about.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, atomic::AtomicUsize},
};

use futures_util::{StreamExt as _, stream};
use image::{Rgb, RgbImage};
use serde_json::json;
use som_core::{
    AnswerEvent, AnswerStream, BBox, Call, Cancellation, Canvas, Descriptor, Error, Finish,
    HintKind, ImagePolicy, Labelling, LmmProvider, MarkStyle, Marks, Mask, Part, Prices, Prompt,
    ProviderInfo, Region, Result, SegmenterFactory, Size, Usage, View, task::Task,
};
use som_engine::{
    Engine, RegionSource,
    ask::{AskEvent, AskImage, AskOutcome, AskRequest},
    registry::{Provenance, Registry},
    settings::Ladder,
};
use som_test::{Calls, Columns, Cutter};
use tokio::sync::mpsc;

pub(crate) const SIZE: Size = Size::new(200, 100);

/// Numbers, drawn as plain plates.
pub(crate) struct Number;

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
pub(crate) struct Script {
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
pub(crate) fn info() -> ProviderInfo {
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
pub(crate) fn says(text: &str) -> Result<Vec<AnswerEvent>> {
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

pub(crate) struct Scene {
    pub(crate) engine: Arc<Engine>,
    script: Arc<Script>,
    /// How many calls the segmenter `columns` has had.
    pub(crate) cuts: Arc<AtomicUsize>,
    /// Those of the refiner `cutter`.
    pub(crate) refinements: Calls,
}

pub(crate) fn scene(answers: impl IntoIterator<Item = Result<Vec<AnswerEvent>>>) -> Scene {
    scene_with(info(), answers)
}

pub(crate) fn scene_with(
    info: ProviderInfo,
    answers: impl IntoIterator<Item = Result<Vec<AnswerEvent>>>,
) -> Scene {
    let ladder = Ladder::embedded()
        .with_flag("--lmm", "ask.lmm", "script")
        // Its place is taken by the script below.
        .with_flag("--lmm", "lmm.script", json!({"provider": "attributes"}))
        .with_flag("--styles", "mark.styles", vec!["number"])
        .with_flag("--set", "segmenter.columns.instances", 1);
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
    let (columns, cutter) = (Columns::default(), Cutter::of(&HintKind::ALL));
    let (cuts, refinements) = (columns.calls(), cutter.calls());
    let segmenters: [Arc<dyn SegmenterFactory>; 2] = [Arc::new(columns), Arc::new(cutter)];
    for segmenter in segmenters {
        registry
            .add_segmenter(segmenter, Provenance::Embedded)
            .unwrap();
    }
    let engine = Engine::new(settings, registry).unwrap();
    Scene {
        cuts,
        refinements,
        engine: Arc::new(engine.with_lmm(script.clone())),
        script,
    }
}

/// An image with three boxes, which become the marks 1, 2 and 3.
pub(crate) fn image() -> AskImage {
    let boxes = [(10, 10, 80, 80), (100, 10, 60, 60), (165, 10, 30, 30)];
    let region =
        |(x, y, width, height)| Region::new(Mask::rect(SIZE, BBox::new(x, y, width, height)));
    let image = RgbImage::from_pixel(SIZE.width, SIZE.height, Rgb([90, 120, 150]));
    let regions = RegionSource::Given(boxes.map(region).to_vec().into());
    AskImage::new(image.into(), regions)
}

pub(crate) fn request(task: Task) -> AskRequest {
    AskRequest::new(vec![image()], task)
}

pub(crate) fn question(text: &str) -> AskRequest {
    request(Task::named("ask", Some(text)).unwrap())
}

impl Scene {
    pub(crate) async fn ask(&self, request: AskRequest) -> (Result<AskOutcome>, Vec<AskEvent>) {
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

    pub(crate) async fn answer(&self, request: AskRequest) -> AskOutcome {
        self.ask(request).await.0.unwrap()
    }

    pub(crate) async fn failure(&self, request: AskRequest) -> Error {
        self.ask(request).await.0.unwrap_err()
    }

    /// Adds an answer to those the model has left.
    pub(crate) fn then_says(&self, text: &str) {
        self.script.answers.lock().unwrap().push_back(says(text));
    }

    pub(crate) fn prompts(&self) -> Vec<Prompt> {
        self.script.prompts.lock().unwrap().clone()
    }
}

/// All words of one turn.
pub(crate) fn words(prompt: &Prompt, turn: usize) -> String {
    let parts = prompt.turns[turn]
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Image(_) => None,
        });
    parts.collect::<Vec<_>>().join("\n")
}
