//! Images worked on here, by an engine of this process.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use som_core::{
    Cancellation, Layer, MarkOptions, Params, Result, Size, Timings,
    decode::decode,
    encode::{Encoding, encode},
    pipeline::Marked,
};
use som_engine::{
    Engine, MarkRequest, Marking, RegionSource, SegmentRequest, SegmenterChoice, SharedImage,
    ask::AskImage, registry::Registry, settings::Ladder,
};

use super::{InkOptions, MarkedImage, RegionOptions, SegmentedImage};
use crate::{
    embedded::PLUGINS,
    input::Input,
    report::{self, ImageReport},
    set::{Assigned, Takers},
};

/// An engine, and what it is asked of every image.
pub(crate) struct Local {
    pub(crate) engine: Arc<Engine>,
    /// The layers of ink.
    pub(crate) layers: Vec<Layer>,
    /// What is asked of the marks.
    pub(crate) marks: MarkOptions,
    params: Params,
}

/// An image, decoded and upright.
pub(crate) struct Picture {
    pub(crate) report: ImageReport,
    /// How long decoding took.
    pub(crate) decode: Duration,
    pub(crate) pixels: SharedImage,
}

impl Local {
    /// Starts an engine for so many images `at_a_time`; `jobs` is what `--jobs` says.
    ///
    /// # Errors
    /// As [`Session::open`](super::Session::open).
    pub(crate) async fn open(
        ladder: Ladder,
        regions: RegionOptions,
        ink: InkOptions,
        jobs: Option<u16>,
        at_a_time: usize,
    ) -> Result<Self> {
        let marks = ink.marks.clone();
        let (mut settings, _) = with_flags(ladder, &regions, ink).load()?;
        let registry = Registry::open_for(PLUGINS, &settings)?;

        let id = settings.mark.segmenter.clone();
        let segmenter = registry.segmenter(&id)?.reach().await?;
        let takers = Takers::of_registry(segmenter, &registry);
        let assigned = Assigned::of(&regions.assignments(), &takers)?;
        let layers = assigned.layers(&settings.mark.styles, &takers)?;
        let Assigned {
            mut params,
            options,
            ..
        } = assigned;
        params.extend(regions.hints(&settings.limits)?);

        let (worker, _) = settings.segmenter(&id)?;
        let table = settings.segmenter.entry(id).or_default();
        table.extend(options);
        if let Some(jobs) = jobs {
            table.insert("instances".to_owned(), jobs.into());
        }
        // Images of one run wait for one another; none is refused.
        table.insert("queue".to_owned(), worker.queue.max(at_a_time).into());
        Ok(Self {
            engine: Arc::new(Engine::new(settings, registry)?),
            layers,
            marks,
            params,
        })
    }

    /// Cuts an image.
    ///
    /// # Errors
    /// As [`Session::segment`](super::Session::segment).
    pub(super) async fn segment(
        &self,
        input: &Input,
        stop: &Cancellation,
    ) -> Result<SegmentedImage> {
        let picture = self.read(input).await?;
        let request = SegmentRequest {
            segmenter: self.segmenter(),
            ..SegmentRequest::new(picture.pixels)
        };
        let segmented = self.engine.segment(request, stop).await?;
        Ok(SegmentedImage {
            report: picture.report,
            timings: Timings {
                decode: Some(picture.decode),
                ..segmented.timings
            },
            segmented,
        })
    }

    /// Marks an image.
    ///
    /// # Errors
    /// As [`Session::mark`](super::Session::mark).
    pub(super) async fn mark(
        &self,
        input: &Input,
        encoding: Encoding,
        stop: &Cancellation,
    ) -> Result<MarkedImage> {
        let picture = self.read(input).await?;
        let request = MarkRequest {
            regions: RegionSource::Segmenter(self.segmenter()),
            layers: Some(self.layers.clone()),
            options: self.marks.clone(),
            ..MarkRequest::new(picture.pixels)
        };
        let marking = self.engine.mark(request, stop).await?;
        let (report, decode) = (picture.report, picture.decode);
        self.engine
            .compute(move || encoded(report, decode, marking, encoding))
            .await
    }

    /// Reads all of `inputs`.
    ///
    /// # Errors
    /// As [`read`](Self::read), naming the image.
    pub(crate) async fn read_all(&self, inputs: &[Input]) -> Result<Vec<Picture>> {
        let mut pictures = Vec::new();
        for input in inputs {
            let picture = self.read(input).await;
            pictures.push(picture.map_err(|error| error.at(input))?);
        }
        Ok(pictures)
    }

    /// `picture` as one to ask about.
    pub(crate) fn ask_image(&self, picture: &Picture) -> AskImage {
        AskImage {
            image: picture.pixels.clone(),
            regions: RegionSource::Segmenter(self.segmenter()),
        }
    }

    /// The segmenter of the settings, and what it is told.
    fn segmenter(&self) -> SegmenterChoice {
        SegmenterChoice {
            id: None,
            params: self.params.clone(),
        }
    }

    /// Reads and decodes an image.
    ///
    /// # Errors
    /// NotFound, Invalid or Exhausted for an image that is missing, broken or too large.
    async fn read(&self, input: &Input) -> Result<Picture> {
        let limits = self.engine.settings().limits.clone();
        let input = input.clone();
        let read = move || {
            let _span = tracing::info_span!("decode", image = %input).entered();
            let bytes = input.read(limits.image_bytes)?;
            let start = Instant::now();
            let pixels = decode(&bytes, limits.image_pixels)?;
            let decode = start.elapsed();
            let size = Size::new(pixels.width(), pixels.height());
            tracing::debug!(%size, took = ?decode, "decoded");
            Ok(Picture {
                report: ImageReport::new(input.to_string(), size, report::digest(&bytes)),
                decode,
                pixels: pixels.into(),
            })
        };
        self.engine.compute(read).await
    }
}

/// The flags as settings.
fn with_flags(mut ladder: Ladder, regions: &RegionOptions, ink: InkOptions) -> Ladder {
    if let Some(id) = &regions.segmenter {
        ladder = ladder.with_flag("--segmenter", "mark.segmenter", id.as_str());
    }
    if let Some(styles) = ink.styles {
        ladder = ladder.with_flag("--styles", "mark.styles", styles);
    }
    ladder
}

/// What was marked, its pages encoded. Blocking.
fn encoded(
    report: ImageReport,
    decode: Duration,
    marking: Marking,
    encoding: Encoding,
) -> Result<MarkedImage> {
    let Marking {
        origin,
        layers,
        marked: Marked { allocation, pages },
        timings,
    } = marking;
    let _span = tracing::info_span!("encode").entered();
    let start = Instant::now();
    let pages = pages.iter().map(|page| encode(page, encoding));
    let pages = pages.collect::<Result<_>>()?;
    Ok(MarkedImage {
        report,
        timings: Timings {
            decode: Some(decode),
            encode: Some(start.elapsed()),
            ..timings
        },
        origin,
        styles: layers.into_iter().map(|layer| layer.style).collect(),
        allocation,
        pages,
    })
}
