//! The option `weights`: a name of the catalogue reaches a segmenter as the path of its file.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::{fs, path::Path, sync::Arc};

use image::RgbImage;
use serde_json::json;
use som_core::{Call, Cancellation, Descriptor, ErrorKind, Result, Segmenter, SegmenterFactory};
use som_engine::{
    Engine, SegmentRequest,
    registry::{Provenance, Registry},
    settings::Ladder,
};

/// A segmenter that fails with the weights it was given.
struct Told(Descriptor);

impl SegmenterFactory for Told {
    fn descriptor(&self) -> &Descriptor {
        &self.0
    }

    fn create(&self, options: &Call<'_>) -> Result<Box<dyn Segmenter>> {
        let weights = options.text("weights").unwrap_or("none");
        Err(som_core::Error::unsupported(format!("told {weights}")))
    }
}

/// What a segmenter with `weights` in its table answers, checkpoints being in `folder`.
async fn answer(folder: &Path, weights: Option<&str>) -> (ErrorKind, String) {
    let mut ladder = Ladder::embedded()
        .with_flag("--segmenter", "mark.segmenter", "told")
        .with_flag("--set", "models.folder", folder.to_str().unwrap());
    if let Some(weights) = weights {
        ladder = ladder.with_flag("--set", "segmenter.told.weights", weights);
    }
    let descriptor = Descriptor {
        id: "told".into(),
        version: "1.0.0".into(),
        about: "tells its weights".into(),
        capabilities: Vec::new(),
        options: json!({"type": "object", "properties": {"weights": {"type": "string"}}}),
        params: json!({"type": "object"}),
    };
    let mut registry = Registry::default();
    registry
        .add_segmenter(Arc::new(Told(descriptor)), Provenance::Embedded)
        .unwrap();
    let engine = Engine::new(ladder.load().unwrap().0, registry).unwrap();
    let request = SegmentRequest::new(RgbImage::new(4, 4).into());
    let error = engine
        .segment(request, &Cancellation::new())
        .await
        .unwrap_err();
    (error.kind(), error.message().to_owned())
}

#[tokio::test]
async fn a_name_becomes_the_path_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let (kind, message) = answer(folder, Some("sam_vit_b")).await;
    assert_eq!(kind, ErrorKind::NotFound);
    assert_eq!(
        message,
        "segmenter \"told\": weights \"sam_vit_b\" are not on this machine (fetch them: som models pull sam_vit_b)"
    );

    let file = folder.join("sam_vit_b.pth");
    fs::write(&file, "").unwrap();
    let (_, message) = answer(folder, Some("sam_vit_b")).await;
    assert_eq!(message, format!("told {}", file.display()));
}

#[tokio::test]
async fn a_path_stays_as_it_is_and_a_slip_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for path in ["some/where", "mine.pth", "./sam_vit_b"] {
        let (_, message) = answer(folder, Some(path)).await;
        assert_eq!(message, format!("told {path}"));
    }
    let (_, message) = answer(folder, None).await;
    assert_eq!(message, "told none");
    let (kind, message) = answer(folder, Some("sam_vitb")).await;
    assert_eq!(kind, ErrorKind::NotFound);
    assert!(
        message.contains("unknown weights \"sam_vitb\" (did you mean \"sam_vit_b\"?"),
        "{message}"
    );
}
