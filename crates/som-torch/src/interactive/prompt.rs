//! From hints to prompts: which of them are about the same thing.

use som_core::{BoxHint, Error, Hints, Mask, PointHint, Result, Rle};

use super::stroke::along;

/// Hints about one thing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prompt {
    /// Clicks, and points along a stroke.
    pub points: Vec<PointHint>,
    /// Around the thing.
    pub bbox: Option<BoxHint>,
    /// An earlier idea of the thing, in the image.
    pub mask: Option<Mask>,
}

/// Sorts out which hints are about the same thing: all of them, as long as there is at most one
/// box, stroke or mask of each kind. Of several boxes each is a prompt with the points inside it,
/// and the points in none are one together. Several strokes, or several masks, are a prompt each,
/// and stand alone.
///
/// # Errors
/// Invalid, if it is unclear, or a stroke or mask is empty or damaged.
pub fn prompts(hints: &Hints) -> Result<Vec<Prompt>> {
    let Hints { points, boxes, .. } = hints;
    let strokes = decoded(&hints.strokes, "stroke")?;
    let masks = decoded(&hints.masks, "mask")?;
    let of_stroke = |stroke: &Mask| Prompt {
        points: along(stroke),
        ..Prompt::default()
    };
    let of_mask = |mask: Mask| Prompt {
        mask: Some(mask),
        ..Prompt::default()
    };
    match (points.len(), boxes.len(), strokes.len(), masks.len()) {
        (_, 0 | 1, 0 | 1, 0 | 1) => {
            let mut prompt = strokes.first().map(of_stroke).unwrap_or_default();
            prompt.points.extend(points);
            prompt.bbox = boxes.first().copied();
            prompt.mask = masks.into_iter().next();
            Ok(vec![prompt])
        }
        (_, _, 0, 0) => Ok(by_box(points, boxes)),
        (0, 0, _, 0) => Ok(strokes.iter().map(of_stroke).collect()),
        (0, 0, 0, _) => Ok(masks.into_iter().map(of_mask).collect()),
        _ => Err(Error::invalid(
            "hints: it is unclear which of them are about the same thing (give one stroke and one mask with at most one box, or several strokes or masks alone)",
        )),
    }
}

fn decoded(masks: &[Rle], what: &str) -> Result<Vec<Mask>> {
    let decode = |(index, rle)| match Mask::from_rle(rle)? {
        mask if mask.is_empty() => Err(Error::invalid(format!("hints: {what} {index} is empty"))),
        mask => Ok(mask),
    };
    masks.iter().enumerate().map(decode).collect()
}

/// A prompt for each box, with the points inside it, and one for the points in none.
fn by_box(points: &[PointHint], boxes: &[BoxHint]) -> Vec<Prompt> {
    let mut rest = points.to_vec();
    let mut prompts: Vec<Prompt> = boxes
        .iter()
        .map(|bbox| {
            let inside = |point: &PointHint| contains(bbox, point);
            rest.retain(|point| !inside(point));
            Prompt {
                points: points.iter().copied().filter(inside).collect(),
                bbox: Some(*bbox),
                mask: None,
            }
        })
        .collect();
    if !rest.is_empty() {
        prompts.push(Prompt {
            points: rest,
            ..Prompt::default()
        });
    }
    prompts
}

fn contains(bbox: &BoxHint, point: &PointHint) -> bool {
    (bbox.x..=bbox.x + bbox.width).contains(&point.x)
        && (bbox.y..=bbox.y + bbox.height).contains(&point.y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use som_core::{BBox, Size};

    const SIZE: Size = Size::new(40, 30);

    fn point(x: f64, y: f64) -> PointHint {
        PointHint { x, y, label: 1 }
    }

    fn bbox(x: f64) -> BoxHint {
        BoxHint {
            x,
            y: 5.0,
            width: 10.0,
            height: 10.0,
        }
    }

    #[test]
    fn hints_with_one_box_are_one_prompt() {
        let hints = Hints {
            points: vec![point(39.0, 0.0)],
            boxes: vec![bbox(0.0)],
            ..Hints::default()
        };
        let [prompt] = &prompts(&hints).unwrap()[..] else {
            panic!("one prompt")
        };
        assert_eq!((prompt.points.len(), prompt.bbox), (1, Some(bbox(0.0))));
    }

    #[test]
    fn points_go_with_the_box_they_lie_in() {
        let hints = Hints {
            points: vec![point(2.0, 6.0), point(22.0, 6.0), point(39.0, 29.0)],
            boxes: vec![bbox(0.0), bbox(20.0)],
            ..Hints::default()
        };
        let prompts = prompts(&hints).unwrap();
        let points: Vec<f64> = prompts
            .iter()
            .flat_map(|prompt| &prompt.points)
            .map(|point| point.x)
            .collect();
        assert_eq!(points, [2.0, 22.0, 39.0]);
        assert_eq!(
            prompts
                .iter()
                .filter(|prompt| prompt.bbox.is_some())
                .count(),
            2
        );
    }

    #[test]
    fn several_masks_or_strokes_stand_alone() {
        let mask = Mask::rect(SIZE, BBox::new(3, 3, 5, 5)).to_rle();
        let two = vec![mask.clone(), mask];
        let masks = Hints {
            masks: two.clone(),
            ..Hints::default()
        };
        let found = prompts(&masks).unwrap();
        assert!(found.iter().all(|prompt| prompt.mask.is_some()));
        assert_eq!(found.len(), 2);
        let strokes = Hints {
            strokes: two.clone(),
            ..Hints::default()
        };
        let found = prompts(&strokes).unwrap();
        assert!(found.iter().all(|prompt| !prompt.points.is_empty()));
        assert_eq!(found.len(), 2);
        let mixed = Hints {
            strokes: two,
            points: vec![point(1.0, 1.0)],
            ..Hints::default()
        };
        let error = prompts(&mixed).unwrap_err();
        assert!(error.message().contains("unclear"), "{error}");
        let empty = Hints {
            masks: vec![Mask::empty(SIZE).to_rle()],
            ..Hints::default()
        };
        let error = prompts(&empty).unwrap_err();
        assert!(error.message().contains("mask 0 is empty"), "{error}");
    }
}
