//! The exact outlines of a mask, along the edges of its pixels.

use super::{
    Mask,
    components::{Connectivity, Labels},
    polygon::{Polygon, Ring},
};
use crate::Point;

impl Mask {
    /// One polygon for each part connected by sides, in reading order, with its holes.
    ///
    /// Corners are corners of pixels: (x, y) is the top left one of pixel (x, y). Exteriors run
    /// clockwise on the screen from their topmost left corner, holes run counterclockwise. No ring
    /// passes a corner twice, so a polygon is a valid one in the sense of OGC Simple Features.
    /// [`Mask::from_polygons`] gives back this very mask.
    pub fn polygons(&self) -> Vec<Polygon> {
        let labels = Labels::new(self, Connectivity::Four).of_spans;
        let mut next = links(self, &labels);
        let mut polygons: Vec<Polygon> = Vec::new();
        let mut edge = 0;
        for (y, row) in self.rows() {
            for _ in row {
                // The first edge met of a part is of its exterior: nothing lies above or before.
                for (side, line) in [(START, y + 1), (END, y)] {
                    if next[edge + side] != DONE {
                        let ring = walk(self, &mut next, edge + side, line);
                        match polygons.get_mut(labels[edge / 2] as usize) {
                            Some(polygon) => polygon.holes.push(ring),
                            None => polygons.push(Polygon {
                                exterior: ring,
                                holes: Vec::new(),
                            }),
                        }
                    }
                }
                edge += 2;
            }
        }
        polygons
    }

    /// The column of a vertical edge.
    fn column(&self, edge: usize) -> u32 {
        let span = self.spans[edge / 2];
        if edge % 2 == START {
            span.start
        } else {
            span.end
        }
    }
}

// Run `i` has two vertical edges: 2i up its left side, and 2i + 1 down its right side, so that the
// inside lies to the right. Horizontal edges are what joins them.
const START: usize = 0;
const END: usize = 1;

/// An edge that has been walked.
const DONE: usize = usize::MAX;

/// For each vertical edge the one that follows it.
fn links(mask: &Mask, labels: &[u32]) -> Vec<usize> {
    let mut next = vec![DONE; 2 * mask.spans.len()];
    let (mut above, mut start) = (0..0, 0);
    for end in mask
        .ends
        .iter()
        .map(|&end| 2 * end as usize)
        .chain([2 * mask.spans.len()])
    {
        let row = start..end;
        // The open end of the horizontal edge that comes from the left, and whether the outline
        // goes into it.
        let mut open: Option<(usize, bool)> = None;
        let mut join = |edge: usize, goes_in: bool| match open.take() {
            None => open = Some((edge, goes_in)),
            Some((other, true)) => next[other] = edge,
            Some((other, false)) => next[edge] = other,
        };
        let (mut i, mut j) = (above.start, row.start);
        while i < above.end || j < row.end {
            let a = if i < above.end {
                u64::from(mask.column(i))
            } else {
                u64::MAX
            };
            let b = if j < row.end {
                u64::from(mask.column(j))
            } else {
                u64::MAX
            };
            // Edges down a right side come from above, edges up a left side from below.
            let (upper, lower) = ((i, i % 2 == END), (j, j % 2 == START));
            if a < b {
                join(upper.0, upper.1);
            } else if b < a {
                join(lower.0, lower.1);
            } else if i % 2 == j % 2 {
                // Straight on; nothing is open here.
                join(upper.0, upper.1);
                join(lower.0, lower.1);
            } else {
                // Two pixels meet at their corners. Each turns round its own pixel, so that parts
                // stay apart; where both are of one part, the ring is cut in two instead.
                let (run_end, run_start) = if i % 2 == END {
                    (upper, lower)
                } else {
                    (lower, upper)
                };
                let same_part = labels[i / 2] == labels[j / 2];
                let (left, right) = if same_part {
                    (run_start, run_end)
                } else {
                    (run_end, run_start)
                };
                join(left.0, left.1);
                join(right.0, right.1);
            }
            i += usize::from(a <= b);
            j += usize::from(b <= a);
        }
        start = end;
        above = row;
    }
    next
}

/// The corners of the ring through `edge`, which begins at the given line between rows.
fn walk(mask: &Mask, next: &mut [usize], mut edge: usize, mut line: u32) -> Ring {
    let mut ring = Ring::new();
    loop {
        line = if edge % 2 == END { line + 1 } else { line - 1 };
        let following = std::mem::replace(&mut next[edge], DONE);
        if following == DONE {
            return ring;
        }
        let (from, to) = (mask.column(edge), mask.column(following));
        if from != to {
            ring.push(Point::new(from, line));
            ring.push(Point::new(to, line));
        }
        edge = following;
    }
}
