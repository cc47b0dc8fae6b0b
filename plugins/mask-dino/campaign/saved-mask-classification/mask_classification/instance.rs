//! Instances: pairs of a query and a class, the best ones of all.

use rayon::prelude::*;
use som_core::{Mask, mask::MaskBuilder};

use super::{ClassLogits, bands, runs, sigmoid};
use crate::masks::Enlargement;

/// A query that is taken for something of a class.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Choice {
    /// The index of the query.
    pub query: usize,
    /// The number of the class.
    pub class: usize,
    /// How likely it is of this class.
    pub score: f32,
}

/// A mask, and how sure its pixels are.
#[derive(Clone, Debug)]
pub struct Instance {
    /// Where its logits exceed 0.
    pub mask: Mask,
    /// The mean probability of its pixels; 0, if it has none.
    pub certainty: f32,
}

/// The `count` best of all pairs of a query and a class, the best first. A query may be among them
/// several times.
pub fn best_choices(logits: &ClassLogits, count: usize) -> Vec<Choice> {
    let choices = logits.rows().enumerate().flat_map(|(query, row)| {
        row.iter().enumerate().map(move |(class, &logit)| Choice {
            query,
            class,
            score: sigmoid(logit),
        })
    });
    let mut choices: Vec<Choice> = choices.collect();
    choices.sort_by(|a, b| b.score.total_cmp(&a.score));
    choices.truncate(count);
    choices
}

/// The masks of logits of low resolution, `each` numbers of one after the other.
pub fn instances(logits: &[f32], each: usize, enlargement: &Enlargement) -> Vec<Instance> {
    let logits = logits.par_chunks_exact(each.max(1));
    logits.map(|logits| instance(logits, enlargement)).collect()
}

fn instance(logits: &[f32], enlargement: &Enlargement) -> Instance {
    let mut mask = MaskBuilder::new(enlargement.size());
    let (mut total, mut area) = (0.0, 0_u64);
    let [rows, columns] = enlargement.part_above(logits, 0.0);
    let mut wide = Vec::new();
    let mut row = vec![0.0; columns.len()];
    for band in bands(rows) {
        let under = enlargement.rows_under(band.clone());
        enlargement.widen(logits, under.clone(), columns.clone(), &mut wide);
        for y in band {
            enlargement.row(y, &wide, under.start, &mut row);
            for run in runs(&row, |logit| logit > 0.0) {
                let inside = row[run.clone()].iter().copied().map(sigmoid);
                total += f64::from(inside.sum::<f32>());
                area += run.len() as u64;
                let [start, end] = [run.start, run.end].map(|x| (columns.start + x) as u32);
                mask.push(y as u32, start, end);
            }
        }
    }
    Instance {
        mask: mask.finish(),
        certainty: (total / (area as f64 + 1e-6)) as f32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use som_core::Size;
    use tch::{Device, Kind, Tensor};

    #[test]
    fn the_best_pairs_come_first_and_a_query_may_come_twice() {
        let logits = ClassLogits::new(vec![0.0, 3.0, -1.0, 2.0, -4.0, 1.0], 2);
        let found: Vec<(usize, usize)> = best_choices(&logits, 4)
            .iter()
            .map(|choice| (choice.query, choice.class))
            .collect();
        assert_eq!(found, [(0, 1), (1, 1), (2, 1), (0, 0)]);
        assert_eq!(best_choices(&logits, 100).len(), 6);
        assert_eq!(best_choices(&logits, 1)[0].score, sigmoid(3.0));
    }

    #[test]
    fn masks_and_their_certainty_are_those_of_the_whole_map() {
        tch::manual_seed(7);
        let image = Size::new(61, 47);
        let enlargement = Enlargement::once(Size::new(9, 7), image);
        let logits = Tensor::randn([5, 7, 9], (Kind::Float, Device::Cpu)) - 1.0;
        let whole = logits.unsqueeze(0).upsample_bilinear2d([47, 61], false, None, None);
        let numbers: Vec<f32> = Vec::try_from(logits.flatten(0, -1)).unwrap();
        let found = instances(&numbers, 63, &enlargement);
        assert_eq!(found.len(), 5);
        for (index, found) in found.iter().enumerate() {
            let whole = whole.select(0, 0).select(0, index as i64);
            let inside = whole.gt(0.0).to_kind(Kind::Float);
            let area = inside.sum(Kind::Float).double_value(&[]);
            assert_eq!(found.mask.area() as f64, area);
            let certainty = (whole.sigmoid() * inside).sum(Kind::Float) / (area + 1e-6);
            let certainty = certainty.double_value(&[]);
            assert!((f64::from(found.certainty) - certainty).abs() < 1e-5);
        }
    }

    #[test]
    fn what_is_nowhere_has_no_certainty() {
        let enlargement = Enlargement::once(Size::new(2, 2), Size::new(8, 8));
        let found = instances(&[-1.0; 4], 4, &enlargement);
        assert!(found[0].mask.is_empty());
        assert_eq!(found[0].certainty, 0.0);
    }
}
