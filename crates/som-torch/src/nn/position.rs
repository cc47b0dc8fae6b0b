//! Where a cell of a map lies, as waves.

use std::f32::consts::TAU;

use tch::{Device, Tensor};

use crate::TorchResult;

/// The ratio of the longest wave to the shortest.
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
    let half = channels / 2;
    let axis = |extent: i64| {
        let whole = extent as f32 + 1e-6;
        let places = (1..=extent).map(|index| index as f32 / whole * TAU);
        let waves: Vec<f32> = places.flat_map(|place| waves(place, half)).collect();
        Tensor::f_from_slice(&waves)?
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

/// A place in radians as `count` numbers: sine and cosine in turn, each pair of a longer wave.
fn waves(place: f32, count: i64) -> impl Iterator<Item = f32> {
    (0..count).map(move |index| {
        let wave = place / TEMPERATURE.powf((2 * (index / 2)) as f32 / count as f32);
        if index % 2 == 0 {
            wave.sin()
        } else {
            wave.cos()
        }
    })
}
