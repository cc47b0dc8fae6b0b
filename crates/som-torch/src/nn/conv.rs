//! Convolutions as matrix products, channels last.

use tch::Tensor;

use super::{Linear, Weight, winograd};
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

/// A convolution padded with zeros, so that with stride 1 the map keeps its size.
#[derive(Clone, Debug)]
pub struct Conv {
    /// `[output, input / groups, size, size]`, channels last in memory.
    weight: Weight,
    bias: Option<Weight>,
    size: i64,
    stride: i64,
    padding: i64,
    groups: i64,
}

impl Conv {
    /// `weight` `[output, input / groups, size, size]`, of an odd size, and an offset `[output]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn new(
        weight: &Weight,
        bias: Option<Weight>,
        stride: i64,
        groups: i64,
    ) -> TorchResult<Self> {
        let size = weight.size().last().copied().unwrap_or(1);
        let last = |weight: &Tensor| {
            let last = weight.f_permute([0, 2, 3, 1])?.f_contiguous()?;
            last.f_permute([0, 3, 1, 2])
        };
        Ok(Self {
            weight: weight.map(last)?,
            bias,
            size,
            stride,
            padding: size / 2,
            groups,
        })
    }

    /// `weight` `[output, input, size, size]` of `scope`, and its `bias` if there is one.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn load(
        scope: &Scope<'_>,
        [input, output, size]: [i64; 3],
        stride: i64,
        with_bias: bool,
    ) -> TorchResult<Self> {
        let weight = scope.weight("weight", &[output, input, size, size]);
        let bias = with_bias.then(|| scope.weight("bias", &[output]));
        Self::new(&weight, bias, stride, 1)
    }

    /// The same with so many rows and columns of zeros around the map; without this, half its size.
    #[must_use]
    pub fn with_padding(self, padding: i64) -> Self {
        Self { padding, ..self }
    }

    /// `[height, width, input]` to `[height / stride, width / stride, output]`, rounded up.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        if self.size == 1 && self.groups == 1 {
            let x = match self.stride {
                1 => x.shallow_clone(),
                stride => x
                    .f_slice(0, None, None, stride)?
                    .f_slice(1, None, None, stride)?,
            };
            let weight = self.weight.f_flatten(1, -1)?;
            return x.f_linear(&weight, self.bias.as_deref());
        }
        let tiled = self.size == 3 && self.stride == 1 && self.padding == 1 && self.groups == 1;
        if tiled && winograd::pays(x, &self.weight) {
            return winograd::convolve(x, &self.weight, self.bias.as_deref());
        }
        let (stride, padding) = ([self.stride; 2], [self.padding; 2]);
        x.f_permute([2, 0, 1])?
            .f_unsqueeze(0)?
            .f_conv2d(
                &self.weight,
                self.bias.as_deref(),
                stride,
                padding,
                [1, 1],
                self.groups,
            )?
            .f_squeeze_dim(0)?
            .f_permute([1, 2, 0])?
            .f_contiguous()
    }
}

/// A convolution of each channel by itself, of stride 1, padded with zeros so that the map keeps its
/// size.
#[derive(Clone, Debug)]
pub struct DepthwiseConv {
    /// `[channels, 1, size, size]`
    weight: Weight,
    bias: Option<Weight>,
    size: i64,
}

impl DepthwiseConv {
    /// `weight` `[channels, 1, size, size]` of `scope`, of an odd size, and its `bias` if there is one.
    pub fn load(scope: &Scope<'_>, channels: i64, size: i64, with_bias: bool) -> Self {
        Self {
            weight: scope.weight("weight", &[channels, 1, size, size]),
            bias: with_bias.then(|| scope.weight("bias", &[channels])),
            size,
        }
    }

    /// `[height, width, channels]` to the same: in memory one channel after the other, which is up to
    /// three times as fast as channels last, and costs no copy where `x` is so already.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        let (_, _, channels) = x.size3()?;
        x.f_permute([2, 0, 1])?
            .f_contiguous()?
            .f_unsqueeze(0)?
            .f_conv2d(
                &self.weight,
                self.bias.as_deref(),
                [1, 1],
                [self.size / 2; 2],
                [1, 1],
                channels,
            )?
            .f_squeeze_dim(0)?
            .f_permute([1, 2, 0])
    }
}

/// A 3x3 convolution with zero padding and no offset, as one matrix product.
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
