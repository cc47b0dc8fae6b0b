//! Connect: every label in one piece.

use std::cmp::Reverse;

use crate::{
    partition::{Partition, Runs},
    sets::Sets,
};

/// The partition in which of a label in several pieces the largest has stayed, and the others
/// have joined the neighbour they touch most. Labels are named anew, in reading order.
pub(crate) fn connect(runs: &Runs) -> Partition {
    connect_named(runs).0
}

/// The same, and the label that each new one was.
pub(crate) fn connect_named(runs: &Runs) -> (Partition, Vec<u32>) {
    let pieces = pieces(runs);
    let labels = join_fragments(runs, &pieces);
    let mut names: Vec<Option<u32>> = vec![None; runs.len()];
    let mut labels_before = Vec::new();
    let connected = runs.relabelled(|index| {
        let piece = labels[pieces[index] as usize] as usize;
        *names[piece].get_or_insert_with(|| {
            labels_before.push(runs.label(piece));
            labels_before.len() as u32 - 1
        })
    });
    (
        Partition::new(connected, labels_before.len()),
        labels_before,
    )
}

/// For each run, the connected piece it belongs to, named by one of its runs.
fn pieces(runs: &Runs) -> Vec<u32> {
    let mut sets = Sets::new(runs.len());
    runs.touching(|a, b, _| {
        if runs.label(a) == runs.label(b) {
            let (a, b) = (sets.root(a as u32), sets.root(b as u32));
            sets.join(a.max(b), a.min(b));
        }
    });
    (0..runs.len() as u32).map(|run| sets.root(run)).collect()
}

/// For each piece, the piece it becomes part of: itself, if it is the largest of its label.
fn join_fragments(runs: &Runs, pieces: &[u32]) -> Vec<u32> {
    let mut joined: Vec<Option<u32>> = vec![None; runs.len()];
    for piece in largest_of_each_label(runs, pieces) {
        joined[piece as usize] = Some(piece);
    }
    let mut contacts = fragment_contacts(runs, pieces, &joined);
    // A fragment among fragments waits until one of them has joined something.
    while !contacts.is_empty() {
        let decided: Vec<(u32, Option<u32>)> = contacts
            .chunk_by(|a, b| a.fragment == b.fragment)
            .filter_map(|around| {
                let settled = around
                    .iter()
                    .filter(|contact| joined[contact.other as usize].is_some());
                settled.max_by_key(|contact| (contact.length, Reverse(contact.other)))
            })
            .map(|contact| (contact.fragment, joined[contact.other as usize]))
            .collect();
        for (fragment, piece) in decided {
            joined[fragment as usize] = piece;
        }
        contacts.retain(|contact| joined[contact.fragment as usize].is_none());
    }
    joined.into_iter().map(|piece| piece.unwrap_or(0)).collect()
}

fn largest_of_each_label(runs: &Runs, pieces: &[u32]) -> Vec<u32> {
    let mut areas = vec![0_u64; runs.len()];
    let mut index = 0;
    runs.each(|_, start, run| {
        areas[pieces[index] as usize] += u64::from(run.end - start);
        index += 1;
    });
    let mut by_label: Vec<(u32, Reverse<u64>, u32)> = pieces
        .iter()
        .enumerate()
        .filter(|&(run, &piece)| run == piece as usize)
        .map(|(run, &piece)| (runs.label(run), Reverse(areas[run]), piece))
        .collect();
    by_label.sort_unstable();
    by_label.dedup_by_key(|(label, ..)| *label);
    by_label.into_iter().map(|(_, _, piece)| piece).collect()
}

/// Where a fragment touches another piece.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct FragmentContact {
    fragment: u32,
    other: u32,
    length: u32,
}

/// The contacts of all pieces that have not joined any, ordered by fragment.
fn fragment_contacts(runs: &Runs, pieces: &[u32], joined: &[Option<u32>]) -> Vec<FragmentContact> {
    let mut contacts = Vec::new();
    runs.touching(|a, b, length| {
        let (a, b) = (pieces[a], pieces[b]);
        for (fragment, other) in [(a, b), (b, a)] {
            if fragment != other && joined[fragment as usize].is_none() {
                contacts.push(FragmentContact {
                    fragment,
                    other,
                    length,
                });
            }
        }
    });
    contacts.sort_unstable();
    contacts.dedup_by(|next, sum| {
        let is_same = (next.fragment, next.other) == (sum.fragment, sum.other);
        if is_same {
            sum.length += next.length;
        }
        is_same
    });
    contacts
}

#[cfg(test)]
mod tests {
    use som_core::Size;

    use super::*;

    fn runs(rows: &[&str]) -> Runs {
        let size = Size::new(rows[0].len() as u32, rows.len() as u32);
        let mut runs = Runs::new(size);
        for row in rows {
            for (label, end) in row.bytes().zip(1..) {
                runs.push(end, u32::from(label - b'a'));
            }
            runs.end_row();
        }
        runs
    }

    #[test]
    fn fragments_join_the_neighbour_they_touch_most() {
        let connected = connect(&runs(&["aaaba", "aaabb", "ccccb"]));
        assert_eq!(connected, connect(&runs(&["aaabb", "aaabb", "ccccb"])));
        assert_eq!(connected.areas(), [6, 5, 4]);
    }

    #[test]
    fn fragments_among_fragments_find_a_label() {
        // The a in the middle touches fragments only.
        let connected = connect(&runs(&[
            "aaaaa", "bbbbb", "bcbcb", "bcacb", "bcbcb", "bbbbb", "ccccc",
        ]));
        assert_eq!(connected.labels(), 3);
        assert_eq!(connected.areas().iter().sum::<u64>(), 35);
        assert_eq!(connect(&runs(&["ab", "ba"])).areas(), [2, 2]);
    }
}
