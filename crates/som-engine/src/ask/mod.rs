//! images and a question → grounded answer.
//!
//! > regions → marks → marked image → prompt → answer → grounded spans
//!
//! Every stage is told as it is done ([`AskEvent`]); what it all comes to is the [`AskOutcome`].

mod budget;
mod conversation;
mod cuts;
mod draft;
mod events;
mod look;
mod prompt_image;
mod rounds;
mod spans;
mod turns;
mod vote;
mod votes;

use std::{sync::Arc, time::Instant};

use som_core::{
    Cancellation, Error, Finish, Layer, LmmProvider, MarkOptions, ProviderInfo, Result, Size,
    Timings, Usage,
    prompt::{Field, Layout, Template},
    task::{Consensus, Grounded, Task},
};
use tokio::sync::mpsc;

pub(crate) use self::cuts::Cuts;
pub use self::{budget::Budget, draft::AskDraft, events::AskEvent};
use self::{
    budget::Spent,
    conversation::Conversation,
    look::{Looker, Watch},
    rounds::Rounds,
    votes::Votes,
};
use crate::{
    Engine, Refinement, RegionSource, SharedImage,
    settings::{Counted, LimitSettings},
};

/// The most that [`AskRequest::votes`] may be.
pub const MAX_VOTES: u32 = 64;

/// Asks a large multimodal model about images. Written as
/// `AskRequest { votes: 3, ..AskRequest::new(images, task) }`.
#[derive(Clone, Debug)]
pub struct AskRequest {
    /// At least one: image 1, image 2 and so on.
    pub images: Vec<AskImage>,
    /// The layers of ink, the lowest first; `None` for those in the settings.
    pub layers: Option<Vec<Layer>>,
    /// What is asked of the marks of each image; what is not set is as in the settings.
    pub options: MarkOptions,
    /// What is asked. Texts may speak of marks and boxes
    /// ([`Interleaved`](som_core::prompt::Interleaved)).
    pub task: Task,
    /// Questions and answers so far, about the same images. Marks keep their ids.
    pub history: Vec<Exchange>,
    /// Name of the model; `None` for the one in the settings.
    pub lmm: Option<String>,
    /// The words of the prompt; `None` for those in the settings, if it is a question, or else those
    /// of the task.
    pub template: Option<Template>,
    /// What goes beside the words.
    pub layout: Layout,
    /// Whether the answer keeps to a JSON schema; `None` for where the task has one to gain from
    /// and the model can.
    pub structured: Option<bool>,
    /// How often to ask, each time with other labels and colours; 1 to [`MAX_VOTES`].
    pub votes: u32,
    /// What it may cost.
    pub budget: Budget,
}

/// One image, and where its regions come from.
#[derive(Clone, Debug)]
pub struct AskImage {
    /// Decoded and upright.
    pub image: SharedImage,
    /// Where its regions come from.
    pub regions: RegionSource,
    /// How they are refined; `None` for not at all.
    pub refine: Option<Refinement>,
}

/// A question and its answer, from earlier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// As it was asked, references to marks and boxes included.
    pub question: String,
    /// The answer's text.
    pub answer: String,
}

/// What an answer comes to.
#[derive(Clone, Debug)]
pub struct AskOutcome {
    /// The model that answered.
    pub lmm: ProviderInfo,
    /// Its answer, under the labels of the [`AskEvent::Marked`] images.
    pub text: String,
    /// How it ended.
    pub finish: Finish,
    /// The marks it names, and what the task asked for.
    pub grounded: Grounded,
    /// How far several answers agree; `None` for one.
    pub consensus: Option<Consensus>,
    /// Why less was asked than the request wanted, such as a budget that was used up.
    pub cut_short: Option<String>,
    /// Requests that were answered.
    pub rounds: u32,
    /// What they took; `None` if the provider does not say.
    pub usage: Option<Usage>,
    /// What that costs in US dollars; `None` without prices.
    pub cost: Option<f64>,
    /// What `segment` and `mark` took for all images, and `answer`; beside them `wait`.
    pub timings: Timings,
}

impl AskImage {
    /// `image` with regions from there.
    pub fn new(image: SharedImage, regions: RegionSource) -> Self {
        Self {
            image,
            regions,
            refine: None,
        }
    }
}

impl AskRequest {
    /// Asks `task` about `images` as the settings say.
    pub fn new(images: Vec<AskImage>, task: Task) -> Self {
        Self {
            images,
            layers: None,
            options: MarkOptions::default(),
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
}

impl AskRequest {
    /// Bytes of all texts that go into its prompt, each once.
    fn words(&self) -> usize {
        let history = self.history.iter();
        let history = history.map(|said| said.question.len() + said.answer.len());
        let one = std::slice::from_ref;
        let (first, more): (&[String], &[String]) = match &self.task {
            Task::Ask { question } => (one(question), &[]),
            Task::Refer { expressions } => (expressions, &[]),
            Task::Phrases { sentence, phrases } => (one(sentence), phrases),
            Task::Describe { vocabulary, .. } => (vocabulary, &[]),
            Task::Track { .. } => (&[], &[]),
        };
        let texts = first.iter().chain(more).map(String::len);
        history.chain(texts).fold(0, usize::saturating_add)
    }

    /// Whether the answer of `info` is to keep to a schema: a free question is answered in free
    /// text, which can be read while it comes in.
    fn is_structured(&self, info: &ProviderInfo) -> bool {
        let gains = !matches!(self.task, Task::Ask { .. });
        self.structured.unwrap_or(gains && info.structured)
    }
}

impl AskImage {
    /// Its size in pixels.
    fn size(&self) -> Size {
        self.image.size()
    }
}

impl AskOutcome {
    /// True if part of the answer is missing.
    pub fn is_partial(&self) -> bool {
        self.finish != Finish::Stop
    }
}

impl Engine {
    /// images and a question → grounded answer. Stages are sent to `events` as they are done;
    /// once nobody receives them, the request is called off.
    ///
    /// # Errors
    /// As [`segment`](Self::segment) and [`mark`](Self::mark); NotFound for an unknown model,
    /// Invalid for a request that does not make sense, Unsupported for a model that cannot do
    /// what is asked, Exhausted beyond a limit of the settings, else what the provider reports before
    /// an answer began. An answer that broke
    /// off is no error.
    pub async fn ask(
        self: &Arc<Self>,
        request: AskRequest,
        cancellation: &Cancellation,
        events: &mpsc::Sender<AskEvent>,
    ) -> Result<AskOutcome> {
        self.ask_about(&Cuts::default(), request, cancellation, events)
            .await
    }

    /// As [`ask`](Self::ask), about regions of which some may be known.
    async fn ask_about(
        self: &Arc<Self>,
        cuts: &Cuts,
        mut request: AskRequest,
        cancellation: &Cancellation,
        events: &mpsc::Sender<AskEvent>,
    ) -> Result<AskOutcome> {
        let started = Instant::now();
        let (provider, conversation) = self.begin(&mut request)?;
        let info = provider.info();

        let watch = Watch {
            cancellation,
            events,
        };
        let looker = Looker::new(self, &request, &conversation, info, cuts, watch).await?;
        let known = looker.look(0).await?;
        conversation.check_marks(&request.task, &known.scene())?;

        let answering = Instant::now();
        let mut rounds = Rounds::new(provider.as_ref(), &request.budget, cancellation, events);
        let votes = Votes::collect(
            &request,
            &conversation,
            &looker,
            &known,
            &mut rounds,
            cancellation,
        )
        .await?;
        let (cut, marked) = (looker.cut_took(), known.took());
        let answer = answering.elapsed().saturating_sub(rounds.waited());
        let timings = Timings {
            segment: Some(cut),
            mark: Some(marked),
            answer: Some(answer),
            // Regions that were known have cost their time before.
            wait: Some(started.elapsed().saturating_sub(cut + marked + answer)),
            ..Timings::default()
        };

        let cut_short = votes.cut_short.clone();
        let (vote, consensus) = votes.best(&request)?;
        let Spent {
            rounds,
            usage,
            cost,
            ..
        } = rounds.spent();
        Ok(AskOutcome {
            lmm: info.clone(),
            text: vote.text,
            finish: vote.finish,
            grounded: vote.grounded,
            consensus,
            cut_short,
            rounds,
            usage,
            cost,
            timings,
        })
    }
}

impl Engine {
    /// Who answers `request`, and what was said so far, once all is checked that can be before
    /// anything is computed.
    fn begin(&self, request: &mut AskRequest) -> Result<(Arc<dyn LmmProvider>, Conversation)> {
        if request.template.is_none() && matches!(request.task, Task::Ask { .. }) {
            request.template = self.template().cloned();
        }
        let name = request.lmm.as_deref().unwrap_or(&self.settings().ask.lmm);
        let provider = self.lmms().get(name)?.clone();
        check(request, provider.info(), &self.settings().limits)?;
        let conversation = Conversation::read(request)?;
        Ok((provider, conversation))
    }

    /// As [`ask`](Self::ask), with `each` told of every stage.
    ///
    /// # Errors
    /// As [`ask`](Self::ask).
    pub async fn ask_watched(
        self: &Arc<Self>,
        request: AskRequest,
        cancellation: &Cancellation,
        each: impl FnMut(AskEvent) + Send,
    ) -> Result<AskOutcome> {
        self.ask_about_watched(&Cuts::default(), request, cancellation, each)
            .await
    }

    /// The same, about regions of which some may be known.
    pub(crate) async fn ask_about_watched(
        self: &Arc<Self>,
        cuts: &Cuts,
        request: AskRequest,
        cancellation: &Cancellation,
        mut each: impl FnMut(AskEvent) + Send,
    ) -> Result<AskOutcome> {
        let (events, mut stages) = mpsc::channel(64);
        let ask = async {
            let outcome = self.ask_about(cuts, request, cancellation, &events).await;
            drop(events);
            outcome
        };
        let watch = async {
            while let Some(stage) = stages.recv().await {
                each(stage);
            }
        };
        tokio::join!(ask, watch).0
    }
}

/// Checks what can be checked before anything is computed.
fn check(request: &AskRequest, info: &ProviderInfo, limits: &LimitSettings) -> Result<()> {
    if request.images.is_empty() {
        return Err(Error::invalid("there is no image to ask about"));
    }
    limits.allow(Counted::Images, request.images.len())?;
    limits.allow_pixels("images", request.images.iter().map(AskImage::size))?;
    limits.allow(Counted::PromptBytes, request.words())?;
    if !(1..=MAX_VOTES).contains(&request.votes) {
        return Err(Error::invalid(format!(
            "votes is {} (it must be from 1 to {MAX_VOTES})",
            request.votes
        )));
    }
    if !info.vision {
        return Err(Error::unsupported(format!(
            "lmm \"{0}\": {1} takes no images (choose a model with vision, or set lmm.{0}.vision)",
            info.name, info.model
        )));
    }
    if let Some(template) = &request.template {
        check_words(template, &request.task)?;
    }
    request.budget.check(info)
}

/// Checks that a template has a place for what is asked.
fn check_words(template: &Template, task: &Task) -> Result<()> {
    let places: &[Field] = match task {
        Task::Ask { .. } => &[Field::Question],
        Task::Refer { .. } => &[Field::Expressions, Field::Question],
        Task::Phrases { .. } => &[Field::Sentence, Field::Question],
        Task::Describe { .. } | Task::Track { .. } => return Ok(()),
    };
    match places {
        [first, ..] if !places.iter().any(|&field| template.has(field)) => {
            Err(Error::invalid(format!(
                "template: it has no place for what is asked (write {{{}}} where that goes)",
                first.name()
            )))
        }
        _ => Ok(()),
    }
}
