//! From the mask logits of queries to the masks of an image's segments; and [`boxed`], for networks
//! that find boxes alone.
//!
//! What Mask DINO and OpenSeeD do behind their decoders: `instance_inference`,
//! `panoptic_inference` and `semantic_inference` of `maskdino/maskdino.py` and
//! `openseed/architectures/openseed_model.py`. There all logits of all queries exist at the size of
//! the image; here only those of a band of rows, one band for each core at a time.

mod boxed;
mod instances;
mod panoptic;
mod semantic;

use std::ops::Range;

use som_core::{Mask, MaskBuilder, Size};

pub use self::{
    boxed::boxed,
    instances::{Inside, instances},
    panoptic::{Kept, Segment, panoptic},
    semantic::semantic,
};
use crate::resample::Resampling;

/// Rows of the image that are computed at once.
const BAND: usize = 32;

/// The mask logits of some queries, and how they become those of the image.
#[derive(Clone, Copy, Debug)]
pub struct MaskMaps<'a> {
    /// Map after map, row by row.
    logits: &'a [f32],
    /// Numbers of each map.
    each: usize,
    resampling: &'a Resampling,
}

impl<'a> MaskMaps<'a> {
    /// `logits` holds map after map of as many numbers as `resampling` takes.
    pub fn new(logits: &'a [f32], resampling: &'a Resampling) -> Self {
        Self {
            logits,
            each: resampling.inputs(),
            resampling,
        }
    }

    /// Number of maps.
    pub fn len(&self) -> usize {
        self.logits.len() / self.each.max(1)
    }

    /// True if there is no map.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn size(&self) -> Size {
        self.resampling.size()
    }

    fn bands(&self) -> Vec<Range<usize>> {
        bands(self.resampling.rows.len())
    }

    /// The probabilities of map `index` in a band of the image's rows, into `out`, row by row.
    fn probabilities(&self, index: usize, band: Range<usize>, out: &mut [f32]) {
        let map = &self.logits[index * self.each..(index + 1) * self.each];
        self.resampling.band(map, band, out);
        for value in out {
            *value = 1.0 / (1.0 + (-*value).exp());
        }
    }
}

/// So many rows in bands.
fn bands(rows: usize) -> Vec<Range<usize>> {
    let starts = (0..rows).step_by(BAND);
    starts
        .map(|start| start..(start + BAND).min(rows))
        .collect()
}

/// Adds the runs of pixels of row `y` that belong to a mask each; `None` belongs to none.
fn push_runs(masks: &mut [MaskBuilder], y: usize, row: impl Iterator<Item = Option<usize>>) {
    let mut run: Option<(usize, u32)> = None;
    let mut end = 0;
    for (x, owner) in (0..).zip(row) {
        end = x + 1;
        if run.map(|(owner, _)| owner) == owner {
            continue;
        }
        if let Some((owner, start)) = run {
            masks[owner].push(y as u32, start, x);
        }
        run = owner.map(|owner| (owner, x));
    }
    if let Some((owner, start)) = run {
        masks[owner].push(y as u32, start, end);
    }
}

/// The masks of `count` owners, to each of whom a pixel may belong; `owners` goes row by row.
fn masks_of(
    size: Size,
    count: usize,
    owners: &[u16],
    owner: impl Fn(u16) -> Option<usize>,
) -> Vec<Mask> {
    let mut masks: Vec<MaskBuilder> = (0..count).map(|_| MaskBuilder::new(size)).collect();
    let rows = owners.chunks_exact((size.width as usize).max(1));
    for (y, row) in rows.enumerate() {
        push_runs(&mut masks, y, row.iter().map(|&pixel| owner(pixel)));
    }
    masks.into_iter().map(MaskBuilder::finish).collect()
}
