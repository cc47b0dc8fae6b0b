//! Convolutions of size 3 with a quarter of the products.
//!
//! Lavin and Gray, *Fast Algorithms for Convolutional Neural Networks*, 2015 (arXiv 1509.09308): of a
//! tile of 6x6 pixels, 4x4 of the convolution are read off 36 products a pair of channels, instead of
//! 144. oneDNN, which libtorch calls on the CPU, has it no more. Sums of transformed numbers round a
//! little further: to about 1e-5 of the largest, where the plain convolution comes to 3e-6.

use tch::{Device, Kind, Tensor};

use crate::TorchResult;

/// Pixels of a tile along an axis that are computed, and that are looked at.
const INNER: i64 = 4;
const OUTER: i64 = INNER + 2;

/// Tiles to products, `B` transposed in section 4.3 of the paper.
#[rustfmt::skip]
const OF_TILE: [f32; 36] = [
    4.0,  0.0, -5.0,  0.0, 1.0, 0.0,
    0.0, -4.0, -4.0,  1.0, 1.0, 0.0,
    0.0,  4.0, -4.0, -1.0, 1.0, 0.0,
    0.0, -2.0, -1.0,  2.0, 1.0, 0.0,
    0.0,  2.0, -1.0, -2.0, 1.0, 0.0,
    0.0,  4.0,  0.0, -5.0, 0.0, 1.0,
];

/// Weights to products, `G` there.
#[rustfmt::skip]
const OF_WEIGHT: [f32; 18] = [
    1.0 / 4.0,   0.0,         0.0,
    -1.0 / 6.0,  -1.0 / 6.0,  -1.0 / 6.0,
    -1.0 / 6.0,  1.0 / 6.0,   -1.0 / 6.0,
    1.0 / 24.0,  1.0 / 12.0,  1.0 / 6.0,
    1.0 / 24.0,  -1.0 / 12.0, 1.0 / 6.0,
    0.0,         0.0,         1.0,
];

/// Products to pixels, `A` transposed there.
#[rustfmt::skip]
const OF_PRODUCT: [f32; 24] = [
    1.0, 1.0,  1.0, 1.0,  1.0, 0.0,
    0.0, 1.0, -1.0, 2.0, -2.0, 0.0,
    0.0, 1.0,  1.0, 4.0,  4.0, 0.0,
    0.0, 1.0, -1.0, 8.0, -8.0, 1.0,
];

/// What is worked on at once, as numbers: small enough for caches, and for the allocator to keep.
const AT_ONCE: i64 = 4 << 20;

/// Channels in and out from which fewer products outweigh the transforms. Measured on two cores: 1.0
/// times as fast with 128 channels, 1.5 with 256, 2 with 512.
const CHANNELS: i64 = 256;

/// Pixels from which it does.
const PIXELS: i64 = 1024;

/// Whether a convolution of `weight` `[output, input, rows, columns]` over the map `x` is faster so.
pub(super) fn pays(x: &Tensor, weight: &Tensor) -> bool {
    let (height, width, _) = x.size3().unwrap_or_default();
    let narrowest = weight.size().iter().take(2).copied().min();
    x.device() == Device::Cpu
        && x.kind() == Kind::Float
        && narrowest >= Some(CHANNELS)
        && height * width >= PIXELS
}

/// `x` `[height, width, input]` under `weight` `[output, input, 3, 3]`, padded with one row and column
/// of zeros on each side, to `[height, width, output]`.
pub(super) fn convolve(x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> TorchResult<Tensor> {
    let (height, width, input) = x.size3()?;
    let output = weight.size().first().copied().unwrap_or_default();
    let products = weight_products(weight)?;
    let (of_tile, of_product) = (both_axes(&OF_TILE, OUTER)?, both_axes(&OF_PRODUCT, INNER)?);
    let (rows, columns) = ((height + INNER - 1) / INNER, (width + INNER - 1) / INNER);
    let at_once = AT_ONCE / (OUTER * OUTER * columns * input.max(output));
    let at_once = at_once.clamp(1, rows);
    let y = Tensor::f_empty([height, width, output], (x.kind(), x.device()))?;
    for first in (0..rows).step_by(usize::try_from(at_once).unwrap_or(1)) {
        let count = at_once.min(rows - first);
        let tiles = tiles(x, first, count, columns)?;
        let tiles = of_tile.f_mm(&tiles)?.f_view([OUTER * OUTER, -1, input])?;
        let found = tiles.f_bmm(&products)?.f_view([OUTER * OUTER, -1])?;
        drop(tiles);
        let pixels = of_product
            .f_mm(&found)?
            .f_view([INNER, INNER, count, columns, output])?
            .f_permute([2, 0, 3, 1, 4])?
            .f_reshape([count * INNER, columns * INNER, output])?;
        let top = first * INNER;
        let inside = (height - top).min(count * INNER);
        let pixels = pixels.f_narrow(0, 0, inside)?.f_narrow(1, 0, width)?;
        y.f_narrow(0, top, inside)?.f_copy_(&pixels)?;
    }
    let Some(bias) = bias else { return Ok(y) };
    let mut y = y;
    y.f_add_(bias)
}

/// `[36, input, output]` of `weight` `[output, input, 3, 3]`.
fn weight_products(weight: &Tensor) -> TorchResult<Tensor> {
    let (output, input, ..) = weight.size4()?;
    let taps = weight.f_permute([2, 3, 0, 1])?.f_reshape([9, -1])?;
    both_axes(&OF_WEIGHT, OUTER)?
        .f_mm(&taps)?
        .f_view([OUTER * OUTER, output, input])?
        .f_transpose(1, 2)
}

/// `[36, tiles · channels]` of `x` `[height, width, channels]`: `count` rows of `columns` tiles, from
/// the row `first` on. Tiles overlap by two pixels, and see zeros around the map.
fn tiles(x: &Tensor, first: i64, count: i64, columns: i64) -> TorchResult<Tensor> {
    let (height, width, channels) = x.size3()?;
    let (top, bottom) = (first * INNER - 1, (first + count) * INNER + 1);
    let (from, to) = (top.max(0), bottom.min(height));
    let padding = [
        0,
        0,
        1,
        columns * INNER + 1 - width,
        from - top,
        bottom - to,
    ];
    let block = x.f_narrow(0, from, to - from)?;
    let block = block.f_constant_pad_nd(padding)?;
    let across = block.size().get(1).copied().unwrap_or_default();
    let (row, column) = (across * channels, channels);
    block
        .f_contiguous()?
        .f_as_strided(
            [OUTER, OUTER, count, columns, channels],
            [row, column, INNER * row, INNER * column, 1],
            None,
        )?
        .f_reshape([OUTER * OUTER, -1])
}

/// A transform along an axis, `rows` rows, as one along two: its Kronecker product with itself.
fn both_axes(transform: &[f32], rows: i64) -> TorchResult<Tensor> {
    let transform = Tensor::f_from_slice(transform)?.f_view([rows, -1])?;
    transform.f_kron(&transform)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On maps that tiles fit, and that they do not; in one block, and in several.
    #[test]
    fn pixels_are_those_of_the_plain_convolution() -> TorchResult<()> {
        for (height, width, input, output) in [
            (8, 8, 3, 5),
            (1, 1, 4, 4),
            (37, 1, 8, 2),
            (1, 29, 2, 8),
            (150, 262, 70, 96),
        ] {
            tch::manual_seed(height);
            let double = (Kind::Double, Device::Cpu);
            let x = Tensor::f_randn([height, width, input], double)?;
            let weight = Tensor::f_randn([output, input, 3, 3], double)?;
            let bias = Tensor::f_randn([output], double)?;
            let plain = x
                .f_permute([2, 0, 1])?
                .f_unsqueeze(0)?
                .f_conv2d(&weight, Some(&bias), [1, 1], [1, 1], [1, 1], 1)?
                .f_squeeze_dim(0)?
                .f_permute([1, 2, 0])?;
            let single = |tensor: &Tensor| tensor.f_to_kind(Kind::Float);
            let found = convolve(&single(&x)?, &single(&weight)?, Some(&single(&bias)?))?;
            let apart = f64::try_from(found.f_sub(&plain)?.f_abs()?.f_max()?)?;
            let largest = f64::try_from(plain.f_abs()?.f_max()?)?;
            assert!(
                apart < 2e-5 * largest,
                "{height}x{width}: {apart} of {largest}"
            );
        }
        Ok(())
    }
}
