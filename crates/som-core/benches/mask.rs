//! How long masks take from pixels to COCO RLE text and back, and what is done with them.

#![allow(missing_docs, clippy::expect_used)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use som_core::{Mask, Size};

const SIZES: [Size; 2] = [Size::new(1920, 1080), Size::new(640, 480)];

/// A blob with a wavy outline in the middle, about a third of the image.
fn blob(size: Size) -> Mask {
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let pixels: Vec<u8> = (0..size.height)
        .flat_map(|y| (0..size.width).map(move |x| (f64::from(x), f64::from(y))))
        .map(|(x, y)| {
            let (dx, dy) = ((x / width - 0.5) / 0.3, (y / height - 0.5) / 0.35);
            u8::from(dx * dx + dy * dy + 0.1 * (x / 9.0).sin() * (y / 7.0).cos() < 1.0)
        })
        .collect();
    Mask::from_dense(size, size.bbox(), &pixels).expect("as many pixels as the size")
}

/// Pixels at random, half of them inside.
fn noise(size: Size) -> Mask {
    let mut state = 1_u32;
    let pixels: Vec<u8> = (0..size.pixels())
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 31) as u8
        })
        .collect();
    Mask::from_dense(size, size.bbox(), &pixels).expect("as many pixels as the size")
}

/// Every region of a label map of 20 by 12 cells with wavy borders.
fn labels(size: Size) -> (Vec<u32>, usize) {
    let cell = |v: f64, w: f64, cells: u32, side: u32| {
        let v = v + 6.0 * (w / 11.0).sin();
        ((v * f64::from(cells) / f64::from(side)).max(0.0) as u32).min(cells - 1)
    };
    let labels = (0..size.height)
        .flat_map(|y| (0..size.width).map(move |x| (f64::from(x), f64::from(y))))
        .map(|(x, y)| cell(x, y, 20, size.width) + 20 * cell(y, x, 12, size.height))
        .collect();
    (labels, 240)
}

fn rle(criterion: &mut Criterion) {
    for size in SIZES {
        for (name, mask) in [("blob", blob(size)), ("noise", noise(size))] {
            let mut group = criterion.benchmark_group(format!("{size} {name}"));
            let whole = size.bbox();
            let pixels = mask.to_dense(whole);
            let rle = mask.to_rle();
            group.bench_function("pixels to mask", |bencher| {
                bencher.iter(|| Mask::from_dense(size, whole, black_box(&pixels)));
            });
            group.bench_function("mask to text", |bencher| {
                bencher.iter(|| black_box(&mask).to_rle());
            });
            group.bench_function("pixels to text", |bencher| {
                bencher.iter(|| {
                    Mask::from_dense(size, whole, black_box(&pixels)).map(|mask| mask.to_rle())
                });
            });
            group.bench_function("text to mask", |bencher| {
                bencher.iter(|| Mask::from_rle(black_box(&rle)));
            });
            group.bench_function("text to pixels", |bencher| {
                bencher.iter(|| Mask::from_rle(black_box(&rle)).map(|mask| mask.to_dense(whole)));
            });
        }
    }
}

fn sets(criterion: &mut Criterion) {
    for size in SIZES {
        let mut group = criterion.benchmark_group(size.to_string());
        let mask = blob(size);
        let (labels, count) = labels(size);
        group.bench_function("label map to 240 masks", |bencher| {
            bencher.iter(|| Mask::from_label_map(size, black_box(&labels), count));
        });
        group.bench_function("IoU with the complement", |bencher| {
            let complement = mask.complement();
            bencher.iter(|| black_box(&mask).iou(black_box(&complement)));
        });
    }
}

criterion_group!(benches, rle, sets);
criterion_main!(benches);
