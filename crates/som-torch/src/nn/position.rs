//! Where a cell of a map lies, as waves.

use std::f32::consts::TAU;

use tch::{Device, Tensor};

use crate::TorchResult;

/// The ratio of the longest wave to the shortest, in all projects but few.
const TEMPERATURE: f32 = 10_000.0;

/// The place of each cell of a map, `[height, width, channels]`: half the channels for the row, then
/// half for the column, in each a sine and a cosine of every wavelength. The map as a whole is one
/// turn of the longest wave but 10 000.
///
/// Carion et al., *End-to-End Object Detection with Transformers*, 2020 (arXiv 2005.12872);
/// `PositionEmbeddingSine` with `normalize=True` in the official projects.
///
/// # Errors
/// What libtorch reports.
pub fn sine_positions(
    height: i64,
    width: i64,
    channels: i64,
    device: Device,
) -> TorchResult<Tensor> {
    sine_positions_of(height, width, channels, TEMPERATURE, device)
}

/// The same, where the longest wave is `temperature` times as long as the shortest.
///
/// # Errors
/// What libtorch reports.
pub fn sine_positions_of(
    height: i64,
    width: i64,
    channels: i64,
    temperature: f32,
    device: Device,
) -> TorchResult<Tensor> {
    let half = channels / 2;
    let axis = |extent: i64| {
        let whole = extent as f32 + 1e-6;
        let places = (1..=extent).map(|index| index as f32 / whole * TAU);
        let waves = places.flat_map(|place| waves(place, half, temperature));
        Tensor::f_from_slice(&waves.collect::<Vec<f32>>())?
            .f_view([extent, half])?
            .f_to_device(device)
    };
    let rows = axis(height)?.f_unsqueeze(1)?;
    let columns = axis(width)?.f_unsqueeze(0)?;
    let shape = [height, width, half];
    Tensor::f_cat(
        &[
            rows.f_expand(shape, false)?,
            columns.f_expand(shape, false)?,
        ],
        -1,
    )
}

/// Whole numbers, such as the places of tokens in a text, as `[numbers, channels]`: sine and cosine of
/// every wavelength in turn. 1 is one turn of the shortest wave.
///
/// # Errors
/// What libtorch reports.
pub fn sine_code_of(numbers: &[i64], channels: i64, device: Device) -> TorchResult<Tensor> {
    let places = numbers.iter().map(|&number| number as f32 * TAU);
    let waves = places.flat_map(|place| waves(place, channels, TEMPERATURE));
    Tensor::f_from_slice(&waves.collect::<Vec<f32>>())?
        .f_view([-1, channels])?
        .f_to_device(device)
}

/// A place in radians as `count` numbers: sine and cosine in turn, each pair of a longer wave.
fn waves(place: f32, count: i64, temperature: f32) -> impl Iterator<Item = f32> {
    (0..count).map(move |index| {
        let wave = place / temperature.powf((2 * (index / 2)) as f32 / count as f32);
        if index % 2 == 0 {
            wave.sin()
        } else {
            wave.cos()
        }
    })
}
