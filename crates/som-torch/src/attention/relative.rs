//! Attention that knows where a key lies relative to the query, separately in rows and columns.
//!
//! Li et al., *MViTv2: Improved Multiscale Vision Transformers for Classification and Detection*, 2022
//! (arXiv 2112.01526), section 4.1.

use tch::{Device, Kind, Tensor};

use crate::{
    TorchResult,
    nn::{Linear, Weight, Windows},
};

/// Multi-head attention within windows (one window: globally), with a term that depends on where
/// a key lies relative to the query, separately in rows and columns.
#[derive(Clone, Debug)]
pub struct RelativeAttention {
    /// Queries come out scaled.
    qkv: Linear,
    projection: Linear,
    /// `[head, 2 · rows - 1 + 2 · columns - 1]`: the embeddings of relative rows, then columns, each
    /// from the largest distance down, for scaled queries.
    relative: Weight,
    /// `[3 · width]`: what keys and values are beyond the map, where windows reach there.
    beyond: Weight,
    windows: Windows,
    heads: i64,
}

impl RelativeAttention {
    /// Attention of so many heads in `windows`. `qkv` gives queries, keys and values of all heads, and
    /// `projection` maps what is found; `rows` `[2 · rows - 1, head]` and `columns`
    /// `[2 · columns - 1, head]` of a window embed relative places, for queries that are not scaled.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn new(
        qkv: &Linear,
        projection: Linear,
        [rows, columns]: [&Weight; 2],
        windows: Windows,
        heads: i64,
    ) -> TorchResult<Self> {
        let width = qkv.weight.size().last().copied().unwrap_or_default();
        let scale = ((width / heads) as f64).powf(-0.5);
        let scaled = |weight: &Weight| {
            weight.map(|weight| {
                let scaled = weight.f_detach_copy()?;
                let _ = scaled.f_narrow(0, 0, width)?.f_mul_scalar_(scale)?;
                Ok(scaled)
            })
        };
        let qkv = Linear {
            weight: scaled(&qkv.weight)?,
            bias: qkv.bias.as_ref().map(scaled).transpose()?,
        };
        let flipped = |table: &Weight| table.map(|table| table.f_flip([0]));
        let both = Weight::concatenate(&[flipped(rows)?, flipped(columns)?])?;
        let beyond = match &qkv.bias {
            Some(bias) => bias.clone(),
            None => qkv
                .weight
                .map(|weight| weight.f_select(1, 0)?.f_zeros_like())?,
        };
        Ok(Self {
            qkv,
            projection,
            relative: both.map(|both| both.f_tr()?.f_div_scalar(scale)?.f_contiguous())?,
            beyond,
            windows,
            heads,
        })
    }

    /// Tokens `[rows, columns, width]` to the same.
    ///
    /// Windows that reach beyond the map hold zeros there, whose keys and values are the bias. They
    /// are filled in here after the projection instead of being projected.
    ///
    /// # Errors
    /// What libtorch reports, such as memory that ran out.
    pub fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        let qkv = self.qkv.forward(x)?;
        let qkv = self.windows.partition(&qkv, &self.beyond, self.heads)?;
        // [windows · heads, rows · columns, head]
        let [query, key, value] = [0, 1, 2].map(|index| qkv.f_select(0, index)?.f_flatten(0, 1));
        let attended = self.attend(&query?, &key?, &value?)?;
        let attended = attended.f_unflatten(0, [self.windows.count(), self.heads])?;
        self.projection.forward(&self.windows.merge(&attended)?)
    }

    fn attend(&self, query: &Tensor, key: &Tensor, value: &Tensor) -> TorchResult<Tensor> {
        let [down, across] = self.windows.size();
        let (batch, tokens, _) = query.size3()?;
        let in_blocks = query.device() == Device::Cpu && query.kind() == Kind::Float;
        // Logits that are made at a time: on the CPU what the cache holds, else what memory does.
        let budget: i64 = if in_blocks { 1 << 20 } else { 1 << 28 };
        let windows = (budget / (tokens * tokens)).clamp(1, batch);
        let rows = (budget / (across * tokens)).clamp(1, down);
        let (rows_bias, columns_bias) = self.relative_bias(query)?;
        let attended = query.f_empty_like()?;
        let buffer = Tensor::f_empty(
            [windows * rows * across * tokens],
            (query.kind(), query.device()),
        )?;
        for first in (0..batch).step_by(windows as usize) {
            let windows = windows.min(batch - first);
            let (key, value) = (
                key.f_narrow(0, first, windows)?,
                value.f_narrow(0, first, windows)?,
            );
            for row in (0..down).step_by(rows as usize) {
                let rows = rows.min(down - row);
                let bias = buffer.f_narrow(0, 0, windows * rows * across * tokens)?;
                let bias = bias.f_view([windows, rows, across, down, across])?;
                let part = |x: &Tensor| x.f_narrow(0, first, windows)?.f_narrow(1, row, rows);
                let (of_rows, of_columns) = (
                    part(&rows_bias)?.f_unsqueeze(-1)?,
                    part(&columns_bias)?.f_unsqueeze(-2)?,
                );
                let bias = of_rows.f_add_out(&bias, &of_columns)?.f_view([
                    windows,
                    rows * across,
                    tokens,
                ])?;
                let part = |x: &Tensor| {
                    x.f_narrow(0, first, windows)?
                        .f_narrow(1, row * across, rows * across)
                };
                let (query, mut attended) = (part(query)?, part(&attended)?);
                if in_blocks {
                    let logits = bias
                        .shallow_clone()
                        .f_baddbmm_(&query, &key.f_transpose(1, 2)?)?;
                    let weights = logits.f_internal_softmax_out(&logits, -1, false)?;
                    let _ = weights.f_bmm_out(&attended, &value)?;
                } else {
                    attended.f_copy_(&fused(&query, &key, &value, &bias)?)?;
                }
            }
        }
        Ok(attended)
    }

    /// What relative rows and columns add to the logits: `[batch, rows, columns, rows]` (query row,
    /// query column, key row) and `[batch, rows, columns, columns]` (…, key column).
    ///
    /// One product gives each query's term for every distance; since distances shrink by one from
    /// a query to the next, the terms it needs are a view of that with another stride.
    fn relative_bias(&self, query: &Tensor) -> TorchResult<(Tensor, Tensor)> {
        let [down, across] = self.windows.size();
        let (batch, ..) = query.size3()?;
        let terms = query.f_matmul(&self.relative)?;
        let each = 2 * (down + across) - 2;
        let (window, row) = (down * across * each, across * each);
        let rows = terms.f_as_strided(
            [batch, down, across, down],
            [window, row - 1, each, 1],
            down - 1,
        )?;
        let columns = terms.f_as_strided(
            [batch, down, across, across],
            [window, row, each - 1, 1],
            2 * down - 1 + across - 1,
        )?;
        Ok((rows, columns))
    }
}

/// libtorch's fused attention, of queries that are scaled already.
fn fused(query: &Tensor, key: &Tensor, value: &Tensor, bias: &Tensor) -> TorchResult<Tensor> {
    Tensor::f_scaled_dot_product_attention(
        &query.f_unsqueeze(0)?,
        &key.f_unsqueeze(0)?,
        &value.f_unsqueeze(0)?,
        Some(&bias.f_unsqueeze(0)?),
        0.0,
        false,
        1.0,
        false,
    )?
    .f_squeeze_dim(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: (Kind, Device) = (Kind::Float, Device::Cpu);

    /// As the paper says it, term by term, over a map of one window.
    fn plainly(
        qkv: &Linear,
        projection: &Linear,
        [rows, columns]: [&Tensor; 2],
        heads: i64,
        x: &Tensor,
    ) -> TorchResult<Tensor> {
        let (down, across, width) = x.size3()?;
        let (tokens, head) = (down * across, width / heads);
        let qkv = qkv.forward(x)?.f_view([tokens, 3, heads, head])?;
        let [query, key, value] =
            [0, 1, 2].map(|index| qkv.select(1, index).permute([1, 0, 2]).contiguous());
        let logits = query.f_matmul(&key.tr_last())? / (head as f64).sqrt();
        for from in 0..tokens {
            for to in 0..tokens {
                let row = rows.get(from / across - to / across + down - 1);
                let column = columns.get(from % across - to % across + across - 1);
                let place = (row + column).f_unsqueeze(1)?;
                let term = query.f_select(1, from)?.f_matmul(&place)?.f_squeeze()?;
                let mut at = logits.f_select(1, from)?.f_select(1, to)?;
                let _ = at.f_add_(&term.f_view([heads])?)?;
            }
        }
        let found = logits.f_softmax(-1, Kind::Float)?.f_matmul(&value)?;
        projection.forward(&found.permute([1, 0, 2]).f_reshape([down, across, width])?)
    }

    trait LastTwo {
        fn tr_last(&self) -> Tensor;
    }

    impl LastTwo for Tensor {
        fn tr_last(&self) -> Tensor {
            self.transpose(-1, -2)
        }
    }

    #[test]
    fn a_map_of_any_shape_is_attended_as_the_paper_says() -> TorchResult<()> {
        tch::manual_seed(7);
        let random = |shape: &[i64]| Tensor::f_randn(shape, OPTIONS);
        let linear = |input, output, bias: bool| {
            TorchResult::Ok(Linear {
                weight: Weight::new(random(&[output, input])?),
                bias: bias
                    .then(|| random(&[output]))
                    .transpose()?
                    .map(Weight::new),
            })
        };
        for (down, across, heads, bias) in [(5, 3, 2, true), (2, 6, 4, false), (1, 1, 1, true)] {
            let (qkv, projection) = (linear(8, 24, bias)?, linear(8, 8, true)?);
            let rows = Weight::new(random(&[2 * down - 1, 8 / heads])?);
            let columns = Weight::new(random(&[2 * across - 1, 8 / heads])?);
            let attention = RelativeAttention::new(
                &qkv,
                projection.clone(),
                [&rows, &columns],
                Windows::whole(down, across),
                heads,
            )?;
            let x = random(&[down, across, 8])?;
            let plain = plainly(&qkv, &projection, [&rows, &columns], heads, &x)?;
            let apart = attention.forward(&x)?.f_sub(&plain)?.f_abs()?.f_max()?;
            let apart = f64::try_from(apart)?;
            assert!(apart < 1e-4, "{down}x{across}: {apart}");
        }
        Ok(())
    }
}
