//! How long the stages of the segmenter take on one image, as a line of JSON.
//!
//! `cargo bench -p som-semantic-sam --bench semantic-sam -- --weights FILE --image FILE [--params JSON]
//! [--device cpu] [--precision fp32] [--repeat N] [--regions FILE]`; the last writes what was found
//! as JSON. The comparison with the official project is `official.py`.

use std::{collections::HashMap, error::Error, time::Instant};

use serde_json::{Value, json};
use som_core::{Call, Image, Params, Region, Schema, Segmenter};
use som_plugin::guest::Create;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments = arguments();
    let get = |name: &str| arguments.get(name).map(String::as_str);
    let (Some(weights), Some(path)) = (get("weights"), get("image")) else {
        println!("left out: give --weights FILE and --image FILE");
        return Ok(());
    };
    let schema: Value = serde_json::from_str(som_semantic_sam::SEMANTIC_SAM.schema)?;
    let resolve = |schema: &Value, values: Value| -> Result<Params, Box<dyn Error>> {
        let values: Params = serde_json::from_value(values)?;
        Ok(Schema::compile(schema)?.resolve("semantic-sam", &values)?)
    };
    let device = get("device").unwrap_or("cpu");
    let precision = get("precision").unwrap_or("fp32");
    let options = json!({"weights": weights, "device": device, "precision": precision});
    let options = resolve(&schema["options"], options)?;
    let params = serde_json::from_str(get("params").unwrap_or("{}"))?;
    let automatic = resolve(&schema["params"], params)?;
    // The schema of hints is the host's.
    let mut click = resolve(&schema["params"], json!({}))?;
    let hints = json!({"points": [{"x": 1.0, "y": 1.0}]});
    click.insert("hints".to_owned(), hints);
    let repeat: usize = get("repeat").unwrap_or("1").parse()?;
    let pixels = image::open(path)?.into_rgb8();

    let loaded = Instant::now();
    let mut segmenter =
        som_semantic_sam::SemanticSamSegmenter::create(&Call::uncancellable(&options))?;
    let load = loaded.elapsed().as_secs_f64();
    let mut best = [f64::INFINITY; 3];
    let mut found = Vec::new();
    for round in 0..=repeat {
        // Another image each time, so that nothing is remembered; the first round warms up.
        let mut pixels = pixels.clone();
        pixels.as_mut()[0] = u8::try_from(round)?;
        let (prompt, _) = timed(&mut segmenter, &pixels, &click)?;
        let (again, _) = timed(&mut segmenter, &pixels, &click)?;
        let (rest, regions) = timed(&mut segmenter, &pixels, &automatic)?;
        found = regions;
        if round > 0 || repeat == 0 {
            for (best, time) in best.iter_mut().zip([prompt - again, again, rest]) {
                *best = best.min(time);
            }
        }
    }
    if let Some(file) = get("regions") {
        std::fs::write(file, serde_json::to_vec(&found)?)?;
    }
    let [encoder, prompt, rest] = best;
    println!(
        "{}",
        json!({
            "load_s": load, "encoder_s": encoder, "further_prompt_s": prompt, "after_encoder_s": rest,
            "generation_s": encoder + rest, "masks": found.len(), "peak_mib": peak_mib()
        })
    );
    Ok(())
}

fn timed(
    segmenter: &mut dyn Segmenter,
    pixels: &image::RgbImage,
    params: &Params,
) -> Result<(f64, Vec<Region>), Box<dyn Error>> {
    let image = Image::from_raw(pixels.width(), pixels.height(), pixels.as_raw().as_slice());
    let image = image.ok_or("the image has too few pixels")?;
    let start = Instant::now();
    let regions = segmenter.segment(&image, &Call::uncancellable(params))?;
    Ok((start.elapsed().as_secs_f64(), regions))
}

/// `--name value` pairs; cargo's own `--bench` is no pair.
fn arguments() -> HashMap<String, String> {
    let words: Vec<String> = std::env::args()
        .skip(1)
        .filter(|word| word != "--bench")
        .collect();
    let pairs = words.chunks_exact(2);
    pairs
        .map(|pair| (pair[0].trim_start_matches("--").to_owned(), pair[1].clone()))
        .collect()
}

/// The most memory this process had, as Linux tells it.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace()
        .next()?
        .parse::<u64>()
        .ok()
        .map(|kib| kib >> 10)
}
