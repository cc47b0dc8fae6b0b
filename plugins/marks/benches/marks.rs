//! From given regions to a finished image on one core: `cargo bench -p som-marks`.

use std::{fs, hint::black_box, path::Path};

use criterion::{Criterion, criterion_group, criterion_main};
use image::RgbImage;
use som_core::{
    AllocateOptions, Call, Image, Layer, Mark, MarkStyle, Mask, Params, Region, allocate::Labels,
    allocate::allocate, mark, mask::Rle,
};
use som_marks::{Contour, MaskFill, Number};

fn load(photo: &str, regions: &str) -> (RgbImage, Vec<Region>) {
    let photo = image::open(photo).unwrap().to_rgb8();
    let rles: Vec<Rle> = serde_json::from_str(&fs::read_to_string(regions).unwrap()).unwrap();
    let regions = rles.iter().map(|rle| Region::new(Mask::from_rle(rle).unwrap())).collect();
    (photo, regions)
}

fn bench(c: &mut Criterion) {
    let dir = Path::new("/tmp/marks");
    for (name, photo, regions) in [
        ("48 at 960x640", "coffee960.png", "coffee48.json"),
        ("200 at 1920x1080", "coffee1080.png", "coffee1080_200.json"),
        ("1000 at 960x640", "coffee960.png", "coffee_felz1000.json"),
    ] {
        let (photo, regions) =
            load(dir.join(photo).to_str().unwrap(), dir.join(regions).to_str().unwrap());
        let none = Params::new();
        let call = Call::uncancellable(&none);
        let options = AllocateOptions::default();
        let view = Image::from_raw(photo.width(), photo.height(), photo.as_raw().as_slice()).unwrap();
        let layer = |style| Layer { style, params: &none };
        let stack: [Layer<'_>; 3] = [layer(&MaskFill), layer(&Contour), layer(&Number)];
        let mut group = c.benchmark_group(name);
        group.sample_size(20);
        group.bench_function("whole", |b| {
            b.iter_batched(
                || regions.clone(),
                |regions| mark(black_box(&view), regions, &stack, &options, &call).unwrap(),
                criterion::BatchSize::LargeInput,
            );
        });
        let labels = Labels { labelling: &Number, params: &none };
        group.bench_function("allocate", |b| {
            b.iter_batched(
                || regions.clone(),
                |regions| allocate(&view, regions, Some(labels), &options, &call).unwrap(),
                criterion::BatchSize::LargeInput,
            );
        });
        let allocation = allocate(&view, regions.clone(), Some(labels), &options, &call).unwrap();
        let marks: Vec<&Mark> = allocation.on_page(1).map(|m| &m.mark).collect();
        for (name, style) in
            [("mask", &MaskFill as &dyn MarkStyle), ("contour", &Contour), ("number", &Number)]
        {
            let mut page = photo.clone();
            let (w, h) = page.dimensions();
            let mut canvas = som_core::Canvas::from_raw(w, h, page.as_mut()).unwrap();
            group.bench_function(name, |b| b.iter(|| style.draw(&mut canvas, &marks, &call).unwrap()));
        }
    }
}

criterion_group!(benches, bench);
criterion_main!(benches);
