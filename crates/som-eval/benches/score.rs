//! How fast runs are scored: 10,000 expressions of RefCOCO's size, from JSON lines to intervals.

#![allow(clippy::unwrap_used)]

use std::{fmt::Write as _, fs, hint::black_box};

use criterion::{Criterion, criterion_group, criterion_main};
use serde_json::json;
use som_core::{BBox, Mask, Size};
use som_eval::{
    data::{Dataset, Place},
    score::{self, Options},
};

const SAMPLES: u32 = 10_000;

/// Something like a person: two overlapping boxes with a slanted side.
fn shape(seed: u32) -> Mask {
    let size = Size::new(640, 480);
    let (x, y) = (seed * 37 % 400, seed * 53 % 200);
    let mut mask = Mask::rect(size, BBox::new(x, y, 120, 90));
    for row in 0..150 {
        let part = BBox::new(x + 20 + row / 3, y + 80 + row, 90 + row % 7, 1);
        mask = mask.union(&Mask::rect(size, part));
    }
    mask
}

fn scoring(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let (mut samples, mut results) = (String::new(), String::new());
    for id in 0..SAMPLES {
        let [truth, found] = [shape(id), shape(id + id % 3)].map(|mask| mask.to_rle());
        let sample = json!({"id": id.to_string(), "image": format!("{}.jpg", id / 3),
            "size": [640, 480], "task": "refer", "expression": "it",
            "targets": [{"mask": truth}]});
        let result = json!({"sample": id.to_string(), "answer": {"masks": [found]},
            "regions": [{"mask": found}, {"mask": truth}]});
        writeln!(samples, "{sample}").unwrap();
        writeln!(results, "{result}").unwrap();
    }
    fs::write(folder.path().join("samples.jsonl"), samples).unwrap();
    let file = folder.path().join("results.jsonl");
    fs::write(&file, results).unwrap();
    let place: Place = format!("lines:{}", folder.path().display())
        .parse()
        .unwrap();
    let mut group = criterion.benchmark_group("score");
    group.sample_size(10);
    group.bench_function("10,000 expressions", |bencher| {
        bencher.iter(|| {
            let data = Dataset::open(&place).unwrap();
            black_box(score::score(&data, &file, &Options::default()).unwrap())
        });
    });
    group.finish();
}

criterion_group!(benches, scoring);
criterion_main!(benches);
