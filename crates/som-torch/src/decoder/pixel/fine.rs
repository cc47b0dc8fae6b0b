//! From the encoder's finest level to a finer map, as in a feature pyramid.
//!
//! Lin et al., *Feature Pyramid Networks for Object Detection*, 2016 (arXiv 1612.03144).

use tch::Tensor;

use super::{EPSILON, PixelDecoderSizes};
use crate::{
    Scope, TorchResult,
    nn::{Conv, GroupNorm},
};

/// A map of the backbone, added to a coarser map that is enlarged to its size, and smoothed.
#[derive(Clone, Debug)]
pub(super) struct Step {
    lateral: NormedConv,
    smooth: NormedConv,
}

impl Step {
    /// `adapter_N` and `layer_N` of `scope`, counted from 1, for the backbone's map `index`.
    pub(super) fn load(
        scope: &Scope<'_>,
        index: usize,
        sizes: &PixelDecoderSizes,
    ) -> TorchResult<Self> {
        let PixelDecoderSizes {
            ref features,
            channels,
            groups,
            ..
        } = *sizes;
        let conv = |name: &str, input: i64, size: i64| {
            let scope = scope.at(format_args!("{name}_{}", index + 1));
            // A norm follows, so that there is no offset.
            let conv = Conv::load(&scope, [input, channels, size], 1, false)?;
            let norm = GroupNorm::load(&scope.at("norm"), channels, groups, EPSILON);
            TorchResult::Ok(NormedConv { conv, norm })
        };
        Ok(Self {
            lateral: conv("adapter", features[index], 1)?,
            smooth: conv("layer", channels, 3)?,
        })
    }

    /// A coarser map and the backbone's map to a map of the latter's size.
    pub(super) fn forward(&self, coarse: &Tensor, feature: &Tensor) -> TorchResult<Tensor> {
        let mut lateral = self.lateral.forward(feature)?;
        let (height, width, _) = lateral.size3()?;
        let enlarged = coarse
            .f_permute([2, 0, 1])?
            .f_unsqueeze(0)?
            .f_upsample_bilinear2d([height, width], false, None, None)?
            .f_squeeze_dim(0)?
            .f_permute([1, 2, 0])?;
        self.smooth.forward(&lateral.f_add_(&enlarged)?)?.f_relu_()
    }
}

/// A convolution, and a norm of groups of its channels.
#[derive(Clone, Debug)]
pub struct NormedConv {
    conv: Conv,
    norm: GroupNorm,
}

impl NormedConv {
    /// The convolution `[input, output, size]`, with an offset, and the norm at these places.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn load(
        [conv, norm]: &[Scope<'_>; 2],
        [input, output, size]: [i64; 3],
        stride: i64,
        groups: i64,
    ) -> TorchResult<Self> {
        Ok(Self {
            conv: Conv::load(conv, [input, output, size], stride, true)?,
            norm: GroupNorm::load(norm, output, groups, EPSILON),
        })
    }

    /// `[height, width, input]` to `[height / stride, width / stride, output]`, rounded up.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        self.norm.forward(&self.conv.forward(x)?)
    }
}
