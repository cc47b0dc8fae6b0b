//! Attention within windows, with a term for where a key lies relative to the query.

use tch::{Device, Kind, Tensor};

use super::{
    layout::{Group, Layout},
    sizes::Stage,
};
use crate::{
    Scope, TorchResult,
    nn::{Linear, Weight},
};

/// What is added to the logits of tokens that are no neighbours. (Not infinite: as trained.)
const APART: f64 = -100.0;

/// Multi-head attention of one block.
#[derive(Clone, Debug)]
pub(super) struct Attention {
    qkv: Linear,
    projection: Linear,
    /// `[1, heads, window², window²]`: what the places of query and key add to their logit.
    relative: Weight,
    heads: i64,
}

impl Attention {
    pub(super) fn load(scope: &Scope<'_>, stage: &Stage) -> TorchResult<Self> {
        let Stage {
            channels,
            heads,
            window,
            qkv_bias,
            ..
        } = *stage;
        // The index is a constant that some projects store.
        scope.leave("relative_position_index");
        let qkv = scope.at("qkv");
        let table = scope.weight(
            "relative_position_bias_table",
            &[(2 * window - 1).pow(2), heads],
        );
        let tokens = window * window;
        let relative = table.map(|table| {
            let index = relative_index(window).f_to_device(table.device())?;
            table
                .f_index_select(0, &index)?
                .f_view([tokens, tokens, heads])?
                .f_permute([2, 0, 1])?
                .f_unsqueeze(0)?
                .f_contiguous()
        })?;
        Ok(Self {
            qkv: Linear {
                weight: qkv.weight("weight", &[3 * channels, channels]),
                bias: qkv_bias.then(|| qkv.weight("bias", &[3 * channels])),
            },
            projection: Linear::load(&scope.at("proj"), channels, channels),
            relative,
            heads,
        })
    }

    /// Tokens `[rows · columns, channels]` to the same.
    ///
    /// Places beyond the map hold zeros, whose queries, keys and values are the offset. They are
    /// filled in after the projection instead of being projected, and attended to like tokens.
    pub(super) fn forward(
        &self,
        x: &Tensor,
        layout: &Layout,
        edges: &Edges,
    ) -> TorchResult<Tensor> {
        let (_, channels) = x.size2()?;
        let mut qkv = self.qkv.forward(x)?.f_index_select(0, &layout.tokens)?;
        if let Some(beyond) = &layout.beyond {
            qkv = match &self.qkv.bias {
                Some(bias) => qkv.f_index_copy_(
                    0,
                    beyond,
                    &bias.f_expand([beyond.size1()?, 3 * channels], false)?,
                )?,
                None => qkv.f_index_fill_(0, beyond, 0)?,
            };
        }
        let tokens = edges.window * edges.window;
        let qkv = qkv.f_view([-1, tokens, 3, self.heads, channels / self.heads])?;
        let mut first = 0;
        let mut attended = Vec::new();
        for &(group, count) in &layout.groups {
            let qkv = qkv.f_narrow(0, first, count)?;
            let [query, key, value] =
                [0, 1, 2].map(|part| qkv.f_select(2, part)?.f_transpose(1, 2));
            let bias = edges.add(group, &self.relative)?;
            let found = Tensor::f_scaled_dot_product_attention(
                &query?,
                &key?,
                &value?,
                Some(&bias),
                0.0,
                false,
                None::<f64>,
                false,
            )?;
            attended.push(found.f_transpose(1, 2)?.f_reshape([-1, channels])?);
            first += count;
        }
        let attended = match attended.as_slice() {
            [all] => all.shallow_clone(),
            groups => Tensor::f_cat(groups, 0)?,
        };
        self.projection
            .forward(&attended.f_index_select(0, &layout.places)?)
    }
}

/// `[window⁴]`: for each query and key of a window, the row of the table for their distance.
fn relative_index(window: i64) -> Tensor {
    let places = || (0..window).flat_map(|row| (0..window).map(move |column| (row, column)));
    let index = |(row, column): (i64, i64), (key_row, key_column): (i64, i64)| {
        (row - key_row + window - 1) * (2 * window - 1) + column - key_column + window - 1
    };
    let index: Vec<i64> = places()
        .flat_map(|query| places().map(move |key| index(query, key)))
        .collect();
    Tensor::from_slice(&index)
}

/// What keeps tokens apart that shifted windows bring together though they are no neighbours.
#[derive(Debug)]
pub(super) struct Edges {
    window: i64,
    /// `[3, window², window²]`: for windows at the right, at the bottom, and at both.
    apart: Tensor,
}

impl Clone for Edges {
    fn clone(&self) -> Self {
        Self {
            window: self.window,
            apart: self.apart.shallow_clone(),
        }
    }
}

impl Edges {
    pub(super) fn new(window: i64, kind: Kind, device: Device) -> TorchResult<Self> {
        let break_at = window - window / 2;
        let place = Tensor::f_arange(window * window, (Kind::Int64, Device::Cpu))?;
        let row = place
            .f_divide_scalar_mode(window, "floor")?
            .f_ge(break_at)?;
        let column = place.f_remainder(window)?.f_ge(break_at)?;
        let apart = |side: &Tensor| side.f_unsqueeze(0)?.f_ne_tensor(&side.f_unsqueeze(1)?);
        let (right, bottom) = (apart(&column)?, apart(&row)?);
        let corner = right.f_logical_or(&bottom)?;
        let apart = Tensor::f_stack(&[right, bottom, corner], 0)?
            .f_to_kind(kind)?
            .f_mul_scalar(APART)?
            .f_to_device(device)?;
        Ok(Self { window, apart })
    }

    /// Side of the windows.
    pub(super) const fn window(&self) -> i64 {
        self.window
    }

    /// `[1, heads, window², window²]`: `relative` for windows of this group.
    fn add(&self, group: Group, relative: &Tensor) -> TorchResult<Tensor> {
        let apart = match group {
            Group::Whole => return Ok(relative.shallow_clone()),
            Group::Right => 0,
            Group::Bottom => 1,
            Group::Corner => 2,
        };
        relative.f_add(&self.apart.f_select(0, apart)?)
    }
}
