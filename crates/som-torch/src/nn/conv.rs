//! Convolutions as matrix products, channels last.

use tch::Tensor;

use super::{Linear, Weight};
use crate::{Scope, TorchResult};

/// A convolution whose stride is its size, so that it maps each patch by itself.
#[derive(Clone, Debug)]
pub struct PatchConv {
    /// From `[size · size · input]` in the order row, column, channel.
    linear: Linear,
    size: i64,
}

impl PatchConv {
    /// `weight` `[output, input, size, size]` and `bias` of `scope`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn load(scope: &Scope<'_>, input: i64, output: i64, size: i64) -> TorchResult<Self> {
        let weight = scope.weight("weight", &[output, input, size, size]);
        let weight =
            weight.map(|weight| weight.f_permute([0, 2, 3, 1])?.f_reshape([output, -1]))?;
        Ok(Self {
            linear: Linear {
                weight,
                bias: Some(scope.weight("bias", &[output])),
            },
            size,
        })
    }

    /// `[height, width, input]` to `[height / size, width / size, output]`. What is left at the right
    /// and at the bottom, too little for a patch, is not looked at.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        let (height, width, channels) = x.size3()?;
        let (rows, columns) = (height / self.size, width / self.size);
        let patches = x
            .f_narrow(0, 0, rows * self.size)?
            .f_narrow(1, 0, columns * self.size)?
            .f_reshape([rows, self.size, columns, self.size, channels])?
            .f_permute([0, 2, 1, 3, 4])?
            .f_reshape([rows, columns, -1])?;
        self.linear.forward(&patches)
    }
}

/// A 3x3 convolution with zero padding and no offset.
#[derive(Clone, Debug)]
pub struct Conv3x3 {
    /// `[9 · input, output]`, in the order channel, row, column.
    weight: Weight,
}

impl Conv3x3 {
    /// `weight` `[output, input, 3, 3]` of `scope`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn load(scope: &Scope<'_>, input: i64, output: i64) -> TorchResult<Self> {
        let weight = scope.weight("weight", &[output, input, 3, 3]);
        Ok(Self {
            weight: weight.map(|weight| weight.f_reshape([output, -1])?.f_tr()?.f_contiguous())?,
        })
    }

    /// `[height, width, input]` to `[height, width, output]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        let (height, width, _) = x.size3()?;
        let columns = x
            .f_permute([2, 0, 1])?
            .f_unsqueeze(0)?
            .f_im2col([3, 3], [1, 1], [1, 1], [1, 1])?
            .f_squeeze_dim(0)?;
        columns
            .f_tr()?
            .f_mm(&self.weight)?
            .f_reshape([height, width, -1])
    }
}

/// A transposed convolution of size and stride 2: every pixel becomes four.
#[derive(Clone, Debug)]
pub struct UpConv {
    /// To `[2 · 2 · output]` in the order row, column, channel.
    linear: Linear,
    output: i64,
}

impl UpConv {
    /// `weight` `[input, output, 2, 2]` and `bias` of `scope`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn load(scope: &Scope<'_>, input: i64, output: i64) -> TorchResult<Self> {
        let weight = scope.weight("weight", &[input, output, 2, 2]);
        let weight = weight.map(|weight| {
            weight
                .f_permute([2, 3, 1, 0])?
                .f_reshape([4 * output, input])
        })?;
        let bias = scope
            .weight("bias", &[output])
            .map(|bias| bias.f_repeat([4]))?;
        Ok(Self {
            linear: Linear {
                weight,
                bias: Some(bias),
            },
            output,
        })
    }

    /// `[…, input]` to `[…, 4, output]`: the four new pixels of each in reading order. Where they
    /// lie in the larger image is left to the caller, for whom it is cheaper later.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        let mut shape = x.size();
        shape.pop();
        shape.extend([4, self.output]);
        self.linear.forward(x)?.f_reshape(shape)
    }
}
