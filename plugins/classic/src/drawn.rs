//! Drawn: the partition of a drawn picture, and the tree of its merges.
//!
//! Every zone that is large enough is a region, and so is every line of writing on one. What a region
//! merges with is what it lies on, and when follows from how much of the picture it is: so small
//! closed shapes are there at the default level, however many they are.

use som_core::{Call, Result, Size};

use crate::{
    connect::connect_named,
    details::{Details, Line},
    levels::{COSTS, LEVELS},
    merge::{Node, Tree},
    partition::{Partition, Runs},
    sets::Sets,
    zones::Zones,
};

/// Of the picture, the share of pictures in it from which it is none that is drawn, …
const PICTURED: f64 = 0.35;
/// … or none that is written on paper.
const PICTURED_PAPER: f64 = 0.02;
/// Shares of the picture from which a region is shown at the first levels.
const SHARES: [f64; 2] = [0.02, 0.004];
/// The level that shows all closed shapes, and lines of writing.
const SHAPES: u8 = 3;
/// The level that shows what is thin, as rules and frames are, and writing on what is hardly larger.
const LINES: u8 = 4;
/// What is up to so many pixels wide is thin, …
const THIN: f64 = 3.0;
/// … if it is so many times as long.
const LONG: f64 = 8.0;
/// Writing whose ground is not so many times as large is part of it.
const GROUND: u64 = 8;

/// The partition and the tree of a drawn picture with regions of at least `min_area` pixels; `None`
/// if too much of it is a picture of another kind.
///
/// # Errors
/// Cancelled.
pub(crate) fn drawn(
    zones: &Zones,
    size: Size,
    min_area: u64,
    call: &Call<'_>,
) -> Result<Option<(Partition, Tree)>> {
    let details = Details::new(zones, min_area);
    call.check()?;
    let most = match zones.is_paper {
        true => PICTURED_PAPER,
        false => PICTURED,
    };
    if details.pictured as f64 > most * size.pixels() as f64 {
        return Ok(None);
    }
    let (partition, labels) = connect_named(&labelled(&zones.runs, size, &details));
    call.check()?;
    let line = |label: u32| {
        let index = (label as usize).checked_sub(zones.count)?;
        details.lines.get(index)
    };
    let lines: Vec<Option<&Line>> = labels.iter().map(|&label| line(label)).collect();
    let tree = Forest::new(&partition, &lines, zones).tree();
    Ok(Some((partition, tree)))
}

/// The runs with the labels that `details` give them; the box around a line of writing is all its own.
fn labelled(runs: &Runs, size: Size, details: &Details) -> Runs {
    let mut rows: Vec<Vec<&Line>> = vec![Vec::new(); size.height as usize];
    for line in &details.lines {
        let bbox = line.bbox;
        for row in &mut rows[bbox.y as usize..bbox.bottom() as usize] {
            row.push(line);
        }
    }
    let mut labelled = Runs::new(size);
    let mut index = 0;
    for y in 0..size.height {
        let lines = &mut rows[y as usize];
        lines.sort_unstable_by_key(|line| (line.bbox.x, line.label));
        let mut start = 0;
        for run in runs.row(y) {
            let label = details.labels[index];
            for line in lines.iter().filter(|line| line.ground == label) {
                let (left, right) = (line.bbox.x.max(start), line.bbox.right() as u32);
                let right = right.min(run.end);
                if left < right {
                    if start < left {
                        labelled.push(left, label);
                    }
                    labelled.push(right, line.label);
                    start = right;
                }
            }
            if start < run.end {
                labelled.push(run.end, label);
                start = run.end;
            }
            index += 1;
        }
        labelled.end_row();
    }
    labelled
}

/// What merges with what, and at which cost.
struct Forest {
    regions: usize,
    /// Cost, and the two regions.
    merges: Vec<(f32, u32, u32)>,
}

impl Forest {
    fn new(partition: &Partition, lines: &[Option<&Line>], zones: &Zones) -> Self {
        let (areas, boxes) = (partition.areas(), partition.boxes());
        let total = partition.size().pixels() as f64;
        let contacts = partition.contacts();
        let mut edges = vec![0_u64; areas.len()];
        // For each region, the one it lies on: whose box is larger, if need be; whose box is around
        // its own, if possible; and of these, which it touches most.
        let mut grounds: Vec<Option<(bool, u32, u32)>> = vec![None; areas.len()];
        let rank = |label: u32| (boxes[label as usize].area(), areas[label as usize], label);
        for contact in &contacts {
            for (one, other) in [(contact.a, contact.b), (contact.b, contact.a)] {
                edges[one as usize] += u64::from(contact.length);
                if rank(other) > rank(one) {
                    let is_around = boxes[other as usize].encloses(boxes[one as usize]);
                    let ground = &mut grounds[one as usize];
                    *ground = (*ground).max(Some((is_around, contact.length, other)));
                }
            }
        }
        let level = |region: usize| {
            let share = areas[region] as f64 / total;
            let level = (1..).zip(SHARES).find(|(_, least)| share >= *least);
            let level = level.map_or(SHAPES, |(level, _)| level);
            if let Some(line) = lines[region] {
                let ground = zones.boxes[line.ground as usize].area();
                return if ground < GROUND * line.bbox.area() {
                    LINES
                } else {
                    SHAPES
                };
            }
            let wide = 2.0 * areas[region] as f64 / edges[region].max(1) as f64;
            let long = f64::from(boxes[region].width.max(boxes[region].height));
            match wide <= THIN && long >= LONG * wide {
                true => level.max(LINES),
                false => level,
            }
        };
        let mut merges: Vec<(f32, u32, u32)> = (0..)
            .zip(grounds)
            .filter_map(|(region, ground)| {
                let (_, _, ground) = ground?;
                let share = areas[region as usize] as f64 / total;
                Some((cost(level(region as usize), share), region, ground))
            })
            .collect();
        merges.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        // What lies on nothing.
        merges.extend(
            contacts
                .iter()
                .map(|contact| (2.0 * COSTS[0], contact.a, contact.b)),
        );
        Self {
            regions: areas.len(),
            merges,
        }
    }

    fn tree(self) -> Tree {
        let leaf = Node {
            children: None,
            cost: 0.0,
        };
        let mut nodes = vec![leaf; self.regions];
        let mut sets = Sets::new(self.regions);
        // The node of each set, by its root.
        let mut node_of: Vec<u32> = (0..self.regions as u32).collect();
        for (cost, a, b) in self.merges {
            let (a, b) = (sets.root(a), sets.root(b));
            if a != b {
                let children = [node_of[a as usize], node_of[b as usize]];
                sets.join(a, b);
                node_of[b as usize] = nodes.len() as u32;
                nodes.push(Node {
                    children: Some(children),
                    cost,
                });
            }
        }
        Tree {
            leaves: self.regions,
            nodes,
        }
    }
}

/// A cost at which a region is first shown at `level`; more for larger ones.
fn cost(level: u8, share: f64) -> f32 {
    let finest = usize::from(level.clamp(1, LEVELS)) - 1;
    let large = share.sqrt().min(1.0) as f32;
    COSTS[finest] * (1.1 + 0.7 * large)
}
