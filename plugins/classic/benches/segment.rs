//! How long one image takes, on one core.

#![allow(clippy::expect_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use som_classic::Classic;
use som_core::{Call, Image, Params, Segmenter};

fn segment(criterion: &mut Criterion) {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/images/coffee.png"
    );
    let photograph = image::open(path).expect("the photograph").to_rgb8();
    for (width, height) in [(640, 480), (1920, 1080), (4000, 3000)] {
        let filter = image::imageops::FilterType::CatmullRom;
        let pixels = image::imageops::resize(&photograph, width, height, filter);
        let image = Image::from_raw(width, height, pixels.as_raw().as_slice());
        let image = image.expect("as many pixels");
        let params = Params::new();
        let call = Call::uncancellable(&params);
        criterion.bench_function(&format!("segment {width}x{height}"), |bencher| {
            bencher.iter(|| Classic.segment(black_box(&image), &call));
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = segment
}
criterion_main!(benches);
