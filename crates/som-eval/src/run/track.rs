//! Objects of a sequence, asked about two frames at a time: those of the first frame, which are given,
//! are looked for in each of the others.

use std::{collections::BTreeMap, sync::Arc, time::Instant};

use som_core::{Cancellation, Error, Mask, Region, Result, task::Task};

use super::{
    Row,
    asked::{Asked, ask},
    fault::Fault,
    picture::Picture,
    row::Regions,
    source::{Cut, Sources},
};
use crate::{
    Shape, Video,
    data::LabelMap,
    results::{Outcome, Reading, Trace},
};

/// The number that says void in the truth.
const VOID: u32 = 255;

/// Asks about the sequence that is sample number `at`, frame by frame. The last frame never counts, and
/// is not asked about.
///
/// # Errors
/// Why it has no outcome.
pub(super) async fn outcome(
    sources: &Arc<Sources>,
    row: &Row,
    at: usize,
    video: &Video,
    stop: &Cancellation,
) -> Result<Outcome, Fault> {
    if video.is_unsupervised || row.specialist || row.oracle {
        return Err(Fault::LeftOut(Error::unsupported(
            "of sequences only those are asked about whose first frame is given, with a model and \
             without an oracle",
        )));
    }
    let first = sources.picture(at).await.map_err(Fault::LeftOut)?;
    let maps = maps(sources, video).await.map_err(Fault::LeftOut)?;
    let mut outcome = Outcome {
        sample: sources.data.samples[at].id.clone(),
        ..Outcome::default()
    };
    let mut trace = Trace::default();
    let Some((given, later)) = maps.split_first() else {
        return Ok(outcome);
    };
    let objects = objects(given);
    let names = video.frames.iter().map(|(name, _)| name).skip(1);
    // Without the last.
    for (map, name) in later.iter().zip(names).take(later.len().saturating_sub(1)) {
        let began = Instant::now();
        let frame = frame(sources, row, at, name, map, stop).await?;
        trace.segment_ms += began.elapsed().as_secs_f64() * 1e3;
        let shown = vec![(&first, cut(&objects)), (&frame.0, frame.1)];
        let task = Task::Track { marks: Vec::new() };
        let asked = ask(&sources.engine, row, task, shown, stop).await;
        let asked = asked.map_err(Fault::Failed)?;
        add(&mut trace, &asked, name);
        outcome.answer.frames.insert(name.clone(), found(&asked));
    }
    if outcome.answer.frames.values().all(BTreeMap::is_empty) {
        outcome.reading = Reading::Nothing;
    }
    outcome.trace = Some(trace);
    Ok(outcome)
}

async fn maps(sources: &Arc<Sources>, video: &Video) -> Result<Vec<LabelMap>> {
    let (video, kind) = (video.clone(), sources.data.kind);
    let read = move || Ok(video.maps(kind)?);
    sources.engine.compute(read).await
}

/// The masks of the objects of a frame, from the first on; those that are not there are empty.
fn objects(map: &LabelMap) -> Vec<Mask> {
    let numbers = map.labels.iter().filter(|number| **number < VOID);
    let count = numbers.copied().max().unwrap_or(0);
    let numbers: Vec<u32> = (1..=count).collect();
    map.masks(&numbers)
}

fn cut(masks: &[Mask]) -> Cut {
    Cut {
        regions: Arc::new(masks.iter().cloned().map(Region::new).collect()),
        ids: Vec::new(),
    }
}

/// A later frame, and its regions.
async fn frame(
    sources: &Arc<Sources>,
    row: &Row,
    at: usize,
    name: &str,
    map: &LabelMap,
    stop: &Cancellation,
) -> Result<(Picture, Cut), Fault> {
    let image = sources.data.samples[at]
        .image
        .with_file_name(format!("{name}.jpg"));
    let (path, size, engine) = (image.clone(), map.size, Arc::clone(&sources.engine));
    let read = move || Picture::read(&path, Some(size), engine.settings());
    let picture = sources.engine.compute(read).await.map_err(Fault::LeftOut)?;
    let cut = match row.source() {
        Regions::Segmenter(choice) => {
            let regions = sources.segmented(choice, &picture, stop).await;
            Cut {
                regions: regions.map_err(Fault::Failed)?,
                ids: Vec::new(),
            }
        }
        Regions::Golden => cut(&objects(map)),
        Regions::Given(from) => {
            let given = sources.given(from, image, size).await;
            given.map_err(Fault::LeftOut)?
        }
    };
    Ok((picture, cut))
}

/// The mask of each object in the other frame, by its number, as far as it was found.
fn found(asked: &Asked) -> BTreeMap<u32, Shape> {
    let mut found = BTreeMap::new();
    let ([first, other], Some(cut)) = (asked.markings.as_slice(), asked.cuts.last()) else {
        return found;
    };
    let (first, other) = (
        &first.marked.allocation.marks,
        &other.marked.allocation.marks,
    );
    for finding in &asked.answer.grounded.findings {
        let object = first.iter().find(|mark| Some(mark.id) == finding.of);
        let masks = finding.marks.iter().filter_map(|id| {
            let mark = other.iter().find(|mark| mark.id == *id)?;
            cut.regions
                .get(mark.index)
                .map(|region| region.mask.clone())
        });
        let mask = masks.reduce(|all, mask| all.union(&mask));
        if let (Some(object), Some(mask)) = (object, mask) {
            // As many objects as an indexed map has numbers.
            found.insert(object.index as u32 + 1, Shape::from(&mask));
        }
    }
    found
}

/// Adds what was answered about a frame.
fn add(trace: &mut Trace, asked: &Asked, name: &str) {
    let of_frame = asked.trace();
    trace.add(&asked.answer);
    trace.text += &format!("{name}: {}\n", of_frame.text);
    trace.marks += of_frame.marks;
    trace.invented += of_frame.invented;
    trace.finish = of_frame.finish;
}
