//! Target: the objects that hints speak of.

use som_core::{BBox, BoxHint, Error, Hints, Mask, Point, Result, Size};

/// One object to find.
#[derive(Clone, Debug, Default)]
pub(crate) struct Target {
    /// The box around it.
    pub(crate) bbox: Option<BBox>,
    /// Pixels of it.
    pub(crate) points: Vec<Point>,
    /// Strokes on it, or earlier masks of it.
    pub(crate) stroke: Option<Mask>,
    /// Pixels of something else.
    pub(crate) background: Vec<Point>,
}

/// The objects in an image of `size`: each box is one, and points and strokes tell more about the
/// boxes they lie in; those in no box are one object of their own.
///
/// # Errors
/// Unsupported for text and examples. Invalid, if a hint lies outside the image or is malformed.
pub(crate) fn targets(hints: &Hints, size: Size) -> Result<Vec<Target>> {
    if !hints.texts.is_empty() {
        return Err(Error::unsupported(
            "segmenter \"classic\" takes no text hint (give points, boxes or masks, or choose a segmenter with the capability \"text\")",
        ));
    }
    if !hints.examples.is_empty() {
        return Err(Error::unsupported(
            "segmenter \"classic\" takes no example hint (give points, boxes or masks, or choose a segmenter with the capability \"examples\")",
        ));
    }
    hints.check(size)?;
    let in_box = |hint: &BoxHint| Target {
        bbox: Some(pixels_in(hint)),
        ..Target::default()
    };
    let mut targets: Vec<Target> = hints.boxes.iter().map(in_box).collect();
    let mut free = Target::default();
    let mut background = Vec::new();
    for hint in &hints.points {
        // Points that lie in the image fit.
        let point = Point::new(hint.x as u32, hint.y as u32);
        match hint.label {
            0 => background.push(point),
            1 => tell(
                &mut targets,
                &mut free,
                |bbox| bbox.contains(point),
                |target| target.points.push(point),
            ),
            label => {
                let (x, y) = (hint.x, hint.y);
                return Err(Error::invalid(format!(
                    "hint: the point {x},{y} has label {label}, not 1 (wanted) or 0 (background)"
                )));
            }
        }
    }
    let strokes = hints.strokes.iter().enumerate();
    let strokes = strokes.map(|(index, rle)| (format!("hint: stroke {index}"), rle));
    let masks = hints.masks.iter().enumerate();
    let masks = masks.map(|(index, rle)| (format!("hint: mask {index}"), rle));
    for (place, rle) in strokes.chain(masks) {
        let stroke = Mask::from_rle(rle).map_err(|error| error.at(&place))?;
        if stroke.is_empty() {
            return Err(Error::invalid(format!("{place} has no pixel")));
        }
        let touches = |bbox: BBox| stroke.intersection_area(&Mask::rect(size, bbox)) > 0;
        tell(&mut targets, &mut free, touches, |target| {
            let before = target.stroke.take();
            target.stroke =
                Some(before.map_or_else(|| stroke.clone(), |before| before.union(&stroke)));
        });
    }
    if !free.points.is_empty() || free.stroke.is_some() {
        targets.push(free);
    }
    if targets.is_empty() {
        return Err(Error::invalid(
            "hint: background points alone name no object (add a point with label 1, a box or a mask)",
        ));
    }
    for target in &mut targets {
        target.background.clone_from(&background);
    }
    Ok(targets)
}

/// The pixels whose middle lies in the box; at least one.
fn pixels_in(hint: &BoxHint) -> BBox {
    let span = |start: f64, length: f64| {
        let first = start.round();
        (
            first as u32,
            ((start + length).round() - first).max(1.0) as u32,
        )
    };
    let ((x, width), (y, height)) = (span(hint.x, hint.width), span(hint.y, hint.height));
    BBox::new(x, y, width, height)
}

/// Tells something about all targets whose box it lies in, else about `free`.
fn tell(
    targets: &mut [Target],
    free: &mut Target,
    lies_in: impl Fn(BBox) -> bool,
    mut tell: impl FnMut(&mut Target),
) {
    let mut is_told = false;
    for target in targets {
        if target.bbox.is_some_and(&lies_in) {
            tell(target);
            is_told = true;
        }
    }
    if !is_told {
        tell(free);
    }
}

#[cfg(test)]
mod tests {
    use som_core::{ErrorKind, PointHint};

    use super::*;

    const SIZE: Size = Size::new(60, 40);

    fn point(x: f64, y: f64, label: u8) -> PointHint {
        PointHint { x, y, label }
    }

    fn bbox(x: f64, y: f64, width: f64, height: f64) -> BoxHint {
        BoxHint {
            x,
            y,
            width,
            height,
        }
    }

    #[test]
    fn points_refine_the_boxes_they_lie_in() {
        let hints = Hints {
            points: vec![
                point(5.9, 5.0, 1),
                point(50.0, 30.0, 1),
                point(20.0, 20.0, 0),
            ],
            boxes: vec![bbox(0.0, 0.0, 10.0, 10.0), bbox(10.4, 10.6, 20.0, 0.2)],
            ..Hints::default()
        };
        let targets = targets(&hints, SIZE).unwrap();
        assert_eq!(targets.len(), 3);
        assert_eq!(targets[0].points, [Point::new(5, 5)]);
        assert_eq!(targets[1].bbox, Some(BBox::new(10, 11, 20, 1)));
        assert_eq!(targets[1].points, []);
        assert_eq!(
            (targets[2].bbox, &targets[2].points[..]),
            (None, &[Point::new(50, 30)][..])
        );
        assert!(
            targets
                .iter()
                .all(|target| target.background == [Point::new(20, 20)])
        );
    }

    #[test]
    fn strokes_in_no_box_are_one_object_with_the_points_there() {
        let stroke = |x| Mask::rect(SIZE, BBox::new(x, 2, 5, 1)).to_rle();
        let hints = Hints {
            points: vec![point(40.0, 2.0, 1)],
            strokes: vec![stroke(30), stroke(33)],
            masks: vec![stroke(0)],
            boxes: vec![bbox(0.0, 0.0, 10.0, 10.0)],
            ..Hints::default()
        };
        let targets = targets(&hints, SIZE).unwrap();
        let areas: Vec<_> = targets
            .iter()
            .map(|target| target.stroke.as_ref().map(Mask::area))
            .collect();
        assert_eq!(areas, [Some(5), Some(8)]);
    }

    #[test]
    fn wrong_hints_are_refused_by_name() {
        let refusal = |hints: Hints| targets(&hints, SIZE).unwrap_err();
        let points = |points| Hints {
            points,
            ..Hints::default()
        };
        let outside = refusal(points(vec![point(60.0, 1.0, 1)]));
        assert_eq!(outside.kind(), ErrorKind::Invalid);
        assert!(outside.to_string().contains("60,1"), "{outside}");
        let label = refusal(points(vec![point(3.0, 1.0, 7)])).to_string();
        assert!(label.contains("the point 3,1 has label 7"), "{label}");
        let alone = refusal(points(vec![point(3.0, 1.0, 0)])).to_string();
        assert!(alone.contains("background points alone"), "{alone}");
        let empty = Hints {
            masks: vec![Mask::empty(SIZE).to_rle()],
            ..Hints::default()
        };
        assert_eq!(refusal(empty).to_string(), "hint: mask 0 has no pixel");
        let text = Hints {
            texts: vec!["cat".into()],
            ..Hints::default()
        };
        assert_eq!(refusal(text).kind(), ErrorKind::Unsupported);
    }
}
