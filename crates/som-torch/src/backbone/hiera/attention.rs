//! Attention within windows of a map, or over all of it.

use tch::Tensor;

use super::{halved, sizes::BlockSizes};
use crate::{
    Scope, TorchResult,
    nn::{Linear, Weight, Windows},
};

/// Multi-head attention, whose queries may be pooled so that the map is halved.
#[derive(Clone, Debug)]
pub(super) struct Attention {
    qkv: Linear,
    projection: Linear,
    /// `[3 · output]`: what queries, keys and values are beyond the map, where windows reach there.
    beyond: Weight,
    sizes: BlockSizes,
}

impl Attention {
    pub(super) fn load(scope: &Scope<'_>, sizes: BlockSizes) -> Self {
        let shapes = sizes.shapes;
        Self {
            qkv: Linear::load(&scope.at("qkv"), shapes.input, 3 * shapes.output),
            projection: Linear::load(&scope.at("proj"), shapes.output, shapes.output),
            beyond: scope.weight("qkv.bias", &[3 * shapes.output]),
            sizes,
        }
    }

    /// A map `[rows, columns, input]` to `[rows, columns, output]`, or to half as many rows and
    /// columns.
    ///
    /// Windows that reach beyond the map hold zeros there, which take part. Their queries, keys and
    /// values are the offset of the projection.
    pub(super) fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        let (rows, columns, _) = x.size3()?;
        let BlockSizes { heads, window, .. } = self.sizes;
        let side = window.unwrap_or(rows.max(columns));
        let windows = Windows::new(rows, columns, side);
        let qkv = windows.partition(&self.qkv.forward(x)?, &self.beyond, heads)?;
        let [query, key, value] = [0, 1, 2].map(|index| qkv.f_select(0, index));
        let (mut query, mut windows) = (query?, windows);
        if self.sizes.shapes.pools {
            query = pooled(&query, side)?;
            windows = Windows::new(rows / 2, columns / 2, side / 2);
        }
        let found = Tensor::f_scaled_dot_product_attention(
            &query,
            &key?,
            &value?,
            None::<&Tensor>,
            0.0,
            false,
            None,
            false,
        )?;
        self.projection
            .forward(&windows.merge(&found.f_contiguous()?)?)
    }
}

/// The largest of each 2x2 queries of windows `[windows, heads, side · side, channels]`.
fn pooled(query: &Tensor, side: i64) -> TorchResult<Tensor> {
    let (windows, heads, _, channels) = query.size4()?;
    halved(&query.f_view([windows * heads, side, side, channels])?)?.f_view([
        windows,
        heads,
        side * side / 4,
        channels,
    ])
}
