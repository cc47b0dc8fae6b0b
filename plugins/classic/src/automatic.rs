//! Automatic: the regions of one level, or of all levels down to it.

use std::cmp::Reverse;

use som_core::Region;

use crate::{
    levels::{Bound, Cut},
    params::Params,
    scene::Scene,
};

/// The extra that names the parameter for which there are no more regions.
const CAPPED: &str = "capped";

impl Scene {
    /// What a call without hints gets.
    pub(crate) fn everything(&self, params: &Params) -> Vec<Region> {
        let (mut regions, bound) = match params.hierarchy {
            true => self.nested(params),
            false => self.flat(params),
        };
        if let Some(bound) = bound {
            for region in &mut regions {
                region.extra.insert(CAPPED.into(), bound.name().into());
            }
        }
        regions
    }

    /// The partition at one level, largest region first.
    fn flat(&self, params: &Params) -> (Vec<Region>, Option<Bound>) {
        let Cut { mut nodes, bound } =
            self.levels
                .cut(&self.hierarchy, params.level, params.max_regions());
        self.sort_by_area(&mut nodes);
        let is_shown = self.shown_above(params.level);
        let region = |(&node, mask)| {
            let region = self.region(node, mask, self.enclosing(node, &is_shown));
            Region {
                level: Some(params.level),
                ..region
            }
        };
        let regions = nodes.iter().zip(self.masks(&nodes)).map(region);
        (regions.collect(), bound)
    }

    /// Each region of all levels down to one, once: by the coarsest level that has it, then by
    /// area. So parents come before their children.
    fn nested(&self, params: &Params) -> (Vec<Region>, Option<Bound>) {
        let mut index_of = vec![None; self.hierarchy.nodes.len()];
        let (mut nodes, mut masks) = (Vec::new(), Vec::new());
        let mut bound = None;
        for level in 1..=params.level {
            let cut = self.levels.cut(&self.hierarchy, level, usize::MAX);
            let mut more = cut.nodes;
            more.retain(|&node| index_of[node as usize].is_none());
            self.sort_by_area(&mut more);
            let room = params.max_regions() - nodes.len();
            if more.len() > room {
                bound = Some(Bound::MaxRegions);
            }
            // What the finest level lacks is nowhere else.
            bound = bound.or(cut.bound.filter(|_| level == params.level));
            more.truncate(room);
            for (&node, index) in more.iter().zip(nodes.len() as u32..) {
                index_of[node as usize] = Some(index);
            }
            masks.extend(self.masks(&more));
            nodes.extend(more);
        }
        let is_shown: Vec<bool> = index_of.iter().map(Option::is_some).collect();
        let region = |(&node, mask)| {
            let parent = self.enclosing(node, &is_shown);
            let index = parent.and_then(|parent| index_of[parent as usize]);
            Region {
                parent: index,
                ..self.region(node, mask, parent)
            }
        };
        let regions = nodes.iter().zip(masks).map(region);
        (regions.collect(), bound)
    }

    fn sort_by_area(&self, nodes: &mut [u32]) {
        nodes.sort_unstable_by_key(|&index| {
            let node = &self.hierarchy.nodes[index as usize];
            (Reverse(node.area), node.id)
        });
    }
}
