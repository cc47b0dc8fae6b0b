//! Levels: cuts of the hierarchy, from coarse to fine.
//!
//! A cut at a cost undoes all merges above it. The costs follow the picture by half: a busy one
//! gives more regions than a plain one, but not so many more that a level means something else.

use std::{cmp::Ordering, collections::BinaryHeap};

use crate::hierarchy::{Hierarchy, Node};

/// Number of levels; 1 is the coarsest.
pub(crate) const LEVELS: u8 = 6;

/// For each level, the cost above which merges are undone in a picture of usual contrast …
pub(crate) const COSTS: [f32; LEVELS as usize] = [0.3, 0.15, 0.075, 0.034, 0.015, 0.0065];

/// … and the largest number of regions.
const MOST: [usize; LEVELS as usize] = [15, 30, 60, 120, 240, 480];

/// A picture's contrast is the cost at which it has this many regions; …
const SAMPLE: usize = 20;

/// … usually it is this.
const USUAL_CONTRAST: f32 = 0.1;

/// What a level shows.
#[derive(Debug)]
pub(crate) struct Cut {
    pub(crate) nodes: Vec<u32>,
    /// What keeps it from showing more, if anything but the picture does.
    pub(crate) bound: Option<Bound>,
}

/// A parameter that bounds the number of regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// Its level shows no more of any photograph.
    Level,
    /// The call wants no more.
    MaxRegions,
}

/// A node whose merge may be undone.
#[derive(PartialEq)]
struct Part {
    cost: f32,
    area: u64,
    index: u32,
}

/// Where a hierarchy is cut.
#[derive(Debug)]
pub(crate) struct Levels {
    /// For each level, coarsest first; never rising.
    costs: [f32; LEVELS as usize],
    /// For each level, whether it would have more regions but for their largest number.
    capped: [bool; LEVELS as usize],
    /// Costs of all merges, highest first.
    merges: Vec<f32>,
}

impl Levels {
    /// The levels of `hierarchy`.
    pub(crate) fn new(hierarchy: &Hierarchy) -> Self {
        let mut levels = Self::drawn(hierarchy);
        let contrast = (levels.cost_of_at_most(SAMPLE) / USUAL_CONTRAST)
            .sqrt()
            .clamp(0.5, 2.0);
        let usual = COSTS.map(|cost| cost * contrast);
        let least = MOST.map(|most| levels.cost_of_at_most(most));
        levels.costs = std::array::from_fn(|level| usual[level].max(least[level]));
        levels.capped = std::array::from_fn(|level| least[level] > usual[level]);
        levels
    }

    /// The levels of a drawn picture, whose merges cost what their level says.
    pub(crate) fn drawn(hierarchy: &Hierarchy) -> Self {
        Self {
            costs: COSTS,
            capped: [false; LEVELS as usize],
            merges: Self::merges(hierarchy),
        }
    }

    /// What all merges cost, highest first.
    fn merges(hierarchy: &Hierarchy) -> Vec<f32> {
        let merged = hierarchy
            .nodes
            .iter()
            .filter(|node| node.children.is_some());
        let mut merges: Vec<f32> = merged.map(|node| node.cost).collect();
        merges.sort_unstable_by(|a, b| b.total_cmp(a));
        merges
    }

    /// The nodes shown at `level`, at most `most`: a partition of the image. Merges are undone one by
    /// one, the dearest first; of several at one cost, that of the largest region.
    pub(crate) fn cut(&self, hierarchy: &Hierarchy, level: u8, most: usize) -> Cut {
        let cost = self.cost(level);
        let mut nodes = Vec::new();
        let part = |index: u32| {
            let Node { cost, area, .. } = hierarchy.nodes[index as usize];
            Part { cost, area, index }
        };
        let root = (0..hierarchy.nodes.len() as u32).take(1);
        let mut pending: BinaryHeap<Part> = root.map(part).collect();
        let mut is_short = false;
        while let Some(Part { index, .. }) = pending.pop() {
            let node = &hierarchy.nodes[index as usize];
            match node.children.filter(|_| node.cost > cost) {
                // What is split gives one more.
                Some(children) if nodes.len() + pending.len() + 1 < most => {
                    pending.extend(children.map(part));
                }
                Some(_) => {
                    is_short = true;
                    nodes.push(index);
                }
                None => nodes.push(index),
            }
        }
        let bound = match self.capped[Self::index(level)] {
            _ if is_short => Some(Bound::MaxRegions),
            true => Some(Bound::Level),
            false => None,
        };
        Cut { nodes, bound }
    }

    /// The coarsest level at which the node is not part of a larger one; the finest, if it is part
    /// of one at all levels.
    pub(crate) fn level_of(&self, hierarchy: &Hierarchy, node: u32) -> u8 {
        let parent = hierarchy.nodes[node as usize].parent;
        let swallowed = parent.map_or(f32::INFINITY, |parent| {
            hierarchy.nodes[parent as usize].cost
        });
        (1..LEVELS)
            .find(|&level| self.cost(level) < swallowed)
            .unwrap_or(LEVELS)
    }

    /// The cost above which merges are undone at `level`.
    pub(crate) fn cost(&self, level: u8) -> f32 {
        self.costs[Self::index(level)]
    }

    fn index(level: u8) -> usize {
        usize::from(level.clamp(1, LEVELS) - 1)
    }

    /// The lowest cost of a cut into at most `most` regions.
    fn cost_of_at_most(&self, most: usize) -> f32 {
        self.merges.get(most.max(1) - 1).copied().unwrap_or(0.0)
    }

    /// How clearly a node stands out, in [0, 1]: by what part the merge that swallowed it cost more
    /// than the one that made it. `None` for the whole image.
    pub(crate) fn persistence(&self, hierarchy: &Hierarchy, node: u32) -> Option<f32> {
        let Node { parent, cost, .. } = hierarchy.nodes[node as usize];
        let swallowed = hierarchy.nodes[parent? as usize].cost;
        // What is merged at the finest level is all the same.
        let made = cost.max(self.cost(LEVELS));
        Some(if swallowed > made {
            1.0 - made / swallowed
        } else {
            0.0
        })
    }
}

impl Bound {
    /// The parameter's name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Level => "level",
            Self::MaxRegions => "max_regions",
        }
    }
}

impl Eq for Part {}

impl Ord for Part {
    /// The greatest is undone first.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_cost = self.cost.total_cmp(&other.cost);
        let by_area = by_cost.then(self.area.cmp(&other.area));
        by_area.then(other.index.cmp(&self.index))
    }
}

impl PartialOrd for Part {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use som_core::Size;

    use super::*;
    use crate::{
        merge::{self, Tree},
        partition::{Partition, Runs},
    };

    /// Labels in one row, merged from left to right at rising costs.
    fn chain(costs: &[f32]) -> Hierarchy {
        let leaves = costs.len() + 1;
        let mut runs = Runs::new(Size::new(leaves as u32, 1));
        for label in 0..leaves as u32 {
            runs.push(label + 1, label);
        }
        runs.end_row();
        let mut nodes = vec![
            merge::Node {
                children: None,
                cost: 0.0
            };
            leaves
        ];
        let mut last = 0;
        for (index, &cost) in (0..).zip(costs) {
            nodes.push(merge::Node {
                children: Some([last, index + 1]),
                cost,
            });
            last = (leaves as u32) + index;
        }
        Hierarchy::new(&Tree { leaves, nodes }, &Partition::new(runs, leaves), 1)
    }

    #[test]
    fn a_plain_picture_has_few_regions_at_all_levels() {
        let hierarchy = chain(&[0.0001, 0.0002, 0.0003]);
        let levels = Levels::new(&hierarchy);
        assert!((1..=LEVELS).all(|level| levels.cut(&hierarchy, level, usize::MAX).nodes == [0]));
    }

    #[test]
    fn finer_levels_have_more_regions_up_to_a_limit() {
        let costs: Vec<f32> = (0..1000).map(|i| 1.01_f32.powi(i) * 1e-4).collect();
        let hierarchy = chain(&costs);
        let levels = Levels::new(&hierarchy);
        let count = |level| levels.cut(&hierarchy, level, usize::MAX).nodes.len();
        assert!((1..LEVELS).all(|level| count(level) < count(level + 1)));
        assert!((1..=LEVELS).all(|level| count(level) <= MOST[usize::from(level) - 1]));
        assert_eq!(levels.cut(&hierarchy, LEVELS, 7).nodes.len(), 7);
        assert_eq!(levels.cut(&hierarchy, LEVELS, 1).nodes, [0]);
    }

    #[test]
    fn merges_of_one_cost_are_undone_one_by_one() {
        let hierarchy = chain(&[0.5; 8]);
        let levels = Levels::drawn(&hierarchy);
        for most in 1..=9 {
            let cut = levels.cut(&hierarchy, 3, most);
            assert_eq!(cut.nodes.len(), most);
            let bound = (most < 9).then_some(Bound::MaxRegions);
            assert_eq!(cut.bound, bound, "{most}");
        }
    }

    #[test]
    fn a_level_that_is_full_says_so() {
        let costs: Vec<f32> = (0..1000).map(|i| 1.01_f32.powi(i) * 1e-4).collect();
        let hierarchy = chain(&costs);
        let full = Levels::new(&hierarchy);
        let at = |levels: &Levels, level| levels.cut(&hierarchy, level, usize::MAX).bound;
        assert_eq!(at(&full, 1), Some(Bound::Level));
        assert_eq!(at(&Levels::drawn(&hierarchy), 1), None);
        let plain = chain(&[0.0001, 0.0002, 0.0003]);
        assert_eq!(Levels::new(&plain).cut(&plain, 1, usize::MAX).bound, None);
    }

    #[test]
    fn a_node_belongs_to_the_first_level_that_shows_it() {
        let costs: Vec<f32> = (0..40).map(|i| 1.2_f32.powi(i) * 1e-3).collect();
        let hierarchy = chain(&costs);
        let levels = Levels::new(&hierarchy);
        for level in 1..=LEVELS {
            for node in levels.cut(&hierarchy, level, usize::MAX).nodes {
                let first = levels.level_of(&hierarchy, node);
                assert!(first <= level);
                assert!(
                    levels
                        .cut(&hierarchy, first, usize::MAX)
                        .nodes
                        .contains(&node)
                );
            }
        }
        assert_eq!(levels.level_of(&hierarchy, 0), 1);
        assert_eq!(levels.persistence(&hierarchy, 0), None);
    }
}
