//! A data set that is drawn, an engine, and a model whose answers are known.

use std::{
    collections::{HashMap, HashSet},
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::{StreamExt as _, stream};
use image::{Rgb, RgbImage};
use serde_json::{Value, json};
use som_core::{
    AnswerEvent, AnswerStream, BBox, Cancellation, Error, Finish, ImagePolicy, LmmProvider, Mask,
    Prices, Prompt, ProviderInfo, Region, RegionNote, Result, Size, Usage, View,
};
use som_engine::{
    Engine,
    registry::{Provenance, Registry},
    settings::Ladder,
};
use som_eval::{
    data::{Kind, Place},
    report::RunReport,
    run::{self, Estimate, Plan, Ran, ReadRegions, Row, Selection},
    score::Options,
};
use som_test::Columns;
use tempfile::TempDir;

pub(crate) const SIZE: Size = Size::new(240, 120);
/// The boxes of every image, and what they are called.
pub(crate) const THINGS: [(&str, u32, BBox); 3] = [
    ("red", 0xd02020, BBox::new(10, 20, 60, 70)),
    ("green", 0x20a040, BBox::new(90, 30, 50, 60)),
    ("blue", 0x2040d0, BBox::new(170, 40, 40, 50)),
];

/// A folder with a data set of so many images with three expressions each.
pub(crate) struct Drawn(pub(crate) TempDir);

impl Drawn {
    pub(crate) fn of(images: usize) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut lines = String::new();
        for number in 0..images {
            let name = format!("{number}.png");
            image(number).save(folder.path().join(&name)).unwrap();
            for (
                color,
                _,
                BBox {
                    x,
                    y,
                    width,
                    height,
                },
            ) in THINGS
            {
                let mask = Mask::rect(SIZE, BBox::new(x, y, width, height)).to_rle();
                let line = json!({"id": format!("{number}-{color}"), "image": name,
                    "size": [SIZE.width, SIZE.height], "task": "refer",
                    "expression": format!("the {color} box {number}"), "kinds": [color],
                    "targets": [{"box": [x, y, width, height], "mask": mask}]});
                lines += &format!("{line}\n");
            }
        }
        fs::write(folder.path().join("samples.jsonl"), lines).unwrap();
        Self(folder)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub(crate) fn plan(&self, rows: Vec<Row>) -> Plan {
        Plan {
            data: Place {
                kind: Kind::Lines,
                folder: self.0.path().to_owned(),
                split: None,
                images: None,
            },
            selection: Selection::default(),
            rows,
            jobs: 4,
            max_cost: None,
            cache: None,
            keeps_images: false,
        }
    }
}

/// Different images have different bytes, so that they are not one to a cache.
fn image(number: usize) -> RgbImage {
    let mut image = RgbImage::from_pixel(SIZE.width, SIZE.height, Rgb([150, 150, number as u8]));
    for (_, color, bbox) in THINGS {
        let [_, red, green, blue] = color.to_be_bytes();
        for y in bbox.y..bbox.y + bbox.height {
            for x in bbox.x..bbox.x + bbox.width {
                image.put_pixel(x, y, Rgb([red, green, blue]));
            }
        }
    }
    image
}

/// A model that finds the mark of what is asked for by its box, but for some expressions: of these it
/// names another mark, or says something else.
pub(crate) struct Oracle {
    info: ProviderInfo,
    pub(crate) errs: HashSet<String>,
    /// Said in place of an answer.
    pub(crate) instead: HashMap<String, String>,
    /// Expressions at which the server fails.
    pub(crate) fails: Mutex<HashSet<String>>,
    pub(crate) asked: AtomicUsize,
}

impl Oracle {
    pub(crate) fn new() -> Self {
        Self {
            info: ProviderInfo {
                name: "oracle".into(),
                provider: "oracle".into(),
                model: "oracle-1".into(),
                vision: true,
                structured: false,
                images: ImagePolicy {
                    view: View::UNLIMITED,
                    ..ImagePolicy::default()
                },
                context_tokens: None,
                prices: Some(Prices {
                    input: 0.0,
                    output: 1e6,
                    cached: None,
                }),
            },
            errs: HashSet::new(),
            instead: HashMap::new(),
            fails: Mutex::default(),
            asked: AtomicUsize::new(0),
        }
    }

    fn answer(&self, prompt: &Prompt) -> Result<String> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let question = &prompt.notes.question;
        if self.fails.lock().unwrap().contains(question) {
            return Err(Error::unavailable("the server is down"));
        }
        if let Some(instead) = self.instead.get(question) {
            return Ok(instead.clone());
        }
        if prompt
            .notes
            .regions
            .iter()
            .any(|region| region.image_index == 1)
        {
            return Ok(tracked(&prompt.notes.regions));
        }
        let told = THINGS.iter().find(|(color, ..)| question.contains(color));
        let truth = told.map(|(.., bbox)| *bbox).unwrap();
        let is_wanted = |bbox: BBox| (bbox == truth) != self.errs.contains(question);
        let mut regions = prompt.notes.regions.iter();
        let found = regions.find(|region| is_wanted(region.bbox));
        Ok(found.map_or("None of them.".to_owned(), |region| {
            format!("It is [{}].", region.name)
        }))
    }
}

/// The mark of the second image that has most nearly the colour of each of the first.
fn tracked(regions: &[RegionNote]) -> String {
    let of_image = |image| {
        regions
            .iter()
            .filter(move |region| region.image_index == image)
    };
    let distance = |a: &RegionNote, b: &RegionNote| {
        let pairs = a.color.unwrap().0.into_iter().zip(b.color.unwrap().0);
        pairs.map(|(a, b)| u32::from(a.abs_diff(b))).sum::<u32>()
    };
    let line = |region: &RegionNote| {
        let same = of_image(1)
            .min_by_key(|other| distance(region, other))
            .unwrap();
        format!("[{}] → [{}]\n", region.name, same.name)
    };
    of_image(0).map(line).collect()
}

impl LmmProvider for Oracle {
    fn info(&self) -> &ProviderInfo {
        &self.info
    }

    fn ask<'a>(&'a self, prompt: &'a Prompt, _: &'a Cancellation) -> AnswerStream<'a> {
        let events = match self.answer(prompt) {
            Err(error) => vec![Err(error)],
            Ok(text) => {
                let usage = Usage {
                    input_tokens: 100,
                    output_tokens: 1,
                    cached_tokens: 0,
                };
                vec![
                    Ok(AnswerEvent::Delta(text)),
                    Ok(AnswerEvent::Usage(usage)),
                    Ok(AnswerEvent::Done(Finish::Stop)),
                ]
            }
        };
        stream::iter(events).boxed()
    }
}

/// An engine with the segmenters `classic` and `columns`, the mark styles, and these answers.
pub(crate) fn engine(oracle: &Arc<Oracle>) -> Engine {
    let ladder = Ladder::embedded()
        .with_flag("--lmm", "ask.lmm", "oracle")
        // Its place is taken by the oracle below.
        .with_flag(
            "--lmm",
            "lmm.oracle",
            json!({"provider": "attributes", "max_tokens": 10}),
        );
    let (settings, _) = ladder.load().unwrap();
    let plugins = [som_classic::PLUGIN, som_marks::PLUGIN];
    let mut registry = Registry::open_for(&plugins, &settings).unwrap();
    let columns = Arc::new(Columns::default());
    registry
        .add_segmenter(columns, Provenance::Embedded)
        .unwrap();
    Engine::new(settings, registry)
        .unwrap()
        .with_lmm(oracle.clone())
}

/// Nothing is given.
pub(crate) struct NoRegions;

impl ReadRegions for NoRegions {
    fn read(&self, from: &Path, _: &Path, size: Size) -> Result<Vec<Region>> {
        match from.ends_with("halves") {
            true => {
                let half = |x| {
                    Region::new(Mask::rect(
                        size,
                        BBox::new(x, 0, size.width / 2, size.height),
                    ))
                };
                Ok(vec![half(0), half(size.width / 2)])
            }
            false => Err(Error::not_found("no regions")),
        }
    }
}

pub(crate) async fn run(oracle: &Arc<Oracle>, plan: &Plan, folder: &Path) -> Result<Ran> {
    let given = Arc::new(NoRegions);
    let stop = Cancellation::new();
    run::run(engine(oracle), given, plan, folder, &stop, |_| ()).await
}

pub(crate) async fn estimate(oracle: &Arc<Oracle>, plan: &Plan, folder: &Path) -> Vec<Estimate> {
    let given = Arc::new(NoRegions);
    let stop = Cancellation::new();
    let estimates = run::estimate(engine(oracle), given, plan, folder, &stop);
    estimates.await.unwrap()
}

pub(crate) fn report(folder: &Path) -> RunReport {
    let options = Options {
        draws: 50,
        ..Options::default()
    };
    RunReport::of(folder, &options).unwrap()
}

pub(crate) fn row(value: Value) -> Row {
    serde_json::from_value(value).unwrap()
}

pub(crate) fn golden() -> Row {
    row(json!({"name": "golden", "regions": "golden", "styles": ["number"]}))
}
