//! From given regions to a finished image on one core, each stage and the whole.

#![allow(clippy::expect_used)]

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use image::{RgbImage, imageops::FilterType};
use som_core::{
    AllocateOptions, Call, Canvas, Image, Labels, MarkStyle, Marks, Mask, Params, Region, Rle,
    allocate,
    pipeline::{Ink, mark},
};

/// Sizes, and the regions that scikit-image 0.26 finds in the photograph scaled to that width and
/// cut to that height about its middle: `felzenszwalb(scale=329.9, sigma=1.2, min_size=400)`, and
/// 200 of those of `felzenszwalb(scale=168.05, sigma=1.2, min_size=500)`.
const CASES: [(&str, (u32, u32), &str); 2] = [
    (
        "960x640, 48 regions",
        (960, 640),
        include_str!("coffee-48.json"),
    ),
    (
        "1920x1080, 200 regions",
        (1920, 1080),
        include_str!("coffee-200.json"),
    ),
];

fn bench(criterion: &mut Criterion) {
    let photo = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../examples/images/coffee.png"
    );
    let photo = image::open(photo).expect("the photograph").to_rgb8();
    let plugin = som_plugin::host::adopt(som_marks::PLUGIN).expect("the mark styles");
    let style = |id: &str| -> &dyn MarkStyle {
        let style = plugin
            .mark_styles
            .iter()
            .find(|style| style.descriptor().id == id);
        style.expect("a style of this id").as_ref()
    };
    let params = Params::new();
    let call = Call::uncancellable(&params);
    let options = AllocateOptions::default();
    for (name, (width, height), regions) in CASES {
        let whole_height = width * photo.height() / photo.width();
        let scaled = image::imageops::resize(&photo, width, whole_height, FilterType::Lanczos3);
        let top = (whole_height - height) / 2;
        let photo: RgbImage = image::imageops::crop_imm(&scaled, 0, top, width, height).to_image();
        let view = Image::from_raw(width, height, photo.as_raw().as_slice()).expect("pixels");
        let rles: Vec<Rle> = serde_json::from_str(regions).expect("regions");
        let regions = || -> Vec<Region> {
            rles.iter()
                .map(|rle| Region::new(Mask::from_rle(rle).expect("a mask")))
                .collect()
        };
        let ids = ["mask", "contour", "number"];
        let stack = ids.map(|id| Ink {
            style: style(id),
            params: &params,
        });
        let labelling = style("number").labelling().expect("numbers");
        let labels = Labels {
            labelling,
            params: &params,
        };
        let place = |regions| allocate(&view, regions, Some(labels), &options, &call);

        let mut group = criterion.benchmark_group(name);
        group.bench_function("whole", |bencher| {
            let whole = |regions| mark(black_box(&view), regions, &stack, &options, &call);
            bencher.iter_batched(regions, whole, BatchSize::LargeInput);
        });
        group.bench_function("allocate", |bencher| {
            bencher.iter_batched(regions, place, BatchSize::LargeInput);
        });
        let allocation = place(regions()).expect("marks");
        let marks: Marks<'_> = allocation.on_page(1).map(|mark| &mark.mark).collect();
        for id in ids {
            let mut page = photo.clone();
            let mut canvas = Canvas::from_raw(width, height, page.as_mut()).expect("pixels");
            group.bench_function(id, |bencher| {
                bencher.iter(|| style(id).draw(&mut canvas, &marks, &call));
            });
        }
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
