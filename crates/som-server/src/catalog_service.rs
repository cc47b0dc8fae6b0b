//! `som.v1.CatalogService`: what there is to segment, to mark and to ask with.

use std::sync::Arc;

use futures_util::future::join_all;
use som_engine::{Engine, granularity, registry::SegmenterEntry};
use som_proto::{
    ask, descriptor, granularity as wire_granularity,
    pb::v1::{
        ListLmmsRequest, ListLmmsResponse, ListMarkStylesRequest, ListMarkStylesResponse,
        ListSegmentersRequest, ListSegmentersResponse, catalog_service_server::CatalogService,
    },
};
use tonic::{Request, Response, Status};

use crate::call::Call;

/// The engine's registry.
pub(crate) struct Catalog(pub(crate) Arc<Engine>);

#[tonic::async_trait]
impl CatalogService for Catalog {
    async fn list_segmenters(
        &self,
        request: Request<ListSegmentersRequest>,
    ) -> Result<Response<ListSegmentersResponse>, Status> {
        let (registry, settings) = (self.0.registry(), self.0.settings());
        // Who cannot be reached now cannot be used now.
        let known = join_all(registry.segmenters().map(SegmenterEntry::probe)).await;
        let steps = granularity::steps(registry, settings).await;
        Ok(Call::of(&request)?.reply(ListSegmentersResponse {
            segmenters: known
                .into_iter()
                .flatten()
                .map(|segmenter| descriptor::to_wire(segmenter.descriptor()))
                .collect(),
            default_segmenter: settings.mark.segmenter.clone(),
            granularity_steps: steps
                .iter()
                .flatten()
                .map(wire_granularity::step_to_wire)
                .collect(),
            default_granularity: settings.mark.granularity,
        }))
    }

    async fn list_mark_styles(
        &self,
        request: Request<ListMarkStylesRequest>,
    ) -> Result<Response<ListMarkStylesResponse>, Status> {
        let entries = self.0.registry().styles();
        Ok(Call::of(&request)?.reply(ListMarkStylesResponse {
            mark_styles: entries
                .map(|entry| descriptor::to_wire(entry.descriptor()))
                .collect(),
            default_styles: self.0.settings().mark.styles.clone(),
        }))
    }

    async fn list_lmms(
        &self,
        request: Request<ListLmmsRequest>,
    ) -> Result<Response<ListLmmsResponse>, Status> {
        Ok(Call::of(&request)?.reply(ListLmmsResponse {
            lmms: self.0.lmms().list().map(ask::info_to_wire).collect(),
            default_lmm: self.0.settings().ask.lmm.clone(),
        }))
    }
}
