//! Boxes as networks have them: `[boxes, 4]`, centre x and y, width and height, in 0..1 of the image.

use std::f64::consts::TAU;

use tch::{Device, Kind, Tensor};

use crate::TorchResult;

/// How near to 0 and 1 a number may come before its logit is taken.
const EPSILON: f64 = 1e-5;

/// The ratio of the longest wave to the shortest.
const TEMPERATURE: f32 = 10_000.0;

/// How a mask's box is taken from its pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoxRule {
    /// From the first to behind the last row and column that has pixels; nothing for no pixels. The
    /// official configurations call it `bitmask`.
    Tight,
    /// From the first to the last row and column that has pixels, so that one pixel has no extent; a
    /// box without sense for no pixels. `mask2box`.
    Inclusive,
}

/// The logits of numbers in 0..1, which are first kept from both ends.
///
/// # Errors
/// What libtorch reports.
pub fn inverse_sigmoid(x: &Tensor) -> TorchResult<Tensor> {
    let x = x.f_clamp(0.0, 1.0)?;
    let rest = x.f_neg()?.f_add_scalar(1.0)?.f_clamp_min(EPSILON)?;
    x.f_clamp_min(EPSILON)?.f_div(&rest)?.f_log()
}

/// Boxes `[boxes, 4]` as waves `[boxes, 4 · channels]`: y, x, width and height, in each a sine and a
/// cosine of every wavelength.
///
/// Liu et al., *DAB-DETR*, 2022 (arXiv 2201.12329); `gen_sineembed_for_position` in the official
/// projects.
///
/// # Errors
/// What libtorch reports.
pub fn sine_code(boxes: &Tensor, channels: i64) -> TorchResult<Tensor> {
    let half = channels / 2;
    let wavelength = |pair: i64| TEMPERATURE.powf((2 * pair) as f32 / channels as f32);
    let wavelengths: Vec<f32> = (0..half).map(wavelength).collect();
    let wavelengths = Tensor::f_from_slice(&wavelengths)?.f_to_device(boxes.device())?;
    let order = Tensor::f_from_slice(&[1_i64, 0, 2, 3])?.f_to_device(boxes.device())?;
    let places = boxes.f_index_select(1, &order)?.f_mul_scalar(TAU)?;
    let waves = places.f_unsqueeze(-1)?.f_div(&wavelengths)?;
    Tensor::f_stack(&[waves.f_sin()?, waves.f_cos()?], -1)?.f_reshape([boxes.size()[0], -1])
}

/// Left, top, right and bottom, instead of centre and extent.
///
/// # Errors
/// What libtorch reports.
pub fn corners(boxes: &Tensor) -> TorchResult<Tensor> {
    let center = boxes.f_narrow(1, 0, 2)?;
    let half = boxes.f_narrow(1, 2, 2)?.f_mul_scalar(0.5)?;
    Tensor::f_cat(&[center.f_sub(&half)?, center.f_add(&half)?], 1)
}

/// The boxes of masks, which are where logits `[masks, height, width]` exceed 0.
///
/// # Errors
/// What libtorch reports.
pub fn of_masks(logits: &Tensor, rule: BoxRule) -> TorchResult<Tensor> {
    let (_, height, width) = logits.size3()?;
    let inside = logits.f_gt(0.0)?;
    let end = f64::from(u8::from(rule == BoxRule::Tight));
    // First and last of the rows or columns that have pixels.
    let bounds = |across: i64, extent: i64| {
        let used = inside.f_any_dim(across, false)?;
        let index = Tensor::f_arange(extent, (Kind::Float, logits.device()))?;
        let first = index.f_where_self(&used, &scalar(1e8, logits.device())?)?;
        let last = index.f_where_self(&used, &scalar(0.0, logits.device())?)?;
        let first = first.f_amin([1_i64].as_slice(), false)?;
        let last = last.f_amax([1_i64].as_slice(), false)?.f_add_scalar(end)?;
        let center = first.f_add(&last)?.f_div_scalar(2.0)?;
        let part = |x: &Tensor| x.f_div_scalar(extent as f64);
        TorchResult::Ok((part(&center)?, part(&last.f_sub(&first)?)?))
    };
    let (x, width) = bounds(1, width)?;
    let (y, height) = bounds(2, height)?;
    let boxes = Tensor::f_stack(&[x, y, width, height], 1)?;
    if rule == BoxRule::Inclusive {
        return Ok(boxes);
    }
    let is_empty = inside
        .f_flatten(1, -1)?
        .f_any_dim(1, true)?
        .f_logical_not()?;
    boxes.f_masked_fill(&is_empty, 0.0)
}

fn scalar(value: f32, device: Device) -> TorchResult<Tensor> {
    Tensor::f_from_slice(&[value])?.f_to_device(device)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(tensor: &Tensor) -> Vec<Vec<f32>> {
        Vec::try_from(tensor).unwrap()
    }

    #[test]
    fn boxes_hold_their_masks() {
        let mut logits = [-1.0_f32; 2 * 4 * 8];
        logits[8 + 2] = 1.0;
        logits[2 * 8 + 5] = 1.0;
        let logits = Tensor::from_slice(&logits).view([2, 4, 8]);
        let tight = numbers(&of_masks(&logits, BoxRule::Tight).unwrap());
        assert_eq!(tight[0], [4.0 / 8.0, 0.5, 4.0 / 8.0, 2.0 / 4.0]);
        assert_eq!(tight[1], [0.0; 4]);
        let inclusive = numbers(&of_masks(&logits, BoxRule::Inclusive).unwrap());
        assert_eq!(inclusive[0], [3.5 / 8.0, 1.5 / 4.0, 3.0 / 8.0, 1.0 / 4.0]);
        assert!(inclusive[1][2] < 0.0, "{inclusive:?}");
    }

    #[test]
    fn the_logits_of_a_sigmoid_are_what_it_was_taken_of() {
        let logits = Tensor::from_slice(&[-9.0_f32, -1.0, 0.0, 3.0]);
        let again = inverse_sigmoid(&logits.sigmoid()).unwrap();
        assert!((&again - &logits).abs().max().double_value(&[]) < 1e-2);
        let ends = inverse_sigmoid(&Tensor::from_slice(&[-1.0_f32, 0.0, 1.0, 2.0])).unwrap();
        let most = f64::ln(1e-5);
        for (index, expected) in [most, most, -most, -most].into_iter().enumerate() {
            let found = ends.double_value(&[index as i64]);
            assert!((found - expected).abs() < 1e-2, "{found} {expected}");
        }
    }
}
