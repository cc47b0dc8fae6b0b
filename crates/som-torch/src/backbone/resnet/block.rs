//! The bottleneck block, and convolutions that took in a batch norm.

use tch::{Kind, Tensor};

use super::sizes::{ResNetSizes, Stage};
use crate::{
    Scope, TorchResult,
    nn::{Conv, Weight},
};

/// Of all batch norms.
const EPSILON: f64 = 1e-5;

/// To few channels, a 3x3 convolution, and to many; added to what came in.
#[derive(Clone, Debug)]
pub(super) struct Block {
    contract: NormedConv,
    middle: NormedConv,
    expand: NormedConv,
    /// What came in, where it has other channels than what comes out.
    shortcut: Option<NormedConv>,
}

impl Block {
    pub(super) fn load(
        scope: &Scope<'_>,
        sizes: &ResNetSizes,
        stage: &Stage,
        input: i64,
        stride: i64,
    ) -> TorchResult<Self> {
        let Stage { inner, output, .. } = *stage;
        let strides = match sizes.stride_in_1x1 {
            true => [stride, 1],
            false => [1, stride],
        };
        let conv = |name: &str, sizes, stride, groups| {
            NormedConv::load(&scope.at(name), sizes, stride, groups)
        };
        Ok(Self {
            contract: conv("conv1", [input, inner, 1], strides[0], 1)?,
            middle: conv("conv2", [inner, inner, 3], strides[1], stage.groups)?,
            expand: conv("conv3", [inner, output, 1], 1, 1)?,
            shortcut: (input != output)
                .then(|| conv("shortcut", [input, output, 1], stride, 1))
                .transpose()?,
        })
    }

    /// `[rows, columns, input]` to `[rows / stride, columns / stride, output]`.
    pub(super) fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        let inner = self.contract.forward(x)?.f_relu_()?;
        let inner = self.middle.forward(&inner)?.f_relu_()?;
        let mut out = self.expand.forward(&inner)?;
        let out = match &self.shortcut {
            Some(shortcut) => out.f_add_(&shortcut.forward(x)?),
            None => out.f_add_(x),
        };
        out?.f_relu_()
    }
}

/// A convolution and the batch norm behind it, as one convolution.
#[derive(Clone, Debug)]
pub(super) struct NormedConv(Conv);

impl NormedConv {
    /// `weight` `[output, input / groups, size, size]` and the batch norm `norm` of `scope`.
    pub(super) fn load(
        scope: &Scope<'_>,
        [input, output, size]: [i64; 3],
        stride: i64,
        groups: i64,
    ) -> TorchResult<Self> {
        // The norm may scale by much, so they become one before they are rounded.
        let (kind, scope) = (scope.kind(), scope.as_kind(Kind::Float));
        let weight = scope.weight("weight", &[output, input / groups, size, size]);
        let norm = scope.at("norm");
        let [gain, offset, mean, variance] = ["weight", "bias", "running_mean", "running_var"]
            .map(|name| norm.weight(name, &[output]));
        norm.leave("num_batches_tracked");
        let parts = [&weight, &gain, &offset, &mean, &variance];
        let (weight, bias) = if parts.iter().all(|part| part.defined()) {
            let scale = gain.f_div(&variance.f_add_scalar(EPSILON)?.f_sqrt()?)?;
            let weight = weight.f_mul(&scale.f_view([-1, 1, 1, 1])?)?;
            let bias = offset.f_sub(&mean.f_mul(&scale)?)?;
            (weight.f_to_kind(kind)?, bias.f_to_kind(kind)?)
        } else {
            (Tensor::new(), Tensor::new())
        };
        let (weight, bias) = (Weight::new(weight), Weight::new(bias));
        Conv::new(&weight, Some(bias), stride, groups).map(Self)
    }

    pub(super) fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        self.0.forward(x)
    }
}
