//! The exact Euclidean distance from a visible pixel to the nearest pixel outside its part.
//!
//! Distances are to pixel centres, and what lies beyond the image's border is outside. As the
//! visible parts are disjoint, one pass down and one up the columns serves all of them; the second
//! pass of the transform (Meijster, Roerdink and Hesselink, *A General Algorithm for Computing
//! Distance Transforms in Linear Time*, 2000) is needed only for pixels that could beat the best
//! one of their part, and only as far as that stays possible.

use std::cmp::Reverse;

use multiversion::multiversion;

use super::visible::{Owner, Run, Visible, owner_of};
use crate::{Point, Size};

/// Side of the largest cells that are searched.
const CELL: u32 = 8;

/// From the middle of a cell to its farthest pixel, the upper left one. The middle is the upper
/// left pixel of the lower right quarter.
fn radius(side: u32) -> f64 {
    f64::from(side / 2) * std::f64::consts::SQRT_2
}

/// Distances beyond this count as this.
const FAR: i16 = i16::MAX;

/// The distance of every pixel to the nearest pixel of another owner in its column.
pub(super) struct Columns<'a> {
    visible: &'a Visible,
    up_or_down: Vec<i16>,
}

/// A pixel and its squared distance to the outside of its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) point: Point,
    pub(super) squared: u32,
}

impl<'a> Columns<'a> {
    pub(super) fn new(visible: &'a Visible) -> Self {
        let width = visible.size().width as usize;
        let owners = visible.owners();
        let mut distances = vec![1_i16; owners.len()];
        for y in 1..visible.size().height as usize {
            let (above, row) = distances[(y - 1) * width..].split_at_mut(width);
            let (owners_above, owners) = owners[(y - 1) * width..].split_at(width);
            step(&mut row[..width], above, owners, owners_above);
        }
        let mut below = vec![0_i16; width];
        let mut up = vec![1_i16; width];
        for y in (0..visible.size().height as usize).rev() {
            let row = &mut distances[y * width..][..width];
            if let Some(owners_below) = owners.get((y + 1) * width..(y + 2) * width) {
                below.copy_from_slice(&up);
                up.fill(1);
                step(&mut up, &below, &owners[y * width..][..width], owners_below);
            }
            lower(row, &up);
        }
        Self {
            visible,
            up_or_down: distances,
        }
    }

    /// Where the part of `rank` is widest: the pixel farthest from the outside; of equal ones the
    /// one nearest to the centroid, then the first in reading order. `None` if nothing is visible.
    ///
    /// From one pixel to the next the distance changes by one at most, so the middle of a cell
    /// tells whether the farthest pixel can be in it; if so, its quarters are looked at (as
    /// `mapbox/polylabel` does with polygons).
    pub(super) fn widest(&self, rank: usize) -> Option<Spot> {
        let runs = self.visible.runs(rank);
        let mut best = Best::new(self, rank);
        // Middles of cells, and how far from the outside they are at most.
        let mut cells: Vec<(u32, Point)> = Vec::new();
        for run in runs.iter().filter(|run| run.y % CELL == CELL / 2) {
            let first = (run.start + CELL / 2).next_multiple_of(CELL) - CELL / 2;
            cells.extend((first..run.end).step_by(CELL as usize).map(|x| {
                let point = Point::new(x, run.y);
                let aside = (x + 1 - run.start).min(run.end - x);
                (aside.min(self.column_distance(point)), point)
            }));
        }
        // The most promising one first: it rules out most of the others.
        if let Some(&(_, middle)) = cells.iter().max_by_key(|(at_most, _)| at_most) {
            best.offer(middle);
        }
        cells.retain_mut(|(at_most, middle)| {
            let floor = best.floor_of_cell(CELL);
            if at_most.pow(2) < floor {
                return false;
            }
            let squared = self.squared_at_least(*middle, floor);
            if let Some(squared) = squared {
                *at_most = squared;
                best.take(Spot {
                    point: *middle,
                    squared,
                });
            }
            squared.is_some()
        });
        cells.sort_unstable_by_key(|&(squared, middle)| (Reverse(squared), middle.y, middle.x));
        for (squared, middle) in cells {
            if squared < best.floor_of_cell(CELL) {
                break;
            }
            best.offer_quarters(middle, CELL);
        }
        if best.floor_of_cell(CELL) == 0 {
            // The part may be so thin that no middle of a cell lies where it is widest.
            runs.iter().for_each(|run| best.offer_run(run));
        }
        best.spot
    }

    /// The middle of the box of `width` by `height` pixels that lies wholly in the part of `rank`,
    /// chosen as in [`widest`](Self::widest); `None` if there is no such box.
    pub(super) fn fit(&self, rank: usize, widest: Spot, box_size: Size) -> Option<Spot> {
        let (half_width, half_height) = (box_size.width / 2, box_size.height / 2);
        let half_diagonal = u64::from(half_width).pow(2) + u64::from(half_height).pow(2);
        if half_diagonal < u64::from(widest.squared) {
            return Some(widest);
        }
        // The middle of a box that fits is at least half of its shorter side from the outside.
        let bbox = self.visible.parts()[rank].bbox;
        if u64::from(half_width.min(half_height)).pow(2) > u64::from(widest.squared)
            || box_size.width > bbox.width
            || box_size.height > bbox.height
        {
            return None;
        }
        let mut best = Best::new(self, rank);
        // For each column, how many rows up to this one hold a run that covers the box's width
        // from there on.
        let mut streaks = vec![0_u32; bbox.width as usize];
        let mut row_above = None;
        for row in self.visible.runs(rank).chunk_by(|a, b| a.y == b.y) {
            let y = row[0].y;
            if row_above != y.checked_sub(1) {
                streaks.fill(0);
            }
            row_above = Some(y);
            let mut clear_from = 0;
            for run in row
                .iter()
                .filter(|run| run.end - run.start >= box_size.width)
            {
                let start = (run.start - bbox.x) as usize;
                let end = (run.end - box_size.width - bbox.x) as usize + 1;
                streaks[clear_from..start].fill(0);
                streaks[start..end]
                    .iter_mut()
                    .for_each(|streak| *streak += 1);
                clear_from = end;
            }
            streaks[clear_from..].fill(0);
            if y - bbox.y + 1 < box_size.height {
                continue;
            }
            for (column, _) in streaks
                .iter()
                .enumerate()
                .filter(|(_, s)| **s >= box_size.height)
            {
                let x = bbox.x + column as u32 + half_width;
                best.offer(Point::new(x, y + 1 - box_size.height + half_height));
            }
        }
        best.spot
    }

    /// One promising pixel of each of at most `most` rows of the part of `rank`, the farthest
    /// from the outside first.
    pub(super) fn ridge(&self, rank: usize, most: usize) -> Vec<Spot> {
        let runs = self.visible.runs(rank);
        let mut spots: Vec<Spot> = runs
            .iter()
            .step_by(runs.len().div_ceil(most).max(1))
            .filter_map(|run| {
                let mut best = Best::new(self, rank);
                best.offer_run(run);
                best.spot
            })
            .collect();
        spots.sort_by_key(|spot| std::cmp::Reverse(spot.squared));
        spots
    }

    fn column_distance(&self, point: Point) -> u32 {
        let width = self.visible.size().width as usize;
        self.up_or_down[point.y as usize * width + point.x as usize]
            .unsigned_abs()
            .into()
    }

    /// The squared distance of `point`; `None` as soon as it is known to be below `floor`.
    fn squared_at_least(&self, point: Point, floor: u32) -> Option<u32> {
        let width = self.visible.size().width as usize;
        let x = point.x as usize;
        let owners = self.visible.row(point.y);
        let distances = &self.up_or_down[point.y as usize * width..][..width];
        let square = |distance: i16| u32::from(distance.unsigned_abs()).pow(2);

        let mut nearest = square(distances[x]);
        if nearest < floor {
            return None;
        }
        let left = owners[..x].iter().zip(&distances[..x]).rev();
        let right = owners[x + 1..].iter().zip(&distances[x + 1..]);
        for (across, ((left, &left_distance), (right, &right_distance))) in
            (1..FAR as u32).zip(left.zip(right))
        {
            let aside = across * across;
            if aside >= nearest {
                return Some(nearest);
            }
            if *left != owners[x] || *right != owners[x] {
                // The end of the run is outside itself. Beyond it nothing can be nearer.
                return (aside >= floor).then_some(aside);
            }
            nearest = nearest.min(aside + square(left_distance.min(right_distance)));
            if nearest < floor {
                return None;
            }
        }
        let border = (x + 1).min(width - x).min(FAR as usize) as u32;
        nearest = nearest.min(border * border);
        (nearest >= floor).then_some(nearest)
    }
}

// The two loops over all pixels are functions of slices alone, compiled for processors with AVX2 as
// well: the compiler makes vectors of them, with the same results.

/// One row's distances from those of the row before it, where the owner stays the same.
#[multiversion(targets("x86_64+avx2"))]
fn step(row: &mut [i16], before: &[i16], owners: &[Owner], owners_before: &[Owner]) {
    for (((distance, &before), owner), owner_before) in
        row.iter_mut().zip(before).zip(owners).zip(owners_before)
    {
        let same = if owner == owner_before { -1_i16 } else { 0 };
        *distance = (before & same).saturating_add(1);
    }
}

/// The smaller distance of two rows, pixel by pixel.
#[multiversion(targets("x86_64+avx2"))]
fn lower(row: &mut [i16], other: &[i16]) {
    for (distance, &other) in row.iter_mut().zip(other) {
        *distance = (*distance).min(other);
    }
}

/// The best spot of one part so far.
struct Best<'a> {
    columns: &'a Columns<'a>,
    rank: usize,
    centroid: (f64, f64),
    spot: Option<Spot>,
    /// Squared distances below which the middle of a cell tells that no pixel of it can win, for
    /// cells of 1, 2, 4 and [`CELL`] pixels a side.
    floors: [u32; CELL.ilog2() as usize + 1],
}

impl<'a> Best<'a> {
    fn new(columns: &'a Columns<'a>, rank: usize) -> Self {
        let centroid = columns.visible.parts()[rank].centroid;
        Self {
            columns,
            rank,
            centroid,
            spot: None,
            floors: [0; _],
        }
    }

    fn floor(&self) -> u32 {
        self.spot.map_or(0, |spot| spot.squared)
    }

    fn floor_of_cell(&self, side: u32) -> u32 {
        self.floors[side.ilog2() as usize]
    }

    /// Tries all pixels of a run.
    fn offer_run(&mut self, run: &Run) {
        // The farthest any pixel of the run can be from its ends.
        let most = (run.end - run.start).div_ceil(2);
        if u64::from(most).pow(2) < u64::from(self.floor()) {
            return;
        }
        let width = self.columns.visible.size().width as usize;
        let first = run.y as usize * width + run.start as usize;
        let distances = &self.columns.up_or_down[first..][..(run.end - run.start) as usize];
        // Nearer to an end than this, a pixel cannot win.
        let margin = (self.floor().isqrt() as usize)
            .saturating_sub(1)
            .min(distances.len());
        let end = distances.len() - margin;
        for (column, &distance) in distances.iter().enumerate().take(end).skip(margin) {
            if u32::from(distance.unsigned_abs()).pow(2) >= self.floor() {
                self.offer(Point::new(run.start + column as u32, run.y));
            }
        }
    }

    /// Tries all pixels of a cell that could win.
    fn offer_cell(&mut self, middle: Point, side: u32) {
        let floor = self.floor_of_cell(side);
        let Size { width, height } = self.columns.visible.size();
        let in_image = middle.x < width && middle.y < height;
        if in_image && self.columns.visible.owner(middle) == owner_of(self.rank) {
            match self.columns.squared_at_least(middle, floor) {
                Some(squared) => self.take(Spot {
                    point: middle,
                    squared,
                }),
                None => return,
            }
        } else if floor > 0 {
            return;
        }
        self.offer_quarters(middle, side);
    }

    fn offer_quarters(&mut self, middle: Point, side: u32) {
        let (half, quarter) = (side / 2, side / 4);
        if half == 0 {
            return;
        }
        let (left, top) = (middle.x + quarter - half, middle.y + quarter - half);
        for (x, y) in [
            (left, top),
            (left + half, top),
            (left, top + half),
            (left + half, top + half),
        ] {
            self.offer_cell(Point::new(x, y), half);
        }
    }

    fn offer(&mut self, point: Point) {
        debug_assert_eq!(self.columns.visible.owner(point), owner_of(self.rank));
        let floor = self.floor();
        if self.columns.column_distance(point).pow(2) < floor {
            return;
        }
        if let Some(squared) = self.columns.squared_at_least(point, floor) {
            self.take(Spot { point, squared });
        }
    }

    fn take(&mut self, spot: Spot) {
        if self.spot.is_none_or(|best| self.beats(spot, best)) {
            self.spot = Some(spot);
            let distance = f64::from(spot.squared).sqrt();
            self.floors = std::array::from_fn(|log_side| {
                (distance - radius(1 << log_side)).max(0.0).powi(2) as u32
            });
        }
    }

    fn beats(&self, spot: Spot, best: Spot) -> bool {
        if spot.squared != best.squared {
            return spot.squared > best.squared;
        }
        let off_center = |point: Point| {
            (f64::from(point.x) - self.centroid.0).powi(2)
                + (f64::from(point.y) - self.centroid.1).powi(2)
        };
        let (new, old) = (off_center(spot.point), off_center(best.point));
        new < old || (new == old && (spot.point.y, spot.point.x) < (best.point.y, best.point.x))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{BBox, Mask, mask::MaskBuilder};

    /// Visible parts as drawn: each letter is one region.
    fn visible(width: u32, map: &[u8], regions: u8) -> Visible {
        let size = Size::new(width, map.len() as u32 / width);
        let masks: Vec<Mask> = (1..=regions)
            .map(|region| {
                let mut mask = MaskBuilder::new(size);
                for (at, _) in (0..).zip(map).filter(|(_, owner)| **owner == region) {
                    mask.push(at / width, at % width, at % width + 1);
                }
                mask.finish()
            })
            .collect();
        Visible::new(size, masks.iter())
    }

    /// The squared distance by definition: to all pixels, and one row or column beyond the image.
    fn squared(visible: &Visible, point: Point) -> u32 {
        let Size { width, height } = visible.size();
        let (x, y) = (i64::from(point.x), i64::from(point.y));
        let mut nearest = i64::MAX;
        for other_y in -1..=i64::from(height) {
            for other_x in -1..=i64::from(width) {
                let inside = (0..i64::from(width)).contains(&other_x)
                    && (0..i64::from(height)).contains(&other_y)
                    && visible.owner(Point::new(other_x as u32, other_y as u32))
                        == visible.owner(point);
                if !inside {
                    nearest = nearest.min((x - other_x).pow(2) + (y - other_y).pow(2));
                }
            }
        }
        nearest as u32
    }

    /// The best of `points` by definition.
    fn best(visible: &Visible, rank: usize, points: impl Iterator<Item = Point>) -> Option<Spot> {
        let centroid = visible.parts()[rank].centroid;
        let off_center = |point: Point| {
            (f64::from(point.x) - centroid.0).powi(2) + (f64::from(point.y) - centroid.1).powi(2)
        };
        points
            .map(|point| Spot {
                point,
                squared: squared(visible, point),
            })
            .reduce(|best, spot| {
                let nearer = off_center(spot.point) < off_center(best.point);
                let better =
                    spot.squared > best.squared || (spot.squared == best.squared && nearer);
                if better { spot } else { best }
            })
    }

    fn pixels(bbox: BBox) -> impl Iterator<Item = Point> {
        (bbox.y..bbox.bottom() as u32)
            .flat_map(move |y| (bbox.x..bbox.right() as u32).map(move |x| Point::new(x, y)))
    }

    /// Maps of blobs: pixels in blocks of `grain`, so that parts wide and thin come up.
    fn maps() -> impl Strategy<Value = (u32, Vec<u8>)> {
        let blocks = (
            1_u32..40,
            1_u32..40,
            1_u32..12,
            prop::collection::vec(0_u8..4, 64),
        );
        blocks.prop_map(|(width, height, grain, owners)| {
            let map = (0..width * height)
                .map(|at| (at % width / grain, at / width / grain))
                .map(|(x, y)| owners[((x * 7 + y * 13) % 64) as usize])
                .collect();
            (width, map)
        })
    }

    proptest! {
        #[test]
        fn widest_and_fit_are_exact((width, map) in maps(), box_width in 1_u32..12, box_height in 1_u32..12) {
            let visible = visible(width, &map, 3);
            let columns = Columns::new(&visible);
            let all = visible.size().bbox();
            for rank in 0..3 {
                let own = |point: &Point| visible.owner(*point) == owner_of(rank);
                let widest = columns.widest(rank);
                prop_assert_eq!(widest, best(&visible, rank, pixels(all).filter(own)));
                let Some(widest) = widest else { continue };
                let boxes = pixels(all)
                    .map(|corner| BBox::new(corner.x, corner.y, box_width, box_height))
                    .filter(|bbox| all.encloses(*bbox) && pixels(*bbox).all(|point| own(&point)));
                let expected = best(&visible, rank, boxes.map(BBox::center));
                let fit = columns.fit(rank, widest, Size::new(box_width, box_height));
                prop_assert_eq!(fit, expected);
            }
        }
    }
}
