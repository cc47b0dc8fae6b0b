//! The option `weights`: a name of the catalogue reaches a segmenter as the path of its file.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::{fs, path::Path, sync::Arc};

use image::RgbImage;
use serde_json::Value;
use som_core::{Cancellation, ErrorKind, Result};
use som_engine::{
    Engine, SegmentRequest,
    registry::{Provenance, Registry},
    settings::Ladder,
};
use som_test::Columns;

/// The weights that a segmenter with `weights` in its table is given, checkpoints being in `folder`.
async fn given(folder: &Path, weights: Option<&str>) -> Result<Value> {
    let mut ladder = Ladder::embedded()
        .with_flag("--segmenter", "mark.segmenter", "columns")
        .with_flag("--set", "models.folder", folder.to_str().unwrap());
    if let Some(weights) = weights {
        ladder = ladder.with_flag("--set", "segmenter.columns.weights", weights);
    }
    let mut registry = Registry::default();
    registry
        .add_segmenter(Arc::new(Columns::default()), Provenance::Embedded)
        .unwrap();
    let engine = Engine::new(ladder.load().unwrap().0, registry).unwrap();
    let request = SegmentRequest::new(RgbImage::new(4, 4).into());
    let segmented = engine.segment(request, &Cancellation::new()).await?;
    let weights = segmented.regions[0].extra.get("weights");
    Ok(weights.cloned().unwrap_or_default())
}

#[tokio::test]
async fn a_name_becomes_the_path_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let error = given(folder, Some("sam_vit_b")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(
        error.message(),
        "segmenter \"columns\": weights \"sam_vit_b\" are not on this machine (fetch them: som models pull sam_vit_b)"
    );

    let file = folder.join("sam_vit_b.pth");
    fs::write(&file, "").unwrap();
    let weights = given(folder, Some("sam_vit_b")).await.unwrap();
    assert_eq!(weights, file.to_str().unwrap());
}

#[tokio::test]
async fn a_path_stays_as_it_is_and_a_slip_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for path in ["some/where", "mine.pth", "./sam_vit_b"] {
        assert_eq!(given(folder, Some(path)).await.unwrap(), path);
    }
    assert_eq!(given(folder, None).await.unwrap(), Value::Null);
    let error = given(folder, Some("sam_vitb")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let message = error.message();
    assert!(
        message.contains("unknown weights \"sam_vitb\" (did you mean \"sam_vit_b\"?"),
        "{message}"
    );
}
