use proptest::prelude::*;
use som_core::{Connectivity, Mask};

use super::{check, masks, model, picture};

/// The parts by flooding from pixel to pixel.
fn flooded(mask: &Mask, connectivity: Connectivity) -> Vec<Vec<u8>> {
    let (width, height) = (mask.size().width as i64, mask.size().height as i64);
    let mut rest = model(mask);
    let mut parts = Vec::new();
    while let Some(start) = rest.iter().position(|&set| set != 0) {
        let mut part = vec![0; rest.len()];
        let mut open = vec![i64::try_from(start).unwrap()];
        rest[start] = 0;
        while let Some(at) = open.pop() {
            part[at as usize] = 1;
            for (dx, dy) in (-1..=1).flat_map(|dy| (-1..=1).map(move |dx| (dx, dy))) {
                let (x, y) = (at % width + dx, at / width + dy);
                let near = connectivity == Connectivity::Eight || dx == 0 || dy == 0;
                if near && (0..width).contains(&x) && (0..height).contains(&y) {
                    let other = y * width + x;
                    if std::mem::take(&mut rest[other as usize]) != 0 {
                        open.push(other);
                    }
                }
            }
        }
        parts.push(part);
    }
    parts
}

fn area(part: &[u8]) -> u64 {
    part.iter().map(|&set| u64::from(set)).sum()
}

/// As `remove_small_regions` of Segment Anything says it, part by part.
fn cleaned(mask: &Mask, min_area: u64, holes: bool) -> Vec<u8> {
    let working = if holes {
        mask.complement()
    } else {
        mask.clone()
    };
    let parts = flooded(&working, Connectivity::Eight);
    let small = |part: &&Vec<u8>| area(part) < min_area;
    if !parts.iter().any(|part| small(&part)) {
        return model(mask);
    }
    let mut kept: Vec<&Vec<u8>> = if holes {
        parts.iter().filter(small).collect()
    } else {
        parts.iter().filter(|part| !small(part)).collect()
    };
    if !holes && kept.is_empty() {
        // The first of the largest.
        kept.extend(parts.iter().rev().max_by_key(|part| area(part)));
    }
    let mut pixels = if holes {
        model(mask)
    } else {
        vec![0; model(mask).len()]
    };
    for part in kept {
        pixels
            .iter_mut()
            .zip(part)
            .for_each(|(pixel, &set)| *pixel |= set);
    }
    pixels
}

proptest! {
    #[test]
    fn parts_are_what_a_flood_reaches((mask, _) in masks()) {
        for connectivity in [Connectivity::Four, Connectivity::Eight] {
            let parts = mask.components(connectivity);
            parts.iter().for_each(check);
            let pixels: Vec<Vec<u8>> = parts.iter().map(model).collect();
            prop_assert_eq!(pixels, flooded(&mask, connectivity));
        }
    }

    #[test]
    fn small_holes_and_islands_go_as_in_segment_anything((mask, _) in masks(), min_area in 0_u64..60) {
        let filled = mask.without_small_holes(min_area);
        check(&filled);
        prop_assert_eq!(model(&filled), cleaned(&mask, min_area, true));
        let cleared = mask.without_small_islands(min_area);
        check(&cleared);
        prop_assert_eq!(model(&cleared), cleaned(&mask, min_area, false));
    }
}

#[test]
fn corners_join_only_where_eight_neighbours_count() {
    let mask = picture(&["##..", "..##", "#..."]);
    assert_eq!(mask.components(Connectivity::Four).len(), 3);
    let parts = [
        picture(&["##..", "..##", "...."]),
        picture(&["....", "....", "#..."]),
    ];
    assert_eq!(mask.components(Connectivity::Eight), parts);
}

#[test]
fn holes_are_filled_and_islands_removed() {
    let mask = picture(&["#####..", "#.#.#.#", "#.###..", "#####.."]);
    let filled = picture(&["#####..", "#.###.#", "#.###..", "#####.."]);
    assert_eq!(mask.without_small_holes(2), filled);
    let cleared = picture(&["#####..", "#.#.#..", "#.###..", "#####.."]);
    assert_eq!(mask.without_small_islands(2), cleared);
    // The largest part stays, however small.
    assert_eq!(mask.without_small_islands(1000), cleared);
}
