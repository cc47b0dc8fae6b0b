//! What a refiner finds → one region for each that it was told of.

use serde_json::{Value, json};
use som_core::{BoxHint, Mask, Params, Region};

use super::hint::Hint;

/// The extra of a region that says which hint of its call it is for, counted on.
const PROMPT: &str = "prompt";

/// Who took part, as the extras of each region tell it.
pub(super) struct Story<'a> {
    /// Who found the regions; `None` for regions that were given.
    pub(super) detector: Option<&'a str>,
    pub(super) refiner: &'a str,
}

/// What was found, by the hint of its call that it is for; `None`, if there were several and regions do
/// not say.
pub(super) fn by_hint(found: Vec<Region>, hints: usize) -> Option<Vec<Vec<Region>>> {
    if hints == 1 {
        return Some(vec![found]);
    }
    let mut sorted = vec![Vec::new(); hints];
    for region in found {
        let hint = region.extra.get(PROMPT)?.as_u64()?;
        sorted.get_mut(usize::try_from(hint).ok()?)?.push(region);
    }
    Some(sorted)
}

impl Story<'_> {
    /// `region` as it was refined: its label, score, level and parent, with the best mask of those that
    /// were `found` for its hint. Without any it stays what it is.
    pub(super) fn told(
        &self,
        mut region: Region,
        hint: Option<&Hint>,
        found: Vec<Region>,
    ) -> Region {
        let shape = region.shape();
        if let Some(detector) = self.detector {
            let detect = json!({
                "segmenter": detector,
                "shape": shape.name(),
                "label": region.label,
                "score": region.score,
            });
            region.extra.insert("detect".to_owned(), detect);
        }
        let best = hint.and_then(|hint| best(found, hint));
        let mut refine = Params::from_iter([
            ("segmenter".to_owned(), self.refiner.into()),
            (
                "hint".to_owned(),
                hint.map(|hint| hint.kind().name()).into(),
            ),
            ("found".to_owned(), best.is_some().into()),
        ]);
        if let Some(mut best) = best {
            best.extra.remove(PROMPT);
            refine.insert("label".to_owned(), best.label.into());
            refine.insert("score".to_owned(), json!(best.score));
            refine.insert("extra".to_owned(), Value::Object(best.extra));
            region.mask = best.mask;
            // It is known by its pixels now.
            region.extra.remove("shape");
        }
        region
            .extra
            .insert("refine".to_owned(), Value::Object(refine));
        region
    }
}

/// The region that is most like its hint. Of those that are equally like it, the one with the highest
/// score, and then the first.
fn best(found: Vec<Region>, hint: &Hint) -> Option<Region> {
    let mask = match hint {
        // It was made of one.
        Hint::Mask(rle) => Mask::from_rle(rle).ok(),
        Hint::Box(_) | Hint::Point(_) => None,
    };
    let likeness = |region: &Region| match (hint, &mask) {
        (Hint::Box(bbox), _) => box_likeness(bbox, region),
        (_, Some(mask)) => mask.iou(&region.mask),
        _ => 0.0,
    };
    let found = found.into_iter().filter(|region| !region.mask.is_empty());
    let rated = found.map(|region| {
        // Without a score, below all that have one.
        let score = region.score.unwrap_or(-1.0);
        (likeness(&region), score, region)
    });
    let better = |best: (f64, f32, Region), next: (f64, f32, Region)| {
        let order = next.0.total_cmp(&best.0).then(next.1.total_cmp(&best.1));
        if order.is_gt() { next } else { best }
    };
    rated.reduce(better).map(|(_, _, region)| region)
}

/// The intersection over union of a box, and that around a region.
fn box_likeness(hint: &BoxHint, region: &Region) -> f64 {
    let bbox = region.bbox();
    let overlap = |from: f64, extent: f64, start: u32, end: u64| {
        let (start, end) = (f64::from(start), end as f64);
        ((from + extent).min(end) - from.max(start)).max(0.0)
    };
    let shared = overlap(hint.x, hint.width, bbox.x, bbox.right())
        * overlap(hint.y, hint.height, bbox.y, bbox.bottom());
    shared / (hint.width * hint.height + bbox.area() as f64 - shared)
}

#[cfg(test)]
mod tests {
    use som_core::{BBox, Size};

    use super::*;

    const SIZE: Size = Size::new(60, 40);
    const STORY: Story<'_> = Story {
        detector: Some("finder"),
        refiner: "cutter",
    };

    fn masked(bbox: BBox, score: f32) -> Region {
        Region {
            score: Some(score),
            ..Region::new(Mask::rect(SIZE, bbox))
        }
    }

    fn detected() -> Region {
        Region {
            label: Some("cup".into()),
            score: Some(0.5),
            level: Some(2),
            parent: Some(7),
            ..Region::of_box(SIZE, [10.0, 10.0, 30.0, 30.0])
        }
    }

    fn boxed() -> Hint {
        Hint::Box(BoxHint {
            x: 10.0,
            y: 10.0,
            width: 20.0,
            height: 20.0,
        })
    }

    #[test]
    fn a_region_keeps_what_it_is_called_and_gets_its_pixels() {
        let mut cut = masked(BBox::new(11, 10, 18, 20), 0.9);
        cut.extra.insert("prompt".into(), 3.into());
        cut.extra.insert("predicted_iou".into(), json!(0.75));
        let region = STORY.told(detected(), Some(&boxed()), vec![cut.clone()]);
        assert_eq!(region.mask, cut.mask);
        assert!(!region.is_box());
        assert_eq!(
            (
                region.label.as_deref(),
                region.score,
                region.level,
                region.parent
            ),
            (Some("cup"), Some(0.5), Some(2), Some(7))
        );
        assert_eq!(
            Value::Object(region.extra),
            json!({
                "box": [10.0, 10.0, 30.0, 30.0],
                "detect": {"segmenter": "finder", "shape": "box", "label": "cup", "score": 0.5},
                "refine": {
                    "segmenter": "cutter", "hint": "box", "found": true, "label": null,
                    "score": json!(0.9_f32), "extra": {"predicted_iou": 0.75},
                },
            })
        );
    }

    #[test]
    fn a_region_of_which_nothing_was_found_stays_what_it_is() {
        let empty = Region::new(Mask::empty(SIZE));
        for (hint, found) in [
            (Some(boxed()), vec![empty]),
            (Some(boxed()), vec![]),
            (None, vec![]),
        ] {
            let region = STORY.told(detected(), hint.as_ref(), found);
            assert_eq!(region.mask, detected().mask);
            assert!(region.is_box());
            assert_eq!(region.extra["refine"]["found"], false);
            assert_eq!(region.extra["refine"]["hint"], json!(hint.map(|_| "box")));
        }
    }

    #[test]
    fn the_mask_most_like_its_hint_is_taken() {
        let whole = masked(BBox::new(10, 10, 20, 20), 0.6);
        let part = masked(BBox::new(10, 10, 9, 9), 0.99);
        let same = masked(BBox::new(10, 10, 20, 20), 0.7);
        let all = vec![part.clone(), whole.clone(), same.clone()];
        assert_eq!(best(all.clone(), &boxed()), Some(same.clone()));
        let mask = Hint::Mask(part.mask.to_rle());
        assert_eq!(best(all.clone(), &mask), Some(part.clone()));
        let point = Hint::Point(som_core::PointHint {
            x: 12.0,
            y: 12.0,
            label: 1,
        });
        assert_eq!(best(all, &point), Some(part));
    }

    #[test]
    fn several_hints_need_regions_that_say_whose_they_are() {
        let of = |prompt: Value| {
            let mut region = masked(BBox::new(1, 1, 2, 2), 0.5);
            region.extra.insert("prompt".into(), prompt);
            region
        };
        let sorted = by_hint(vec![of(json!(2)), of(json!(0)), of(json!(2))], 3).unwrap();
        let counts: Vec<usize> = sorted.iter().map(Vec::len).collect();
        assert_eq!(counts, [1, 0, 2]);
        let silent = masked(BBox::new(1, 1, 2, 2), 0.5);
        assert_eq!(by_hint(vec![silent.clone()], 1).unwrap()[0].len(), 1);
        for odd in [silent, of(json!(3)), of(json!("0")), of(json!(-1))] {
            assert!(by_hint(vec![of(json!(0)), odd], 3).is_none());
        }
    }
}
