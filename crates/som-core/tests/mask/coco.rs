use proptest::prelude::*;
use serde::Deserialize;
use som_core::{BBox, Counts, ErrorKind, Mask, Rle, Size};

use super::{masks, picture};
use crate::python;

/// What `tests/python/coco.py` prints.
#[derive(Deserialize)]
struct Answers {
    images: Vec<Image>,
    polygons: Vec<Polygons>,
}

#[derive(Deserialize)]
struct Image {
    size: [u32; 2],
    masks: Vec<Encoded>,
    ious: Vec<f64>,
    unions: Vec<String>,
    intersections: Vec<String>,
}

#[derive(Deserialize)]
struct Encoded {
    bits: String,
    counts: String,
    area: u64,
    bbox: BBox,
}

#[derive(Deserialize)]
struct Polygons {
    size: [u32; 2],
    parts: Vec<Vec<f64>>,
    counts: String,
}

/// One byte a pixel from hexadecimal digits, four pixels each.
fn unpack(bits: &str, count: u64) -> Vec<u8> {
    bits.chars()
        .filter_map(|digit| digit.to_digit(16))
        .flat_map(|digit| [3, 2, 1, 0].map(|bit| (digit >> bit & 1) as u8))
        .take(count as usize)
        .collect()
}

fn text(mask: &Mask) -> String {
    match mask.to_rle().counts {
        Counts::Compressed(text) => text,
        Counts::Uncompressed(_) => panic!("compressed counts were asked for"),
    }
}

#[test]
fn pycocotools_agrees() {
    let Some(answers) = python::run("coco.py", &[]) else {
        return;
    };
    let answers: Answers = serde_json::from_slice(&answers).unwrap();
    assert!(answers.images.len() > 50 && answers.polygons.len() >= 400);
    for Image {
        size,
        masks: encoded,
        ious,
        unions,
        intersections,
    } in answers.images
    {
        let mut masks = Vec::new();
        for Encoded {
            bits,
            counts,
            area,
            bbox,
        } in encoded
        {
            let image = Size::new(size[1], size[0]);
            let pixels = unpack(&bits, image.pixels());
            let mask = Mask::from_dense(image, image.bbox(), &pixels).unwrap();
            assert!(text(&mask) == counts, "another text for {image}");
            let decoded = Mask::from_rle(&Rle {
                size,
                counts: Counts::Compressed(counts),
            })
            .unwrap();
            assert!(
                decoded.to_dense(image.bbox()) == pixels,
                "other pixels for {image}"
            );
            assert_eq!((mask.area(), mask.bbox()), (area, bbox), "{image}");
            masks.push(mask);
        }
        for (index, pair) in masks.windows(2).enumerate() {
            // The way through JSON may cost the last bit.
            assert!((pair[0].iou(&pair[1]) - ious[index]).abs() < 1e-15);
            assert!(text(&pair[0].union(&pair[1])) == unions[index]);
            assert!(text(&pair[0].intersection(&pair[1])) == intersections[index]);
        }
    }
    for Polygons {
        size,
        parts,
        counts,
    } in answers.polygons
    {
        let mask = Mask::from_coco_polygons(Size::new(size[1], size[0]), &parts).unwrap();
        assert_eq!(text(&mask), counts, "{size:?} {parts:?}");
    }
}

/// Known answers, from pycocotools 2.0.11.
#[test]
fn polygons_cover_what_they_cover_in_pycocotools() {
    let size = Size::new(6, 4);
    let cover = |parts: &[&[f64]]| {
        let parts: Vec<Vec<f64>> = parts.iter().map(|part| part.to_vec()).collect();
        Mask::from_coco_polygons(size, &parts).unwrap()
    };
    let square = [1.0, 1.0, 4.0, 1.0, 4.0, 3.0, 1.0, 3.0];
    assert_eq!(
        cover(&[&square]),
        picture(&["......", ".###..", ".###..", "......"])
    );
    let triangle = [0.0, 0.0, 5.0, 0.0, 0.0, 4.0];
    assert_eq!(
        cover(&[&triangle]),
        picture(&["####..", "###...", "##....", "#....."])
    );
    assert_eq!(
        cover(&[&triangle, &square]),
        picture(&["####..", "####..", "####..", "#....."])
    );
    assert_eq!(cover(&[]), Mask::empty(size));
}

#[test]
fn impossible_polygons_are_refused() {
    let refusal = |polygon: &[f64]| {
        let error = Mask::from_coco_polygons(Size::new(6, 4), &[polygon.to_vec()]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        error.to_string()
    };
    let few = "polygon 0: 3 or more corners x, y are needed, not 4 numbers";
    assert_eq!(refusal(&[0.0, 0.0, 1.0, 1.0]), few);
    assert!(refusal(&[0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0]).contains("not 7 numbers"));
    let huge = "polygon 0: inf is no coordinate: at most 2097152 are allowed";
    assert_eq!(refusal(&[0.0, 0.0, f64::INFINITY, 1.0, 2.0, 2.0]), huge);
    assert!(refusal(&[0.0, 0.0, f64::NAN, 1.0, 2.0, 2.0]).contains("NaN"));
}

proptest! {
    /// Outlines of parts without holes cover the parts again.
    #[test]
    fn outlines_cover_their_mask((mask, _) in masks()) {
        let mask = mask.without_small_holes(u64::MAX / 2).intersection(&mask);
        let filled: Vec<Vec<f64>> = mask
            .to_coco_polygons()
            .into_iter()
            .map(|polygon| polygon.into_iter().map(f64::from).collect())
            .collect();
        let covered = Mask::from_coco_polygons(mask.size(), &filled).unwrap();
        let exteriors = mask.polygons().into_iter().map(|mut polygon| {
            polygon.holes.clear();
            Mask::from_polygons(mask.size(), [&polygon])
        });
        let expected = exteriors.fold(Mask::empty(mask.size()), |all, part| all.union(&part));
        prop_assert_eq!(covered, expected);
    }
}
