//! min-of-N timings
use std::{env, fs, time::Instant};
use som_core::{AllocateOptions, Call, Canvas, Image, Mark, MarkStyle, Mask, Params, Region, allocate::{Labels, allocate}, mask::Rle};
use som_marks::{Contour, MaskFill, Number};
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let photo = image::open(&args[0])?.to_rgb8();
    let rles: Vec<Rle> = serde_json::from_str(&fs::read_to_string(&args[1])?)?;
    let n: usize = args[2].parse()?;
    let only = args.get(3).map_or("", String::as_str);
    let regions: Vec<Region> = rles.iter().map(|rle| Mask::from_rle(rle).map(Region::new)).collect::<Result<_, _>>()?;
    let none = Params::new();
    let call = Call::uncancellable(&none);
    let view = Image::from_raw(photo.width(), photo.height(), photo.as_raw().as_slice()).ok_or("image")?;
    let options = AllocateOptions::default();
    let labels = Labels { labelling: &Number, params: &none };
    let allocation = allocate(&view, regions.clone(), Some(labels), &options, &call)?;
    let marks: Vec<&Mark> = allocation.on_page(1).map(|m| &m.mark).collect();
    let time = |name: &str, f: &mut dyn FnMut()| {
        if !name.contains(only) { return; }
        let mut best = f64::MAX;
        let cpu = || -> f64 { fs::read_to_string("/proc/thread-self/schedstat").unwrap().split(' ').next().unwrap().parse::<f64>().unwrap() / 1e6 };
        let start = cpu();
        for _ in 0..n { let t = Instant::now(); f(); best = best.min(t.elapsed().as_secs_f64()); }
        println!("{name:12} min {:8.3} ms   cpu {:8.3} ms", best * 1e3, (cpu() - start) / n as f64);
    };
    time("clone", &mut || { std::hint::black_box(regions.clone()); });
    time("copy", &mut || { std::hint::black_box(photo.as_raw().to_vec()); });
    time("allocate", &mut || { allocate(&view, regions.clone(), Some(labels), &options, &call).unwrap(); });
    for (name, style) in [("mask", &MaskFill as &dyn MarkStyle), ("contour", &Contour), ("number", &Number)] {
        let mut page = photo.clone();
        let (w, h) = page.dimensions();
        let mut canvas = Canvas::from_raw(w, h, page.as_mut()).unwrap();
        time(name, &mut || style.draw(&mut canvas, &marks, &call).unwrap());
    }
    Ok(())
}
