//! What transformers do with each token by itself.

use tch::{Device, Tensor};

use super::Linear;
use crate::TorchResult;

/// Tokens at once on the CPU. What is inside is four times as wide as what comes in: of a large map,
/// so much that writing it to memory takes a quarter of the time.
const SLAB: i64 = 4096;

/// Two affine maps with the exact GELU between them.
#[derive(Clone, Debug)]
pub struct FeedForward {
    /// From the channels to those inside.
    pub expand: Linear,
    /// And back.
    pub contract: Linear,
}

impl FeedForward {
    /// `[…, channels]` to the same, each by itself.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        let shape = x.size();
        let tokens = x.f_flatten(0, -2)?;
        let count = tokens.size().first().copied().unwrap_or_default();
        let Some(bias) = self.contract.bias.as_deref() else {
            return self.contract.forward(&self.inside(x)?);
        };
        if x.device() != Device::Cpu || count <= SLAB {
            return self.contract.forward(&self.inside(x)?);
        }
        let weight = self.contract.weight.f_tr()?;
        let y = tokens.f_empty_like()?;
        for first in (0..count).step_by(SLAB as usize) {
            let slab = |of: &Tensor| of.f_narrow(0, first, SLAB.min(count - first));
            let inside = self.inside(&slab(&tokens)?)?;
            let _ = bias.f_addmm_out(&slab(&y)?, &inside, &weight)?;
        }
        y.f_view(&*shape)
    }

    fn inside(&self, x: &Tensor) -> TorchResult<Tensor> {
        self.expand.forward(x)?.f_gelu_("none")
    }
}

#[cfg(test)]
mod tests {
    use tch::Kind;

    use super::*;
    use crate::nn::Weight;

    #[test]
    fn slabs_are_as_the_whole() -> TorchResult<()> {
        tch::manual_seed(7);
        let random = |shape: &[i64]| Tensor::f_randn(shape, (Kind::Float, Device::Cpu));
        let linear = |input, output| {
            TorchResult::Ok(Linear {
                weight: Weight::new(random(&[output, input])?),
                bias: Some(Weight::new(random(&[output])?)),
            })
        };
        let block = FeedForward {
            expand: linear(3, 12)?,
            contract: linear(12, 3)?,
        };
        let x = random(&[3, SLAB + 5, 3])?;
        let whole = block.contract.forward(&block.inside(&x)?)?;
        let apart = f64::try_from(block.forward(&x)?.f_sub(&whole)?.f_abs()?.f_max()?)?;
        assert!(apart < 1e-4, "{apart}");
        Ok(())
    }
}
