//! Panoptic quality (Kirillov et al. 2019; `panopticapi/evaluation.py`).

use std::collections::BTreeMap;

use serde::Serialize;
use som_core::Mask;

/// What is held against what, image after image.
#[derive(Clone, Debug, Default)]
pub struct Panoptic {
    classes: BTreeMap<String, Class>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Class {
    iou: f64,
    matched: u64,
    unmatched_found: u64,
    unmatched_truth: u64,
}

/// A segment of an image.
#[derive(Clone, Copy, Debug)]
pub struct Labelled<'a> {
    /// Its class; the same text for the same class.
    pub class: &'a str,
    /// Its pixels; those of one image do not overlap.
    pub mask: &'a Mask,
    /// Many things in one mask: true of truth alone.
    pub is_crowd: bool,
}

/// The means over the classes that occur.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quality {
    /// Panoptic quality.
    pub pq: f64,
    /// Segmentation quality: the mean IoU of what is matched.
    pub sq: f64,
    /// Recognition quality.
    pub rq: f64,
    /// Over how many classes.
    pub classes: usize,
}

impl Panoptic {
    /// Adds an image. Pixels of `void` leave the union, and what lies mostly in void or in a crowd
    /// of its class is not counted as found wrongly.
    pub fn add(&mut self, truth: &[Labelled<'_>], found: &[Labelled<'_>], void: &Mask) {
        let mut is_matched = vec![false; found.len()];
        for truth in truth.iter().filter(|truth| !truth.is_crowd) {
            let area = truth.mask.area();
            let hit = found.iter().enumerate().find_map(|(place, found)| {
                if found.class != truth.class {
                    return None;
                }
                let shared = truth.mask.intersection_area(found.mask);
                let outside = found.mask.intersection_area(void);
                let union = area + found.mask.area() - shared - outside;
                // At most one can have more than a half.
                (2 * shared > union).then(|| (place, shared as f64 / union as f64))
            });
            let class = self.class(truth.class);
            match hit {
                Some((place, iou)) => {
                    class.matched += 1;
                    class.iou += iou;
                    is_matched[place] = true;
                }
                None => class.unmatched_truth += 1,
            }
        }
        for (found, _) in found
            .iter()
            .zip(is_matched)
            .filter(|(_, is_matched)| !is_matched)
        {
            // Of several crowds of a class the last one counts, as there.
            let crowd = truth
                .iter()
                .rfind(|truth| truth.is_crowd && truth.class == found.class);
            let crowded = crowd.map_or(0, |crowd| crowd.mask.intersection_area(found.mask));
            let excused = crowded + void.intersection_area(found.mask);
            if 2 * excused <= found.mask.area() {
                self.class(found.class).unmatched_found += 1;
            }
        }
    }

    /// The means over all classes that occur; `None` if there are none.
    pub fn quality(&self) -> Option<Quality> {
        let mut sums = (0.0, 0.0, 0.0);
        let mut classes = 0;
        for class in self.classes.values() {
            let matched = class.matched as f64;
            let of = matched + (class.unmatched_found + class.unmatched_truth) as f64 / 2.0;
            if of > 0.0 {
                classes += 1;
                sums.0 += class.iou / of;
                sums.1 += if class.matched == 0 {
                    0.0
                } else {
                    class.iou / matched
                };
                sums.2 += matched / of;
            }
        }
        let mean = |sum: f64| sum / classes as f64;
        (classes > 0).then(|| Quality {
            pq: mean(sums.0),
            sq: mean(sums.1),
            rq: mean(sums.2),
            classes,
        })
    }

    fn class(&mut self, name: &str) -> &mut Class {
        self.classes.entry(name.to_owned()).or_default()
    }
}

#[cfg(test)]
mod tests {
    use som_core::{BBox, Size};

    use super::*;

    const SIZE: Size = Size::new(10, 1);

    fn mask(x: u32, width: u32) -> Mask {
        Mask::rect(SIZE, BBox::new(x, 0, width, 1))
    }

    fn labelled<'a>(class: &'a str, mask: &'a Mask, is_crowd: bool) -> Labelled<'a> {
        Labelled {
            class,
            mask,
            is_crowd,
        }
    }

    #[test]
    fn what_is_found_exactly_is_1() {
        let (cat, dog) = (mask(0, 5), mask(5, 5));
        let all = [labelled("cat", &cat, false), labelled("dog", &dog, false)];
        let mut panoptic = Panoptic::default();
        panoptic.add(&all, &all, &Mask::empty(SIZE));
        let quality = panoptic.quality().unwrap();
        assert_eq!((quality.pq, quality.sq, quality.rq), (1.0, 1.0, 1.0));
    }

    #[test]
    fn halves_and_other_classes_are_errors() {
        let (truth, half, third) = (mask(0, 8), mask(0, 4), mask(0, 6));
        let mut panoptic = Panoptic::default();
        // An IoU of exactly a half is no match: a missed and a wrong one.
        let cat = |mask| [labelled("cat", mask, false)];
        panoptic.add(&cat(&truth), &cat(&half), &Mask::empty(SIZE));
        assert_eq!(panoptic.quality().unwrap().pq, 0.0);
        // One match of 3/4 beside those: 0.75 / (1 + 1/2 + 1/2).
        panoptic.add(&cat(&truth), &cat(&third), &Mask::empty(SIZE));
        assert_eq!(panoptic.quality().unwrap().pq, 0.375);
    }

    #[test]
    fn void_and_crowds_excuse() {
        let (truth, wide, crowd, inside) = (mask(0, 4), mask(0, 6), mask(6, 4), mask(6, 3));
        let void = mask(4, 2);
        let mut panoptic = Panoptic::default();
        panoptic.add(
            &[
                labelled("cat", &truth, false),
                labelled("cat", &crowd, true),
            ],
            &[
                labelled("cat", &wide, false),
                labelled("cat", &inside, false),
            ],
            &void,
        );
        assert_eq!(panoptic.quality().unwrap().pq, 1.0);
    }
}
