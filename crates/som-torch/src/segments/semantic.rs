//! Each pixel to one class.

use rayon::prelude::*;
use som_core::{Call, Error, Mask, Result};
use tch::{Device, Kind, Tensor};

use super::{MaskMaps, masks_of};
use crate::{TorchResult, torch_error};

/// The pixels of each class: those where the maps' probabilities, weighed with what each map is of
/// that class (`[maps, classes]`), add up to more than for any other class.
///
/// # Errors
/// Cancelled; Exhausted, if memory runs out.
pub fn semantic(maps: &MaskMaps<'_>, weights: &Tensor, call: &Call<'_>) -> Result<Vec<Mask>> {
    let size = maps.size();
    let width = size.width as usize;
    let (_, classes) = weights.size2().map_err(torch_error)?;
    let by_class = weights.f_tr().map_err(torch_error)?;
    let mut owners: Vec<u16> = Vec::with_capacity(width * size.height as usize);
    for band in maps.bands() {
        call.check()?;
        let count = band.len() * width;
        let mut values = vec![0.0_f32; maps.len() * count];
        values
            .par_chunks_exact_mut(count.max(1))
            .enumerate()
            .for_each(|(index, values)| maps.probabilities(index, band.clone(), values));
        let best = || -> TorchResult<Vec<i64>> {
            let values = Tensor::f_from_slice(&values)?
                .f_view([-1, count as i64])?
                .f_to_device(weights.device())?;
            let best = by_class.f_mm(&values)?.f_argmax(0, false)?;
            Vec::try_from(best.f_to_device(Device::Cpu)?.f_to_kind(Kind::Int64)?)
        };
        let best = best().map_err(torch_error)?;
        let class = |class: i64| {
            u16::try_from(class).map_err(|_| Error::internal(format!("there is no class {class}")))
        };
        let best: Result<Vec<u16>> = best.into_iter().map(class).collect();
        owners.extend(best?);
    }
    let owner = |class| Some(usize::from(class));
    Ok(masks_of(size, classes as usize, &owners, owner))
}
