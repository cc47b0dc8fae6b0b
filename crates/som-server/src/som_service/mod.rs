//! `som.v1.SomService`: image → regions → marks → marked image → grounded answer.
//!
//! Each rpc has a file that turns its request into one of the engine and the result into its
//! answer: [`segment`] and [`mark`], which [`stream`] answers many times; [`ask`] answers stage by
//! stage, [`compare`] row by row, [`track`] frame by frame; [`image`] is what they begin with. What takes long runs in [`Engine::compute`], off the async runtime.

mod ask;
mod compare;
mod image;
mod mark;
mod segment;
mod stream;
mod track;

use std::sync::Arc;

use som_engine::Engine;
use som_proto::pb::v1::{
    AskRequest, CompareRequest, MarkRequest, MarkResponse, MarkStreamRequest, SegmentRequest,
    SegmentResponse, TrackRequest, som_service_server::SomService,
};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, Streaming};

use crate::{call::Call, kept::KeptImages};

/// The engine's pipeline. Clones are the same service.
#[derive(Clone)]
pub(crate) struct Som {
    engine: Arc<Engine>,
    kept: Arc<KeptImages>,
    /// The server finishes what it has begun, and no more.
    drain: CancellationToken,
}

impl Som {
    /// Serves `engine` until `drain` is cancelled.
    pub(crate) fn new(engine: Arc<Engine>, drain: CancellationToken) -> Self {
        let kept = Arc::new(KeptImages::new(engine.settings().server.kept_bytes));
        Self {
            engine,
            kept,
            drain,
        }
    }
}

#[tonic::async_trait]
impl SomService for Som {
    type MarkStreamStream = stream::Answers;
    type AskStream = ask::Stages;
    type CompareStream = compare::Rows;
    type TrackStream = track::Frames;

    async fn segment(
        &self,
        request: Request<SegmentRequest>,
    ) -> Result<Response<SegmentResponse>, Status> {
        let call = Call::of(&request)?;
        let work = call.begin();
        let answer = self.segmented(request.into_inner(), &work).await;
        Ok(call.reply(answer.map_err(|error| work.status(&error))?))
    }

    async fn mark(&self, request: Request<MarkRequest>) -> Result<Response<MarkResponse>, Status> {
        let call = Call::of(&request)?;
        let work = call.begin();
        let answer = self.marked(request.into_inner(), &work).await;
        Ok(call.reply(answer.map_err(|error| work.status(&error))?))
    }

    async fn mark_stream(
        &self,
        request: Request<Streaming<MarkStreamRequest>>,
    ) -> Result<Response<Self::MarkStreamStream>, Status> {
        let call = Call::of(&request)?;
        let answers = self.clone().answers(call.clone(), request.into_inner());
        Ok(call.reply(answers))
    }

    async fn ask(&self, request: Request<AskRequest>) -> Result<Response<Self::AskStream>, Status> {
        let call = Call::of(&request)?;
        let stages = self.clone().asked(call.clone(), request.into_inner());
        Ok(call.reply(stages))
    }

    async fn compare(
        &self,
        request: Request<CompareRequest>,
    ) -> Result<Response<Self::CompareStream>, Status> {
        let call = Call::of(&request)?;
        let rows = self.clone().compared(call.clone(), request.into_inner());
        Ok(call.reply(rows))
    }

    async fn track(
        &self,
        request: Request<Streaming<TrackRequest>>,
    ) -> Result<Response<Self::TrackStream>, Status> {
        let call = Call::of(&request)?;
        let frames = self.clone().tracked(call.clone(), request.into_inner());
        Ok(call.reply(frames))
    }
}
