//! The backbone: a ResNet or a Swin.

use som_core::{Call, Result};
use som_torch::{
    Scope, TorchResult,
    backbone::{ResNet, Swin},
    torch_error,
};
use tch::{Kind, Tensor};

use super::config::BackboneSizes;

/// Image to feature maps.
#[derive(Clone, Debug)]
pub(super) enum Backbone {
    ResNet(ResNet),
    Swin(Swin),
}

impl Backbone {
    pub(super) fn load(scope: &Scope<'_>, sizes: &BackboneSizes) -> TorchResult<Self> {
        Ok(match sizes {
            BackboneSizes::ResNet(sizes) => Self::ResNet(ResNet::load(scope, sizes)?),
            BackboneSizes::Swin(sizes) => Self::Swin(Swin::load(scope, sizes)?),
        })
    }

    /// A normalised image `[height, width, 3]` to maps `[rows, columns, channels]` in single precision,
    /// from a quarter of its height and width on.
    pub(super) fn forward(&self, image: &Tensor, call: &Call<'_>) -> Result<Vec<Tensor>> {
        let maps = match self {
            Self::ResNet(resnet) => resnet.forward(image, call),
            Self::Swin(swin) => swin.forward(image, call),
        }?;
        let single = maps.iter().map(|map| map.f_to_kind(Kind::Float));
        single.collect::<TorchResult<_>>().map_err(torch_error)
    }
}
