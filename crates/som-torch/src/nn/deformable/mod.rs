//! Modulated deformable convolution: every tap looks where it is told to, and counts as much as it is
//! told to.
//!
//! Zhu et al., *Deformable ConvNets v2*, 2018 (arXiv 1811.11168), section 3.1; the operator that
//! detection projects share, such as `microsoft/GLIP`, `maskrcnn_benchmark/csrc/cuda/
//! deform_conv_kernel_cuda.cu`, and torchvision's `deform_conv2d`, with one group of offsets.
//!
//! As of deformable attention, there are two forms with the same result: `cpu` for single precision on
//! the CPU, and `tensors` for all else, made of libtorch's operations.

mod cpu;
mod tensors;

use tch::{Device, Kind, Tensor};

use super::{Linear, Weight};
use crate::{Scope, TorchResult, numbers};

/// Taps of a convolution of size 3.
const TAPS: i64 = 9;

/// A 3x3 convolution padded with zeros, whose taps move.
#[derive(Clone, Debug)]
pub struct DeformableConv {
    /// From `[9 · input]` in the order row, column, channel.
    linear: Linear,
    stride: i64,
}

/// From which map which cells are computed.
#[derive(Clone, Copy, Debug)]
struct Shape {
    /// Of the map that is looked at.
    height: i64,
    width: i64,
    channels: i64,
    /// Of the result.
    rows: i64,
    columns: i64,
    stride: i64,
}

impl DeformableConv {
    /// `weight` `[output, input, 3, 3]` and `bias` of `scope`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn load(scope: &Scope<'_>, input: i64, output: i64, stride: i64) -> TorchResult<Self> {
        let weight = scope.weight("weight", &[output, input, 3, 3]);
        let weight =
            weight.map(|weight| weight.f_permute([0, 2, 3, 1])?.f_reshape([output, -1]))?;
        Ok(Self::new(
            weight,
            Some(scope.weight("bias", &[output])),
            stride,
        ))
    }

    const fn new(weight: Weight, bias: Option<Weight>, stride: i64) -> Self {
        Self {
            linear: Linear { weight, bias },
            stride,
        }
    }

    /// `[height, width, input]` to `[rows, columns, output]`, where rows and columns are height and width
    /// divided by the stride, rounded up. `offsets` `[18, rows, columns]` say how far down and how far
    /// across, in cells, each tap looks beside its place; `shares` `[9, rows, columns]`, how much it counts.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn forward(&self, x: &Tensor, offsets: &Tensor, shares: &Tensor) -> TorchResult<Tensor> {
        let (height, width, channels) = x.size3()?;
        let (_, rows, columns) = shares.size3()?;
        let shape = Shape {
            height,
            width,
            channels,
            rows,
            columns,
            stride: self.stride,
        };
        if x.device() != Device::Cpu || x.kind() != Kind::Float {
            let seen = tensors::sample(x, shape, offsets, shares)?;
            return self.linear.forward(&seen)?.f_view([rows, columns, -1]);
        }
        let [map, offsets, shares] = [numbers::of(x)?, numbers::of(offsets)?, numbers::of(shares)?];
        let taps = cpu::Taps::new(&map, shape, &offsets, &shares);
        let mut parts = Vec::new();
        for cells in taps.slabs() {
            let seen = Tensor::f_from_slice(&taps.sample(cells))?;
            parts.push(self.linear.forward(&seen.f_view([-1, TAPS * channels])?)?);
        }
        Tensor::f_cat(&parts, 0)?.f_view([rows, columns, -1])
    }
}

#[cfg(test)]
mod tests;
