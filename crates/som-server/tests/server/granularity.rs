//! Granularity: who answers, why, and the steps of the slider.

use std::sync::Arc;

use serde_json::json;
use som_core::granularity::Step;
use som_engine::{
    Engine,
    registry::{Provenance, Registry},
};
use som_plugin::host;
use som_proto::{granularity, params, pb::v1 as pb};
use som_server::Role;
use tonic::Code;

use crate::{
    som::{mark_png, png, wire},
    support::{Columns, Running, catalog, settings, som},
};

/// An engine of which the settings choose by granularity: one segmenter has weights, one needs none,
/// and one is not there.
fn slider() -> Arc<Engine> {
    let toml = "[segmenter.sam]\nweights = 'x.pth'\n[granularity]\nsteps = [{ from = 1, segmenter = 'seem' }, { from = 2, segmenter = 'sam', params = { count = 4 }, hinted = 'columns' }]\n";
    let mut settings = settings(toml);
    settings.server.listen = "127.0.0.1:0".into();
    settings.mark.segmenter = "columns".into();
    settings.mark.granularity = 2.5;
    let mut registry = Registry::default();
    let styles = host::adopt(som_marks::PLUGIN).unwrap();
    registry.add_plugin(styles, &Provenance::Embedded).unwrap();
    for id in ["columns", "sam"] {
        let columns = Columns::default().named(id);
        let columns = match id {
            "columns" => columns.without_weights(),
            _ => columns,
        };
        registry
            .add_segmenter(Arc::new(columns), Provenance::Embedded)
            .unwrap();
    }
    Engine::new(settings, registry).unwrap().into()
}

#[tokio::test]
async fn a_granularity_chooses_and_the_steps_are_listed() {
    let server = Running::start(slider(), Role::Front).await;
    let mut client = som(&server).await;
    let mut told = async |granularity: Option<f64>, segmenter: &str, params| {
        let request = pb::SegmentRequest {
            image: png(),
            segmenter: segmenter.into(),
            params: wire(params),
            granularity,
            refine: None,
        };
        let answer = client.segment(request).await;
        answer.map(|answer| answer.into_inner().segmentation.unwrap())
    };
    let hints = json!({"hints": {"points": [{"x": 3, "y": 3}]}});
    for (granularity, params, segmenter, count, reason) in [
        (
            Some(2.2),
            json!({}),
            "sam",
            4,
            "2.2 is from 2: sam, count 4",
        ),
        (
            Some(1.0),
            json!({"count": 2}),
            "sam",
            2,
            "1 is from 1: sam, count 4; seem is not there; the nearest step is from 2; but the request sets count",
        ),
        (
            Some(3.0),
            hints,
            "columns",
            3,
            "3 is from 2, with hints: columns",
        ),
        (None, json!({}), "sam", 4, "2.5 is from 2: sam, count 4"),
    ] {
        let cut = told(granularity, "", params).await.unwrap();
        assert_eq!(cut.segmenter, segmenter);
        let told = cut.granularity.unwrap();
        assert_eq!(
            (told.value, &*told.reason),
            (granularity.unwrap_or(2.5), reason)
        );
        assert_eq!(params::from_wire(cut.params).unwrap()["count"], count);
    }
    let named = told(None, "columns", json!({})).await.unwrap();
    assert_eq!((&*named.segmenter, named.granularity), ("columns", None));
    for (granularity, segmenter) in [(2.0, "columns"), (0.5, "")] {
        let status = told(Some(granularity), segmenter, json!({})).await;
        assert_eq!(status.unwrap_err().code(), Code::InvalidArgument);
    }

    // As marks and questions are asked for, too.
    let request = pb::MarkRequest {
        granularity: Some(2.2),
        ..mark_png()
    };
    let marked = som(&server).await.mark(request).await.unwrap().into_inner();
    assert_eq!(marked.marks.len(), 4);
    let reason = marked.segmentation.unwrap().granularity.unwrap().reason;
    assert_eq!(reason, "2.2 is from 2: sam, count 4");

    let mut catalog = catalog(&server).await;
    let listed = catalog.list_segmenters(pb::ListSegmentersRequest {}).await;
    let listed = listed.unwrap().into_inner();
    assert_eq!(listed.default_granularity, 2.5);
    let steps = listed.granularity_steps.into_iter();
    let steps: Vec<_> = steps
        .map(|step| granularity::step_from_wire(step).unwrap())
        .collect();
    let starts: Vec<f64> = steps.iter().map(|step| step.start.value()).collect();
    assert_eq!(starts, [1.0, 2.0]);
    let of = |step: &Step| {
        (
            step.everything.segmenter.clone(),
            step.hinted.segmenter.clone(),
        )
    };
    let both = ("sam".to_owned(), "columns".to_owned());
    assert_eq!(
        steps.iter().map(of).collect::<Vec<_>>(),
        [both.clone(), both]
    );
}
