//! What already lies on one page, and fast answers to "does this clash?".

use super::{
    grid::Grid,
    visible::{Tally, Visible},
};
use crate::{BBox, Point, Size};

/// Pixels that stay free around a label's box.
const GAP: u32 = 2;
/// Pixels that stay free around the end of a leader line.
const END_GAP: u32 = 4;
/// The share of a region that other regions' labels may hide.
const HIDDEN_SHARE: f64 = 0.2;

/// One image of marks.
pub(super) struct Page {
    size: Size,
    labels: Grid<BBox>,
    leaders: Grid<[Point; 2]>,
    ends: Grid<Point>,
    /// By rank, how many visible pixels lie under the labels of other marks.
    hidden: Vec<u32>,
    /// By rank: its mark lies on this page.
    placed: Vec<bool>,
}

impl Page {
    pub(super) fn new(size: Size, ranks: usize) -> Self {
        Self {
            size,
            labels: Grid::new(size),
            leaders: Grid::new(size),
            ends: Grid::new(size),
            hidden: vec![0; ranks],
            placed: vec![false; ranks],
        }
    }

    /// The pixels that a label of `size` takes from others.
    pub(super) fn taken(size: Size) -> u64 {
        Size::new(
            size.width.saturating_add(2 * GAP),
            size.height.saturating_add(2 * GAP),
        )
        .pixels()
    }

    /// Puts down the label of `rank`, which covers `under` (none, if only its own region).
    pub(super) fn put(&mut self, rank: usize, label: BBox, under: Option<&Tally>) {
        self.labels.insert(label, label);
        self.placed[rank] = true;
        for (other, pixels) in under.into_iter().flat_map(Tally::iter) {
            if other != rank {
                self.hidden[other] += pixels;
            }
        }
    }

    /// Takes a label up again that was put down so.
    pub(super) fn take(&mut self, rank: usize, label: BBox, under: &Tally) {
        self.labels.remove(label, &label);
        for (other, pixels) in under.iter() {
            if other != rank {
                self.hidden[other] -= pixels;
            }
        }
    }

    /// Draws a leader line.
    pub(super) fn put_leader(&mut self, leader: [Point; 2]) {
        self.leaders.insert(hull(leader), leader);
    }

    /// Takes a leader line away again.
    pub(super) fn take_leader(&mut self, leader: [Point; 2]) {
        self.leaders.remove(hull(leader), &leader);
    }

    /// Keeps labels off the end of a leader line.
    pub(super) fn keep_free(&mut self, end: Point) {
        self.ends.insert(BBox::new(end.x, end.y, 1, 1), end);
    }

    /// True if a label may lie there: in the image, clear of other labels and of leaders' ends,
    /// its `own` one aside.
    pub(super) fn is_free(&self, label: BBox, own: Option<Point>) -> bool {
        self.size.bbox().encloses(label)
            && !self.labels.any(inflate(label, GAP), |_| true)
            && !self
                .ends
                .any(inflate(label, END_GAP), |end| Some(end) != own)
    }

    /// True if no label lies on `point` or next to it.
    pub(super) fn is_clear(&self, point: Point) -> bool {
        let around = inflate(BBox::new(point.x, point.y, 1, 1), END_GAP);
        !self.labels.any(around, |_| true)
    }

    /// True if a label of `rank` that covers `under` leaves other regions visible: those with a
    /// mark on this page, and those `protected` besides.
    pub(super) fn spares(
        &self,
        rank: usize,
        under: &Tally,
        visible: &Visible,
        protected: impl Fn(usize) -> bool,
    ) -> bool {
        under.iter().all(|(other, pixels)| {
            let hidden = f64::from(self.hidden[other] + pixels);
            other == rank
                || !(self.placed[other] || protected(other))
                || hidden <= HIDDEN_SHARE * visible.parts()[other].area as f64
        })
    }

    /// How many visible pixels of `rank` lie under the labels of other marks.
    pub(super) fn hidden(&self, rank: usize) -> u32 {
        self.hidden[rank]
    }

    /// True if `leader` would run through another label, or another leader through `label`.
    pub(super) fn tangles(&self, label: BBox, leader: [Point; 2]) -> bool {
        self.labels
            .any(hull(leader), |other| crosses(leader, other))
            || self.is_crossed(label)
    }

    /// True if a leader runs through `label`.
    pub(super) fn is_crossed(&self, label: BBox) -> bool {
        self.leaders.any(label, |other| crosses(other, label))
    }

    /// How many other leaders `leader` would cross.
    pub(super) fn crossings(&self, leader: [Point; 2]) -> usize {
        let mut count = 0;
        self.leaders.any(hull(leader), |other| {
            count += usize::from(meet(leader, other));
            false
        });
        count
    }
}

fn inflate(bbox: BBox, by: u32) -> BBox {
    let (x, y) = (bbox.x.saturating_sub(by), bbox.y.saturating_sub(by));
    BBox::new(
        x,
        y,
        bbox.x - x + bbox.width + by,
        bbox.y - y + bbox.height + by,
    )
}

/// The smallest box around a line.
fn hull([a, b]: [Point; 2]) -> BBox {
    let (x, y) = (a.x.min(b.x), a.y.min(b.y));
    BBox::new(x, y, a.x.max(b.x) - x + 1, a.y.max(b.y) - y + 1)
}

/// True if the line meets the box.
fn crosses(line: [Point; 2], bbox: BBox) -> bool {
    if line.iter().any(|&end| bbox.contains(end)) {
        return true;
    }
    let (right, bottom) = (bbox.x + bbox.width - 1, bbox.y + bbox.height - 1);
    let diagonals = [
        [Point::new(bbox.x, bbox.y), Point::new(right, bottom)],
        [Point::new(right, bbox.y), Point::new(bbox.x, bottom)],
    ];
    diagonals.into_iter().any(|diagonal| meet(line, diagonal))
}

/// True if the lines share a point.
fn meet([a, b]: [Point; 2], [c, d]: [Point; 2]) -> bool {
    // Which side of p-q the point r lies on.
    let side = |p: Point, q: Point, r: Point| {
        let [px, py, qx, qy, rx, ry] = [p.x, p.y, q.x, q.y, r.x, r.y].map(i64::from);
        ((qx - px) * (ry - py) - (qy - py) * (rx - px)).signum()
    };
    let (c_side, d_side) = (side(a, b, c), side(a, b, d));
    let (a_side, b_side) = (side(c, d, a), side(c, d, b));
    if [a_side, b_side, c_side, d_side] == [0; 4] {
        return hull([a, b]).intersects(hull([c, d]));
    }
    c_side != d_side && a_side != b_side
}
