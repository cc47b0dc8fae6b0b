//! In which order the frames of a video are seen.
//!
//! What people point at is told first, all of it. Then objects are carried from the first frame that
//! somebody pointed at to the last one, and from there back to the first: so does SAM 2's own video
//! predictor, with all that it has seen.

use std::collections::BTreeMap;

use som_core::{Error, ObjectHints, Result};

/// One frame that the tracker is given.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    /// Which of the chosen frames.
    pub(super) at: usize,
    /// What is said of objects.
    pub(super) hints: Vec<ObjectHints>,
    /// Whether objects are carried towards the first frame.
    pub(super) is_backward: bool,
    /// Whether what is found is the result for this frame.
    pub(super) counts: bool,
}

/// The steps through the frames with these numbers, where `hints` are by the number of their frame.
///
/// # Errors
/// Invalid for a hint at a frame that is not there.
pub(super) fn steps(
    numbers: &[u64],
    mut hints: BTreeMap<u64, Vec<ObjectHints>>,
) -> Result<Vec<Step>> {
    if let Some(number) = hints.keys().find(|number| !numbers.contains(number)) {
        let last = numbers.last().copied().unwrap_or_default();
        return Err(Error::invalid(format!(
            "--hint {number}:…: this frame is not among those that are tracked (the last one is {last})"
        )));
    }
    let step = |at: usize, hints: Vec<ObjectHints>| Step {
        at,
        hints,
        is_backward: false,
        counts: true,
    };
    // What is removed is so from its frame on; what is pointed at is known from the start.
    let mut pointed = BTreeMap::new();
    for (at, number) in numbers.iter().enumerate() {
        let Some(said) = hints.get_mut(number) else {
            continue;
        };
        let (removed, said): (Vec<_>, Vec<_>) = said.drain(..).partition(|said| said.remove);
        *hints.entry(*number).or_default() = removed;
        if !said.is_empty() {
            pointed.insert(at, said);
        }
    }
    let first = pointed.keys().next().copied().unwrap_or_default();
    let mut steps = Vec::new();
    let only = match pointed.len() {
        0 | 1 => pointed.remove(&first).unwrap_or_default(),
        _ => {
            steps.extend(pointed.into_iter().map(|(at, said)| Step {
                counts: false,
                ..step(at, said)
            }));
            Vec::new()
        }
    };
    for (at, number) in numbers.iter().enumerate().skip(first) {
        let mut said = hints.remove(number).unwrap_or_default();
        if at == first {
            said.extend(only.clone());
        }
        steps.push(step(at, said));
    }
    if first > 0 {
        let back = (0..=first).rev().map(|at| Step {
            is_backward: true,
            // It is only where the way back begins.
            counts: at < first,
            ..step(at, Vec::new())
        });
        steps.extend(back);
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use som_core::{Hints, PointHint};

    use super::*;

    fn pointed(object: u64) -> ObjectHints {
        let points = vec![PointHint {
            x: 1.0,
            y: 1.0,
            label: 1,
        }];
        ObjectHints {
            object,
            hints: Hints {
                points,
                ..Hints::default()
            },
            remove: false,
        }
    }

    /// Frame, objects spoken of, direction, and whether it counts.
    fn course(numbers: &[u64], hints: &[(u64, Vec<ObjectHints>)]) -> Vec<String> {
        let steps = steps(numbers, hints.iter().cloned().collect()).unwrap();
        let told = steps.iter().map(|step| {
            let said = step.hints.iter().map(|said| said.object.to_string());
            let said: Vec<String> = said.collect();
            let way = if step.is_backward { "<" } else { ">" };
            let counts = if step.counts { "" } else { "?" };
            format!("{}{way}{}{counts}", step.at, said.join("+"))
        });
        told.collect()
    }

    #[test]
    fn frames_are_seen_in_order_where_nobody_points() {
        assert_eq!(course(&[0, 2, 4], &[]), ["0>", "1>", "2>"]);
    }

    #[test]
    fn one_frame_is_pointed_at_where_it_comes() {
        assert_eq!(course(&[0, 1], &[(0, vec![pointed(3)])]), ["0>3", "1>"]);
        assert_eq!(
            course(&[5, 6, 7], &[(6, vec![pointed(3), pointed(4)])]),
            ["1>3+4", "2>", "1<?", "0<"]
        );
    }

    #[test]
    fn all_that_is_pointed_at_is_known_from_the_start_and_removed_where_it_is() {
        let removed = ObjectHints {
            object: 1,
            remove: true,
            ..ObjectHints::default()
        };
        let hints = [(0, vec![pointed(1)]), (2, vec![pointed(2), removed])];
        assert_eq!(
            course(&[0, 1, 2, 3], &hints),
            ["0>1?", "2>2?", "0>", "1>", "2>1", "3>"]
        );
    }

    #[test]
    fn a_frame_that_is_not_there_is_named() {
        let hints = BTreeMap::from([(9, vec![pointed(1)])]);
        let error = steps(&[0, 1], hints).unwrap_err();
        assert_eq!(
            error.message(),
            "--hint 9:…: this frame is not among those that are tracked (the last one is 1)"
        );
    }
}
