//! Times marking the regions that `marks.py` hands over, and prints JSON: allocation and the
//! stack `mask,contour,number`, through the plugin boundary as the product runs it.
//!
//! usage: peer-marks IMAGE REGIONS.json SECONDS OUT.png, the regions a list of COCO RLE

use std::{
    env,
    error::Error,
    fs,
    hint::black_box,
    time::{Duration, Instant},
};

use serde_json::json;
use som_core::{
    AllocateOptions, Call, Image, MarkStyle, Mask, Params, Region, Rle,
    pipeline::{Ink, mark},
};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [photo, regions, seconds, out] = args.as_slice() else {
        return Err("usage: peer-marks IMAGE REGIONS.json SECONDS OUT.png".into());
    };
    let photo = image::open(photo)?.to_rgb8();
    let rles: Vec<Rle> = serde_json::from_str(&fs::read_to_string(regions)?)?;
    let masks = rles
        .iter()
        .map(Mask::from_rle)
        .collect::<Result<Vec<_>, _>>()?;
    let seconds = Duration::from_secs_f64(seconds.parse()?);
    let (width, height) = photo.dimensions();
    let view = Image::from_raw(width, height, photo.as_raw().as_slice()).ok_or("no pixels")?;

    let plugin = som_plugin::host::adopt(som_marks::PLUGIN)?;
    let none = Params::new();
    let stack = ["mask", "contour", "number"].map(|id| {
        let style = plugin
            .mark_styles
            .iter()
            .find(|style| style.descriptor().id == id);
        style.ok_or(format!("no mark style {id}"))
    });
    let stack = stack.into_iter().collect::<Result<Vec<_>, _>>()?;
    let stack: Vec<Ink<'_>> = stack
        .into_iter()
        .map(|style| Ink {
            style: style.as_ref() as &dyn MarkStyle,
            params: &none,
        })
        .collect();
    let regions = || masks.iter().cloned().map(Region::new).collect::<Vec<_>>();
    let options = AllocateOptions::default();
    let call = Call::uncancellable(&none);

    let (start, mut fastest) = (Instant::now(), f64::INFINITY);
    while start.elapsed() < seconds {
        let regions = regions();
        let call_start = Instant::now();
        black_box(mark(&view, regions, &stack, &options, &call)?);
        fastest = fastest.min(call_start.elapsed().as_secs_f64());
    }
    let marked = mark(&view, regions(), &stack, &options, &call)?;
    if let Some(page) = marked.pages.first() {
        page.save(out)?;
    }
    let holding = marked
        .allocation
        .marks
        .iter()
        .filter(|m| m.facts.hold(9.0))
        .count();
    println!(
        "{}",
        json!({"mark_s": fastest, "marks": marked.allocation.marks.len(), "holding": holding,
            "pages": marked.pages.len()})
    );
    Ok(())
}
