//! Which masks of a prompt the official predictor shows.
//!
//! Source: `process_multi_mask` in the official `tasks/interactive_predictor.py`.

use som_core::Mask;

use crate::params::Selection;

/// Masks that share more than this of what they cover are the same thing.
const SAME: f64 = 0.95;

/// Of masks with their predicted IoUs, in falling order of these, those that are good enough and not
/// the same as a better one, without small holes and islands. If none is, the last of all.
pub(crate) fn select(found: Vec<(f32, Mask)>, selection: Selection) -> Vec<(usize, Mask)> {
    let Selection {
        thresh,
        hole_scale,
        island_scale,
    } = selection;
    let Some(thresh) = thresh else {
        return found
            .into_iter()
            .map(|(_, mask)| mask)
            .enumerate()
            .collect();
    };
    let mut order: Vec<usize> = (0..found.len()).collect();
    order.sort_by(|&a, &b| found[b].0.total_cmp(&found[a].0));
    let mut kept: Vec<usize> = Vec::new();
    for (place, &index) in order.iter().enumerate() {
        let (iou, mask) = &found[index];
        let is_known = kept.iter().any(|&other| mask.iou(&found[other].1) > SAME);
        let is_last_resort = place + 1 == order.len() && kept.is_empty();
        if is_last_resort || (rounded(*iou) >= thresh && !is_known) {
            kept.push(index);
        }
    }
    let clean = |index: usize| {
        let mask = found[index].1.without_small_holes(hole_scale);
        (index, mask.without_small_islands(island_scale))
    };
    kept.into_iter().map(clean).collect()
}

/// To two decimals, as shown to people.
fn rounded(iou: f32) -> f64 {
    format!("{:.2}", f64::from(iou)).parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use som_core::{BBox, Size};

    const SIZE: Size = Size::new(40, 30);

    fn mask(x: u32) -> Mask {
        Mask::rect(SIZE, BBox::new(x, 0, 20, 20))
    }

    fn kept(found: &[(f32, Mask)], thresh: Option<f64>) -> Vec<usize> {
        let selection = Selection {
            thresh,
            hole_scale: 5,
            island_scale: 5,
        };
        let kept = select(found.to_vec(), selection);
        kept.into_iter().map(|(index, _)| index).collect()
    }

    #[test]
    fn the_best_come_first_and_each_thing_once() {
        let same = mask(0).union(&Mask::rect(SIZE, BBox::new(0, 20, 9, 1)));
        let found = [(0.4, mask(0)), (0.9, mask(8)), (0.7, same), (0.2, mask(16))];
        assert_eq!(kept(&found, Some(0.3)), [1, 2]);
        assert_eq!(kept(&found, Some(0.1)), [1, 2, 3]);
        assert_eq!(kept(&found, Some(0.95)), [3]);
        assert_eq!(kept(&found, None), [0, 1, 2, 3]);
    }

    #[test]
    fn the_threshold_is_compared_with_two_decimals() {
        assert_eq!(kept(&[(0.2951, mask(0)), (0.1, mask(8))], Some(0.3)), [0]);
        assert_eq!(kept(&[(0.2949, mask(0)), (0.1, mask(8))], Some(0.3)), [1]);
        assert_eq!(rounded(0.125), 0.12);
    }

    #[test]
    fn small_holes_and_islands_go_from_what_is_kept() {
        let speck = mask(0).union(&Mask::rect(SIZE, BBox::new(35, 25, 2, 2)));
        let pierced = speck.difference(&Mask::rect(SIZE, BBox::new(5, 5, 2, 2)));
        let selection = Selection {
            thresh: Some(0.0),
            hole_scale: 5,
            island_scale: 5,
        };
        let kept = select(vec![(0.5, pierced.clone())], selection);
        assert_eq!(kept, [(0, mask(0))]);
        let off = Selection {
            thresh: None,
            ..selection
        };
        assert_eq!(select(vec![(0.5, pierced.clone())], off), [(0, pierced)]);
    }
}
