//! What gRPC adds to the work itself: Mark of an encoded 640x480 image in this process and over
//! loopback, and a segmenter in this process and behind a backend.

#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

#[path = "../tests/server/support.rs"]
#[allow(dead_code)]
mod support;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use criterion::{Criterion, criterion_group, criterion_main};
use image::{Rgb, RgbImage};
use som_core::{
    Cancellation, Params,
    decode::decode,
    encode::{Encoding, encode},
};
use som_engine::{Engine, MarkRequest, SegmentRequest, SegmenterChoice, SharedImage};
use som_proto::{mark, pb::v1 as pb};
use som_server::Role;
use tokio::runtime::Runtime;

use support::{Columns, Running, backend, engine, front, som};

const LIMIT: u64 = 100_000_000;

/// Smooth with an edge here and there, as photographs are.
fn picture() -> RgbImage {
    RgbImage::from_fn(640, 480, |x, y| {
        let wave = |a: u32, b: u32| ((a * a / 90 + b * b / 70) % 256) as u8;
        Rgb([wave(x, y), wave(y, x) / 2, (x / 80 * 30 + y / 60 * 5) as u8])
    })
}

/// The work of one Mark, as the service does it, without the service.
async fn mark_here(engine: &Arc<Engine>, file: &Arc<Vec<u8>>) -> usize {
    let bytes = file.clone();
    let image = engine.compute(move || decode(&bytes, LIMIT)).await.unwrap();
    let request = MarkRequest::new(image.into());
    let marking = engine.mark(request, &Cancellation::new()).await.unwrap();
    let encode = move || {
        let marked = &marking.marked;
        let marks = marked.allocation.marks.iter().map(mark::to_wire).count();
        Ok(marks + encode(&marked.pages[0], Encoding::Png)?.len())
    };
    engine.compute(encode).await.unwrap()
}

fn mark_over_loopback(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let file = Arc::new(encode(&picture(), Encoding::Jpeg).unwrap());
    let (server, here) = runtime.block_on(front(""));
    let client = runtime.block_on(som(&server));
    let request = pb::MarkRequest {
        image: Some(pb::Image {
            content: Some(pb::image::Content::Encoded(pb::EncodedImage {
                data: file.to_vec().into(),
                keep: false,
                ..pb::EncodedImage::default()
            })),
        }),
        ..pb::MarkRequest::default()
    };
    let mut group = criterion.benchmark_group("mark 640x480");
    group.bench_function("in this process", |bencher| {
        bencher.iter(|| runtime.block_on(mark_here(&here, &file)));
    });
    group.bench_function("over loopback", |bencher| {
        bencher.iter(|| {
            let mut client = client.clone();
            let request = request.clone();
            runtime.block_on(async move { client.mark(request).await.unwrap() })
        });
    });
    // The time of a call less that of its stages: what is left when the work itself varies.
    group.bench_function("over loopback, less its stages", |bencher| {
        bencher.iter_custom(|calls| {
            let added = (0..calls).map(|_| {
                let (mut client, request) = (client.clone(), request.clone());
                let started = Instant::now();
                let answer = runtime.block_on(async move { client.mark(request).await.unwrap() });
                started
                    .elapsed()
                    .saturating_sub(stages(&answer.into_inner()))
            });
            added.sum()
        });
    });
    group.finish();
}

/// What the stages of an answer took.
fn stages(answer: &pb::MarkResponse) -> Duration {
    let pb::Timings {
        decode,
        segment,
        allocate,
        draw,
        encode,
        ..
    } = answer.timings.unwrap();
    Duration::from_secs_f64((decode + segment + allocate + draw + encode) / 1e3)
}

fn segment_behind_a_backend(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let backend: Running = runtime.block_on(backend(""));
    let toml = format!("[segmenter.far]\nremote = ['http://{}']", backend.address);
    let engine = engine(&toml, Columns::default()).unwrap();
    let image = SharedImage::from(picture());
    let request = |id: &str| SegmentRequest {
        segmenter: SegmenterChoice {
            id: Some(id.into()),
            ..SegmenterChoice::default()
        },
        ..SegmentRequest::new(image.clone())
    };
    let go = Cancellation::new();
    let mut group = criterion.benchmark_group("segment 640x480");
    for (name, id) in [("in this process", "columns"), ("behind a backend", "far")] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let done = runtime.block_on(engine.segment(request(id), &go));
                done.unwrap().regions.len()
            });
        });
    }
    group.finish();
}

/// Sixteen Marks at a time, by how many instances the segmenter has, which sleeps 20 ms for each.
fn throughput_by_instances(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let mut group = criterion.benchmark_group("16 x segment of 20 ms");
    group.sample_size(10);
    for instances in [1, 2, 4, 8] {
        let toml = format!("[segmenter.columns]\ninstances = {instances}");
        let served = runtime.block_on(Running::start(
            engine(&toml, Columns::default()).unwrap(),
            Role::Front,
        ));
        let client = runtime.block_on(som(&served));
        let params = Params::from_iter([("sleep_ms".to_owned(), 20.into())]);
        let request = pb::SegmentRequest {
            image: Some(support::image()),
            params: Some(som_proto::params::to_wire(&params)),
            ..pb::SegmentRequest::default()
        };
        group.bench_function(format!("{instances} instances"), |bencher| {
            bencher.iter(|| {
                let calls = (0..16).map(|_| {
                    let (mut client, request) = (client.clone(), request.clone());
                    async move { client.segment(request).await.unwrap() }
                });
                runtime.block_on(futures_util::future::join_all(calls))
            });
        });
    }
    group.finish();
}

criterion_group!(
    benches,
    mark_over_loopback,
    segment_behind_a_backend,
    throughput_by_instances
);
criterion_main!(benches);
