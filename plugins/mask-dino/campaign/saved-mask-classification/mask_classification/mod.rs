//! From classified masks to regions: what networks mean that give each query a class and a mask.
//!
//! Cheng et al., *MaskFormer*, 2021 (arXiv 2107.06278), section 3.4, in the forms of Mask DINO and
//! OpenSeeD (`instance_inference`, `panoptic_inference` and `semantic_inference` of the official
//! projects). Nowhere do all masks exist at the size of the image.

mod instance;
mod panoptic;
mod semantic;

use std::ops::Range;

pub use self::{
    instance::{Choice, Instance, best_choices, instances},
    panoptic::{Segment, kept, panoptic},
    semantic::{Voting, semantic},
};

/// The logits of classes, query by query.
#[derive(Clone, Debug)]
pub struct ClassLogits {
    numbers: Vec<f32>,
    classes: usize,
}

impl ClassLogits {
    /// `numbers` are those of one query after the other, each of so many classes.
    pub const fn new(numbers: Vec<f32>, classes: usize) -> Self {
        Self { numbers, classes }
    }

    /// The logits of each query.
    pub fn rows(&self) -> impl Iterator<Item = &[f32]> {
        self.numbers.chunks_exact(self.classes.max(1))
    }

    /// How many classes there are.
    pub const fn classes(&self) -> usize {
        self.classes
    }
}

/// How likely each class is by itself, and with `temperature`, in comparison with the others.
///
/// Sigmoids are made for detection and hardly differ; a softmax over them, divided by a small
/// temperature, spreads them.
pub fn spread(logits: &[f32], temperature: Option<f32>) -> Vec<f32> {
    let mut scores: Vec<f32> = logits.iter().copied().map(sigmoid).collect();
    if let Some(temperature) = temperature {
        for score in &mut scores {
            *score /= temperature;
        }
        softmax(&mut scores);
    }
    scores
}

/// Numbers that add up to one, each as large as its logit says.
pub fn softmax(logits: &mut [f32]) {
    let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    for logit in &mut *logits {
        *logit = (*logit - most).exp();
    }
    let total: f32 = logits.iter().sum();
    for number in logits {
        *number /= total;
    }
}

fn sigmoid(logit: f32) -> f32 {
    1.0 / (1.0 + (-logit).exp())
}

/// The first of the largest, and where it is.
fn first_largest(numbers: &[f32]) -> (usize, f32) {
    let start = (0, f32::NEG_INFINITY);
    numbers.iter().copied().enumerate().fold(start, |best, next| {
        if next.1 > best.1 { next } else { best }
    })
}

/// Rows of a large map that are made at a time: with few, rows of low resolution are widened again and
/// again; many take memory.
const BAND: usize = 16;

/// Rows in bands.
fn bands(rows: Range<usize>) -> Vec<Range<usize>> {
    let starts = rows.clone().step_by(BAND);
    starts.map(|start| start..(start + BAND).min(rows.end)).collect()
}

/// Where numbers are as asked for, as long as possible.
fn runs<T: Copy>(row: &[T], is: impl Fn(T) -> bool) -> impl Iterator<Item = Range<usize>> {
    let mut next = 0;
    std::iter::from_fn(move || {
        let start = next + row[next..].iter().position(|&value| is(value))?;
        let length = row[start..].iter().position(|&value| !is(value));
        next = length.map_or(row.len(), |length| start + length);
        Some(start..next)
    })
}
