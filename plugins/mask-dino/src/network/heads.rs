//! What is read off a query's content: its class, and its mask.

use som_torch::{
    Scope, TorchResult,
    nn::{Linear, Mlp},
};
use tch::Tensor;

use super::config::Config;

/// The heads that read queries. Both take content `[queries, channels]` after the shared norm.
#[derive(Clone, Debug)]
pub(super) struct Heads {
    class: Linear,
    mask: Mlp,
}

impl Heads {
    /// `class_embed` and `mask_embed` of `scope`.
    pub(super) fn load(scope: &Scope<'_>, config: &Config) -> Self {
        let channels = config.queries.channels;
        let columns = config.classes + i64::from(config.has_no_object);
        let mut widths = vec![channels; config.mask_layers.unsigned_abs() as usize];
        widths.push(config.pixel_decoder.mask_channels);
        Self {
            class: Linear::load(&scope.at("class_embed"), channels, columns),
            mask: Mlp::load(&scope.at("mask_embed"), &widths),
        }
    }

    /// The logits of each class, `[queries, classes]`.
    pub(super) fn classes(&self, content: &Tensor) -> TorchResult<Tensor> {
        self.class.forward(content)
    }

    /// The embeddings of masks, `[queries, mask channels]`.
    pub(super) fn masks(&self, content: &Tensor) -> TorchResult<Tensor> {
        self.mask.forward(content)
    }
}
