//! Allocation of many marks: regions of 12x12 pixels on 1920x1080, on one core.

#![allow(missing_docs, clippy::expect_used)]

use criterion::{BatchSize, BenchmarkId, Criterion, criterion_group, criterion_main};
use image::RgbImage;
use som_core::{
    AllocateOptions, BBox, Call, Image, Labelling, Labels, MarkOptions, Mask, Params, Region,
    Result, Size, allocate,
};

const SIZE: Size = Size::new(1920, 1080);
const SIDE: u32 = 12;

/// Numbers in boxes as `number` measures them: about two thirds of the font size a digit.
struct Digits;

impl Labelling for Digits {
    fn label(&self, index: u32) -> Result<String> {
        Ok((index + 1).to_string())
    }

    fn measure(&self, text: &str, call: &Call<'_>) -> Result<Size> {
        let font_size = call.number("font_size").unwrap_or(12.0);
        let width = (font_size * text.len() as f64 * 2.0 / 3.0).ceil() as u32 + 4;
        Ok(Size::new(width, font_size.ceil() as u32 + 4))
    }
}

/// `count` regions, as evenly scattered as a multiplicative sequence does it.
fn regions(count: u32) -> Vec<Region> {
    let place = |index: u32, stride: u64, room: u32| {
        (u64::from(index) * stride % u64::from(room - SIDE)) as u32
    };
    let region = |index| {
        let (x, y) = (
            place(index, 757_411, SIZE.width),
            place(index, 618_033, SIZE.height),
        );
        Region::new(Mask::rect(SIZE, BBox::new(x, y, SIDE, SIDE)))
    };
    (0..count).map(region).collect()
}

fn bench(criterion: &mut Criterion) {
    let photo = RgbImage::from_pixel(SIZE.width, SIZE.height, image::Rgb([90, 120, 150]));
    let view = Image::from_raw(SIZE.width, SIZE.height, photo.as_raw().as_slice()).expect("pixels");
    let params = Params::new();
    let labels = Labels {
        labelling: &Digits,
        params: &params,
    };
    let call = Call::uncancellable(&params);
    let options = AllocateOptions {
        marks: MarkOptions {
            // As many as are needed: every region gets a mark.
            max_pages: Some(0),
            ..MarkOptions::default()
        },
        ..AllocateOptions::default()
    };
    let mut group = criterion.benchmark_group("allocate 12x12 on 1920x1080");
    group.sample_size(10);
    for count in [500, 1_000, 2_000, 4_000, 10_000] {
        let place = |regions| {
            let allocation = allocate(&view, regions, Some(labels), &options, &call);
            let allocation = allocation.expect("marks");
            let least = options.marks.min_glyph.unwrap_or(9.0);
            assert!(allocation.marks.iter().all(|mark| mark.facts.hold(least)));
            assert!(allocation.unmarked.is_empty());
            allocation
        };
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter_batched(|| regions(count), place, BatchSize::LargeInput);
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
