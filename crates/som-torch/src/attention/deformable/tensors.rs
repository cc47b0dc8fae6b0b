//! Sampling with libtorch's operations, on any device and in any precision.

use tch::Tensor;

use super::{Levels, Shape};
use crate::TorchResult;

/// What queries find in `values` `[cells, heads, channels]`: `[queries, heads · channels]`.
///
/// `asked` `[queries, heads · levels · points · 3]` are the offsets and logits of each query, `places`
/// `[queries, 2 or 4]` its point or box.
pub(super) fn sample(
    values: &Tensor,
    levels: &Levels,
    shape: Shape,
    asked: &Tensor,
    places: &Tensor,
) -> TorchResult<Tensor> {
    let Shape {
        heads,
        levels: count,
        points,
        channels,
    } = shape;
    let queries = asked.size()[0];
    let all = heads * count * points;
    let offsets = asked.f_narrow(1, 0, 2 * all)?;
    let offsets = offsets.f_view([queries, heads, count, points, 2])?;
    let weights = asked
        .f_narrow(1, 2 * all, all)?
        .f_view([queries, heads, count * points])?
        .f_softmax(-1, None)?
        .f_view([queries, heads, count, points])?;
    let center = places.f_narrow(1, 0, 2)?.f_view([queries, 1, 1, 2])?;
    let mut found: Option<Tensor> = None;
    for (level, (first, [height, width])) in (0..).zip(levels.maps()) {
        let offsets = offsets.f_select(2, level)?;
        let offsets = if places.size()[1] == 4 {
            let extent = places.f_narrow(1, 2, 2)?.f_view([queries, 1, 1, 2])?;
            offsets.f_mul(&extent)?.f_mul_scalar(0.5 / points as f64)?
        } else {
            let size = [1.0 / width as f64, 1.0 / height as f64];
            let size = Tensor::f_from_slice(&size)?.f_to_device(offsets.device())?;
            offsets.f_mul(&size.f_to_kind(offsets.kind())?)?
        };
        // -1..1 from edge to edge, as libtorch counts.
        let places = offsets
            .f_add(&center)?
            .f_mul_scalar(2.0)?
            .f_sub_scalar(1.0)?
            .f_transpose(0, 1)?
            .f_to_kind(values.kind())?;
        let map = values
            .f_narrow(0, first, height * width)?
            .f_permute([1, 2, 0])?
            .f_reshape([heads, channels, height, width])?;
        // Bilinear, with zeros outside.
        let seen = map.f_grid_sampler(&places, 0, 0, false)?;
        let weights = weights.f_select(2, level)?.f_transpose(0, 1)?;
        let seen = seen.f_mul(&weights.f_unsqueeze(1)?)?.f_sum_dim_intlist(
            [-1_i64].as_slice(),
            false,
            None,
        )?;
        found = Some(match found {
            Some(mut found) => found.f_add_(&seen)?,
            None => seen,
        });
    }
    // [heads, channels, queries]
    let found = found.map_or_else(|| values.f_zeros_like(), Ok)?;
    found
        .f_permute([2, 0, 1])?
        .f_reshape([queries, heads * channels])
}
