//! Boxes and points → the regions they fit best.

use std::ops::Range;

use super::{Location, Mention, Shape, Status, coordinates::Numbers};
use crate::{BBox, Point, Scene, Size};

/// A box that fits no region at least so well, as intersection over union, fits none. The measure
/// of RefCOCO and of phrase grounding.
const FITS: f64 = 0.5;
/// Regions whose fit differs by less than this fit equally well.
const MARGIN: f64 = 0.02;

/// A way to read the numbers, and a region that fits it.
#[derive(Clone, Copy)]
struct Fit {
    location: Location,
    mark: Option<u32>,
}

impl Numbers<'_> {
    /// The mention at `span` that these numbers are. Where they can be meant in several ways, the
    /// box that fits a region best counts, and the first unit whose point meets a region.
    pub(super) fn mention(&self, span: Range<usize>, scene: &Scene<'_>) -> Mention {
        let mut fits: Vec<Fit> = Vec::new();
        for &unit in self.units {
            let images = scene.images.iter().enumerate();
            for (index, image) in images.filter(|(_, image)| self.units_on(image).contains(&unit)) {
                for shape in self.shapes(unit, image) {
                    match shape {
                        Shape::Box(bbox) => fits.extend(fit_box(scene, index, bbox)),
                        Shape::Point(point) => fits.push(fit_point(scene, index, point)),
                    }
                }
            }
            if self.is_point() && fits.iter().any(|fit| fit.mark.is_some()) {
                break;
            }
        }
        let best = fits.iter().copied().reduce(|best, fit| {
            if fit.location.iou > best.location.iou {
                fit
            } else {
                best
            }
        });
        let least = best.map_or(FITS, |best| FITS.max(best.location.iou - MARGIN));
        let mut marks = Vec::new();
        for fit in fits.iter().filter(|fit| fit.location.iou >= least) {
            marks.extend(fit.mark.filter(|id| !marks.contains(id)));
        }
        let status = match (best, marks.len()) {
            (None, _) => Status::OutOfRange,
            (Some(_), 0) => Status::Unknown,
            (Some(_), 1) => Status::Resolved,
            (Some(_), _) => Status::Ambiguous,
        };
        Mention {
            span,
            status,
            marks,
            unresolved: Vec::new(),
            location: best.map(|best| best.location),
        }
    }
}

/// The regions whose boxes come closest to `bbox`; without a region, the box alone.
fn fit_box(scene: &Scene<'_>, image: usize, bbox: BBox) -> Vec<Fit> {
    let fit = |iou, mark| Fit {
        location: Location {
            image,
            shape: Shape::Box(bbox),
            iou,
        },
        mark,
    };
    let mut fits: Vec<Fit> = scene
        .on_image(image)
        .filter_map(|mark| {
            let iou = mark.region?.bbox().iou(bbox);
            (iou > 0.0).then(|| fit(iou, Some(mark.id)))
        })
        .collect();
    let best = fits
        .iter()
        .fold(0.0, |best: f64, fit| best.max(fit.location.iou));
    fits.retain(|fit| fit.location.iou >= best - MARGIN);
    if fits.is_empty() {
        fits.push(fit(0.0, None));
    }
    fits
}

/// The smallest region that contains `point`; without one, the point alone.
fn fit_point(scene: &Scene<'_>, image: usize, point: Point) -> Fit {
    let smallest = scene
        .on_image(image)
        .filter_map(|mark| {
            let mask = &mark.region?.mask;
            mask.contains(point).then(|| (mask.area(), mark.id))
        })
        .min()
        .map(|(_, id)| id);
    Fit {
        location: Location {
            image,
            shape: Shape::Point(point),
            iou: if smallest.is_some() { 1.0 } else { 0.0 },
        },
        mark: smallest,
    }
}

/// The pixels of an image of `size` that `left..right` and `top..bottom` cover: at least one,
/// or `None` if they lie outside.
pub(super) fn bbox_of([left, top, right, bottom]: [f64; 4], size: Size) -> Option<BBox> {
    let side = |first: f64, last: f64, limit: u32| {
        if last < 0.0 || first >= f64::from(limit) {
            return None;
        }
        // Both lie in 0..=limit.
        let start = first.round().clamp(0.0, f64::from(limit - 1)) as u32;
        let end = last.round().clamp(0.0, f64::from(limit)) as u32;
        Some((start, end.max(start + 1) - start))
    };
    if size.pixels() == 0 {
        return None;
    }
    let (x, width) = side(left, right, size.width)?;
    let (y, height) = side(top, bottom, size.height)?;
    Some(BBox::new(x, y, width, height))
}
