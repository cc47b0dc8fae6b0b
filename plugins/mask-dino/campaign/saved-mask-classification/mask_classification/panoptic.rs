//! Panoptic segmentation: every pixel goes to the query that claims it most.

use std::{collections::BTreeMap, ops::Range};

use rayon::prelude::*;
use som_core::Mask;

use super::{ClassLogits, bands, first_largest, instance::Choice, sigmoid, spread};
use crate::masks::Enlargement;

/// One segment.
#[derive(Clone, Debug)]
pub struct Segment {
    /// The number of its class.
    pub class: usize,
    /// How likely it is of this class; of several queries that it was put together of, the best.
    pub score: f32,
    /// Its pixels, which no other segment has.
    pub mask: Mask,
}

/// A pixel that belongs to no segment.
const NOBODY: u32 = u32::MAX;

/// The queries that take part: those whose best class is likelier than `threshold`. Their class and
/// score are those in comparison with other classes, if there is a `temperature`. A last class of
/// `no_object` is none.
pub fn kept(
    logits: &ClassLogits,
    threshold: f32,
    temperature: Option<f32>,
    no_object: Option<usize>,
) -> Vec<Choice> {
    let kept = logits.rows().enumerate().filter_map(|(query, logits)| {
        let (class, logit) = first_largest(logits);
        if no_object == Some(class) || sigmoid(logit) <= threshold {
            return None;
        }
        let (class, score) = first_largest(&spread(logits, temperature));
        Some(Choice {
            query,
            class,
            score,
        })
    });
    kept.collect()
}

/// The segments of queries whose masks are `logits` of low resolution, in the order of the queries.
/// A query that keeps less than `overlap` of its own mask is dropped. All stuff of a class is one
/// segment.
pub fn panoptic(
    kept: &[Choice],
    logits: &[f32],
    enlargement: &Enlargement,
    overlap: f64,
    is_thing: impl Fn(usize) -> bool,
) -> Vec<Segment> {
    let size = enlargement.size();
    let claim = Claim {
        kept,
        logits,
        enlargement,
    };
    let parts: Vec<Claimed> = bands(0..size.height as usize)
        .into_par_iter()
        .map(|band| claim.in_rows(band))
        .collect();
    let mut owners = Vec::with_capacity(size.width as usize * size.height as usize);
    let mut areas = vec![Areas::default(); kept.len()];
    for part in parts {
        owners.extend(part.owners);
        for (sum, part) in areas.iter_mut().zip(part.areas) {
            sum.won += part.won;
            sum.own += part.own;
            sum.both += part.both;
        }
    }
    let mut segments: Vec<(usize, f32)> = Vec::new();
    let mut stuff = BTreeMap::new();
    // Of each query, the segment that its pixels go to.
    let mut segment_of = vec![NOBODY; kept.len()];
    for ((choice, areas), segment) in kept.iter().zip(&areas).zip(&mut segment_of) {
        if areas.both == 0 || (areas.won as f64 / areas.own as f64) < overlap {
            continue;
        }
        let next = segments.len();
        let index = match is_thing(choice.class) {
            true => next,
            false => *stuff.entry(choice.class).or_insert(next),
        };
        if index == next {
            segments.push((choice.class, choice.score));
        }
        segments[index].1 = segments[index].1.max(choice.score);
        *segment = index as u32;
    }
    // A label map counts from 1; 0 is nobody's.
    for owner in &mut owners {
        let segment = segment_of.get(*owner as usize).copied();
        *owner = segment.map_or(0, |segment| segment.wrapping_add(1));
    }
    let masks = Mask::from_label_map(size, &owners, segments.len());
    let segments = segments.into_iter().zip(masks);
    segments
        .map(|((class, score), mask)| Segment { class, score, mask })
        .collect()
}

/// Pixels of a query.
#[derive(Clone, Debug, Default)]
struct Areas {
    /// That it claims most of all.
    won: u64,
    /// Of its mask.
    own: u64,
    /// Of its mask, that it claims most of all.
    both: u64,
}

/// What queries claim.
struct Claim<'a> {
    kept: &'a [Choice],
    logits: &'a [f32],
    enlargement: &'a Enlargement,
}

/// What they get of some rows.
struct Claimed {
    /// Of each pixel, the query that claims it most, if its mask has it.
    owners: Vec<u32>,
    /// By query.
    areas: Vec<Areas>,
}

impl Claim<'_> {
    fn in_rows(&self, band: Range<usize>) -> Claimed {
        let width = self.enlargement.size().width as usize;
        let count = band.len() * width;
        let mut most = vec![f32::NEG_INFINITY; count];
        // Whoever claims a pixel most, and whether its mask has it.
        let mut winners = vec![(NOBODY, false); count];
        let mut areas = vec![Areas::default(); self.kept.len()];
        let (mut wide, mut row) = (Vec::new(), vec![0.0; width]);
        let under = self.enlargement.rows_under(band.clone());
        let each = self.logits.len() / self.kept.len().max(1);
        let logits = self.logits.chunks_exact(each.max(1));
        for (query, (choice, logits)) in self.kept.iter().zip(logits).enumerate() {
            self.enlargement.widen(logits, under.clone(), 0..width, &mut wide);
            let rows = most.chunks_exact_mut(width).zip(winners.chunks_exact_mut(width));
            for (y, (most, winners)) in band.clone().zip(rows) {
                self.enlargement.row(y, &wide, under.start, &mut row);
                for ((most, winner), &logit) in most.iter_mut().zip(winners).zip(&row) {
                    let probability = sigmoid(logit);
                    let has = probability >= 0.5;
                    areas[query].own += u64::from(has);
                    if choice.score * probability > *most {
                        *most = choice.score * probability;
                        *winner = (query as u32, has);
                    }
                }
            }
        }
        let owner = |(winner, has): (u32, bool)| {
            if let Some(areas) = areas.get_mut(winner as usize) {
                areas.won += 1;
                areas.both += u64::from(has);
            }
            if has { winner } else { NOBODY }
        };
        Claimed {
            owners: winners.into_iter().map(owner).collect(),
            areas,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use som_core::Size;

    fn choice(query: usize, class: usize, score: f32) -> Choice {
        Choice {
            query,
            class,
            score,
        }
    }

    /// One row of four pixels.
    fn found(kept: &[Choice], logits: &[[f32; 4]], overlap: f64) -> Vec<(usize, u64)> {
        let size = Size::new(4, 1);
        let enlargement = Enlargement::once(size, size);
        panoptic(kept, logits.as_flattened(), &enlargement, overlap, |class| class == 0)
            .iter()
            .map(|segment| (segment.class, segment.mask.area()))
            .collect()
    }

    #[test]
    fn pixels_go_to_whoever_claims_them_most() {
        let kept = [choice(0, 0, 0.9), choice(1, 0, 0.6)];
        let logits = [[5.0, 5.0, -5.0, -5.0], [5.0, 5.0, 5.0, -5.0]];
        assert_eq!(found(&kept, &logits, 0.0), [(0, 2), (0, 1)]);
        // The second keeps one pixel of three, and one beyond its mask.
        assert_eq!(found(&kept, &logits, 0.6), [(0, 2), (0, 1)]);
        assert_eq!(found(&kept, &logits, 0.7), [(0, 2)]);
    }

    #[test]
    fn stuff_of_a_class_is_one_and_things_are_several() {
        let logits = [[5.0, -5.0, -5.0, -5.0], [-5.0, 5.0, -5.0, -5.0]];
        let stuff = [choice(0, 1, 0.5), choice(3, 1, 0.7)];
        assert_eq!(found(&stuff, &logits, 0.0), [(1, 2)]);
        let things = [choice(0, 0, 0.5), choice(3, 0, 0.7)];
        assert_eq!(found(&things, &logits, 0.0), [(0, 1), (0, 1)]);
        assert_eq!(found(&[], &[], 0.0), []);
    }

    #[test]
    fn classes_are_compared_only_among_the_kept() {
        let logits = ClassLogits::new(vec![1.0, 0.9, -3.0, -2.0, 0.0, 4.0], 2);
        let found = kept(&logits, 0.5, Some(0.06), None);
        assert_eq!(found.iter().map(|choice| choice.query).collect::<Vec<_>>(), [0, 2]);
        assert!(found[0].score < sigmoid(1.0), "{found:?}");
        let found = kept(&logits, 0.5, None, Some(1));
        assert_eq!(found, [choice(0, 0, sigmoid(1.0))]);
    }
}
