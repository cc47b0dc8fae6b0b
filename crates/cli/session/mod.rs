//! Who does the work, an engine of this process or a server: two sessions with the same four
//! verbs. What the flags mean is resolved once, against what either has to offer.
//!
//! > flags + [`Catalog`](catalog::Catalog) → [`Plan`] → [`Session`] → results

mod catalog;
mod local;
mod plan;
mod question;
mod server;
mod wanted;

use std::{path::PathBuf, sync::Arc, thread, time::Duration};

use async_trait::async_trait;
use som_core::{
    Allocation, Cancellation, Error, Layer, Origin, Result, Segmentation, Size, Timings,
    decode::{DecodeOptions, ImageNote},
    encode::Encoding,
    ground::Mention,
};
use som_engine::{
    GivenRegions, Segmented,
    ask::{AskDraft, AskOutcome},
    settings::{Ladder, LimitSettings},
};
use tokio::sync::mpsc;

use self::{local::LocalSession, server::ServerSession};
pub(crate) use self::{
    plan::Plan,
    question::{Question, QuestionImage},
};
use crate::{
    flags::{Flags, hint},
    given::{GivenImage, GivenSource},
    input::{Decoded, Input, InputImage},
    runtime::blocking,
    version,
};

/// Does the work on images. Errors are those of the engine; against a server also Unavailable, if
/// it cannot be reached.
#[async_trait(?Send)]
pub(crate) trait Session {
    /// image → regions.
    async fn segment(&self, image: &InputImage, plan: &Plan) -> Result<SegmentedImage>;

    /// image → regions → marks → marked image; its pages are encoded as `encoding`, or not drawn.
    async fn mark(
        &self,
        image: &ImageToMark,
        plan: &Plan,
        encoding: Option<Encoding>,
    ) -> Result<MarkedImage>;

    /// images and a question → grounded answer. Each stage is sent to `stages` when it is done.
    async fn ask(
        &self,
        question: &Question,
        plan: &Plan,
        stages: mpsc::Sender<Stage>,
    ) -> Result<AskOutcome>;

    /// images and a question → what would be sent first. Each stage but the asking is sent to
    /// `stages` when it is done.
    async fn draft(
        &self,
        question: &Question,
        plan: &Plan,
        stages: mpsc::Sender<Stage>,
    ) -> Result<AskDraft>;

    /// The question in every way that the plan has. Each row is sent to `rows` when it is done.
    async fn compare(
        &self,
        question: &Question,
        plan: &Plan,
        rows: mpsc::Sender<ComparedRow>,
    ) -> Result<()>;
}

/// An image to be marked.
pub(crate) struct ImageToMark {
    pub(crate) image: InputImage,
    /// Its regions, if they are given, and its pixels, whose size they had to fit.
    pub(crate) given: Option<(Decoded, GivenRegions)>,
}

/// The regions of an image.
pub(crate) struct SegmentedImage {
    pub(crate) size: Size,
    /// What was odd about its file.
    pub(crate) notes: Vec<ImageNote>,
    pub(crate) segmented: Segmented,
}

/// An image with its marks.
pub(crate) struct MarkedImage {
    pub(crate) size: Size,
    /// What was odd about its file; nothing for an image of a question, which was read before.
    pub(crate) notes: Vec<ImageNote>,
    pub(crate) origin: Origin,
    /// Who refined the regions.
    pub(crate) refined: Option<Segmentation>,
    /// The layers of ink.
    pub(crate) layers: Vec<Layer>,
    pub(crate) allocation: Allocation,
    /// Encoded; none, if none was wanted.
    pub(crate) pages: Vec<Vec<u8>>,
    pub(crate) timings: Timings,
}

/// A stage of an answer that is done.
pub(crate) enum Stage {
    /// An image was cut: its index, from 0, and its regions.
    Regions(usize, Segmented),
    /// An image was marked: the next one.
    Marked(MarkedImage),
    /// The model is asked, as often as this. What came before is void.
    Round(u32),
    /// More of the answer.
    Text(String),
    /// A mention in the lines that are complete.
    Mention(Mention),
}

/// One row of a comparison.
pub(crate) struct ComparedRow {
    /// Its index in [`Plan::rows`].
    pub(crate) index: usize,
    /// Id of the segmenter; empty if no image was cut.
    pub(crate) segmenter: String,
    /// The marked images in the order of the question's, as far as they were marked.
    pub(crate) images: Vec<MarkedImage>,
    /// The answer, or why there is none.
    pub(crate) outcome: Result<AskOutcome, Arc<Error>>,
    /// Until the row was done.
    pub(crate) took: Duration,
}

/// A session, and what it is asked to do with every image.
pub(crate) struct Opened {
    pub(crate) session: Box<dyn Session>,
    pub(crate) plan: Plan,
    /// What is asked of every image, for comparison with other runs.
    pub(crate) asked: String,
    /// Images at a time.
    pub(crate) jobs: usize,
    limits: LimitSettings,
    decoding: DecodeOptions,
    /// Where regions come from, if they are given.
    given: Option<Arc<GivenSource>>,
}

/// Gets ready for work: `flags` are resolved against what there is.
///
/// # Errors
/// Invalid or NotFound, naming the setting or flag that is wrong; what loading a plugin library
/// reports; Unavailable for a server or segmenter that cannot be reached.
pub(crate) async fn open(ladder: &Ladder, flags: &Flags, stop: &Cancellation) -> Result<Opened> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let jobs = flags.jobs.map_or(cores, usize::from);
    flags.regions.check()?;
    let given = GivenSource::of(&flags.given, flags.single)?.map(Arc::new);
    let (mut settings, _) = ladder.load()?;
    let decoding = flags.images.over(&settings.decoding());
    settings.images.stretch = decoding.stretch;
    settings.images.background = decoding.background;
    let limits = settings.limits.clone();
    let hints = {
        let (arguments, limits) = (flags.regions.hints.clone(), limits.clone());
        blocking(move || hint::params(&arguments, &limits)).await?
    };
    // Of a server's settings nothing is known.
    let set = format!(
        "{} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        version::SHORT,
        flags.server.address(),
        flags.given,
        settings.mark,
        settings.granularity,
        settings.view,
        settings.images,
        settings.plugins,
        settings.models,
        settings.segmenter
    );
    let (session, plan): (Box<dyn Session>, Plan) = match flags.server.connection()? {
        // Of the settings here only those of files count.
        Some(connection) => {
            let (session, plan) = ServerSession::open(&connection, flags, hints).await?;
            (Box::new(session), plan)
        }
        None => {
            let at_a_time = jobs.max(flags.rows.len());
            let opened = LocalSession::open(settings, flags, hints, at_a_time, stop).await?;
            (Box::new(opened.0), opened.1)
        }
    };
    Ok(Opened {
        asked: format!("{set} {}", plan.asked()),
        session,
        plan,
        jobs,
        limits,
        decoding,
        given,
    })
}

impl Opened {
    /// Reads an image.
    ///
    /// # Errors
    /// As [`InputImage::read`].
    pub(crate) async fn read(&self, input: &Input) -> Result<InputImage> {
        let (input, limits) = (input.clone(), self.limits.clone());
        blocking(move || InputImage::read(&input, &limits)).await
    }

    /// The files in which the regions of an image are given. Blocks.
    pub(crate) fn beside(&self, input: &Input) -> Vec<PathBuf> {
        let given = self.given.as_ref();
        given.map_or_else(Vec::new, |given| given.files(input))
    }

    /// Reads an image, and its regions, if they are given; and what was odd about these.
    ///
    /// # Errors
    /// As [`InputImage::read`]; as [`InputImage::decode`] and [`GivenSource::read`].
    pub(crate) async fn read_to_mark(&self, input: &Input) -> Result<(ImageToMark, Vec<String>)> {
        let (input, limits, given) = (input.clone(), self.limits.clone(), self.given.clone());
        let decoding = self.decoding.clone();
        blocking(move || {
            let image = InputImage::read(&input, &limits)?;
            let Some(given) = given else {
                return Ok((ImageToMark { image, given: None }, Vec::new()));
            };
            let decoded = image.decode(&decoding)?;
            let GivenImage { regions, notes } = given.read(&input, decoded.pixels.size())?;
            let given = Some((decoded, regions));
            Ok((ImageToMark { image, given }, notes))
        })
        .await
    }

    /// Reads and decodes the images of a question, and their regions, if they are given. What is odd
    /// about either is printed, unless `quiet`.
    ///
    /// # Errors
    /// As [`InputImage::read`], [`InputImage::decode`] and [`GivenSource::read`], naming the image.
    pub(crate) async fn read_all(
        &self,
        inputs: &[Input],
        quiet: bool,
    ) -> Result<Vec<QuestionImage>> {
        let mut images = Vec::new();
        for input in inputs {
            let (read, limits, given) = (input.clone(), self.limits.clone(), self.given.clone());
            let decoding = self.decoding.clone();
            let image = move || {
                let mut image = QuestionImage::read(&read, &limits, &decoding)?;
                let given = given
                    .map(|given| given.read(&read, image.size()))
                    .transpose()?;
                let notes = given.map(|GivenImage { regions, notes }| {
                    image.regions = Some(regions);
                    notes
                });
                Ok::<_, Error>((image, notes.unwrap_or_default()))
            };
            let (image, notes) = blocking(image).await.map_err(|error| error.at(input))?;
            if !quiet {
                let odd = image.odd().into_iter().chain(notes);
                odd.for_each(|line| eprintln!("som: {line}"));
            }
            images.push(image);
        }
        Ok(images)
    }
}
