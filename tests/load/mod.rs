//! Servers under load and faults, and their clients in Python.

// The same answers for 64 clients at a time.
mod crowd;
// Processes that are killed, plugins that hang or exit: what it costs.
mod faults;
// Clients that want too much of it: memory, connections, time.
mod hostile;
// Clients in Python: grpcio itself, and the packages of examples/.
mod python;
// Many requests, and the memory they leave behind.
mod soak;

use std::sync::Arc;

use image::{Rgb, RgbImage};
use serde_json::Value;
use som_core::Result;
use som_proto::{params, pb::v1 as pb};

use crate::som::{Served, png};

/// A settings file for a front whose segmenter `far` is behind `backends`, and the default.
pub(crate) fn behind(backends: &[&Served]) -> String {
    let urls: Vec<String> = backends.iter().map(|backend| backend.url()).collect();
    format!("[mark]\nsegmenter = \"far\"\n[segmenter.far]\nremote = {urls:?}\n")
}

/// A small picture with a few regions, as PNG; each `seed` has its own.
pub(crate) fn picture(seed: u32) -> Arc<[u8]> {
    let shade = |x: u32, y: u32| {
        let tile = (x / 16 + 3 * (y / 16) + seed) % 5;
        Rgb([
            (tile * 50) as u8,
            (seed % 251) as u8,
            (255 - tile * 40) as u8,
        ])
    };
    png(&RgbImage::from_fn(64, 48, shade)).into()
}

/// A request to mark `file`, with parameters for the segmenter. No page is drawn.
pub(crate) fn mark(file: &[u8], told: Value) -> pb::MarkRequest {
    let encoded = pb::EncodedImage {
        data: file.to_owned().into(),
        keep: false,
        ..pb::EncodedImage::default()
    };
    pb::MarkRequest {
        image: Some(pb::Image {
            content: Some(pb::image::Content::Encoded(encoded)),
        }),
        params: Some(params::to_wire(&serde_json::from_value(told).unwrap())),
        format: pb::PictureFormat::None.into(),
        ..pb::MarkRequest::default()
    }
}

/// The numbers that tell one answer from another: the areas of the marks' regions.
pub(crate) fn areas(answer: Result<pb::MarkResponse>) -> Result<Vec<u64>> {
    let area = |mark: pb::Mark| mark.region.unwrap().area;
    Ok(answer?.marks.into_iter().map(area).collect())
}
