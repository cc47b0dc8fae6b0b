//! A partition of the image at its full resolution, kept as runs: its memory grows with the
//! outlines, not with the pixels.

use som_core::{BBox, Mask, MaskBuilder, Point, Size};

use crate::grid::Grid;

/// Every pixel has one label, from 0 up; each label's pixels are 4-connected.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Partition {
    runs: Runs,
    labels: usize,
}

/// Where two labels touch, the lower one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Contact {
    pub(crate) a: u32,
    pub(crate) b: u32,
    /// Pixel edges they share.
    pub(crate) length: u32,
}

impl Partition {
    /// Of runs that are so labelled, with labels below `labels`.
    pub(crate) fn new(runs: Runs, labels: usize) -> Self {
        Self { runs, labels }
    }

    /// Size of the image.
    pub(crate) const fn size(&self) -> Size {
        self.runs.size
    }

    /// Labels are below this.
    pub(crate) const fn labels(&self) -> usize {
        self.labels
    }

    /// For each label, its number of pixels.
    pub(crate) fn areas(&self) -> Vec<u64> {
        let mut areas = vec![0; self.labels];
        self.runs
            .each(|_, start, run| areas[run.label as usize] += u64::from(run.end - start));
        areas
    }

    /// For each label, the smallest box around its pixels.
    pub(crate) fn boxes(&self) -> Vec<BBox> {
        let mut boxes = vec![BBox::default(); self.labels];
        self.runs.each(|y, start, run| {
            let bbox = &mut boxes[run.label as usize];
            *bbox = bbox.union(BBox::new(start, y, run.end - start, 1));
        });
        boxes
    }

    /// For each label, its number of pixels in `mask`.
    pub(crate) fn areas_within(&self, mask: &Mask) -> Vec<u64> {
        let mut areas = vec![0; self.labels];
        for (y, spans) in mask.rows() {
            let row = self.runs.row(y);
            for span in spans {
                let mut start = span.start;
                for run in &row[row.partition_point(|run| run.end <= start)..] {
                    if start >= span.end {
                        break;
                    }
                    let end = run.end.min(span.end);
                    areas[run.label as usize] += u64::from(end - start);
                    start = end;
                }
            }
        }
        areas
    }

    /// For each label, how many of `points` lie on it.
    pub(crate) fn count_points(&self, points: &[Point]) -> Vec<u64> {
        let mut counts = vec![0; self.labels];
        for point in points {
            let row = self.runs.row(point.y);
            if let Some(run) = row.get(row.partition_point(|run| run.end <= point.x)) {
                counts[run.label as usize] += 1;
            }
        }
        counts
    }

    /// Every two labels that touch, in ascending order.
    pub(crate) fn contacts(&self) -> Vec<Contact> {
        let mut contacts = Vec::new();
        self.runs.touching(|a, b, length| {
            let (a, b) = (self.runs.label(a), self.runs.label(b));
            if a != b {
                contacts.push(Contact {
                    a: a.min(b),
                    b: a.max(b),
                    length,
                });
            }
        });
        contacts.sort_unstable();
        contacts.dedup_by(|next, sum| {
            let is_same = (next.a, next.b) == (sum.a, sum.b);
            if is_same {
                sum.length += next.length;
            }
            is_same
        });
        contacts
    }

    /// The label at the middle of each cell of a coarser grid.
    pub(crate) fn sampled(&self, width: usize, height: usize) -> Grid<u32> {
        let Size {
            width: columns,
            height: rows,
        } = self.size();
        let middle = |cell: usize, cells: usize, pixels: u32| {
            ((2 * cell as u64 + 1) * u64::from(pixels) / (2 * cells as u64)) as u32
        };
        let mut cells = Vec::with_capacity(width * height);
        for y in 0..height {
            let mut runs = self.runs.row(middle(y, height, rows));
            for x in 0..width {
                let column = middle(x, width, columns);
                while let [run, rest @ ..] = runs
                    && run.end <= column
                {
                    runs = rest;
                }
                cells.extend(runs.first().map(|run| run.label));
            }
        }
        Grid::new(width, height, cells)
    }

    /// One mask a group; `groups` gives the group of each label.
    pub(crate) fn masks(&self, count: usize, groups: &[Option<usize>]) -> Vec<Mask> {
        let mut masks = vec![MaskBuilder::new(self.size()); count];
        self.runs.each(|y, start, run| {
            if let Some(group) = groups[run.label as usize] {
                masks[group].push(y, start, run.end);
            }
        });
        masks.into_iter().map(MaskBuilder::finish).collect()
    }
}

/// An image's rows as runs of one label each.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Runs {
    size: Size,
    /// For each row, the end of its runs in `runs`.
    ends: Vec<usize>,
    runs: Vec<Run>,
}

/// Pixels of one row up to column `end`, from the end of the run before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) end: u32,
    pub(crate) label: u32,
}

impl Runs {
    /// No row yet.
    pub(crate) fn new(size: Size) -> Self {
        Self {
            size,
            ends: Vec::with_capacity(size.height as usize),
            runs: Vec::new(),
        }
    }

    /// Labels the pixels of the row at hand from where it ends so far up to column `end`.
    pub(crate) fn push(&mut self, end: u32, label: u32) {
        let row = self.ends.last().copied().unwrap_or(0);
        match self.runs[row..].last_mut() {
            Some(run) if run.label == label => run.end = end,
            _ => self.runs.push(Run { end, label }),
        }
    }

    /// Size of the image.
    pub(crate) const fn size(&self) -> Size {
        self.size
    }

    /// Ends the row at hand.
    pub(crate) fn end_row(&mut self) {
        self.ends.push(self.runs.len());
    }

    /// The same runs with other labels: `label_of` is asked for each run in order.
    pub(crate) fn relabelled(&self, mut label_of: impl FnMut(usize) -> u32) -> Self {
        let mut relabelled = Self::new(self.size);
        let mut start = 0;
        for &end in &self.ends {
            for index in start..end {
                relabelled.push(self.runs[index].end, label_of(index));
            }
            relabelled.end_row();
            start = end;
        }
        relabelled
    }

    /// Number of runs.
    pub(crate) const fn len(&self) -> usize {
        self.runs.len()
    }

    /// The label of a run.
    pub(crate) fn label(&self, index: usize) -> u32 {
        self.runs[index].label
    }

    /// Calls `visit` with each run, its row and its first column.
    pub(crate) fn each(&self, mut visit: impl FnMut(u32, u32, Run)) {
        for y in 0..self.size.height {
            let mut start = 0;
            for &run in self.row(y) {
                visit(y, start, run);
                start = run.end;
            }
        }
    }

    /// Calls `touch` with each two runs that share pixel edges, and with how many.
    pub(crate) fn touching(&self, mut touch: impl FnMut(usize, usize, u32)) {
        for y in 0..self.size.height {
            let mut row = self.range(y);
            for index in row.clone().skip(1) {
                touch(index - 1, index, 1);
            }
            let Some(above) = y.checked_sub(1) else {
                continue;
            };
            let (mut above, mut start) = (self.range(above), 0);
            while !above.is_empty() && !row.is_empty() {
                let (upper, lower) = (self.runs[above.start].end, self.runs[row.start].end);
                let end = upper.min(lower);
                touch(above.start, row.start, end - start);
                start = end;
                above.start += usize::from(upper == end);
                row.start += usize::from(lower == end);
            }
        }
    }

    /// Row `y`.
    pub(crate) fn row(&self, y: u32) -> &[Run] {
        &self.runs[self.range(y)]
    }

    fn range(&self, y: u32) -> std::ops::Range<usize> {
        let start = y
            .checked_sub(1)
            .map_or(0, |above| self.ends[above as usize]);
        start..self.ends[y as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ```text
    /// 0 0 1 1
    /// 0 2 2 1
    /// ```
    fn small() -> Partition {
        let mut runs = Runs::new(Size::new(4, 2));
        for row in [[0, 0, 1, 1], [0, 2, 2, 1]] {
            for (label, end) in row.into_iter().zip(1..) {
                runs.push(end, label);
            }
            runs.end_row();
        }
        Partition::new(runs, 3)
    }

    #[test]
    fn labels_are_measured() {
        let partition = small();
        assert_eq!(partition.areas(), [3, 3, 2]);
        assert_eq!(
            partition.boxes(),
            [
                BBox::new(0, 0, 2, 2),
                BBox::new(2, 0, 2, 2),
                BBox::new(1, 1, 2, 1)
            ]
        );
        let contact = |a, b, length| Contact { a, b, length };
        assert_eq!(
            partition.contacts(),
            [contact(0, 1, 1), contact(0, 2, 2), contact(1, 2, 2)]
        );
    }

    #[test]
    fn points_and_masks_count_by_label() {
        let partition = small();
        let mask = Mask::rect(partition.size(), BBox::new(1, 0, 3, 2));
        assert_eq!(partition.areas_within(&mask), [1, 3, 2]);
        let points = [
            Point::new(0, 0),
            Point::new(2, 1),
            Point::new(3, 1),
            Point::new(2, 0),
        ];
        assert_eq!(partition.count_points(&points), [1, 2, 1]);
    }

    #[test]
    fn groups_become_masks() {
        let partition = small();
        let masks = partition.masks(2, &[Some(1), None, Some(1)]);
        assert!(masks[0].is_empty());
        assert_eq!(masks[1].area(), 5);
    }

    #[test]
    fn samples_lie_in_the_middle_of_cells() {
        assert_eq!(small().sampled(4, 2).cells, [0, 0, 1, 1, 0, 2, 2, 1]);
        assert_eq!(small().sampled(2, 1).cells, [2, 1]);
    }
}
