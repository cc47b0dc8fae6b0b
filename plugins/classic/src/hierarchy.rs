//! Hierarchy: the merge tree without the nodes that are too small to show.
//!
//! A node that is too small joins its sibling, there where they touch most, so that what is left
//! is again a tree of nested partitions into connected regions.

use std::{cmp::Reverse, collections::BTreeMap, ops::Range};

use crate::{merge::Tree, partition::Partition};

/// A binary tree of regions; each node's index is above its parent's.
#[derive(Debug)]
pub(crate) struct Hierarchy {
    pub(crate) nodes: Vec<Node>,
    /// For each label of the partition, the childless node it belongs to.
    atoms: Vec<u32>,
}

/// A region, at some level or between two.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Node {
    /// Its index in the merge tree: the same for all parameters.
    pub(crate) id: u32,
    pub(crate) parent: Option<u32>,
    pub(crate) children: Option<[u32; 2]>,
    /// Number of pixels of the image.
    pub(crate) area: u64,
    /// What the merge that made it cost; never above the parent's.
    pub(crate) cost: f32,
}

impl Hierarchy {
    /// The nodes of the merge tree over `partition` that have at least `min_area` pixels.
    pub(crate) fn new(tree: &Tree, partition: &Partition, min_area: u64) -> Self {
        Pruning::new(tree, partition, min_area.max(1)).prune()
    }

    /// For each label of the partition, the value of the lowest node above it that has one.
    pub(crate) fn by_label<T: Copy>(&self, mut values: Vec<Option<T>>) -> Vec<Option<T>> {
        for (index, node) in self.nodes.iter().enumerate() {
            if let (None, Some(parent)) = (values[index], node.parent) {
                values[index] = values[parent as usize];
            }
        }
        self.atoms
            .iter()
            .map(|&atom| values[atom as usize])
            .collect()
    }

    /// For each node, the values of its labels joined; joining `nothing` changes nothing.
    pub(crate) fn by_node<T: Copy>(
        &self,
        values: &[T],
        nothing: T,
        join: impl Fn(T, T) -> T,
    ) -> Vec<T> {
        let mut joined = vec![nothing; self.nodes.len()];
        for (&atom, &value) in self.atoms.iter().zip(values) {
            joined[atom as usize] = join(joined[atom as usize], value);
        }
        for (index, node) in self.nodes.iter().enumerate().rev() {
            if let Some(parent) = node.parent {
                joined[parent as usize] = join(joined[parent as usize], joined[index]);
            }
        }
        joined
    }

    /// The node's ancestors, from the bottom up.
    pub(crate) fn ancestors(&self, node: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(Some(node), |&node| self.nodes[node as usize].parent).skip(1)
    }
}

struct Pruning<'a> {
    tree: &'a Tree,
    min_area: u64,
    /// Of each node of the merge tree.
    areas: Vec<u64>,
    /// The leaves, ordered so that those below any node stand together, …
    leaves: Vec<u32>,
    /// … for each node here; a leaf's own place is the range of one at its index.
    below: Vec<Range<usize>>,
    /// For each leaf, the leaves it touches and the length of the contact.
    contacts: Vec<Vec<(u32, u32)>>,
    nodes: Vec<Node>,
    /// For each leaf, the node of the hierarchy.
    atoms: Vec<u32>,
}

/// A node too small to show, and the sibling it joins.
struct Speck {
    node: u32,
    sibling: u32,
}

impl<'a> Pruning<'a> {
    fn new(tree: &'a Tree, partition: &Partition, min_area: u64) -> Self {
        let mut areas = partition.areas();
        let mut counts = vec![1; tree.leaves];
        for [a, b] in tree.nodes.iter().filter_map(|node| node.children) {
            areas.push(areas[a as usize] + areas[b as usize]);
            counts.push(counts[a as usize] + counts[b as usize]);
        }
        let mut leaves = vec![0; tree.leaves];
        let mut below = vec![0..tree.leaves; tree.nodes.len()];
        for (index, node) in tree.nodes.iter().enumerate().rev() {
            let Range { start, end } = below[index];
            match node.children {
                None => leaves[start] = index as u32,
                Some([a, b]) => {
                    let middle = start + counts[a as usize];
                    below[a as usize] = start..middle;
                    below[b as usize] = middle..end;
                }
            }
        }
        let mut contacts = vec![Vec::new(); tree.leaves];
        for contact in partition.contacts() {
            contacts[contact.a as usize].push((contact.b, contact.length));
            contacts[contact.b as usize].push((contact.a, contact.length));
        }
        let atoms = vec![0; tree.leaves];
        Self {
            tree,
            min_area,
            areas,
            leaves,
            below,
            contacts,
            nodes: Vec::new(),
            atoms,
        }
    }

    fn prune(mut self) -> Hierarchy {
        // Outermost first.
        let mut specks = Vec::new();
        let root = self
            .tree
            .nodes
            .len()
            .checked_sub(1)
            .map(|root| (root as u32, None));
        let mut pending: Vec<(u32, Option<u32>)> = root.into_iter().collect();
        while let Some((id, parent)) = pending.pop() {
            let index = self.nodes.len() as u32;
            if let Some(parent) = parent {
                let siblings = &mut self.nodes[parent as usize].children;
                *siblings = Some(siblings.map_or([index; 2], |[first, _]| [first, index]));
            }
            let (shown, children) = self.without_specks(id, &mut specks);
            let cost = self.tree.nodes[shown as usize].cost;
            let area = self.areas[id as usize];
            self.nodes.push(Node {
                id,
                parent,
                children: None,
                area,
                cost,
            });
            match children {
                Some(children) => pending.extend(children.map(|child| (child, Some(index)))),
                None => self.assign(shown, index),
            }
        }
        // Innermost first: all of the sibling has its place by then.
        for speck in specks.iter().rev() {
            self.assign(speck.node, self.most_touched(speck));
        }
        let mut hierarchy = Hierarchy {
            nodes: self.nodes,
            atoms: self.atoms,
        };
        let areas = hierarchy.by_node(&self.areas[..self.tree.leaves], 0, |a, b| a + b);
        for (node, area) in hierarchy.nodes.iter_mut().zip(areas) {
            node.area = area;
        }
        hierarchy
    }

    /// The node that is left of `id` when its specks are gone, and its children.
    fn without_specks(&self, id: u32, specks: &mut Vec<Speck>) -> (u32, Option<[u32; 2]>) {
        let is_speck = |node: u32| self.areas[node as usize] < self.min_area;
        let mut shown = id;
        loop {
            let Some([a, b]) = self.tree.nodes[shown as usize].children else {
                return (shown, None);
            };
            let (node, sibling) = match (is_speck(a), is_speck(b)) {
                (false, false) => return (shown, Some([a, b])),
                (true, true) => return (shown, None),
                (true, false) => (a, b),
                (false, true) => (b, a),
            };
            specks.push(Speck { node, sibling });
            shown = sibling;
        }
    }

    /// Gives all leaves below a node of the merge tree to a node of the hierarchy.
    fn assign(&mut self, node: u32, atom: u32) {
        for &leaf in &self.leaves[self.below[node as usize].clone()] {
            self.atoms[leaf as usize] = atom;
        }
    }

    /// The node below the sibling that the speck touches most.
    fn most_touched(&self, speck: &Speck) -> u32 {
        let sibling = &self.below[speck.sibling as usize];
        let mut lengths: BTreeMap<u32, u32> = BTreeMap::new();
        for &leaf in &self.leaves[self.below[speck.node as usize].clone()] {
            for &(other, length) in &self.contacts[leaf as usize] {
                if sibling.contains(&self.below[other as usize].start) {
                    *lengths.entry(self.atoms[other as usize]).or_default() += length;
                }
            }
        }
        let most = lengths
            .into_iter()
            .max_by_key(|&(atom, length)| (length, Reverse(atom)));
        most.map_or(0, |(atom, _)| atom)
    }
}

#[cfg(test)]
mod tests {
    use som_core::Size;

    use super::*;
    use crate::{merge, partition::Runs};

    /// Four labels side by side in one row, merged in pairs, then all.
    fn row(ends: [u32; 4]) -> (Tree, Partition) {
        let mut runs = Runs::new(Size::new(ends[3], 1));
        for (label, end) in (0..).zip(ends) {
            runs.push(end, label);
        }
        runs.end_row();
        let node = |children, cost| merge::Node { children, cost };
        let mut nodes = vec![node(None, 0.0); 4];
        nodes.extend([
            node(Some([0, 1]), 1.0),
            node(Some([2, 3]), 2.0),
            node(Some([4, 5]), 3.0),
        ]);
        (Tree { leaves: 4, nodes }, Partition::new(runs, 4))
    }

    fn facts(hierarchy: &Hierarchy) -> Vec<(u32, Option<u32>, u64)> {
        hierarchy
            .nodes
            .iter()
            .map(|node| (node.id, node.parent, node.area))
            .collect()
    }

    #[test]
    fn large_enough_nodes_all_stay() {
        let (tree, partition) = row([10, 20, 30, 40]);
        let hierarchy = Hierarchy::new(&tree, &partition, 10);
        let (root, left, right) = (None, Some(0), Some(4));
        assert_eq!(
            facts(&hierarchy),
            [
                (6, root, 40),
                (5, left, 20),
                (3, Some(1), 10),
                (2, Some(1), 10),
                (4, left, 20),
                (1, right, 10),
                (0, right, 10)
            ]
        );
        assert_eq!(hierarchy.nodes[0].children, Some([1, 4]));
        assert_eq!(hierarchy.ancestors(6).collect::<Vec<_>>(), [4, 0]);
    }

    #[test]
    fn a_speck_joins_its_sibling() {
        // Label 1 has one pixel, labels 2 and 3 are too small only by themselves.
        let (tree, partition) = row([10, 11, 17, 23]);
        let hierarchy = Hierarchy::new(&tree, &partition, 9);
        assert_eq!(
            facts(&hierarchy),
            [(6, None, 23), (5, Some(0), 12), (4, Some(0), 11)]
        );
        let costs: Vec<f32> = hierarchy.nodes.iter().map(|node| node.cost).collect();
        assert_eq!(costs, [3.0, 2.0, 0.0]);
        assert_eq!(
            hierarchy.by_label(vec![None, Some('b'), Some('a')]),
            ['a', 'a', 'b', 'b'].map(Some)
        );
    }

    #[test]
    fn an_image_of_specks_is_one_region() {
        let (tree, partition) = row([1, 2, 3, 4]);
        let hierarchy = Hierarchy::new(&tree, &partition, 100);
        assert_eq!(facts(&hierarchy), [(6, None, 4)]);
        assert_eq!(hierarchy.by_node(&[1, 2, 3, 4], 0, |a, b| a + b), [10]);
    }
}
