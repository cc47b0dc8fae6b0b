//! What the places of tokens and cells add to the logits of attention; nothing is added to what they are
//! about.
//!
//! Wang et al., *OFA*, 2022 (arXiv 2202.03052), section 3.1 and appendix; Ke et al., *Rethinking
//! Positional Encoding in Language Pre-training*, 2020 (arXiv 2006.15595); official file
//! `models/polyformer/unify_transformer.py`, `get_pos_info`, `make_token_bucket_position` and
//! `make_image_bucket_position`.

use som_torch::{
    Scope, TorchResult,
    nn::{Linear, Weight},
};
use tch::{Device, Kind, Tensor};

use super::{
    attention::by_head,
    config::{LayerSizes, MAX_TOKENS},
};

/// How well places fit each other, by what they are: the same for all layers.
#[derive(Clone, Debug)]
pub(crate) struct PlaceProduct {
    query: Linear,
    key: Linear,
    heads: i64,
    scale: f64,
}

impl PlaceProduct {
    /// The affine maps `query` and `key` of `scope`.
    pub(crate) fn load(scope: &Scope<'_>, [query, key]: [&str; 2], sizes: &LayerSizes) -> Self {
        let linear = |name| Linear::load(&scope.at(name), sizes.channels, sizes.channels);
        Self {
            query: linear(query),
            key: linear(key),
            heads: sizes.heads,
            scale: sizes.scale,
        }
    }

    /// For places `[queries, channels]` and `[keys, channels]`, normed: `[heads, queries, keys]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn forward(&self, queries: &Tensor, keys: &Tensor) -> TorchResult<Tensor> {
        let query = by_head(&self.query.forward(queries)?, self.heads)?;
        let key = by_head(&self.key.forward(keys)?, self.heads)?;
        let query = query.f_mul_scalar(self.scale)?;
        query.f_matmul(&key.f_transpose(-2, -1)?)?.f_squeeze_dim(0)
    }
}

/// What distances add, each layer by a table of its own: `[distances, heads]`.
#[derive(Clone, Debug)]
pub(crate) struct DistanceTable {
    table: Weight,
}

impl DistanceTable {
    /// `weight` of `scope`.
    pub(crate) fn load(scope: &Scope<'_>, distances: i64, heads: i64) -> Self {
        Self {
            table: scope.weight("weight", &[distances, heads]),
        }
    }

    /// The rows of the table that `distances`, of any shape, name: `[heads, …]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn of(&self, distances: &Tensor) -> TorchResult<Tensor> {
        let mut shape = distances.size();
        shape.insert(0, -1);
        let rows = self.table.f_index_select(0, &distances.f_flatten(0, -1)?)?;
        rows.f_tr()?.f_reshape(shape)
    }
}

/// For each query and each key of `count` tokens in a row, the row of a table of `2 · bucket - 1`
/// distances: `[count, count]`. Small distances have one each, larger ones share them by their logarithm.
///
/// # Errors
/// What libtorch reports.
pub(crate) fn token_distances(bucket: i64, count: i64, device: Device) -> TorchResult<Tensor> {
    let middle = bucket / 2;
    let place = Tensor::f_arange(count, (Kind::Int64, Device::Cpu))?;
    let apart = place.f_unsqueeze(1)?.f_sub(&place.f_unsqueeze(0)?)?;
    let far = apart.f_abs()?.f_clamp_min(middle - 1)?;
    // In single precision, as there: rounding up would show any other.
    let logarithm = far
        .f_to_kind(Kind::Float)?
        .f_div_scalar(middle)?
        .f_log()?
        .f_div_scalar(((MAX_TOKENS - 1) as f64 / middle as f64).ln())?
        .f_mul_scalar(middle - 1)?
        .f_ceil()?
        .f_add_scalar(middle)?
        .f_to_kind(Kind::Int64)?
        .f_mul(&apart.f_sign()?)?;
    let rows = apart.f_where_self(&far.f_le(middle)?, &logarithm)?;
    rows.f_add_scalar(bucket - 1)?.f_to_device(device)
}

/// For each query and each key of `side` x `side` cells, row by row, the row of a table of
/// `(2 · bucket - 1)²` distances: `[cells, cells]`.
///
/// # Errors
/// What libtorch reports.
pub(crate) fn cell_distances(bucket: i64, side: i64, device: Device) -> TorchResult<Tensor> {
    let cell = Tensor::f_arange(side * side, (Kind::Int64, Device::Cpu))?;
    let apart = |place: &Tensor| {
        let apart = place.f_unsqueeze(1)?.f_sub(&place.f_unsqueeze(0)?)?;
        apart.f_add_scalar(bucket - 1)
    };
    let rows = apart(&cell.f_divide_scalar_mode(side, "floor")?)?;
    let columns = apart(&cell.f_remainder(side)?)?;
    rows.f_mul_scalar(2 * bucket - 1)?
        .f_add(&columns)?
        .f_to_device(device)
}

/// Distances between cells that a table of `bucket` places along a side has: those, and three for cells
/// that there are none of here.
pub(crate) const fn count_of_cell_distances(bucket: i64) -> i64 {
    (2 * bucket - 1).pow(2) + 3
}

/// Which row of a table of places each of `side` x `side` cells has.
///
/// # Errors
/// What libtorch reports.
pub(crate) fn cell_places(bucket: i64, side: i64, device: Device) -> TorchResult<Tensor> {
    let cell = Tensor::f_arange(side * side, (Kind::Int64, Device::Cpu))?;
    let rows = cell.f_divide_scalar_mode(side, "floor")?;
    let columns = cell.f_remainder(side)?;
    rows.f_mul_scalar(bucket)?
        .f_add(&columns)?
        .f_add_scalar(1)?
        .f_to_device(device)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(tensor: &Tensor) -> Vec<i64> {
        Vec::try_from(tensor.flatten(0, -1)).unwrap()
    }

    #[test]
    fn cells_have_the_places_and_distances_of_the_larger_grid() {
        let places = cell_places(10, 3, Device::Cpu).unwrap();
        assert_eq!(numbers(&places), [1, 2, 3, 11, 12, 13, 21, 22, 23]);
        // A table of 10 places along a side counts distances from -9 to 9.
        let distances = cell_distances(10, 2, Device::Cpu).unwrap();
        let same = 9 * 19 + 9;
        let expected = [
            [same, same - 1, same - 19, same - 20],
            [same + 1, same, same - 18, same - 19],
            [same + 19, same + 18, same, same - 1],
            [same + 20, same + 19, same + 1, same],
        ];
        assert_eq!(numbers(&distances), expected.concat());
        assert_eq!(count_of_cell_distances(10), 364);
    }
}
