//! Encode once, prompt many: a click on a new image, and a further click on one that was seen.
//!
//! The network is that of the variable `SOM_BENCH_WEIGHTS`, else the small one of the tests.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use image::RgbImage;
use serde_json::{Value, json};
use som_core::{Call, Image, Params, Schema, Segmenter};
use som_plugin::guest::Create;
use som_sam::SamSegmenter;

fn resolve(part: &str, values: Value) -> Params {
    let schema: Value = serde_json::from_str(som_sam::SAM.schema).unwrap();
    let values: Params = serde_json::from_value(values).unwrap();
    let schema = Schema::compile(&schema[part]).unwrap();
    schema.resolve("sam", &values).unwrap()
}

fn click(segmenter: &mut SamSegmenter, pixels: &RgbImage, params: &Params) {
    let (width, height) = pixels.dimensions();
    let image = Image::from_raw(width, height, pixels.as_raw().as_slice()).unwrap();
    let found = segmenter.segment(&image, &Call::uncancellable(params));
    assert!(!found.unwrap().is_empty());
}

fn prompts(criterion: &mut Criterion) {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/assets/shapes");
    let weights = std::env::var_os("SOM_BENCH_WEIGHTS")
        .map_or_else(|| data.join("checkpoint.pth"), Into::into);
    let options = resolve("options", json!({"weights": weights, "device": "cpu"}));
    // The schema of hints is the host's.
    let mut params = resolve("params", json!({}));
    let hints = json!({"points": [{"x": 160.0, "y": 60.0}]});
    params.insert("hints".to_owned(), hints);
    let mut segmenter = SamSegmenter::create(&Call::uncancellable(&options)).unwrap();
    let mut pixels = image::open(data.join("image.png")).unwrap().into_rgb8();

    let mut group = criterion.benchmark_group("click");
    group.sample_size(10);
    group.bench_function("on a new image", |bencher| {
        bencher.iter(|| {
            let bytes = pixels.as_mut();
            let counter = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
            bytes[..4].copy_from_slice(&counter.wrapping_add(1).to_le_bytes());
            click(&mut segmenter, &pixels, &params);
        });
    });
    group.bench_function("on an image that was seen", |bencher| {
        click(&mut segmenter, &pixels, &params);
        bencher.iter(|| click(&mut segmenter, &pixels, &params));
    });
    group.finish();
}

criterion_group!(benches, prompts);
criterion_main!(benches);
