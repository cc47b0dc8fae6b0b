//! Track: the frames of a video, one answer each, in the order of the requests.

use std::pin::Pin;

use futures_util::Stream;
use som_core::{Error, Result, Timings, Tracked};
use som_engine::track::{MarkedFrame, TrackFrame, TrackSession, VideoMarks};
use som_proto::{
    mark, params,
    pb::v1::{self as pb, PictureFormat, track_request, track_response::Part},
    segment, track,
};
use tokio::{sync::mpsc, time::timeout};
use tonic::{Status, Streaming};

use super::{
    Som,
    mark::{format, layers, picture_to_wire},
    stream::{RESTART, past_deadline, told_by},
};
use crate::call::{Call, Work};

/// The answers as they become ready.
pub(crate) type Frames = Pin<Box<dyn Stream<Item = Result<pb::TrackResponse, Status>> + Send>>;

/// A video under way.
struct Video {
    session: TrackSession,
    format: PictureFormat,
    marks: VideoMarks,
}

impl Som {
    /// Answers `requests`, in a task of its own, which is over when the answers are dropped.
    pub(super) fn tracked(self, call: Call, requests: Streaming<pb::TrackRequest>) -> Frames {
        told_by(|sender| self.track_all(call, requests, sender))
    }

    /// Answers `requests` until they end. The session ends with them, whatever ends them.
    ///
    /// # Errors
    /// What is wrong with a message, a client that neither sends nor takes anything, the deadline of the
    /// call, or the shutdown of the server.
    async fn track_all(
        self,
        call: Call,
        mut requests: Streaming<pb::TrackRequest>,
        answers: mpsc::Sender<pb::TrackResponse>,
    ) -> Result<(), Status> {
        let idle = self.engine.settings().server.idle;
        let too_late = |what| {
            let idle = idle.as_millis();
            Status::deadline_exceeded(format!("the client {what} for {idle} ms (server.idle_ms)"))
        };
        let mut video = None;
        loop {
            let request = tokio::select! {
                () = answers.closed() => return Ok(()),
                () = past_deadline(&call) => {
                    return Err(Status::deadline_exceeded("the deadline of the call has passed"));
                }
                () = self.drain.cancelled() => {
                    let message = "the server shuts down";
                    return Err(som_proto::status::unavailable(message, RESTART));
                }
                request = timeout(idle, requests.message()) => match request {
                    Ok(request) => request?,
                    Err(_) => return Err(too_late("sent no frame")),
                },
            };
            let Some(request) = request else {
                return Ok(());
            };
            let bytes = som_proto::size_of(&request);
            let work = call.begin();
            let answer = tokio::select! {
                () = answers.closed() => return Ok(()),
                answer = self.track(request, &mut video, &work) => answer,
            };
            call.give_back(bytes);
            let part = answer.map_err(|error| {
                call.metrics.error(error.kind());
                work.status(&error)
            })?;
            let answer = pb::TrackResponse { part: Some(part) };
            match timeout(idle, answers.send(answer)).await {
                Ok(Ok(())) => {}
                // It went away.
                Ok(Err(_)) => return Ok(()),
                Err(_) => return Err(too_late("took no answer")),
            }
        }
    }

    /// The answer to one message.
    async fn track(
        &self,
        request: pb::TrackRequest,
        video: &mut Option<Video>,
        work: &Work<'_>,
    ) -> Result<Part> {
        let part = request
            .part
            .ok_or_else(|| Error::invalid("neither start nor frame is set"))?;
        match (part, video) {
            (track_request::Part::Start(start), video @ None) => {
                let started = self.start(start, work).await?;
                let tracker = segment::segmentation_to_wire(started.session.tracker());
                *video = Some(started);
                Ok(Part::Started(pb::TrackStarted {
                    tracker: Some(tracker),
                }))
            }
            (track_request::Part::Start(_), Some(_)) => Err(Error::invalid(
                "start came before (a call is one video: make another)",
            )),
            (track_request::Part::Frame(_), None) => {
                Err(Error::invalid("the first message has to be start"))
            }
            (track_request::Part::Frame(frame), Some(video)) => {
                self.frame(frame, video, work).await.map(Part::Frame)
            }
        }
    }

    async fn start(&self, start: pb::TrackStart, work: &Work<'_>) -> Result<Video> {
        let format = format(start.format)?;
        let layers = layers(start.styles)?;
        let options = mark::options_from_wire(start.options);
        let request = som_engine::track::TrackRequest {
            tracker: Some(start.tracker).filter(|tracker| !tracker.is_empty()),
            params: params::from_wire(start.params)?,
        };
        let session = self.engine.track(request, &work.cancellation).await?;
        Ok(Video {
            session,
            format,
            marks: VideoMarks::new(layers, options),
        })
    }

    async fn frame(
        &self,
        frame: pb::TrackFrame,
        video: &mut Video,
        work: &Work<'_>,
    ) -> Result<pb::TrackedFrame> {
        let hints = track::hints_from_wire(frame.hints)?;
        let image = self.request_image(frame.image, work).await?;
        let seen = TrackFrame {
            image: image.pixels.clone(),
            index: frame.index,
            count: Some(frame.count).filter(|&count| count > 0),
            is_backward: frame.backward,
            hints,
        };
        let seen = video.session.frame(seen, &work.cancellation).await?;
        let metrics = &work.call.metrics;
        metrics.stage("track", seen.took);
        let tracked = seen.tracked;
        let marked = match video.format {
            PictureFormat::None => None,
            _ => {
                let pixels = image.pixels.clone();
                let marks = video
                    .marks
                    .mark(&self.engine, pixels, &tracked, &work.cancellation);
                Some(marks.await?)
            }
        };
        let (format, index) = (video.format, frame.index);
        let timings = Timings {
            decode: image.took,
            segment: Some(seen.took),
            ..Timings::default()
        };
        let encode = move || answer(index, &tracked, marked, format, timings);
        self.engine.compute(encode).await
    }
}

/// The answer to one frame. Blocking.
fn answer(
    index: u64,
    tracked: &[Tracked],
    marked: Option<MarkedFrame>,
    format: PictureFormat,
    timings: Timings,
) -> Result<pb::TrackedFrame> {
    let mut answer = pb::TrackedFrame {
        index,
        objects: tracked.iter().map(track::to_wire).collect(),
        scale: 1,
        ..pb::TrackedFrame::default()
    };
    let mut timings = timings;
    if let Some(MarkedFrame { marking, .. }) = marked {
        let allocation = &marking.marked.allocation;
        answer.scale = allocation.scale;
        answer.marks = allocation.marks.iter().map(mark::to_wire).collect();
        let page = marking.marked.pages.into_iter().next();
        let page = page.map(|page| picture_to_wire(page, &marking.tags, format));
        answer.picture = page.transpose()?;
        timings.allocate = marking.timings.allocate;
        timings.draw = marking.timings.draw;
    }
    answer.timings = Some(segment::timings_to_wire(&timings));
    Ok(answer)
}
