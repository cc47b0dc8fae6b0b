//! Automatic: the regions of one level, or of all levels down to it.

use std::cmp::Reverse;

use som_core::Region;

use crate::{params::Params, scene::Scene};

impl Scene {
    /// What a call without hints gets.
    pub(crate) fn everything(&self, params: &Params) -> Vec<Region> {
        if params.hierarchy {
            self.nested(params)
        } else {
            self.flat(params)
        }
    }

    /// The partition at one level, largest region first.
    fn flat(&self, params: &Params) -> Vec<Region> {
        let mut nodes = self
            .levels
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
        nodes.iter().zip(self.masks(&nodes)).map(region).collect()
    }

    /// Each region of all levels down to one, once: by the coarsest level that has it, then by
    /// area. So parents come before their children.
    fn nested(&self, params: &Params) -> Vec<Region> {
        let mut index_of = vec![None; self.hierarchy.nodes.len()];
        let (mut nodes, mut masks) = (Vec::new(), Vec::new());
        for level in 1..=params.level {
            let mut more = self.levels.cut(&self.hierarchy, level, usize::MAX);
            more.retain(|&node| index_of[node as usize].is_none());
            self.sort_by_area(&mut more);
            more.truncate(params.max_regions() - nodes.len());
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
        nodes.iter().zip(masks).map(region).collect()
    }

    fn sort_by_area(&self, nodes: &mut [u32]) {
        nodes.sort_unstable_by_key(|&index| {
            let node = &self.hierarchy.nodes[index as usize];
            (Reverse(node.area), node.id)
        });
    }
}
