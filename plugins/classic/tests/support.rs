//! Pictures, and calls of the segmenter.

use image::RgbImage;
use serde_json::Value;
use som_classic::Classic;
use som_core::{Call, Image, Mask, Region, Result, Segmenter};

/// The photographs in `examples/images`.
pub(crate) const PHOTOGRAPHS: [&str; 4] =
    ["astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg"];

/// A photograph of `examples/images`.
pub(crate) fn photograph(name: &str) -> RgbImage {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/images/");
    let image = image::open(format!("{folder}{name}"));
    image.expect("a photograph").to_rgb8()
}

/// The regions of a picture; `params` is a JSON object.
pub(crate) fn segment(picture: &RgbImage, params: Value) -> Result<Vec<Region>> {
    let Value::Object(params) = params else {
        panic!("parameters are an object")
    };
    Classic.segment(&borrowed(picture), &Call::uncancellable(&params))
}

/// The picture as segmenters take it.
pub(crate) fn borrowed(picture: &RgbImage) -> Image<'_> {
    let pixels = picture.as_raw().as_slice();
    Image::from_raw(picture.width(), picture.height(), pixels).expect("as many pixels")
}

/// The number of 4-connected pieces of a mask.
pub(crate) fn pieces(mask: &Mask) -> usize {
    let bbox = mask.bbox();
    let (width, height) = (bbox.width as usize, bbox.height as usize);
    let mut left = mask.to_dense(bbox);
    let mut pieces = 0;
    for start in 0..left.len() {
        if left[start] == 0 {
            continue;
        }
        pieces += 1;
        left[start] = 0;
        let mut pending = vec![start];
        while let Some(cell) = pending.pop() {
            let (x, y) = (cell % width, cell / width);
            let around = [
                (x.wrapping_sub(1), y),
                (x + 1, y),
                (x, y.wrapping_sub(1)),
                (x, y + 1),
            ];
            for (x, y) in around.into_iter().filter(|&(x, y)| x < width && y < height) {
                if std::mem::take(&mut left[y * width + x]) != 0 {
                    pending.push(y * width + x);
                }
            }
        }
    }
    pieces
}
