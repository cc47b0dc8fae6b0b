//! Scene: all that is known about an image once it is analysed.

use som_core::{Call, Image, Mask, Region, Result, Size};

use crate::{
    boundary::{boundary, relief},
    color::{labs, working_copy},
    drawn::drawn,
    graph::Graph,
    hierarchy::Hierarchy,
    histogram::histograms,
    levels::Levels,
    merge::merge,
    outline::outline,
    params::Params,
    partition::Partition,
    watershed::watershed,
    zones::Zones,
};

/// A partition into the smallest regions, and the hierarchy they are the bottom of.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) partition: Partition,
    pub(crate) hierarchy: Hierarchy,
    pub(crate) levels: Levels,
}

impl Scene {
    /// Analyses an image that has pixels: every stage in turn.
    ///
    /// # Errors
    /// Cancelled.
    pub(crate) fn new(image: &Image<'_>, params: &Params, call: &Call<'_>) -> Result<Self> {
        match Self::drawn(image, params, call)? {
            Some(scene) => Ok(scene),
            None => Self::photographed(image, params, call),
        }
    }

    /// `None` for an image that is not drawn.
    fn drawn(image: &Image<'_>, params: &Params, call: &Call<'_>) -> Result<Option<Self>> {
        let size = Size::new(image.width(), image.height());
        let min_area = params.min_area_drawn(size);
        let Some(zones) = Zones::of(image, call)? else {
            return Ok(None);
        };
        let Some((partition, tree)) = drawn(&zones, size, min_area, call)? else {
            return Ok(None);
        };
        let hierarchy = Hierarchy::new(&tree, &partition, min_area);
        let levels = Levels::drawn(&hierarchy);
        Ok(Some(Self {
            partition,
            hierarchy,
            levels,
        }))
    }

    fn photographed(image: &Image<'_>, params: &Params, call: &Call<'_>) -> Result<Self> {
        let size = Size::new(image.width(), image.height());
        let working = working_copy(image)?;
        call.check()?;
        let lab = labs(&working);
        let histograms = histograms(&lab);
        let boundary = boundary(&histograms, call)?;
        let basins = watershed(&relief(&boundary), call)?;
        let partition = outline(image, &working, &basins, call)?;
        let graph = Graph::new(&partition, &lab, &histograms, &boundary, call)?;
        let tree = merge(graph, call)?;
        let hierarchy = Hierarchy::new(&tree, &partition, params.min_area(size));
        let levels = Levels::new(&hierarchy);
        Ok(Self {
            partition,
            hierarchy,
            levels,
        })
    }

    /// A node as a region; `parent` is the region that encloses it.
    pub(crate) fn region(&self, node: u32, mask: Mask, parent: Option<u32>) -> Region {
        let id = |node: u32| self.hierarchy.nodes[node as usize].id;
        let mut region = Region::new(mask);
        region.score = self.levels.persistence(&self.hierarchy, node);
        region.level = Some(self.levels.level_of(&self.hierarchy, node));
        region.extra.insert("node".into(), id(node).into());
        region
            .extra
            .insert("parent_node".into(), parent.map(id).into());
        region
    }

    /// For each node, whether a level above `level` shows it.
    pub(crate) fn shown_above(&self, level: u8) -> Vec<bool> {
        let mut is_shown = vec![false; self.hierarchy.nodes.len()];
        for coarser in 1..level {
            for node in self.levels.cut(&self.hierarchy, coarser, usize::MAX).nodes {
                is_shown[node as usize] = true;
            }
        }
        is_shown
    }

    /// The smallest node around `node` that is shown.
    pub(crate) fn enclosing(&self, node: u32, is_shown: &[bool]) -> Option<u32> {
        self.hierarchy
            .ancestors(node)
            .find(|&ancestor| is_shown[ancestor as usize])
    }

    /// The masks of nodes that do not overlap.
    pub(crate) fn masks(&self, nodes: &[u32]) -> Vec<Mask> {
        let mut groups = vec![None; self.hierarchy.nodes.len()];
        for (group, &node) in nodes.iter().enumerate() {
            groups[node as usize] = Some(group);
        }
        self.partition
            .masks(nodes.len(), &self.hierarchy.by_label(groups))
    }
}
