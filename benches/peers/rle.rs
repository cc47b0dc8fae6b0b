//! Times COCO RLE on the masks that `rle.py` hands over, and prints JSON.
//!
//! usage: peer-rle WIDTH HEIGHT FILE SECONDS, the file holding one byte a pixel, row by row

use std::{
    env,
    error::Error,
    fs,
    hint::black_box,
    time::{Duration, Instant},
};

use serde_json::json;
use som_core::{Mask, Size};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [width, height, file, seconds] = args.as_slice() else {
        return Err("usage: peer-rle WIDTH HEIGHT FILE SECONDS".into());
    };
    let size = Size::new(width.parse()?, height.parse()?);
    let seconds = Duration::from_secs_f64(seconds.parse()?);
    let pixels = fs::read(file)?;
    let rle = Mask::from_dense(size, size.bbox(), &pixels)?.to_rle();
    let encode = || Mask::from_dense(size, size.bbox(), &pixels).map(|mask| mask.to_rle());
    let decode = || Mask::from_rle(&rle);
    let decode_rows = || decode().map(|mask| mask.to_dense(size.bbox()));
    let answer = json!({
        "rle": rle,
        "survives": decode_rows()? == pixels,
        "encode_s": fastest(seconds, encode),
        "decode_s": fastest(seconds, decode),
        "decode_rows_s": fastest(seconds, decode_rows),
    });
    println!("{answer}");
    Ok(())
}

/// The shortest time of one call, in seconds.
fn fastest<T>(seconds: Duration, call: impl Fn() -> T) -> f64 {
    let start = Instant::now();
    let mut fastest = f64::INFINITY;
    while start.elapsed() < seconds {
        let call_start = Instant::now();
        black_box(call());
        fastest = fastest.min(call_start.elapsed().as_secs_f64());
    }
    fastest
}
