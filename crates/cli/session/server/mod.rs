//! The work done by a server: [`request`] says what is wanted, [`answer`] reads what comes back.

mod answer;
mod request;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use som_client::{Client, Connection};
use som_core::{Descriptor, Error, Params, Result, Schema, encode::Encoding, granularity::Step};
use som_engine::ask::{AskDraft, AskOutcome};
use som_proto::{
    descriptor, granularity,
    pb::v1::{self as pb, ask_response},
};
use tokio::sync::mpsc;

use self::answer::Heard;
use super::{
    ComparedRow, ImageToMark, MarkedImage, Plan, Question, SegmentedImage, Session, Stage,
    catalog::{Catalog, Taker},
    wanted::Usual,
};
use crate::{flags::Flags, input::InputImage, runtime::blocking};

/// A server.
pub(super) struct ServerSession(Client);

impl ServerSession {
    /// Asks a server what it offers.
    ///
    /// # Errors
    /// As [`open`](super::open).
    pub(super) async fn open(
        connection: &Connection,
        flags: &Flags,
        hints: Params,
    ) -> Result<(Self, Plan)> {
        let client = Client::new(connection)?;
        // Models are listed only for a flag that names one.
        let models = async {
            match flags.lmm {
                Some(_) => client.lmms().await,
                None => Ok(pb::ListLmmsResponse::default()),
            }
        };
        let (segmenters, styles, lmms) =
            futures_util::try_join!(client.segmenters(), client.mark_styles(), models)?;
        let usual = usual(&segmenters)?;
        let offered = Offered::read("segmenter", segmenters.segmenters)?;
        let drawn = Offered::read("mark style", styles.mark_styles)?;
        let names = lmms.lmms.iter().filter_map(|info| info.lmm.as_ref());
        let catalog = Catalog {
            segmenters: offered.takers(),
            styles: drawn.takers(),
            lmms: names.map(|lmm| lmm.name.as_str()).collect(),
            usual,
            default_styles: &styles.default_styles,
        };
        let plan = Plan::new(flags, hints, &catalog)?;
        Ok((Self(client), plan))
    }
}

#[async_trait(?Send)]
impl Session for ServerSession {
    async fn segment(&self, image: &InputImage, plan: &Plan) -> Result<SegmentedImage> {
        let request = request::segment(image, plan);
        let answer = self.0.segment(&request).await?;
        blocking(move || answer::segmented(answer)).await
    }

    async fn mark(
        &self,
        image: &ImageToMark,
        plan: &Plan,
        encoding: Option<Encoding>,
    ) -> Result<MarkedImage> {
        let request = request::mark(image, plan, encoding);
        let answer = self.0.mark(&request).await?;
        blocking(move || answer::marked(answer)).await
    }

    async fn ask(
        &self,
        question: &Question,
        plan: &Plan,
        stages: mpsc::Sender<Stage>,
    ) -> Result<AskOutcome> {
        let request = request::ask(question, plan);
        let mut answers = std::pin::pin!(self.0.ask(&request).await?);
        let sizes = request::sizes(question);
        let mut heard = Heard::default();
        while let Some(answer) = answers.next().await {
            let stage = match answer?.stage {
                Some(ask_response::Stage::Answer(answer)) => return answer::outcome(answer),
                Some(stage) => stage,
                // One that this version does not know.
                None => continue,
            };
            let sizes = sizes.clone();
            let stage = blocking(move || answer::stage(stage, &sizes)).await?;
            if let Some(stage) = stage {
                heard.hear(&stage)?;
                stages.send(stage).await.map_err(|_| Error::cancelled())?;
            }
        }
        Err(broke_off())
    }

    async fn draft(&self, _: &Question, _: &Plan, _: mpsc::Sender<Stage>) -> Result<AskDraft> {
        Err(Error::unsupported(
            "--dry-run goes without --server: what a server sends, it does not tell",
        ))
    }

    async fn compare(
        &self,
        question: &Question,
        plan: &Plan,
        rows: mpsc::Sender<ComparedRow>,
    ) -> Result<()> {
        let request = request::compare(question, plan);
        let mut answers = std::pin::pin!(self.0.compare(&request).await?);
        let sizes = request::sizes(question);
        let mut missing = plan.rows.len();
        while let Some(answer) = answers.next().await {
            let (answer, sizes, count) = (answer?, sizes.clone(), plan.rows.len());
            let row = blocking(move || answer::row(answer, &sizes, count)).await?;
            rows.send(row).await.map_err(|_| Error::cancelled())?;
            missing = missing.saturating_sub(1);
        }
        match missing {
            0 => Ok(()),
            _ => Err(broke_off()),
        }
    }
}

/// Segmenters or mark styles of the server, each with the schema of its parameters.
struct Offered {
    kind: &'static str,
    list: Vec<(Descriptor, Schema)>,
}

impl Offered {
    fn read(kind: &'static str, wire: Vec<pb::Descriptor>) -> Result<Self> {
        let read = |wire| {
            let descriptor = descriptor::from_wire(wire)?;
            let schema = Schema::compile(&descriptor.params)?;
            Ok((descriptor, schema))
        };
        let list = wire.into_iter().map(read).collect::<Result<_>>();
        Ok(Self {
            kind,
            list: list.map_err(|error| answer::not_ours(&error))?,
        })
    }

    fn takers(&self) -> Vec<Taker<'_>> {
        let takers = self.list.iter().map(|(descriptor, params)| Taker {
            kind: self.kind,
            id: &descriptor.id,
            params,
            known: None,
        });
        takers.collect()
    }
}

/// Who cuts at the server if nobody is named, and who answers to which granularity.
fn usual(wire: &pb::ListSegmentersResponse) -> Result<Usual> {
    let steps = wire.granularity_steps.iter().cloned();
    let steps: Result<Vec<Step>> = steps.map(granularity::step_from_wire).collect();
    Ok(Usual {
        segmenter: wire.default_segmenter.clone(),
        granularity: Some(wire.default_granularity).filter(|&granularity| granularity != 0.0),
        steps: steps.map_err(|error| answer::not_ours(&error))?,
    })
}

fn broke_off() -> Error {
    Error::unavailable("the server's answer broke off")
}
