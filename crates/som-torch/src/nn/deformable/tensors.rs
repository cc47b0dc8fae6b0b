//! Sampling with libtorch's operations, on any device and in any precision.

use tch::{Kind, Tensor};

use super::{Shape, TAPS};
use crate::TorchResult;

/// What the taps of all cells see: `[rows · columns, 9 · channels]`.
pub(super) fn sample(
    x: &Tensor,
    shape: Shape,
    offsets: &Tensor,
    shares: &Tensor,
) -> TorchResult<Tensor> {
    let Shape {
        height,
        width,
        channels,
        rows,
        columns,
        stride,
    } = shape;
    let device = x.device();
    // Along an axis: where each cell's taps look without an offset, and how far that is from edge to
    // edge, in -1..1, as libtorch counts.
    let places = |axis: i64, taps: [i64; 2], cells: [i64; 2], extent: i64| {
        let first = Tensor::f_arange(cells[0] * cells[1], (Kind::Float, device))?
            .f_mul_scalar(stride)?
            .f_sub_scalar(1.0)?
            .f_view([1, 1, cells[0], cells[1]])?;
        let tap = Tensor::f_arange(3, (Kind::Float, device))?.f_view([taps[0], taps[1], 1, 1])?;
        let told = offsets
            .f_to_kind(Kind::Float)?
            .f_view([3, 3, 2, rows, columns])?
            .f_select(2, axis)?;
        told.f_add(&first)?
            .f_add(&tap)?
            .f_add_scalar(0.5)?
            .f_mul_scalar(2.0 / extent as f64)?
            .f_sub_scalar(1.0)
    };
    let down = places(0, [3, 1], [rows, 1], height)?;
    let across = places(1, [1, 3], [1, columns], width)?;
    let places = Tensor::f_stack(&[across, down], -1)?
        .f_view([1, TAPS * rows, columns, 2])?
        .f_to_kind(x.kind())?;
    let map = x.f_permute([2, 0, 1])?.f_unsqueeze(0)?;
    // Bilinear, with zeros outside.
    let seen = map.f_grid_sampler(&places, 0, 0, false)?;
    seen.f_view([channels, TAPS, rows * columns])?
        .f_mul(&shares.f_reshape([TAPS, rows * columns])?)?
        .f_permute([2, 1, 0])?
        .f_reshape([rows * columns, TAPS * channels])
}
