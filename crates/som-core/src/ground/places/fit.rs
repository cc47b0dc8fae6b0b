//! Boxes and points → the regions they fit.

use std::ops::Range;

use super::shape::Written;
use crate::{
    BBox, Point, Scene,
    ground::{Location, Mention, Polarity, Shape, Status},
};

/// A box that fits no region at least so well, as intersection over union, fits none. The measure
/// of RefCOCO and of phrase grounding.
const FITS: f64 = 0.5;
/// Regions whose fit differs by less than this fit equally well.
const MARGIN: f64 = 0.02;
/// Of two ways to read the numbers, one that fits worse by less than this may still be meant:
/// boxes that models give fit no better.
const RIVAL: f64 = 0.5;

/// A way to read the numbers, and a region that fits it.
#[derive(Clone, Copy)]
struct Fit {
    location: Location,
    mark: Option<u32>,
}

/// The mention at `span` that the numbers are. Where they can be meant in several ways which lead
/// to different regions, it is ambiguous.
pub(in crate::ground) fn mention(
    written: &Written<'_>,
    span: Range<usize>,
    scene: &Scene<'_>,
) -> Mention {
    let mut fits: Vec<Fit> = Vec::new();
    for (index, image) in scene.images.iter().enumerate() {
        if written.image.is_some_and(|only| only != index) {
            continue;
        }
        for shape in written.shapes(image) {
            match shape {
                Shape::Box(bbox) => fits.extend(fit_box(scene, index, bbox)),
                Shape::Point(point) => fits.push(fit_point(scene, index, point)),
            }
        }
    }
    of_fits(span, &fits)
}

/// The mention at `span` of what fits the box best; `bbox` lies on image number `image`.
pub(super) fn mention_of_box(
    bbox: BBox,
    image: usize,
    span: Range<usize>,
    scene: &Scene<'_>,
) -> Mention {
    of_fits(span, &fit_box(scene, image, bbox))
}

fn of_fits(span: Range<usize>, fits: &[Fit]) -> Mention {
    let best = fits.iter().copied().reduce(|best, fit| {
        if fit.location.iou > best.location.iou {
            fit
        } else {
            best
        }
    });
    let most = best.map_or(0.0, |best| best.location.iou);
    let mut marks = Vec::new();
    for fit in fits {
        let same = best.is_some_and(|best| best.location.shape == fit.location.shape);
        let margin = if same { MARGIN } else { RIVAL };
        if fit.location.iou >= FITS.max(most - margin) {
            marks.extend(fit.mark.filter(|id| !marks.contains(id)));
        }
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
        polarity: Polarity::Asserted,
        marks,
        unresolved: Vec::new(),
        location: best.map(|best| best.location),
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
