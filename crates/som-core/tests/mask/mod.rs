//! Masks against the plainest possible model: one truth value a pixel.

/// COCO RLE and polygons beside pycocotools.
mod coco;
/// Connected parts, small holes and islands.
mod components;
/// Rows of pixels and label maps, there and back.
mod dense;
/// Set operations, area, IoU.
mod ops;
/// Outlines with holes.
mod polygon;
/// Masks of an image of another size.
mod resize;
/// COCO run-length encoding.
mod rle;

use proptest::{collection::vec, prelude::*};
use som_core::{BBox, Mask, Point, Size};

/// A picture of `#` and `.`, one string a row.
pub(crate) fn picture(rows: &[&str]) -> Mask {
    let size = Size::new(
        rows.first().map_or(0, |row| row.len()) as u32,
        rows.len() as u32,
    );
    let pixels: Vec<u8> = rows
        .concat()
        .bytes()
        .map(|byte| u8::from(byte == b'#'))
        .collect();
    Mask::from_dense(size, size.bbox(), &pixels).unwrap()
}

/// Sizes with and without area, narrower and wider than a machine word.
pub(crate) fn sizes() -> impl Strategy<Value = Size> {
    (prop_oneof![0_u32..9, 60_u32..70, 120_u32..200], 0_u32..12)
        .prop_map(|(width, height)| Size::new(width, height))
}

/// Pixels of an image: empty, full, noise, and blocks of 2 to 9 pixels with noise in them.
pub(crate) fn pixels(size: Size) -> impl Strategy<Value = Vec<u8>> {
    let count = size.pixels() as usize;
    let byte = prop_oneof![Just(0_u8), Just(1), Just(255)];
    let blocks = (
        2_usize..10,
        vec(byte.clone(), 600),
        vec((0..count.max(1), byte.clone()), 0..9),
    )
        .prop_map(move |(side, coarse, noise)| {
            let width = (size.width as usize).max(1);
            let mut pixels: Vec<u8> = (0..count)
                .map(|i| coarse[(i / width / side * 97 + i % width / side) % coarse.len()])
                .collect();
            for (i, byte) in noise {
                if let Some(pixel) = pixels.get_mut(i) {
                    *pixel = byte;
                }
            }
            pixels
        });
    prop_oneof![
        1 => Just(vec![0; count]),
        1 => Just(vec![7; count]),
        3 => vec(byte, count),
        5 => blocks,
    ]
}

/// A size, and a mask of it with its pixels.
pub(crate) fn masks() -> impl Strategy<Value = (Mask, Vec<u8>)> {
    sizes().prop_flat_map(|size| pixels(size).prop_map(move |pixels| (mask(size, &pixels), pixels)))
}

/// Two masks of one size with their pixels.
pub(crate) fn pairs() -> impl Strategy<Value = [(Mask, Vec<u8>); 2]> {
    sizes().prop_flat_map(|size| {
        [pixels(size), pixels(size)]
            .prop_map(move |pixels| pixels.map(|pixels| (mask(size, &pixels), pixels)))
    })
}

fn mask(size: Size, pixels: &[u8]) -> Mask {
    Mask::from_dense(size, size.bbox(), pixels).unwrap()
}

/// One byte a pixel, found pixel by pixel.
pub(crate) fn model(mask: &Mask) -> Vec<u8> {
    let Size { width, height } = mask.size();
    let points = (0..height).flat_map(|y| (0..width).map(move |x| Point::new(x, y)));
    points.map(|point| u8::from(mask.contains(point))).collect()
}

/// What every mask promises, however it was made.
pub(crate) fn check(mask: &Mask) {
    let mut boxes = BBox::default();
    for (y, row) in mask.rows() {
        assert_eq!(mask.row(y), row);
        assert!(
            row.iter()
                .all(|span| span.start < span.end && span.end <= mask.size().width)
        );
        assert!(
            row.windows(2).all(|pair| pair[0].end < pair[1].start),
            "runs touch: {row:?}"
        );
        if let ([first, ..], [.., last]) = (row, row) {
            let right = (boxes.x + boxes.width).max(last.end);
            let (x, top) = if boxes.is_empty() {
                (first.start, y)
            } else {
                (boxes.x.min(first.start), boxes.y)
            };
            boxes = BBox::new(x, top, right - x, y + 1 - top);
        }
    }
    assert_eq!(mask.bbox(), boxes, "the box is tight");
    assert!(mask.size().bbox().encloses(boxes));
    assert_eq!(mask.is_empty(), boxes.is_empty());
}
