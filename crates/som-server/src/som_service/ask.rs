//! Ask: images and a question → the stages of an answer.

use std::pin::Pin;

use futures_util::Stream;
use som_core::{
    Error, Result, Timings,
    prompt::{Layout, Template},
};
use som_engine::{
    ask::{AskEvent, AskImage, AskOutcome, AskRequest, Budget, Exchange},
    settings::Counted,
};
use som_proto::{
    ask, mark, params,
    pb::v1::{self as pb, PictureFormat, ask_request, ask_response::Stage},
    region, segment,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tracing::Instrument as _;

use super::{
    Som,
    mark::{format, layers, picture_to_wire},
    segment::{refinement, segmenter},
};
use crate::call::{Call, Work};

/// Stages that may wait for a slow client.
const STAGES: usize = 32;

/// The stages of one answer.
pub(crate) type Stages = Pin<Box<dyn Stream<Item = Result<pb::AskResponse, Status>> + Send>>;

/// A request, read, and what of it concerns the answers alone.
pub(super) struct Asking {
    pub(super) request: AskRequest,
    pub(super) infos: Vec<pb::ImageInfo>,
    pub(super) format: PictureFormat,
}

impl Som {
    /// The stages of the answer to one request. What is wrong with it is the only item.
    pub(super) fn asked(self, call: Call, request: pb::AskRequest) -> Stages {
        let (stages, received) = mpsc::channel(STAGES);
        let answer = async move {
            let work = call.begin();
            let done = tokio::select! {
                done = self.tell_stages(request, &work, &stages) => done,
                // The client went away.
                () = stages.closed() => return,
            };
            if let Err(error) = done {
                // Nobody may be there to hear it.
                let _ = stages.send(Err(work.status(&error))).await;
            }
        };
        tokio::spawn(answer.in_current_span());
        Box::pin(ReceiverStream::new(received))
    }

    async fn tell_stages(
        &self,
        request: pb::AskRequest,
        work: &Work<'_>,
        stages: &mpsc::Sender<Result<pb::AskResponse, Status>>,
    ) -> Result<()> {
        let asking = self.asking(request, work).await?;
        let (events, mut received) = mpsc::channel(STAGES);
        let ask = async {
            let outcome = self
                .engine
                .ask(asking.request.clone(), &work.cancellation, &events)
                .await;
            drop(events);
            outcome
        };
        let pass_on = async {
            while let Some(event) = received.recv().await {
                let stage = self.stage(event, &asking).await?;
                send(stages, stage).await?;
            }
            Ok::<_, Error>(())
        };
        let (outcome, ()) = tokio::try_join!(ask, pass_on)?;
        work.call.charge(&outcome);
        work.call.metrics.stages(&Timings {
            answer: outcome.timings.answer,
            ..Timings::default()
        });
        send(stages, Stage::Answer(answer_to_wire(&outcome))).await
    }

    /// Reads a request and decodes its images.
    ///
    /// # Errors
    /// Whatever is wrong with an image or with another part of the request.
    pub(super) async fn asking(&self, request: pb::AskRequest, work: &Work<'_>) -> Result<Asking> {
        let format = format(request.format)?;
        let task = ask::task_from_wire(request.task)?;
        let layers = layers(request.styles)?;
        let limits = &self.engine.settings().limits;
        limits.allow(Counted::Images, request.images.len())?;
        if let Some(ask_request::Prompt::Words(words)) = &request.prompt {
            limits.allow(Counted::PromptBytes, words.len())?;
        }
        let template = request.prompt.map(template).transpose()?;
        let mut images = Vec::new();
        let mut infos = Vec::new();
        let mut sizes = Vec::new();
        for (index, image) in request.images.into_iter().enumerate() {
            let (image, info) = self
                .image_of(image, work)
                .await
                .map_err(|error| error.at(format!("image {}", index + 1)))?;
            sizes.push(image.image.size());
            limits.allow_pixels("images", sizes.iter().copied())?;
            images.push(image);
            infos.push(info);
        }
        let history = request.history.into_iter();
        let request = AskRequest {
            layers,
            options: mark::options_from_wire(request.options),
            history: history
                .map(|pb::Exchange { question, answer }| Exchange { question, answer })
                .collect(),
            lmm: Some(request.lmm).filter(|name| !name.is_empty()),
            template,
            layout: Layout {
                clean: request.clean,
                table: request.table,
            },
            structured: request.structured,
            votes: request.votes.max(1),
            budget: budget(request.budget.unwrap_or_default()),
            ..AskRequest::new(images, task)
        };
        Ok(Asking {
            request,
            infos,
            format,
        })
    }

    async fn image_of(
        &self,
        wire: pb::AskImage,
        work: &Work<'_>,
    ) -> Result<(AskImage, pb::ImageInfo)> {
        let params = params::from_wire(wire.params)?;
        let segmenter = segmenter(wire.segmenter, wire.granularity, params);
        let refine = refinement(wire.refine)?;
        let image = self.request_image(wire.image, work).await?;
        let regions = self.regions(wire.regions, segmenter, &image).await?;
        let info = image.info();
        let image = AskImage {
            refine,
            ..AskImage::new(image.pixels, regions)
        };
        Ok((image, info))
    }

    /// What the client is told of a stage.
    async fn stage(&self, event: AskEvent, asking: &Asking) -> Result<Stage> {
        Ok(match event {
            AskEvent::Regions { image, segmented } => {
                let info = asking.infos.get(image).cloned();
                let encode = move || {
                    let segmentation = segment::segmentation_to_wire(&segmented.segmentation);
                    Ok(pb::AskRegions {
                        image: index(image),
                        info,
                        segmentation: Some(segmentation),
                        regions: segmented.regions.iter().map(region::to_wire).collect(),
                        refined: segmented
                            .refined
                            .as_ref()
                            .map(segment::segmentation_to_wire),
                    })
                };
                Stage::Regions(self.engine.compute(encode).await?)
            }
            AskEvent::Marked { image, marking } => {
                let format = asking.format;
                let info = asking.infos.get(image).cloned();
                let encode = move || marked_to_wire(image, &marking, info, format);
                Stage::Marked(self.engine.compute(encode).await?)
            }
            AskEvent::Round { number } => Stage::Round(pb::AskRound { number }),
            AskEvent::Text(text) => Stage::Text(text),
            AskEvent::Mention(mention) => Stage::Mention(ask::mention_to_wire(&mention)),
            AskEvent::Usage(usage) => Stage::Usage(ask::usage_to_wire(usage)),
        })
    }
}

async fn send(stages: &mpsc::Sender<Result<pb::AskResponse, Status>>, stage: Stage) -> Result<()> {
    let answer = pb::AskResponse { stage: Some(stage) };
    let sent = stages.send(Ok(answer)).await;
    sent.map_err(|_| Error::cancelled())
}

/// The words of the prompt.
///
/// # Errors
/// NotFound for the name of no template, Invalid for words that are none.
fn template(prompt: ask_request::Prompt) -> Result<Template> {
    match prompt {
        ask_request::Prompt::Template(name) => Template::named(&name),
        ask_request::Prompt::Words(words) => Template::parse(&words),
    }
}

fn budget(wire: pb::Budget) -> Budget {
    let usual = Budget::default();
    Budget {
        max_tokens: Some(wire.max_tokens).filter(|&tokens| tokens > 0),
        max_rounds: match wire.max_rounds {
            0 => usual.max_rounds,
            rounds => rounds,
        },
        max_cost: Some(wire.max_cost).filter(|&cost| cost != 0.0),
    }
}

/// A marked image as the client is told of it. Blocking.
pub(super) fn marked_to_wire(
    image: usize,
    marking: &som_engine::Marking,
    info: Option<pb::ImageInfo>,
    format: PictureFormat,
) -> Result<pb::AskMarked> {
    let allocation = &marking.marked.allocation;
    let pages = marking.marked.pages.iter();
    let pages = pages.filter(|_| format != PictureFormat::None);
    Ok(pb::AskMarked {
        image: index(image),
        styles: marking.layers.iter().map(mark::layer_to_wire).collect(),
        marks: allocation.marks.iter().map(mark::to_wire).collect(),
        unmarked: allocation
            .unmarked
            .iter()
            .map(mark::unmarked_to_wire)
            .collect(),
        pages: pages
            .map(|page| picture_to_wire(page.clone(), &marking.tags, format))
            .collect::<Result<_>>()?,
        info,
        scale: allocation.scale,
    })
}

pub(super) fn answer_to_wire(outcome: &AskOutcome) -> pb::Answer {
    let (finish, reason) = ask::finish_to_wire(&outcome.finish);
    let consensus = outcome.consensus.as_ref();
    let share = |index: usize| consensus.and_then(|all| all.findings.get(index).copied());
    let grounded = &outcome.grounded;
    let findings = grounded.findings.iter().enumerate();
    let agreement = consensus.into_iter().flat_map(|all| &all.regions);
    pb::Answer {
        lmm: Some(ask::lmm_to_wire(&outcome.lmm)),
        text: outcome.text.clone(),
        finish: finish.into(),
        reason,
        mentions: grounded.mentions.iter().map(ask::mention_to_wire).collect(),
        findings: findings
            .map(|(index, finding)| ask::finding_to_wire(finding, share(index)))
            .collect(),
        agreement: agreement.map(ask::agreement_to_wire).collect(),
        best: consensus.map(|all| u32::try_from(all.best).unwrap_or(u32::MAX)),
        cut_short: outcome.cut_short.clone().unwrap_or_default(),
        rounds: outcome.rounds,
        usage: outcome.usage.map(ask::usage_to_wire),
        cost: outcome.cost,
        thoughts: grounded.thoughts.iter().map(ask::thought_to_wire).collect(),
        timings: Some(segment::ask_timings_to_wire(&outcome.timings)),
    }
}

/// A request has far fewer than 2^32 images.
fn index(image: usize) -> u32 {
    u32::try_from(image).unwrap_or(u32::MAX)
}
