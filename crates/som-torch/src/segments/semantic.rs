//! Each pixel to one class.

use std::ops::Range;

use rayon::prelude::*;
use som_core::{Call, Error, Mask, Result};
use tch::{Device, Kind, Tensor};

use super::{MaskMaps, bands, masks_of};
use crate::{TorchResult, resample::Resampling, torch_error};

/// The pixels of each class: those where the maps' probabilities, weighed with what each map is of
/// that class (`[maps, classes]`), add up to more than for any other class.
///
/// Where there is a second resampling, `then`, these sums are made at the size that the maps are
/// brought to, and are what is brought to the image.
///
/// # Errors
/// Cancelled; Exhausted, if memory runs out.
pub fn semantic(
    maps: &MaskMaps<'_>,
    weights: &Tensor,
    then: Option<&Resampling>,
    call: &Call<'_>,
) -> Result<Vec<Mask>> {
    let size = then.map_or_else(|| maps.size(), Resampling::size);
    let width = size.width as usize;
    let (_, classes) = weights.size2().map_err(torch_error)?;
    let by_class = weights.f_tr().map_err(torch_error)?;
    let mut owners: Vec<u16> = Vec::with_capacity(width * size.height as usize);
    for band in bands(size.height as usize) {
        call.check()?;
        let best = || {
            let sums = match then {
                Some(then) => {
                    let rows = then.rows.needed(&band);
                    let sums = sums(maps, &by_class, rows.clone())?;
                    resampled(&sums, then, rows.start, band.clone())?
                }
                None => sums(maps, &by_class, band.clone())?,
            };
            let best = sums.f_argmax(0, false)?;
            Vec::<i64>::try_from(best.f_to_device(Device::Cpu)?.f_to_kind(Kind::Int64)?)
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

/// The weighed sums in some rows, `[classes, rows · columns]`.
fn sums(maps: &MaskMaps<'_>, by_class: &Tensor, rows: Range<usize>) -> TorchResult<Tensor> {
    let count = rows.len() * maps.size().width as usize;
    let mut values = vec![0.0_f32; maps.len() * count];
    values
        .par_chunks_exact_mut(count.max(1))
        .enumerate()
        .for_each(|(index, values)| maps.probabilities(index, rows.clone(), values));
    let values = Tensor::f_from_slice(&values)?
        .f_view([-1, count as i64])?
        .f_to_device(by_class.device())?;
    by_class.f_mm(&values)
}

/// Sums `[classes, rows · columns]`, from row `first` on, as those of a band of the image.
fn resampled(
    sums: &Tensor,
    then: &Resampling,
    first: usize,
    band: Range<usize>,
) -> TorchResult<Tensor> {
    let (classes, each) = sums.size2()?;
    let mut numbers = vec![0.0_f32; sums.numel()];
    let all = numbers.len();
    sums.f_to_device(Device::Cpu)?
        .f_contiguous()?
        .f_copy_data(&mut numbers, all)?;
    let count = band.len() * then.columns.len();
    let mut out = vec![0.0_f32; classes as usize * count];
    let numbers = numbers.par_chunks_exact((each as usize).max(1));
    out.par_chunks_exact_mut(count.max(1))
        .zip(numbers)
        .for_each(|(out, numbers)| then.band_from(first, numbers, band.clone(), out));
    Tensor::f_from_slice(&out)?
        .f_view([classes, count as i64])?
        .f_to_device(sums.device())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resample::Axis;
    use som_core::Params;

    #[test]
    fn in_bands_and_in_two_steps_it_is_what_all_at_once_is() {
        tch::manual_seed(3);
        let params = Params::new();
        let call = Call::uncancellable(&params);
        let options = (Kind::Float, Device::Cpu);
        let weights = Tensor::rand([6, 4], options);
        let logits = Tensor::randn([6, 7, 9], options) * 4.0;
        let enlarge = |x: &Tensor, size: [i64; 2]| {
            let x = x.unsqueeze(0);
            x.upsample_bilinear2d(size, false, None, None)
                .squeeze_dim(0)
        };
        let numbers: Vec<f32> = Vec::try_from(logits.flatten(0, -1)).unwrap();
        for between in [[97_i64, 61], [28, 36]] {
            let masks = enlarge(&logits, between).sigmoid();
            let sums = weights.tr().matmul(&masks.flatten(1, -1));
            let sums = sums.view([4, between[0], between[1]]);
            let expected = enlarge(&sums, [97, 61]).argmax(0, false).flatten(0, -1);
            let expected = Vec::<i64>::try_from(&expected).unwrap();
            let axis = |low, to: i64| Axis::identity(low).bilinear(to as u32);
            let first = Resampling {
                rows: axis(7, between[0]),
                columns: axis(9, between[1]),
            };
            let second = Resampling {
                rows: axis(between[0] as u32, 97),
                columns: axis(between[1] as u32, 61),
            };
            let maps = MaskMaps::new(&numbers, &first);
            let then = (between != [97, 61]).then_some(&second);
            let found = semantic(&maps, &weights, then, &call).unwrap();
            assert_eq!(found.iter().map(Mask::area).sum::<u64>(), 97 * 61);
            let mut differing = 0;
            for (index, class) in expected.into_iter().enumerate() {
                let point = som_core::Point::new(index as u32 % 61, index as u32 / 61);
                differing += u32::from(!found[class as usize].contains(point));
            }
            assert!(differing <= 2, "{differing}");
        }
    }
}
