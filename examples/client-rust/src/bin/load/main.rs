//! A load generator: marks one image again and again on a server, and tells how long it took.
//!
//! ```text
//! som serve &
//! cargo run --release -p example-client --bin load -- examples/images/coffee.png --requests 500
//! ```
//!
//! Bounded in count and in time. With `--rate` the calls begin at their own pace, whether earlier
//! ones are answered or not, and each one's time counts from when it was due: a server that stalls
//! is not spared the calls that it held up.

mod report;

use std::{
    error::Error,
    fs,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use clap::{Parser, ValueEnum};
use som_client::{Client, Connection};
use som_proto::pb::v1::{
    EncodedImage, Image, MarkRequest, MarkResponse, PictureFormat, Timings, image::Content,
};
use tokio::{
    task::JoinSet,
    time::{sleep_until, timeout_at},
};

use crate::report::{Report, Sample};

/// Mark one image again and again on a som server, and tell how long it took
#[derive(Parser)]
struct Options {
    /// The image
    image: PathBuf,
    /// The server: http://HOST:PORT, https://HOST:PORT or unix:PATH
    #[arg(long, default_value = "http://127.0.0.1:50051")]
    server: String,
    /// Calls altogether
    #[arg(long, short = 'n', default_value_t = 200)]
    requests: u32,
    /// Calls at a time, each over a connection of its own
    #[arg(long, short, default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=1024))]
    concurrency: u32,
    /// Calls a second [default: as many as are answered]
    #[arg(long)]
    rate: Option<f64>,
    /// Begin no call after so many seconds
    #[arg(long, default_value_t = 60.0)]
    seconds: f64,
    /// Calls before those that count
    #[arg(long, default_value_t = 8)]
    warm_up: u32,
    /// The segmenter [default: the server's]
    #[arg(long, default_value = "")]
    segmenter: String,
    /// The form of the marked images
    #[arg(long, value_enum, default_value = "png")]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Png,
    Jpeg,
    Webp,
    Raw,
    None,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = Options::parse();
    let request = Arc::new(request(&options)?);
    let clients = (0..options.concurrency)
        .map(|_| Client::new(&Connection::to(&options.server)))
        .collect::<Result<Vec<_>, _>>()?;
    for number in 0..options.warm_up.max(options.concurrency) {
        // Every connection is made, and every instance of the segmenter.
        let client = &clients[(number % options.concurrency) as usize];
        client.mark(&request).await?;
    }

    let start = Instant::now();
    let end = start + Duration::from_secs_f64(options.seconds);
    let next = Arc::new(AtomicU32::new(0));
    let mut workers = JoinSet::new();
    for client in clients {
        let (request, next) = (request.clone(), next.clone());
        let (requests, rate) = (options.requests, options.rate);
        workers.spawn(async move {
            let mut samples = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                let due = match rate {
                    Some(rate) => start + Duration::from_secs_f64(f64::from(number) / rate),
                    None => Instant::now(),
                };
                if number >= requests || due >= end {
                    return samples;
                }
                sleep_until(due.into()).await;
                samples.push(sample(&client, &request, due).await);
            }
        });
    }
    let samples = workers.join_all().await.into_iter().flatten().collect();
    print!("{}", Report::new(samples, start.elapsed()));
    Ok(())
}

/// What every call asks for.
fn request(options: &Options) -> Result<MarkRequest, Box<dyn Error>> {
    let encoded = EncodedImage {
        data: fs::read(&options.image)?.into(),
        keep: false,
        ..EncodedImage::default()
    };
    let format = match options.format {
        Format::Png => PictureFormat::Png,
        Format::Jpeg => PictureFormat::Jpeg,
        Format::Webp => PictureFormat::Webp,
        Format::Raw => PictureFormat::Raw,
        Format::None => PictureFormat::None,
    };
    Ok(MarkRequest {
        image: Some(Image {
            content: Some(Content::Encoded(encoded)),
        }),
        segmenter: options.segmenter.clone(),
        format: format.into(),
        ..MarkRequest::default()
    })
}

/// One call, timed from when it was due.
async fn sample(client: &Client, request: &MarkRequest, due: Instant) -> Sample {
    /// No server takes that long for one image.
    const PATIENCE: Duration = Duration::from_secs(60);
    let answer = timeout_at((Instant::now() + PATIENCE).into(), client.mark(request)).await;
    let latency = due.elapsed();
    let (status, work) = match answer {
        Ok(Ok(answer)) => ("ok", Some(work(&answer))),
        Ok(Err(error)) => (error.kind().name(), None),
        Err(_) => ("no answer", None),
    };
    Sample {
        latency,
        status,
        work,
    }
}

/// What the stages took, as the server measured them.
fn work(answer: &MarkResponse) -> Duration {
    let Timings {
        decode,
        segment,
        allocate,
        draw,
        encode,
        ..
    } = answer.timings.unwrap_or_default();
    Duration::from_secs_f64((decode + segment + allocate + draw + encode).max(0.0) / 1e3)
}
