//! One question, several ways to ask it: segmenters, mark styles and models side by side.

use std::{collections::VecDeque, sync::Arc, time::Duration};

use futures_util::{StreamExt as _, stream};
use som_core::{
    Cancellation, Error, Layer, MarkOptions, Result, Timings,
    prompt::{Layout, Template},
};
use tokio::sync::mpsc;

use crate::{
    Engine, Marking, Refinement, RegionSource,
    ask::{AskEvent, AskOutcome, AskRequest, Cuts},
    settings::Counted,
};

/// Rows that are asked at once; further ones wait for them, so that one comparison neither fills the
/// queue of a segmenter nor holds the pages of all rows.
const ROWS_AT_ONCE: usize = 16;

/// Compares several ways to ask one question.
#[derive(Clone, Debug)]
pub struct CompareRequest {
    /// The question, and everything that a row does not change.
    pub ask: AskRequest,
    /// From 1 to `limits.rows` of the settings.
    pub rows: Vec<CompareRow>,
}

/// One way to ask. Written as `CompareRow { lmm, ..CompareRow::default() }`.
#[derive(Clone, Debug, Default)]
pub struct CompareRow {
    /// Where regions come from; `None` for what the question has.
    pub regions: Option<RegionSource>,
    /// How they are refined; `None` for what the question has.
    pub refine: Option<Refinement>,
    /// The layers of ink; `None` for what the question has.
    pub layers: Option<Vec<Layer>>,
    /// What is asked of the marks; what is not set is as in the question.
    pub options: MarkOptions,
    /// Name of the model; `None` for what the question has.
    pub lmm: Option<String>,
    /// The words of the prompt; `None` for what the question has.
    pub template: Option<Template>,
    /// Whether images without marks are shown, too; `None` for what the question has.
    pub clean: Option<bool>,
    /// Whether the table of regions is given; `None` for what the question has.
    pub table: Option<bool>,
    /// How often to ask; `None` for what the question has.
    pub votes: Option<u32>,
}

/// What a row comes to.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Its index in [`CompareRequest::rows`].
    pub row: usize,
    /// Id of the segmenter; empty if no image was cut.
    pub segmenter: String,
    /// The marked images, in the order of the question's, as far as they were marked.
    pub markings: Vec<Arc<Marking>>,
    /// What its stages took, waiting left out; of a row without an answer, the time until it was done.
    pub took: Duration,
    /// Its answer, or why there is none.
    pub outcome: Result<AskOutcome, Arc<Error>>,
}

impl Engine {
    /// Asks the question in every way, several at once, and cuts an image once for all rows whose
    /// segmenter is told the same; each row is sent to `done` when it is done. A
    /// row that fails, even one for which a queue is full, does not disturb the others.
    ///
    /// # Errors
    /// Invalid without rows, Exhausted with too many; Cancelled once called off, or once nobody
    /// receives rows any more.
    pub async fn compare(
        self: &Arc<Self>,
        request: CompareRequest,
        cancellation: &Cancellation,
        done: &mpsc::Sender<Compared>,
    ) -> Result<()> {
        if request.rows.is_empty() {
            return Err(Error::invalid("there is no row to compare"));
        }
        let limits = &self.settings().limits;
        limits.allow(Counted::Rows, request.rows.len())?;
        let CompareRequest { ask, rows } = request;
        let rows = rows.into_iter().enumerate();
        let cuts = Cuts::default();
        let rows: Vec<_> = rows
            .map(|(row, way)| self.row(&cuts, row, way.applied(ask.clone()), cancellation))
            .collect();
        let mut running = stream::iter(rows).buffer_unordered(ROWS_AT_ONCE);
        // Rows that are under way go on while one that is done waits to be taken: whoever takes it may need
        // what they hold.
        let (mut waiting, mut is_over) = (VecDeque::new(), false);
        while !is_over || !waiting.is_empty() {
            tokio::select! {
                place = done.reserve(), if !waiting.is_empty() => {
                    let place = place.map_err(|_| Error::cancelled())?;
                    if let Some(compared) = waiting.pop_front() {
                        place.send(compared);
                    }
                }
                compared = running.next(), if !is_over => {
                    if cancellation.is_cancelled() {
                        return Err(Error::cancelled());
                    }
                    is_over = compared.is_none();
                    waiting.extend(compared);
                }
            }
        }
        Ok(())
    }

    async fn row(
        self: &Arc<Self>,
        cuts: &Cuts,
        row: usize,
        request: AskRequest,
        cancellation: &Cancellation,
    ) -> Compared {
        let started = std::time::Instant::now();
        let (mut segmenter, mut markings) = (String::new(), Vec::new());
        let outcome = self.ask_about_watched(cuts, request, cancellation, |stage| match stage {
            AskEvent::Regions { segmented, .. } => {
                segmenter.clone_from(&segmented.segmentation.segmenter);
            }
            AskEvent::Marked { marking, .. } => markings.push(marking),
            _ => {}
        });
        let outcome = outcome.await.map_err(Arc::new);
        Compared {
            row,
            segmenter,
            markings,
            took: match &outcome {
                Ok(outcome) => {
                    let Timings {
                        segment,
                        mark,
                        answer,
                        ..
                    } = outcome.timings;
                    [segment, mark, answer].into_iter().flatten().sum()
                }
                Err(_) => started.elapsed(),
            },
            outcome,
        }
    }
}

impl CompareRequest {
    /// Asks as `ask` in the ways of `rows`.
    pub fn new(ask: AskRequest, rows: Vec<CompareRow>) -> Self {
        Self { ask, rows }
    }
}

impl CompareRow {
    /// `ask` in this way.
    fn applied(self, mut ask: AskRequest) -> AskRequest {
        if let Some(regions) = self.regions {
            for image in &mut ask.images {
                image.regions = regions.clone();
            }
        }
        if self.refine.is_some() {
            for image in &mut ask.images {
                image.refine.clone_from(&self.refine);
            }
        }
        ask.layers = self.layers.or(ask.layers);
        ask.options = self.options.or(&ask.options);
        ask.lmm = self.lmm.or(ask.lmm);
        ask.template = self.template.or(ask.template);
        ask.layout = Layout {
            clean: self.clean.unwrap_or(ask.layout.clean),
            table: self.table.unwrap_or(ask.layout.table),
        };
        ask.votes = self.votes.unwrap_or(ask.votes);
        ask
    }
}
