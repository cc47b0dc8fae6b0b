//! Merge: the tree of merges, from the leaves to the whole image.
//!
//! Again and again the two neighbours whose merge costs least become one. The cost multiplies what
//! boundary, colour, texture, size and shape say, as do the similarities of Uijlings, van de Sande,
//! Gevers and Smeulders, *Selective Search for Object Recognition*, 2013; to read the tree as a
//! hierarchy by cost is the ultrametric contour map of Arbelaez et al. 2011. The weights were
//! chosen on half of the training and validation images of BSDS500 (from the same paper) and on
//! the photographs in `examples/images`.

use std::{cmp::Reverse, collections::BinaryHeap};

use som_core::{Call, Result};

use crate::graph::{Appearance, Boundary, Graph};

/// A binary tree: the leaves, then one node for each merge in the order of merging.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tree {
    pub(crate) leaves: usize,
    pub(crate) nodes: Vec<Node>,
}

/// A leaf, or two nodes merged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) children: Option<[u32; 2]>,
    /// What the merge cost, but not less than its children; 0 for a leaf.
    pub(crate) cost: f32,
}

/// Merges everything.
///
/// # Errors
/// Cancelled.
pub(crate) fn merge(graph: Graph, call: &Call<'_>) -> Result<Tree> {
    let Graph {
        leaves,
        mut neighbours,
    } = graph;
    let total: f32 = leaves.iter().map(|leaf| leaf.area).sum();
    let mut tree = Tree {
        leaves: leaves.len(),
        nodes: Vec::with_capacity(2 * leaves.len()),
    };
    tree.nodes.resize(
        leaves.len(),
        Node {
            children: None,
            cost: 0.0,
        },
    );
    // `None` once merged into another.
    let mut regions: Vec<Option<Appearance>> = leaves.into_iter().map(Some).collect();
    let mut merges = BinaryHeap::new();
    for (a, list) in (0..).zip(&neighbours) {
        for &(b, boundary) in list.iter().filter(|&&(b, _)| a < b) {
            if let (Some(x), Some(y)) = (&regions[a as usize], &regions[b as usize]) {
                merges.push(Reverse(Merge {
                    cost: cost(x, y, boundary, total),
                    a,
                    b,
                }));
            }
        }
    }
    while let Some(Reverse(Merge { cost: own, a, b })) = merges.pop() {
        if regions[a as usize].is_none() || regions[b as usize].is_none() {
            continue;
        }
        call.check()?;
        let (Some(x), Some(y)) = (regions[a as usize].take(), regions[b as usize].take()) else {
            continue;
        };
        let id = tree.nodes.len() as u32;
        let below = [a, b].map(|child| tree.nodes[child as usize].cost);
        let cost_so_far = below.into_iter().fold(own, f32::max);
        tree.nodes.push(Node {
            children: Some([a, b]),
            cost: cost_so_far,
        });
        let (around, shared) = join_neighbours(&mut neighbours, a, b);
        let joined = x.join(&y, shared);
        for &(other, boundary) in &around {
            let list = &mut neighbours[other as usize];
            list.retain(|&(neighbour, _)| neighbour != a && neighbour != b);
            list.push((id, boundary));
            if let Some(region) = &regions[other as usize] {
                let cost = cost(region, &joined, boundary, total);
                merges.push(Reverse(Merge {
                    cost,
                    a: other,
                    b: id,
                }));
            }
        }
        regions.push(Some(joined));
        neighbours.push(around);
    }
    Ok(tree)
}

/// A merge that may come, by cost.
#[derive(Clone, Copy, PartialEq)]
struct Merge {
    cost: f32,
    a: u32,
    b: u32,
}

impl Eq for Merge {}

impl Ord for Merge {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.cost
            .total_cmp(&other.cost)
            .then((self.a, self.b).cmp(&(other.a, other.b)))
    }
}

impl PartialOrd for Merge {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The neighbours of both together in ascending order, and the length of the boundary they share.
fn join_neighbours(
    neighbours: &mut [Vec<(u32, Boundary)>],
    a: u32,
    b: u32,
) -> (Vec<(u32, Boundary)>, f32) {
    let [of_a, of_b] = [a, b].map(|region| std::mem::take(&mut neighbours[region as usize]));
    let shared = of_a
        .iter()
        .find(|(other, _)| *other == b)
        .map_or(0.0, |(_, boundary)| boundary.length);
    let mut around: Vec<_> = of_a
        .into_iter()
        .chain(of_b)
        .filter(|(other, _)| *other != a && *other != b)
        .collect();
    around.sort_by_key(|(other, _)| *other);
    around.dedup_by(|(next, more), (other, boundary)| {
        let is_same = next == other;
        if is_same {
            boundary.strength += more.strength;
            boundary.length += more.length;
        }
        is_same
    });
    (around, shared)
}

/// What it costs to merge two neighbours in an image of `total` working pixels.
fn cost(a: &Appearance, b: &Appearance, boundary: Boundary, total: f32) -> f32 {
    let edge = (boundary.strength / boundary.length).powf(1.8);
    let unlike = 0.12
        + chi_squared(&a.colors, &b.colors, a.area, b.area)
        + 0.75 * chi_squared(&a.roughness, &b.roughness, a.area, b.area)
        + color_distance(a, b) / 90.0;
    // Regions that lie largely within each other, as slivers do, merge early.
    let shared = boundary.length / a.perimeter.min(b.perimeter).max(1.0);
    let apart = (shared + 0.05).powf(-0.6);
    // So do small ones, and tiny ones before all else.
    let share = a.area.min(b.area) / total;
    let size = (400.0 * share).powf(0.33) * (share / 0.002).min(1.0);
    edge * unlike * apart * size
}

/// Distance of the mean colours in Lab, where lightness counts less: light and shade change it.
fn color_distance(a: &Appearance, b: &Appearance) -> f32 {
    let mean = |region: &Appearance, channel: usize| region.lab[channel] / region.area.max(1.0);
    [0.6, 1.0, 1.0]
        .iter()
        .enumerate()
        .map(|(channel, weight)| weight * (mean(a, channel) - mean(b, channel)))
        .map(|difference| difference * difference)
        .sum::<f32>()
        .sqrt()
}

/// Chi-squared difference of two histograms of the given masses, in [0, 1].
fn chi_squared(a: &[f32], b: &[f32], mass_a: f32, mass_b: f32) -> f32 {
    let (scale_a, scale_b) = (1.0 / mass_a.max(1.0), 1.0 / mass_b.max(1.0));
    let terms = a.iter().zip(b).map(|(a, b)| {
        let (a, b) = (a * scale_a, b * scale_b);
        (a - b) * (a - b) / (a + b + f32::MIN_POSITIVE)
    });
    0.5 * terms.sum::<f32>()
}

#[cfg(test)]
mod tests {
    use som_core::Params;

    use super::*;

    fn region(area: f32, bin: usize) -> Appearance {
        let mut region = Appearance {
            area,
            perimeter: 40.0,
            ..Appearance::default()
        };
        region.colors[bin] = area;
        region.roughness[0] = area;
        region
    }

    #[test]
    fn equal_histograms_do_not_differ_and_disjoint_ones_differ_wholly() {
        assert_eq!(chi_squared(&[1.0, 3.0], &[2.0, 6.0], 4.0, 8.0), 0.0);
        assert_eq!(chi_squared(&[4.0, 0.0], &[0.0, 8.0], 4.0, 8.0), 1.0);
        assert_eq!(chi_squared(&[0.0, 0.0], &[0.0, 0.0], 0.0, 0.0), 0.0);
    }

    #[test]
    fn what_is_alike_merges_first() {
        let boundary = Boundary {
            strength: 5.0,
            length: 10.0,
        };
        let graph = Graph {
            leaves: vec![region(100.0, 1), region(100.0, 9), region(100.0, 1)],
            neighbours: vec![
                vec![(1, boundary), (2, boundary)],
                vec![(0, boundary), (2, boundary)],
                vec![(0, boundary), (1, boundary)],
            ],
        };
        let params = Params::new();
        let tree = merge(graph, &Call::uncancellable(&params)).unwrap();
        assert_eq!(tree.nodes.len(), 5);
        assert_eq!(tree.nodes[3].children, Some([0, 2]));
        assert_eq!(tree.nodes[4].children, Some([1, 3]));
        assert!(tree.nodes[4].cost > tree.nodes[3].cost);
    }
}
