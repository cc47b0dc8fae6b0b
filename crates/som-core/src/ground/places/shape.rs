//! Numbers → boxes and points in pixels of the original image.

use crate::{
    BBox, Point, Size,
    ground::Shape,
    scene::{AxisOrder, BoxOrder, Coordinates, Corner, SceneImage},
};

/// Numbers that say where something is, as far as the way they are written tells what they are.
#[derive(Clone, Debug)]
pub(in crate::ground) struct Written<'a> {
    pub(in crate::ground) numbers: &'a [f64],
    pub(in crate::ground) form: Form,
    /// What they count; `None` if the way they are written leaves it open.
    pub(in crate::ground) units: Option<&'static [Unit]>,
    /// Index of the image they lie on, if that is said.
    pub(in crate::ground) image: Option<usize>,
}

/// What the numbers are, and in which orders they may stand; a model's own order goes before,
/// unless the order is fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ground) enum Form {
    /// Two of them.
    Point(&'static [AxisOrder], Fixed),
    /// Four of them.
    Box(&'static [BoxOrder], Fixed),
    /// Six or more of them, a pair for each corner.
    Polygon(&'static [AxisOrder], Fixed),
}

/// Two corners of a box.
pub(super) const XYXY: &[BoxOrder] = &[BoxOrder::Xyxy];

/// Numbers, the length they take, and what they are.
pub(super) type Place = (Vec<f64>, usize, Form);

/// Whether the way of writing itself says the order.
pub(in crate::ground) type Fixed = bool;

/// What numbers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ground) enum Unit {
    /// Pixels of the image as the LMM sees it.
    Pixel,
    /// Pixels of the original image.
    Original,
    /// Parts of so many along each side.
    Parts(u16),
}

impl Written<'_> {
    /// Every way in which the numbers may be meant on `image`, as far as it lies there.
    pub(super) fn shapes(&self, image: &SceneImage) -> Vec<Shape> {
        let mut shapes = Vec::new();
        for &unit in self.units_on(image) {
            let mut add = |shape: Option<Shape>| {
                shapes.extend(shape.filter(|shape| !shapes.contains(shape)));
            };
            match self.form {
                Form::Point(orders, fixed) => {
                    for &order in known(image.places.points.as_ref(), orders, fixed) {
                        add(self.point(order, unit, image));
                    }
                }
                Form::Box(orders, fixed) => {
                    for &order in known(image.places.boxes.as_ref(), orders, fixed) {
                        add(self.bbox(order, unit, image));
                    }
                }
                Form::Polygon(orders, fixed) => {
                    for &order in known(image.places.polygons.as_ref(), orders, fixed) {
                        add(self.polygon(order, unit, image));
                    }
                }
            }
        }
        shapes
    }

    /// The units that may be meant on `image`: how the numbers are written counts most, then what
    /// is known of the LMM, unless the numbers are too large or too small for it.
    fn units_on(&self, image: &SceneImage) -> &'static [Unit] {
        if let Some(units) = self.units {
            return units;
        }
        let plausible = plausible(self.numbers, image);
        let known: &[Unit] = match image.places.unit {
            None => plausible,
            Some(Coordinates::Pixels) => &[Unit::Pixel],
            Some(Coordinates::Original) => &[Unit::Original],
            Some(Coordinates::Ratios) => &[Unit::Parts(1)],
            Some(Coordinates::Hundredths) => &[Unit::Parts(100)],
            Some(Coordinates::Thousandths) => &[Unit::Parts(1000)],
        };
        if known.iter().all(|&unit| holds(unit, self.numbers)) {
            known
        } else {
            plausible
        }
    }

    fn point(&self, order: AxisOrder, unit: Unit, image: &SceneImage) -> Option<Shape> {
        let &[a, b] = self.numbers else { return None };
        let (x, y) = in_pixels(ordered(order, a, b), unit, image);
        // The pixel that the point lies in, not the nearest corner of one.
        let bbox = bbox_of([x.floor(), y.floor(), x.floor(), y.floor()], image.size)?;
        Some(Shape::Point(Point::new(bbox.x, bbox.y)))
    }

    fn bbox(&self, order: BoxOrder, unit: Unit, image: &SceneImage) -> Option<Shape> {
        let &[a, b, c, d] = self.numbers else {
            return None;
        };
        let [x1, y1, x2, y2] = match order {
            BoxOrder::Xyxy => [a, b, c, d],
            BoxOrder::Yxyx => [b, a, d, c],
            BoxOrder::Xywh if c < 0.0 || d < 0.0 => return None,
            BoxOrder::Xywh => [a, b, a + c, b + d],
            BoxOrder::Cxcywh => [a - c / 2.0, b - d / 2.0, a + c / 2.0, b + d / 2.0],
        };
        // Models swap corners.
        let (left, top) = in_pixels((x1.min(x2), y1.min(y2)), unit, image);
        let (right, bottom) = in_pixels((x1.max(x2), y1.max(y2)), unit, image);
        let (top, bottom) = (top.min(bottom), top.max(bottom));
        bbox_of([left, top, right, bottom], image.size).map(Shape::Box)
    }

    /// The box around it.
    fn polygon(&self, order: AxisOrder, unit: Unit, image: &SceneImage) -> Option<Shape> {
        let (corners, _) = self.numbers.as_chunks::<2>();
        let mut bounds = [f64::MAX, f64::MAX, f64::MIN, f64::MIN];
        for &[a, b] in corners {
            let (x, y) = in_pixels(ordered(order, a, b), unit, image);
            let [left, top, right, bottom] = bounds;
            bounds = [left.min(x), top.min(y), right.max(x), bottom.max(y)];
        }
        bbox_of(bounds, image.size).map(Shape::Box)
    }
}

/// The order that is known of the LMM, or those that may be meant.
fn known<'a, T>(known: Option<&'a T>, orders: &'a [T], fixed: Fixed) -> &'a [T] {
    match known {
        Some(known) if !fixed => std::slice::from_ref(known),
        _ => orders,
    }
}

const fn ordered(order: AxisOrder, a: f64, b: f64) -> (f64, f64) {
    match order {
        AxisOrder::Xy => (a, b),
        AxisOrder::Yx => (b, a),
    }
}

fn in_pixels((x, y): (f64, f64), unit: Unit, image: &SceneImage) -> (f64, f64) {
    let (across, down) = match unit {
        Unit::Pixel => (image.seen.width, image.seen.height),
        Unit::Original => (image.size.width, image.size.height),
        Unit::Parts(parts) => (parts.into(), parts.into()),
    };
    let x = x / f64::from(across.max(1)) * f64::from(image.size.width);
    let y = y / f64::from(down.max(1)) * f64::from(image.size.height);
    match image.places.origin {
        Corner::TopLeft => (x, y),
        Corner::BottomLeft => (x, f64::from(image.size.height) - y),
    }
}

/// Units of numbers whose way of writing does not say.
fn plausible(numbers: &[f64], image: &SceneImage) -> &'static [Unit] {
    /// Pixels lie no further outside of the image.
    const OUTSIDE: f64 = 1.05;
    let largest = numbers.iter().fold(0.0, |most: f64, &next| most.max(next));
    let side = f64::from(image.seen.width.max(image.seen.height));
    if holds(Unit::Parts(1), numbers) {
        &[Unit::Parts(1)]
    } else if holds(Unit::Parts(1000), numbers) && largest > side * OUTSIDE {
        &[Unit::Parts(1000)]
    } else if holds(Unit::Parts(1000), numbers) {
        &[Unit::Pixel, Unit::Parts(1000)]
    } else {
        &[Unit::Pixel]
    }
}

/// True if numbers of this size may count that.
fn holds(unit: Unit, numbers: &[f64]) -> bool {
    let (most, least) = match unit {
        // A box of a single pixel is none; one of parts of 1 is.
        Unit::Pixel | Unit::Original => (f64::INFINITY, 1.0),
        Unit::Parts(1) => (1.0, 0.0),
        Unit::Parts(parts) => (f64::from(parts), 1.0),
    };
    let largest = numbers.iter().fold(0.0, |most: f64, &next| most.max(next));
    largest <= most && (largest > least || least == 0.0)
}

/// The pixels of an image of `size` that `left..right` and `top..bottom` cover: at least one,
/// or `None` if they lie outside.
fn bbox_of([left, top, right, bottom]: [f64; 4], size: Size) -> Option<BBox> {
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
