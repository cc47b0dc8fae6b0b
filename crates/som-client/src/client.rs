//! The client: one method for each rpc.

use std::time::Duration;

use futures_util::{Stream, StreamExt as _, future::ready};
use som_core::Result;
use som_proto::{
    pb::v1::{
        self as pb, catalog_service_client::CatalogServiceClient,
        som_service_client::SomServiceClient,
    },
    status,
};
use tokio::time::sleep;
use tonic::{Response, Status, Streaming, codec::CompressionEncoding, transport::Channel};

use crate::{connection::Connection, failure::explain};

/// The largest message, as the server has it unless it is set otherwise.
const MESSAGE_BYTES: usize = 64 << 20;
/// Calls that a full server refuses are repeated so often, when it says so.
const RETRIES: u32 = 8;
/// Longer than this nobody is made to wait: a budget of a day may be used up.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Calls a server. Clones share the connection, which is made by the first call and made again
/// when it was lost.
#[derive(Clone, Debug)]
pub struct Client {
    connection: Connection,
    som: SomServiceClient<Channel>,
    catalog: CatalogServiceClient<Channel>,
}

impl Client {
    /// A client that is not connected yet. Needs a tokio runtime.
    ///
    /// # Errors
    /// Invalid, if the address is malformed or a TLS file is wrong.
    pub fn new(connection: &Connection) -> Result<Self> {
        let channel = connection.endpoint()?.connect_lazy();
        let som = SomServiceClient::new(channel.clone())
            .accept_compressed(CompressionEncoding::Gzip)
            .accept_compressed(CompressionEncoding::Zstd)
            .max_decoding_message_size(MESSAGE_BYTES)
            .max_encoding_message_size(MESSAGE_BYTES);
        let catalog = CatalogServiceClient::new(channel);
        Ok(Self {
            connection: connection.clone(),
            som,
            catalog,
        })
    }

    /// The same client, but its requests travel compressed, and so do the answers.
    #[must_use]
    pub fn compressed(mut self, encoding: CompressionEncoding) -> Self {
        self.som = self.som.send_compressed(encoding);
        self
    }

    /// image → regions.
    ///
    /// # Errors
    /// What the server reports; Unavailable, if it cannot be reached.
    pub async fn segment(&self, request: &pb::SegmentRequest) -> Result<pb::SegmentResponse> {
        self.repeat(|| {
            let request = self.connection.request(request.clone());
            let mut som = self.som.clone();
            async move { som.segment(request).await }
        })
        .await
    }

    /// image → regions → marks → marked image.
    ///
    /// # Errors
    /// What the server reports; Unavailable, if it cannot be reached.
    pub async fn mark(&self, request: &pb::MarkRequest) -> Result<pb::MarkResponse> {
        self.repeat(|| {
            let request = self.connection.request(request.clone());
            let mut som = self.som.clone();
            async move { som.mark(request).await }
        })
        .await
    }

    /// Many images; the answers come in the order of the requests, which are taken as fast as the
    /// server works.
    ///
    /// # Errors
    /// What ends the stream, which is over after it: what is wrong with one request is its answer.
    pub async fn mark_stream(
        &self,
        requests: impl Stream<Item = pb::MarkRequest> + Send + 'static,
    ) -> Result<impl Stream<Item = Result<pb::MarkStreamResponse>>> {
        let requests = requests.map(|mark| pb::MarkStreamRequest { mark: Some(mark) });
        let answers = self
            .som
            .clone()
            .mark_stream(self.connection.request(requests))
            .await;
        let answers = answers.map_err(|status| explain(&status))?.into_inner();
        Ok(until_error(answers))
    }

    /// video → objects: the first request starts it, each further one is a frame, and each has an answer, in
    /// their order. A stream cannot be repeated, so this is never sent again.
    ///
    /// # Errors
    /// What ends the session, which is over after it.
    pub async fn track(
        &self,
        requests: impl Stream<Item = pb::TrackRequest> + Send + 'static,
    ) -> Result<impl Stream<Item = Result<pb::TrackResponse>>> {
        let answers = self
            .som
            .clone()
            .track(self.connection.request(requests))
            .await;
        let answers = answers.map_err(|status| explain(&status))?.into_inner();
        Ok(until_error(answers))
    }

    /// images and a question → grounded answer: each stage as soon as it is done, the answer last.
    ///
    /// # Errors
    /// What the server reports; Unavailable, if it cannot be reached.
    pub async fn ask(
        &self,
        request: &pb::AskRequest,
    ) -> Result<impl Stream<Item = Result<pb::AskResponse>>> {
        let stages = self.repeat(|| {
            let request = self.connection.request(request.clone());
            let mut som = self.som.clone();
            async move { som.ask(request).await }
        });
        Ok(self.explained(stages.await?))
    }

    /// The same question in several ways: each row as soon as it is done.
    ///
    /// # Errors
    /// What the server reports; Unavailable, if it cannot be reached.
    pub async fn compare(
        &self,
        request: &pb::CompareRequest,
    ) -> Result<impl Stream<Item = Result<pb::CompareResponse>>> {
        let rows = self.repeat(|| {
            let request = self.connection.request(request.clone());
            let mut som = self.som.clone();
            async move { som.compare(request).await }
        });
        Ok(self.explained(rows.await?))
    }

    /// What there is to segment with.
    ///
    /// # Errors
    /// Unavailable, if the server cannot be reached.
    pub async fn segmenters(&self) -> Result<pb::ListSegmentersResponse> {
        self.repeat(|| {
            let request = self.connection.request(pb::ListSegmentersRequest {});
            let mut catalog = self.catalog.clone();
            async move { catalog.list_segmenters(request).await }
        })
        .await
    }

    /// What there is to mark with.
    ///
    /// # Errors
    /// Unavailable, if the server cannot be reached.
    pub async fn mark_styles(&self) -> Result<pb::ListMarkStylesResponse> {
        self.repeat(|| {
            let request = self.connection.request(pb::ListMarkStylesRequest {});
            let mut catalog = self.catalog.clone();
            async move { catalog.list_mark_styles(request).await }
        })
        .await
    }

    /// What there is to ask with.
    ///
    /// # Errors
    /// Unavailable, if the server cannot be reached.
    pub async fn lmms(&self) -> Result<pb::ListLmmsResponse> {
        self.repeat(|| {
            let request = self.connection.request(pb::ListLmmsRequest {});
            let mut catalog = self.catalog.clone();
            async move { catalog.list_lmms(request).await }
        })
        .await
    }

    /// What comes in, its errors as those of the server at this address.
    fn explained<T>(&self, answers: Streaming<T>) -> impl Stream<Item = Result<T>> + use<T> {
        let address = self.connection.address.clone();
        answers.map(move |answer| answer.map_err(|status| explain(&status).at(&address)))
    }

    // Not over an `AsyncFn`: that of a borrowing closure cannot be sent to another thread.
    async fn repeat<T, F>(&self, call: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let mut left = RETRIES;
        loop {
            match call().await {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) => match status::retry_delay(&status) {
                    Some(delay) if left > 0 && delay <= LONGEST_WAIT => {
                        left -= 1;
                        sleep(delay).await;
                    }
                    _ => return Err(explain(&status).at(&self.connection.address)),
                },
            }
        }
    }
}

/// The answers of a stream, which is over after its first error.
fn until_error<T>(answers: Streaming<T>) -> impl Stream<Item = Result<T>> {
    let mut is_over = false;
    let answers = answers.map(|answer| answer.map_err(|status| explain(&status)));
    answers.take_while(move |answer| {
        let goes_on = !is_over;
        is_over = answer.is_err();
        ready(goes_on)
    })
}
