//! The visible part of every region: its mask minus all smaller regions.
//!
//! The paper sorts regions by area and takes away from each what smaller ones cover. What is left
//! is disjoint, so one map of owners holds the visible parts of all regions at once.

use wide::u16x16;

use crate::{BBox, Mask, Point, Size};

/// Which region a pixel shows: 0 for none, else its rank (0 for the largest region) plus one.
pub(super) type Owner = u16;

/// Most regions one map can hold.
pub(super) const MAX_REGIONS: usize = Owner::MAX as usize - 1;

/// The visible parts of regions ranked by area.
pub(super) struct Visible {
    size: Size,
    owners: Vec<Owner>,
    /// Maximal runs of one owner within a row; of one rank after the other, in reading order.
    runs: Vec<Run>,
    /// For each rank, where its runs begin in `runs`; one more for the end.
    starts: Vec<u32>,
    parts: Vec<Part>,
}

/// Columns `start..end` of row `y`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Run {
    pub(super) y: u32,
    pub(super) start: u32,
    pub(super) end: u32,
}

/// What is left of one region.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Part {
    /// Number of pixels; 0 if smaller regions hide all of it.
    pub(super) area: u64,
    pub(super) bbox: BBox,
    /// Mean column and row.
    pub(super) centroid: (f64, f64),
}

impl Visible {
    /// Of `masks`, the largest first, in an image of `size`.
    pub(super) fn new<'a>(size: Size, masks: impl ExactSizeIterator<Item = &'a Mask>) -> Self {
        let count = masks.len();
        let owners = paint(size, masks);
        let (runs, starts) = runs(size, &owners, count);
        let parts = starts
            .windows(2)
            .map(|of| Part::new(&runs[of[0] as usize..of[1] as usize]))
            .collect();
        Self {
            size,
            owners,
            runs,
            starts,
            parts,
        }
    }

    pub(super) const fn size(&self) -> Size {
        self.size
    }

    /// Every pixel's owner, in reading order.
    pub(super) fn owners(&self) -> &[Owner] {
        &self.owners
    }

    /// Row `y` of the owners.
    pub(super) fn row(&self, y: u32) -> &[Owner] {
        let width = self.size.width as usize;
        &self.owners[y as usize * width..][..width]
    }

    /// The visible runs of the region of `rank`, in reading order.
    pub(super) fn runs(&self, rank: usize) -> &[Run] {
        &self.runs[self.starts[rank] as usize..self.starts[rank + 1] as usize]
    }

    /// What is left of each region, by rank.
    pub(super) fn parts(&self) -> &[Part] {
        &self.parts
    }

    pub(super) fn owner(&self, point: Point) -> Owner {
        self.owners[point.y as usize * self.size.width as usize + point.x as usize]
    }

    /// Number of pixels in `bbox`, which lies in the image, by rank: added up in `tally`.
    pub(super) fn count(&self, bbox: BBox, tally: &mut Tally) {
        tally.clear();
        let columns = bbox.x as usize..bbox.right() as usize;
        for y in bbox.y..bbox.bottom() as u32 {
            let row = &self.row(y)[columns.clone()];
            let mut start = 0;
            for_each_change(row, |end| {
                if row[start] > 0 {
                    tally.add(usize::from(row[start] - 1), (end - start) as u32);
                }
                start = end;
            });
        }
    }
}

/// The owner of rank `rank`.
pub(super) const fn owner_of(rank: usize) -> Owner {
    rank as Owner + 1
}

/// A reusable histogram of pixels by rank.
pub(super) struct Tally {
    counts: Vec<u32>,
    touched: Vec<usize>,
}

impl Tally {
    pub(super) fn new(ranks: usize) -> Self {
        Self {
            counts: vec![0; ranks],
            touched: Vec::new(),
        }
    }

    /// Ranks and their number of pixels, in the order they were met.
    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, u32)> {
        self.touched.iter().map(|&rank| (rank, self.counts[rank]))
    }

    /// Pixels of `rank`.
    pub(super) fn of(&self, rank: usize) -> u32 {
        self.counts[rank]
    }

    fn add(&mut self, rank: usize, pixels: u32) {
        if self.counts[rank] == 0 {
            self.touched.push(rank);
        }
        self.counts[rank] += pixels;
    }

    fn clear(&mut self) {
        for rank in self.touched.drain(..) {
            self.counts[rank] = 0;
        }
    }
}

impl Part {
    fn new(runs: &[Run]) -> Self {
        let (Some(first), Some(last)) = (runs.first(), runs.last()) else {
            return Self::default();
        };
        let (mut area, mut columns, mut rows) = (0_u64, 0_u64, 0_u64);
        let (mut left, mut right) = (u32::MAX, 0);
        for run in runs {
            let length = u64::from(run.end - run.start);
            area += length;
            // Twice the sum of the run's columns: the sum itself may end in a half.
            columns += length * u64::from(run.start + run.end - 1);
            rows += length * u64::from(run.y);
            left = left.min(run.start);
            right = right.max(run.end);
        }
        Self {
            area,
            bbox: BBox::new(left, first.y, right - left, last.y - first.y + 1),
            centroid: (
                columns as f64 / (2 * area) as f64,
                rows as f64 / area as f64,
            ),
        }
    }
}

/// The map of owners: larger regions first, so that smaller ones end up on top.
fn paint<'a>(size: Size, masks: impl Iterator<Item = &'a Mask>) -> Vec<Owner> {
    let width = size.width as usize;
    let mut owners = vec![0; width * size.height as usize];
    for (rank, mask) in masks.enumerate() {
        for (y, spans) in mask.rows() {
            let row = &mut owners[y as usize * width..][..width];
            for span in spans {
                row[span.start as usize..span.end as usize].fill(owner_of(rank));
            }
        }
    }
    owners
}

/// The runs of each of `count` owners one after the other, and where each owner's begin.
fn runs(size: Size, owners: &[Owner], count: usize) -> (Vec<Run>, Vec<u32>) {
    let mut found: Vec<(Owner, Run)> = Vec::new();
    let mut starts = vec![0_u32; count + 1];
    for (y, row) in owners.chunks_exact(size.width.max(1) as usize).enumerate() {
        let mut start = 0;
        for_each_change(row, |end| {
            let owner = row[start];
            if owner > 0 {
                found.push((
                    owner,
                    Run {
                        y: y as u32,
                        start: start as u32,
                        end: end as u32,
                    },
                ));
                starts[usize::from(owner)] += 1;
            }
            start = end;
        });
    }
    for rank in 0..count {
        starts[rank + 1] += starts[rank];
    }
    let mut runs = vec![Run::default(); found.len()];
    let mut next = starts.clone();
    for (owner, run) in found {
        let slot = &mut next[usize::from(owner - 1)];
        runs[*slot as usize] = run;
        *slot += 1;
    }
    (runs, starts)
}

/// Calls `end` with every index at which an element differs from the one before, and with the
/// length of `row`, which is not empty.
#[inline]
pub(super) fn for_each_change(row: &[Owner], mut end: impl FnMut(usize)) {
    const BLOCK: usize = 16;
    let mut index = 1;
    while index < row.len() {
        // The last block overlaps the one before.
        let start = index.min(row.len().saturating_sub(BLOCK)).max(1);
        let blocks = row[start - 1..]
            .first_chunk()
            .zip(row[start..].first_chunk());
        let Some((before, after)) = blocks else {
            // Too short for a block.
            (1..row.len())
                .filter(|&index| row[index - 1] != row[index])
                .for_each(&mut end);
            break;
        };
        let same = u16x16::new(*before).simd_eq(u16x16::new(*after));
        let mut changes = (!same.to_bitmask() & 0xffff) >> (index - start);
        while changes != 0 {
            end(index + changes.trailing_zeros() as usize);
            changes &= changes - 1;
        }
        index = start + BLOCK;
    }
    end(row.len());
}
