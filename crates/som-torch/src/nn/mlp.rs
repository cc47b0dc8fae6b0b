//! Stacks of affine maps.

use tch::Tensor;

use super::Linear;
use crate::{Scope, TorchResult};

/// Affine maps with ReLU between them.
#[derive(Clone, Debug)]
pub struct Mlp {
    layers: Vec<Linear>,
}

impl Mlp {
    /// Layers `layers.0`, `layers.1`, … of `scope`, of the given widths from input to output.
    pub fn load(scope: &Scope<'_>, widths: &[i64]) -> Self {
        let layers = widths
            .windows(2)
            .enumerate()
            .filter_map(|(index, pair)| match *pair {
                [input, output] => Some(Linear::load(&scope.at("layers").at(index), input, output)),
                _ => None,
            });
        Self {
            layers: layers.collect(),
        }
    }

    /// The layers in order, for names other than `layers.N`.
    pub const fn new(layers: Vec<Linear>) -> Self {
        Self { layers }
    }

    /// `[…, first width]` to `[…, last width]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        let mut x = x.shallow_clone();
        for (index, layer) in self.layers.iter().enumerate() {
            x = layer.forward(&x)?;
            if index + 1 < self.layers.len() {
                x = x.f_relu_()?;
            }
        }
        Ok(x)
    }
}
