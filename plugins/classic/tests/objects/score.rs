//! How well regions fit hand-drawn objects.

use serde::Deserialize;
use serde_json::json;
use som_core::{Mask, MaskBuilder, Region, Size};

use crate::support::segment;

/// `tests/objects/*.json`: what a person sees in a photograph, traced as polygons.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Photograph {
    /// File in `examples/images`.
    pub(crate) image: String,
    pub(crate) objects: Vec<Object>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Object {
    pub(crate) name: String,
    /// Closed polygons in pixels; what lies in an even number of them is outside.
    pub(crate) rings: Vec<Vec<[f64; 2]>>,
}

/// How well the regions of an image fit one object.
pub(crate) struct Score {
    pub(crate) name: String,
    /// Best intersection over union with a region of the default level, and of any level.
    pub(crate) default_iou: f64,
    pub(crate) any_iou: f64,
    /// Boundary F-score of the region of any level that fits best.
    pub(crate) boundary: f64,
}

/// Outlines this far apart, in pixels, count as the same.
const TOLERANCE: i64 = 2;

pub(crate) fn score(photograph: &Photograph, pixels: &image::RgbImage) -> Vec<Score> {
    let flat = segment(pixels, json!({})).expect("regions");
    let nested = segment(pixels, json!({"hierarchy": true, "level": 6})).expect("regions");
    let size = Size::new(pixels.width(), pixels.height());
    let best = |regions: &[Region], object: &Mask| {
        let fits = regions
            .iter()
            .map(|region| (region.mask.iou(object), region.mask.clone()));
        fits.max_by(|a, b| a.0.total_cmp(&b.0)).expect("a region")
    };
    let objects = photograph.objects.iter();
    objects
        .map(|object| {
            let mask = object.mask(size);
            let (any_iou, fit) = best(&nested, &mask);
            Score {
                name: object.name.clone(),
                default_iou: best(&flat, &mask).0,
                any_iou,
                boundary: boundary_f(&fit, &mask),
            }
        })
        .collect()
}

impl Object {
    /// Pixels whose centres lie inside.
    pub(crate) fn mask(&self, size: Size) -> Mask {
        let mut mask = MaskBuilder::new(size);
        for y in 0..size.height {
            let middle = f64::from(y) + 0.5;
            let mut crossings: Vec<f64> = self
                .rings
                .iter()
                .flat_map(|ring| ring.iter().zip(ring.iter().cycle().skip(1)))
                .filter(|(a, b)| (a[1] <= middle) != (b[1] <= middle))
                .map(|(a, b)| a[0] + (middle - a[1]) / (b[1] - a[1]) * (b[0] - a[0]))
                .collect();
            crossings.sort_by(f64::total_cmp);
            for pair in crossings.chunks_exact(2) {
                let column = |x: f64| (x - 0.5).ceil().max(0.0) as u32;
                mask.push(y, column(pair[0]), column(pair[1]));
            }
        }
        mask.finish()
    }
}

/// F-score of the outlines: how much of each lies within [`TOLERANCE`] of the other.
fn boundary_f(a: &Mask, b: &Mask) -> f64 {
    let (a, b) = (Outline::new(a), Outline::new(b));
    let (precision, recall) = (a.share_near(&b), b.share_near(&a));
    2.0 * precision * recall / (precision + recall).max(f64::MIN_POSITIVE)
}

/// The pixels of a mask that have a neighbour outside; the border of the image is no outline.
struct Outline {
    width: i64,
    height: i64,
    cells: Vec<bool>,
}

impl Outline {
    fn new(mask: &Mask) -> Self {
        let Size { width, height } = mask.size();
        let (width, height) = (i64::from(width), i64::from(height));
        let inside = mask.to_dense(mask.size().bbox());
        let at = |x: i64, y: i64| inside[(y * width + x) as usize] != 0;
        let cells = (0..width * height)
            .map(|i| {
                let (x, y) = (i % width, i / width);
                let around = [(x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)];
                at(x, y)
                    && around.into_iter().any(|(x, y)| {
                        (0..width).contains(&x) && (0..height).contains(&y) && !at(x, y)
                    })
            })
            .collect();
        Self {
            width,
            height,
            cells,
        }
    }

    fn share_near(&self, other: &Outline) -> f64 {
        let mut near = 0;
        let mut all = 0;
        for i in (0..self.width * self.height).filter(|&i| self.cells[i as usize]) {
            all += 1;
            near += usize::from(other.is_near(i % self.width, i / self.width));
        }
        near as f64 / f64::from(all.max(1))
    }

    fn is_near(&self, x: i64, y: i64) -> bool {
        (-TOLERANCE..=TOLERANCE).any(|dy| {
            (-TOLERANCE..=TOLERANCE).any(|dx| {
                let (x, y) = (x + dx, y + dy);
                dx * dx + dy * dy <= TOLERANCE * TOLERANCE
                    && (0..self.width).contains(&x)
                    && (0..self.height).contains(&y)
                    && self.cells[(y * self.width + x) as usize]
            })
        })
    }
}
