//! Each pixel to one segment at most.

use std::collections::HashMap;

use rayon::prelude::*;
use som_core::{Call, Mask, Result};

use super::{MaskMaps, masks_of};

/// What a map is kept as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Kept {
    /// The most probable class of its query.
    pub class: usize,
    /// How probable that is: what the map's probabilities are weighed with.
    pub score: f32,
}

/// A part of the image.
#[derive(Clone, Debug)]
pub struct Segment {
    /// Its pixels.
    pub mask: Mask,
    /// Its class.
    pub class: usize,
    /// Of the first query that it consists of.
    pub score: f32,
}

/// What the pixels of a band are, and what that means for each map.
struct Band {
    /// The map that is most probable, times 2, and 1 more where it is probable at all.
    owners: Vec<u16>,
    tallies: Vec<Tally>,
}

/// Pixels of one map.
#[derive(Clone, Copy, Default)]
struct Tally {
    /// Where it is the most probable map.
    won: u64,
    /// Where it is probable at all.
    inside: u64,
    /// Where it is both.
    both: u64,
}

/// The segments of the image, of maps that are `kept` as these classes, in the order of their
/// first maps.
///
/// A pixel goes to the map with the highest product of score and probability, if that probability
/// is at least one half. A map that wins less than `overlap_threshold` of what it is probable in
/// is left out. Maps of the same stuff make one segment.
///
/// # Errors
/// Cancelled.
pub fn panoptic(
    maps: &MaskMaps<'_>,
    kept: &[Kept],
    is_thing: impl Fn(usize) -> bool,
    overlap_threshold: f64,
    call: &Call<'_>,
) -> Result<Vec<Segment>> {
    let size = maps.size();
    let bands = maps.bands();
    let bands: Result<Vec<Band>> = bands
        .into_par_iter()
        .map(|band| {
            call.check()?;
            Ok(Band::new(maps, kept, band))
        })
        .collect();
    let bands = bands?;
    let mut tallies = vec![Tally::default(); kept.len()];
    for (sum, band) in bands.iter().flat_map(|band| (0..).zip(&band.tallies)) {
        let tally: &mut Tally = &mut tallies[sum];
        tally.won += band.won;
        tally.inside += band.inside;
        tally.both += band.both;
    }
    let owners: Vec<u16> = bands.into_iter().flat_map(|band| band.owners).collect();

    let mut segments: Vec<Kept> = Vec::new();
    let mut stuff: HashMap<usize, usize> = HashMap::new();
    let segment_of = |(kept, tally): (&Kept, &Tally)| {
        // A map that won pixels is probable somewhere, so that the ratio exists.
        if tally.both == 0 || (tally.won as f64 / tally.inside as f64) < overlap_threshold {
            return None;
        }
        let next = segments.len();
        let segment = if is_thing(kept.class) {
            next
        } else {
            *stuff.entry(kept.class).or_insert(next)
        };
        if segment == next {
            segments.push(*kept);
        }
        Some(segment)
    };
    let segment_of: Vec<Option<usize>> = kept.iter().zip(&tallies).map(segment_of).collect();
    let owner = |pixel: u16| match pixel % 2 {
        1 => segment_of.get(usize::from(pixel / 2)).copied().flatten(),
        _ => None,
    };
    let masks = masks_of(size, segments.len(), &owners, owner);
    let segment = |(Kept { class, score }, mask)| Segment { mask, class, score };
    Ok(segments.into_iter().zip(masks).map(segment).collect())
}

impl Band {
    fn new(maps: &MaskMaps<'_>, kept: &[Kept], band: std::ops::Range<usize>) -> Self {
        let count = band.len() * maps.size().width as usize;
        let mut owners = vec![0; count];
        let mut most = vec![f32::NEG_INFINITY; count];
        let mut values = vec![0.0; count];
        let mut tallies = vec![Tally::default(); kept.len()];
        for ((index, kept), tally) in kept.iter().enumerate().zip(&mut tallies) {
            maps.probabilities(index, band.clone(), &mut values);
            for ((owner, most), &value) in owners.iter_mut().zip(&mut most).zip(&values) {
                let is_inside = value >= 0.5;
                tally.inside += u64::from(is_inside);
                let weighed = kept.score * value;
                if weighed > *most {
                    *most = weighed;
                    *owner = 2 * index as u16 + u16::from(is_inside);
                }
            }
        }
        for owner in owners.iter().filter(|_| !kept.is_empty()) {
            let tally = &mut tallies[usize::from(owner / 2)];
            tally.won += 1;
            tally.both += u64::from(owner % 2);
        }
        Self { owners, tallies }
    }
}
