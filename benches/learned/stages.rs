//! The one bench of all learned segmenters: how long a call takes on one image, each stage of it, and
//! the same call again, as a line of JSON.
//!
//! `cargo bench -p som-sam --bench sam -- --weights FILE --image FILE [--params JSON] [--warm JSON]
//! [--device cpu] [--precision fp32] [--config FILE] [--rounds N] [--regions FILE]`: `--warm` are the
//! parameters of a call beforehand, such as a cheaper one (else those of `--params`), and `--regions`
//! takes what was found, as JSON. `compare.py` runs it beside the official projects.

use std::{
    collections::{BTreeMap, HashMap},
    error::Error,
    time::Instant,
};

use image::RgbImage;
use serde_json::{Value, json};
use som_core::{Call, Image, Params, Region, Schema, Segmenter};
use som_plugin::guest::{Create, SegmenterDef};
use som_torch::{
    Instance, Learned,
    stages::{self, Stage},
};

/// Times the segmenter `definition`, which is an instance of the network `L`, as the command says.
pub(crate) fn run<L: Learned>(definition: &SegmenterDef) -> Result<(), Box<dyn Error>> {
    let arguments = arguments();
    let get = |name: &str| arguments.get(name).map(String::as_str);
    let (Some(weights), Some(path)) = (get("weights"), get("image")) else {
        println!("left out: give --weights FILE and --image FILE");
        return Ok(());
    };
    let mut options = json!({
        "weights": weights,
        "device": get("device").unwrap_or("cpu"),
        "precision": get("precision").unwrap_or("fp32"),
    });
    if let Some(config) = get("config") {
        options["config"] = config.into();
    }
    let options = resolve(definition, "options", options)?;
    let params = get("params").unwrap_or("{}");
    let given = |text: &str| resolve(definition, "params", serde_json::from_str(text)?);
    let (params, warm) = (given(params)?, given(get("warm").unwrap_or(params))?);
    let rounds: u8 = get("rounds").unwrap_or("1").parse()?;
    let mut pixels = image::open(path)?.into_rgb8();

    let loaded = Instant::now();
    let mut segmenter = Instance::<L>::create(&Call::uncancellable(&options))?;
    let load = loaded.elapsed().as_secs_f64();
    let first = pixels.as_raw()[0];
    pixels.as_mut()[0] = first.wrapping_add(1);
    segment(&mut segmenter, &pixels, &warm)?;
    let mut best = (f64::INFINITY, BTreeMap::new());
    let mut found = Vec::new();
    for round in 0..rounds {
        // Another image each time, so that nothing is remembered, and at last the one that was given.
        pixels.as_mut()[0] = first.wrapping_sub(rounds - 1 - round);
        let begin = Instant::now();
        let (regions, stages) = stages::record(|| segment(&mut segmenter, &pixels, &params));
        let whole = begin.elapsed().as_secs_f64();
        found = regions?;
        if whole < best.0 {
            best = (whole, shares(&stages));
        }
    }
    // Of this image all is remembered that can be.
    let begin = Instant::now();
    segment(&mut segmenter, &pixels, &params)?;
    let again = begin.elapsed().as_secs_f64();
    if let Some(file) = get("regions") {
        std::fs::write(file, serde_json::to_vec(&found)?)?;
    }
    let (whole, stages) = best;
    let figures = json!({
        "load_s": load, "whole_s": whole, "again_s": again, "stages_s": stages,
        "regions": found.len(), "peak_mib": peak_mib(),
    });
    println!("{figures}");
    Ok(())
}

/// Options or parameters as the host gives them.
fn resolve(definition: &SegmenterDef, part: &str, given: Value) -> Result<Params, Box<dyn Error>> {
    let schema: Value = serde_json::from_str(definition.schema)?;
    let given: Params = serde_json::from_value(given)?;
    // The schema of hints is the host's.
    let hints = given.get("hints").cloned();
    let mut given = given;
    given.remove("hints");
    let mut resolved = Schema::compile(&schema[part])?.resolve(definition.id, &given)?;
    resolved.extend(hints.map(|hints| ("hints".to_owned(), hints)));
    Ok(resolved)
}

fn segment(
    segmenter: &mut dyn Segmenter,
    pixels: &RgbImage,
    params: &Params,
) -> Result<Vec<Region>, Box<dyn Error>> {
    let image = Image::from_raw(pixels.width(), pixels.height(), pixels.as_raw().as_slice());
    let image = image.ok_or("the image has too few pixels")?;
    Ok(segmenter.segment(&image, &Call::uncancellable(params))?)
}

/// The seconds that went into the stages of each name. Those that ran at the same time shared it.
fn shares(stages: &[Stage]) -> BTreeMap<&'static str, f64> {
    let mut moments: Vec<Instant> = stages.iter().flat_map(|it| [it.begin, it.end]).collect();
    moments.sort_unstable();
    let mut shares = BTreeMap::new();
    for pair in moments.windows(2) {
        let running = || {
            stages
                .iter()
                .filter(|it| it.begin <= pair[0] && pair[1] <= it.end)
        };
        let share = (pair[1] - pair[0]).as_secs_f64() / running().count().max(1) as f64;
        for stage in running() {
            *shares.entry(stage.name).or_default() += share;
        }
    }
    shares
}

/// `--name value` pairs; cargo's own `--bench` is no pair.
fn arguments() -> HashMap<String, String> {
    let words = std::env::args().skip(1).filter(|word| word != "--bench");
    let words: Vec<String> = words.collect();
    let pair = |pair: &[String]| (pair[0].trim_start_matches("--").to_owned(), pair[1].clone());
    words.chunks_exact(2).map(pair).collect()
}

/// The most memory this process had, as Linux tells it.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib >> 10)
}
