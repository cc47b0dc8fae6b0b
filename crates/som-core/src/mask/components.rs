//! Connected parts of a mask, and what is too small to keep.

use super::{Mask, Span};

/// Which pixels are neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Connectivity {
    /// Pixels that share a side.
    Four,
    /// Pixels that share a side or a corner.
    Eight,
}

impl Mask {
    /// The connected parts, in the reading order of their first pixels.
    pub fn components(&self, connectivity: Connectivity) -> Vec<Mask> {
        let Labels { of_spans, count } = Labels::new(self, connectivity);
        let mut parts = vec![(0, Vec::new(), Vec::new()); count];
        let mut labels = of_spans.iter();
        for (y, row) in self.rows() {
            for (&span, &label) in row.iter().zip(labels.by_ref()) {
                let (top, ends, spans): &mut (u32, Vec<u32>, Vec<Span>) =
                    &mut parts[label as usize];
                if spans.is_empty() {
                    *top = y;
                }
                // Parts are connected, so no row of theirs is empty.
                ends.resize((y - *top) as usize + 1, 0);
                spans.push(span);
                if let Some(end) = ends.last_mut() {
                    *end = spans.len() as u32;
                }
            }
        }
        parts
            .into_iter()
            .map(|(top, ends, spans)| Mask::from_runs(self.size, top, ends, spans))
            .collect()
    }

    /// With holes of fewer than `min_area` pixels filled. A hole is a connected part (by sides and
    /// corners) of what is not set, even at the image's edge.
    ///
    /// With [`without_small_islands`](Self::without_small_islands) this is the clean-up that
    /// Segment Anything gives its masks (`remove_small_regions` in `segment_anything/utils/amg.py`).
    #[must_use]
    pub fn without_small_holes(&self, min_area: u64) -> Mask {
        let background = self.complement();
        let labels = Labels::new(&background, Connectivity::Eight);
        let areas = labels.areas(&background);
        if areas.iter().all(|&area| area >= min_area) {
            return self.clone();
        }
        self.union(&labels.part(&background, |label| areas[label] < min_area))
    }

    /// Without connected parts (by sides and corners) of fewer than `min_area` pixels. If all are
    /// smaller, the largest stays.
    #[must_use]
    pub fn without_small_islands(&self, min_area: u64) -> Mask {
        let labels = Labels::new(self, Connectivity::Eight);
        let areas = labels.areas(self);
        let largest = areas.iter().copied().max().unwrap_or(0);
        if largest >= min_area {
            return labels.part(self, |label| areas[label] >= min_area);
        }
        let first = areas.iter().position(|&area| area == largest);
        labels.part(self, |label| Some(label) == first)
    }
}

/// For each run of a mask, the number of the connected part it belongs to.
pub(super) struct Labels {
    pub(super) of_spans: Vec<u32>,
    count: usize,
}

impl Labels {
    pub(super) fn new(mask: &Mask, connectivity: Connectivity) -> Self {
        let mut forest = Forest::new(mask.spans.len());
        let reach = match connectivity {
            Connectivity::Four => 0,
            Connectivity::Eight => 1,
        };
        let (mut above, mut start) = (0..0, 0);
        for &end in &mask.ends {
            let row = start..end as usize;
            let (mut i, mut j) = (above.start, row.start);
            while i < above.end && j < row.end {
                let (a, b) = (mask.spans[i], mask.spans[j]);
                if a.start < b.end + reach && b.start < a.end + reach {
                    forest.join(i as u32, j as u32);
                }
                // The run that ends first meets no further one.
                if a.end <= b.end {
                    i += 1;
                } else {
                    j += 1;
                }
            }
            start = row.end;
            above = row;
        }
        forest.into_labels()
    }

    fn areas(&self, mask: &Mask) -> Vec<u64> {
        let mut areas = vec![0; self.count];
        for (span, &label) in mask.spans.iter().zip(&self.of_spans) {
            areas[label as usize] += u64::from(span.len());
        }
        areas
    }

    /// Those parts together that `keep` wants.
    fn part(&self, mask: &Mask, keep: impl Fn(usize) -> bool) -> Mask {
        let mut spans = Vec::new();
        let mut labels = self.of_spans.iter();
        let ends = mask
            .rows()
            .map(|(_, row)| {
                let row = row.iter().zip(labels.by_ref());
                spans.extend(
                    row.filter(|&(_, &label)| keep(label as usize))
                        .map(|(&span, _)| span),
                );
                spans.len() as u32
            })
            .collect();
        Mask::from_runs(mask.size, mask.bbox.y, ends, spans)
    }
}

/// Disjoint sets, each named by its first member.
struct Forest {
    parents: Vec<u32>,
}

impl Forest {
    fn new(count: usize) -> Self {
        Self {
            parents: (0..count as u32).collect(),
        }
    }

    fn root(&mut self, mut node: u32) -> u32 {
        while self.parents[node as usize] != node {
            // Halving the path keeps all later ones short.
            let parent = self.parents[node as usize];
            self.parents[node as usize] = self.parents[parent as usize];
            node = parent;
        }
        node
    }

    fn join(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        self.parents[a.max(b) as usize] = a.min(b);
    }

    /// Numbers the sets in the order of their first members.
    fn into_labels(mut self) -> Labels {
        let mut count = 0;
        for node in 0..self.parents.len() {
            // Parents come first, so theirs are labels already.
            let parent = self.parents[node] as usize;
            self.parents[node] = if parent == node {
                count += 1;
                count - 1
            } else {
                self.parents[parent]
            };
        }
        Labels {
            of_spans: self.parents,
            count: count as usize,
        }
    }
}
