//! Marks given regions: `render IMAGE REGIONS.json OUT [STYLES] [KEY=VALUE]…`, where the JSON is a
//! list of COCO RLE objects. Several pages become `OUT` with a number before the extension.
use std::{env, fs, time::Instant};

use som_core::{AllocateOptions, Call, Image, Layer, Mask, MarkStyle, Params, Region, mark, mask::Rle};
use som_marks::{Alphabet, Boxes, Contour, MaskFill, Number};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let photo = image::open(&args[0])?.to_rgb8();
    let rles: Vec<Rle> = serde_json::from_str(&fs::read_to_string(&args[1])?)?;
    let regions: Vec<Region> =
        rles.iter().map(|rle| Mask::from_rle(rle).map(Region::new)).collect::<Result<_, _>>()?;
    let names = args.get(3).map_or("mask,contour,number", String::as_str);
    let styles: Vec<Box<dyn MarkStyle>> = names
        .split(',')
        .map(|name| -> Box<dyn MarkStyle> {
            match name {
                "mask" => Box::new(MaskFill),
                "contour" => Box::new(Contour),
                "box" => Box::new(Boxes),
                "alphabet" => Box::new(Alphabet),
                _ => Box::new(Number),
            }
        })
        .collect();
    let mut params = Params::new();
    for pair in args.iter().skip(4) {
        let (key, value) = pair.split_once('=').ok_or("key=value")?;
        params.insert(key.into(), serde_json::from_str(value).unwrap_or_else(|_| value.into()));
    }
    let options: AllocateOptions = match params.remove("options") {
        Some(options) => serde_json::from_value(options)?,
        None => AllocateOptions::default(),
    };
    let stack: Vec<Layer<'_>> =
        styles.iter().map(|style| Layer { style: style.as_ref(), params: &params }).collect();
    let view = Image::from_raw(photo.width(), photo.height(), photo.as_raw().as_slice()).ok_or("image")?;
    let none = Params::new();
    let start = Instant::now();
    let marked = mark(&view, regions, &stack, &options, &Call::uncancellable(&none))?;
    println!("{:?}", start.elapsed());
    let hold = marked.allocation.marks.iter().filter(|m| m.facts.hold(options.min_glyph)).count();
    let leaders = marked.allocation.marks.iter().filter(|m| m.facts.leader).count();
    println!("{} marks, {hold} hold, {leaders} leaders, {} pages, {} unmarked", marked.allocation.marks.len(), marked.pages.len(), marked.allocation.unmarked.len());
    for (index, page) in marked.pages.iter().enumerate() {
        let out = if index == 0 { args[2].clone() } else { args[2].replace(".png", &format!(".{}.png", index + 1)) };
        page.save(out)?;
    }
    Ok(())
}
