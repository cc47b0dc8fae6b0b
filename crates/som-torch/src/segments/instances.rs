//! Every map as a mask of its own.

use rayon::prelude::*;
use som_core::{Call, Mask, MaskBuilder, Result};

use super::{MaskMaps, push_runs};

/// A mask, and how sure it is of itself.
#[derive(Clone, Debug)]
pub struct Inside {
    /// Pixels whose logit is above 0.
    pub mask: Mask,
    /// The mean probability of these pixels; 0 if there are none.
    pub mean: f32,
}

/// The mask of each map.
///
/// # Errors
/// Cancelled.
pub fn instances(maps: &MaskMaps<'_>, call: &Call<'_>) -> Result<Vec<Inside>> {
    let size = maps.size();
    let width = size.width as usize;
    let find = |index: usize| {
        let mut mask = [MaskBuilder::new(size)];
        let (mut sum, mut area) = (0.0_f64, 0_u64);
        let mut values = Vec::new();
        for band in maps.bands() {
            call.check()?;
            values.resize(band.len() * width, 0.0);
            maps.probabilities(index, band.clone(), &mut values);
            for (y, row) in band.zip(values.chunks_exact(width.max(1))) {
                for &value in row.iter().filter(|&&value| value > 0.5) {
                    sum += f64::from(value);
                    area += 1;
                }
                push_runs(
                    &mut mask,
                    y,
                    row.iter().map(|&value| (value > 0.5).then_some(0)),
                );
            }
        }
        let [mask] = mask;
        Ok(Inside {
            mask: mask.finish(),
            // The addend keeps an empty mask from having no mean; as there.
            mean: (sum / (area as f64 + 1e-6)) as f32,
        })
    };
    (0..maps.len()).into_par_iter().map(find).collect()
}
