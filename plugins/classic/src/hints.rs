//! Hints: the nodes of the hierarchy that fit what a person pointed at.

use som_core::{BBox, Mask, Region};

use crate::{params::DEFAULT_LEVEL, scene::Scene, target::Target};

/// Sizes offered for one object, as in Kirillov et al., *Segment Anything*, 2023.
const SIZES: usize = 3;

/// Of two sizes, the smaller has at most this part of the larger one's area.
const DISTINCT: f64 = 0.75;

/// A node holds what it has this part of: hands are not exact.
const HELD: f64 = 0.9;

/// A node is like a mask from this intersection over union on.
const ALIKE: f64 = 0.5;

impl Scene {
    /// The regions of all targets in turn, at most `most` for each, best first. Each has the number of its
    /// target in its extras, as `prompt`.
    pub(crate) fn find_all(&self, targets: &[Target], most: usize) -> Vec<Region> {
        let found = targets.iter().enumerate().flat_map(|(index, target)| {
            let evidence = Evidence::new(self, target);
            let mut found = match target.bbox {
                Some(bbox) => self.find_boxed(bbox, &evidence),
                None => self.find_touched(&evidence),
            };
            found.truncate(most);
            found.into_iter().map(move |nodes| (index, nodes))
        });
        let told = found.map(|(index, nodes)| {
            let mut region = self.found(&nodes);
            region.extra.insert("prompt".into(), index.into());
            region
        });
        told.collect()
    }

    /// One node, or a union of some that do not overlap, as a region.
    fn found(&self, nodes: &[u32]) -> Region {
        let mut mask = Mask::empty(self.partition.size());
        for part in self.masks(nodes) {
            mask = mask.union(&part);
        }
        let &[node] = nodes else {
            return Region::new(mask);
        };
        let is_shown = self.shown_above(self.levels.level_of(&self.hierarchy, node));
        self.region(node, mask, self.enclosing(node, &is_shown))
    }

    /// Up to [`SIZES`] nodes that hold all that was touched and no background.
    fn find_touched(&self, evidence: &Evidence) -> Vec<Vec<u32>> {
        let nodes = 0..self.hierarchy.nodes.len() as u32;
        let area = |nodes: &[u32]| self.area(nodes) as f64;
        let mut holders: Vec<u32> = nodes
            .clone()
            .filter(|&node| evidence.is_held(node))
            .collect();
        let mut found: Vec<Vec<u32>> = Vec::new();
        // What was touched may be parts that merge only with all that is around them.
        let parts = self.touched_parts(evidence);
        let least = holders
            .iter()
            .map(|&node| area(&[node]))
            .min_by(f64::total_cmp);
        if parts.len() > 1 && least.is_none_or(|least| least > 3.0 * area(&parts)) {
            found.push(parts);
        }
        // An earlier mask is like a node as a whole, while a stroke is only some of one.
        let likeness = |node: u32| evidence.likeness(node, area(&[node]));
        let clarity = |node: u32| {
            self.levels
                .persistence(&self.hierarchy, node)
                .unwrap_or(0.0)
        };
        holders.extend(nodes.filter(|&node| !evidence.is_excluded(node) && likeness(node) > ALIKE));
        holders.sort_by(|&a, &b| {
            let rank = |node: u32| {
                let likeness = likeness(node);
                if likeness > ALIKE {
                    1.0 + likeness
                } else {
                    f64::from(clarity(node))
                }
            };
            rank(b).total_cmp(&rank(a)).then(b.cmp(&a))
        });
        for node in holders {
            let area_of_node = area(&[node]);
            let is_distinct = |other: &Vec<u32>| {
                let other = area(other);
                area_of_node.min(other) < DISTINCT * area_of_node.max(other)
            };
            if found.iter().all(is_distinct) {
                found.push(vec![node]);
            }
        }
        found.truncate(SIZES);
        found
    }

    /// The regions of the default level that were touched, or what of them holds no background.
    fn touched_parts(&self, evidence: &Evidence) -> Vec<u32> {
        let cost = self.levels.cost(DEFAULT_LEVEL);
        let nodes = &self.hierarchy.nodes;
        let is_part = |node: u32| {
            nodes[node as usize].cost <= cost
                && evidence.is_touched(node)
                && !evidence.is_excluded(node)
        };
        (0..nodes.len() as u32)
            .filter(|&node| is_part(node) && !nodes[node as usize].parent.is_some_and(is_part))
            .collect()
    }

    /// The node that the box is drawn around, or a few of them, if that fits clearly better.
    fn find_boxed(&self, bbox: BBox, evidence: &Evidence) -> Vec<Vec<u32>> {
        const CLEARLY: f64 = 1.15;
        let fit = |nodes: &[u32]| evidence.box_fit(nodes, self.area(nodes), bbox);
        let nodes = 0..self.hierarchy.nodes.len() as u32;
        let best = nodes.max_by(|&a, &b| fit(&[a]).total_cmp(&fit(&[b])).then(b.cmp(&a)));
        let single: Vec<u32> = best.into_iter().collect();
        let several = self.parts_inside(evidence);
        let found = if fit(&several) > CLEARLY * fit(&single) {
            several
        } else {
            single
        };
        if fit(&found) > 0.0 {
            vec![found]
        } else {
            Vec::new()
        }
    }

    /// The largest nodes that lie mostly in the box: what is behind an object goes on outside.
    fn parts_inside(&self, evidence: &Evidence) -> Vec<u32> {
        let finest = self.levels.cost(DEFAULT_LEVEL + 1);
        let mut parts = Vec::new();
        let mut pending: Vec<u32> = (0..self.hierarchy.nodes.len() as u32).take(1).collect();
        while let Some(index) = pending.pop() {
            let node = &self.hierarchy.nodes[index as usize];
            let inside = evidence.boxed[index as usize] as f64;
            if inside >= HELD * node.area as f64 && !evidence.is_excluded(index) {
                parts.push(index);
            } else if inside > 0.0 && node.cost > finest {
                pending.extend(node.children.into_iter().flatten());
            }
        }
        parts
    }

    fn area(&self, nodes: &[u32]) -> u64 {
        nodes
            .iter()
            .map(|&node| self.hierarchy.nodes[node as usize].area)
            .sum()
    }
}

/// What a target says about each node of a hierarchy. Node 0, the root, has all of it.
struct Evidence {
    /// Points on the node.
    points: Vec<u64>,
    /// Pixels of the stroke on it.
    stroke: Vec<u64>,
    /// Background points on it.
    background: Vec<u64>,
    /// Its pixels in the box.
    boxed: Vec<u64>,
    /// The smallest box around it.
    boxes: Vec<BBox>,
}

impl Evidence {
    fn new(scene: &Scene, target: &Target) -> Self {
        let (partition, hierarchy) = (&scene.partition, &scene.hierarchy);
        let sum = |by_label: Vec<u64>| hierarchy.by_node(&by_label, 0, |a, b| a + b);
        let within = |mask: Option<&Mask>| {
            sum(mask.map_or_else(
                || vec![0; partition.labels()],
                |mask| partition.areas_within(mask),
            ))
        };
        let bbox = target.bbox.map(|bbox| Mask::rect(partition.size(), bbox));
        Self {
            points: sum(partition.count_points(&target.points)),
            stroke: within(target.stroke.as_ref()),
            background: sum(partition.count_points(&target.background)),
            boxed: within(bbox.as_ref()),
            boxes: hierarchy.by_node(&partition.boxes(), BBox::default(), BBox::union),
        }
    }

    fn is_touched(&self, node: u32) -> bool {
        self.points[node as usize] + self.stroke[node as usize] > 0
    }

    fn is_excluded(&self, node: u32) -> bool {
        self.background[node as usize] > 0
    }

    /// True if the node has all points, nearly all of the stroke, and no background.
    fn is_held(&self, node: u32) -> bool {
        let index = node as usize;
        self.points[index] == self.points[0]
            && self.stroke[index] as f64 >= HELD * self.stroke[0] as f64
            && !self.is_excluded(node)
    }

    /// Intersection over union of the stroke and a node.
    fn likeness(&self, node: u32, area: f64) -> f64 {
        let shared = self.stroke[node as usize] as f64;
        shared / (self.stroke[0] as f64 + area - shared)
    }

    /// How well nodes that do not overlap fit a box drawn around them, in [0, 1]; 0 if they leave
    /// out a point or have background.
    fn box_fit(&self, nodes: &[u32], area: u64, bbox: BBox) -> f64 {
        let sum = |values: &[u64]| nodes.iter().map(|&node| values[node as usize]).sum::<u64>();
        if sum(&self.points) < self.points[0] || sum(&self.background) > 0 {
            return 0.0;
        }
        let inside = sum(&self.boxed);
        let filled = inside as f64 / (area + bbox.area() - inside) as f64;
        let boxes = nodes.iter().map(|&node| self.boxes[node as usize]);
        // Things touch the sides of their box, but rarely fill it.
        0.7 * boxes.fold(BBox::default(), BBox::union).iou(bbox) + 0.3 * filled
    }
}
