//! Compare: one question in several ways → a row for each.

use std::{pin::Pin, sync::Arc};

use futures_util::Stream;
use som_core::{Error, Result, prompt::Template};
use som_engine::{
    RegionSource, SegmenterChoice,
    compare::{CompareRequest, CompareRow, Compared},
    settings::{Counted, LimitSettings},
};
use som_proto::{
    mark, params,
    pb::v1::{self as pb, PictureFormat, compare_response::Outcome, compare_row::Prompt},
    segment::milliseconds,
    status,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;
use tracing::Instrument as _;

use super::{
    Som,
    ask::{answer_to_wire, marked_to_wire},
    mark::layers,
    segment::{refinement, segmenter},
};
use crate::call::{Call, Work};

/// Rows that may wait for a slow client.
const ROWS: usize = 4;

/// The rows of one comparison.
pub(crate) type Rows = Pin<Box<dyn Stream<Item = Result<pb::CompareResponse, Status>> + Send>>;

impl Som {
    /// The rows of one request. What is wrong with it as a whole is the only item.
    pub(super) fn compared(self, call: Call, request: pb::CompareRequest) -> Rows {
        let (rows, received) = mpsc::channel(ROWS);
        let compare = async move {
            let work = call.begin();
            let done = tokio::select! {
                done = self.tell_rows(request, &work, &rows) => done,
                // The client went away.
                () = rows.closed() => return,
            };
            if let Err(error) = done {
                // Nobody may be there to hear it.
                let _ = rows.send(Err(work.status(&error))).await;
            }
        };
        tokio::spawn(compare.in_current_span());
        Box::pin(ReceiverStream::new(received))
    }

    async fn tell_rows(
        &self,
        request: pb::CompareRequest,
        work: &Work<'_>,
        rows: &mpsc::Sender<Result<pb::CompareResponse, Status>>,
    ) -> Result<()> {
        let limits = &self.engine.settings().limits;
        limits.allow(Counted::Rows, request.rows.len())?;
        let ways = request.rows.into_iter().enumerate().map(|(index, row)| {
            let way = row_from_wire(row, limits);
            way.map_err(|error| error.at(format!("row {}", index + 1)))
        });
        let ways = ways.collect::<Result<Vec<_>>>()?;
        let ask = request
            .ask
            .ok_or_else(|| Error::invalid("ask is not set"))?;
        let asking = self.asking(ask, work).await?;
        let (format, infos) = (asking.format, Arc::new(asking.infos));
        let request = CompareRequest::new(asking.request, ways);
        let (done, mut received) = mpsc::channel(1);
        let compare = async {
            let result = self
                .engine
                .compare(request, &work.cancellation, &done)
                .await;
            drop(done);
            result
        };
        let pass_on = async {
            while let Some(compared) = received.recv().await {
                if let Ok(outcome) = &compared.outcome {
                    work.call.charge(outcome);
                }
                let failure = compared.outcome.as_ref().err();
                let failure = failure.map(|error| status::failure(&work.status(error)));
                let infos = infos.clone();
                let encode = move || row_to_wire(&compared, failure, &infos, format);
                let row = self.engine.compute(encode).await?;
                rows.send(Ok(row)).await.map_err(|_| Error::cancelled())?;
            }
            Ok::<_, Error>(())
        };
        tokio::try_join!(compare, pass_on)?;
        Ok(())
    }
}

fn row_from_wire(row: pb::CompareRow, limits: &LimitSettings) -> Result<CompareRow> {
    let template = row.prompt.map(|prompt| match prompt {
        Prompt::Template(name) => Template::named(&name),
        Prompt::Words(words) => {
            limits.allow(Counted::PromptBytes, words.len())?;
            Template::parse(&words)
        }
    });
    let params = params::from_wire(row.params)?;
    let segmenter = segmenter(row.segmenter, row.granularity, params);
    let is_set = segmenter != SegmenterChoice::default();
    Ok(CompareRow {
        regions: is_set.then_some(RegionSource::Segmenter(segmenter)),
        refine: refinement(row.refine)?,
        layers: layers(row.styles)?,
        options: mark::options_from_wire(row.options),
        lmm: Some(row.lmm).filter(|name| !name.is_empty()),
        template: template.transpose()?,
        clean: row.clean,
        table: row.table,
        votes: Some(row.votes).filter(|&votes| votes > 0),
    })
}

/// A row as the client is told of it. Blocking.
fn row_to_wire(
    compared: &Compared,
    failure: Option<pb::Failure>,
    infos: &[pb::ImageInfo],
    format: PictureFormat,
) -> Result<pb::CompareResponse> {
    let answer = compared.outcome.as_ref().ok();
    let answer = answer.map(|outcome| Outcome::Answer(answer_to_wire(outcome)));
    let markings = compared.markings.iter().enumerate();
    Ok(pb::CompareResponse {
        // A request has far fewer than 2^32 rows.
        row: u32::try_from(compared.row).unwrap_or(u32::MAX),
        marked: markings
            .map(|(image, marking)| {
                marked_to_wire(image, marking, infos.get(image).cloned(), format)
            })
            .collect::<Result<_>>()?,
        outcome: answer.or(failure.map(Outcome::Failure)),
        took: milliseconds(Some(compared.took)),
        segmenter: compared.segmenter.clone(),
    })
}
