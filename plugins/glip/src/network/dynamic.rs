//! A block of the dynamic head: every level sees the one below and the one above, where and as much as
//! it wants to.
//!
//! Dai et al., *Dynamic Head: Unifying Object Detection Heads with Attentions*, 2021 (arXiv 2106.08322);
//! official files `maskrcnn_benchmark/modeling/rpn/vldyhead.py`, `DyConv`, and
//! `maskrcnn_benchmark/layers/dyrelu.py`.

use som_torch::{
    Scope, TorchResult,
    nn::{Conv, DeformableConv, GroupNorm, Linear},
};
use tch::{Kind, Tensor};

use super::config::TowerSizes;

/// Of the norms.
const EPSILON: f64 = 1e-5;

/// Numbers for each cell: how far down and across each of nine taps looks, and how much each counts.
const DIRECTIONS: i64 = 27;
const OFFSETS: i64 = 18;

/// Levels to the same. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct DynamicBlock {
    directions: Conv,
    /// Of the level above, of the level itself, and of the level below.
    convs: [NormedConv; 3],
    weighing: Linear,
    activation: DynamicRelu,
}

/// A deformable convolution, and a norm of groups of its channels.
#[derive(Clone, Debug)]
struct NormedConv {
    conv: DeformableConv,
    norm: GroupNorm,
}

/// What a level says about where its taps look: `[27, rows, columns]`, one plane after the other.
pub(crate) struct Directions(pub Tensor);

impl DynamicBlock {
    /// `offset`, `DyConv.N`, `AttnConv` and `relu` of `scope`.
    pub(crate) fn load(scope: &Scope<'_>, sizes: &TowerSizes) -> TorchResult<Self> {
        let TowerSizes {
            channels, groups, ..
        } = *sizes;
        let conv = |index: i64, stride: i64| {
            let scope = scope.at("DyConv").at(index);
            TorchResult::Ok(NormedConv {
                conv: DeformableConv::load(&scope.at("conv"), channels, channels, stride)?,
                norm: GroupNorm::load(&scope.at("bn"), channels, groups, EPSILON),
            })
        };
        let weighing = scope.at("AttnConv.1");
        let weight = weighing.weight("weight", &[1, channels, 1, 1]);
        Ok(Self {
            directions: Conv::load(&scope.at("offset"), [channels, DIRECTIONS, 3], 1, true)?,
            convs: [conv(0, 1)?, conv(1, 1)?, conv(2, 2)?],
            weighing: Linear {
                weight: weight.map(|weight| weight.f_flatten(1, -1))?,
                bias: Some(weighing.weight("bias", &[1])),
            },
            activation: DynamicRelu::load(&scope.at("relu"), sizes),
        })
    }

    /// Levels `[height, width, channels]`, each half the size of the one before.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn forward(&self, levels: &[Tensor]) -> TorchResult<Vec<Tensor>> {
        let level = |index: usize| {
            let seen = self.seen(levels, index)?;
            let mut sum: Option<Tensor> = None;
            for map in &seen {
                let weighed = map.f_mul(&self.weight(map)?)?;
                sum = Some(match sum {
                    Some(mut sum) => sum.f_add_(&weighed)?,
                    None => weighed,
                });
            }
            let sum = sum.map_or_else(|| levels[index].f_zeros_like(), Ok)?;
            self.activation
                .forward(&sum.f_div_scalar(seen.len() as i64)?)
        };
        (0..levels.len()).map(level).collect()
    }

    /// What a level sees of itself, of the level below, and of the level above, all at its own size.
    pub(crate) fn seen(&self, levels: &[Tensor], index: usize) -> TorchResult<Vec<Tensor>> {
        let [_, own, below] = &self.convs;
        let level = &levels[index];
        let (rows, columns, _) = level.size3()?;
        let directions = self.directions(level)?;
        let mut seen = vec![own.forward(level, &directions, [rows, columns])?];
        if let Some(finer) = index.checked_sub(1).and_then(|index| levels.get(index)) {
            seen.push(below.forward(finer, &directions, [rows, columns])?);
        }
        if let Some(coarser) = levels.get(index + 1) {
            let above = self.above(coarser, &directions)?;
            seen.push(enlarged(&above, [rows, columns])?);
        }
        Ok(seen)
    }

    /// What a level sees of the level above, at the size of that.
    pub(crate) fn above(&self, coarser: &Tensor, directions: &Directions) -> TorchResult<Tensor> {
        let [above, ..] = &self.convs;
        let (height, width, _) = coarser.size3()?;
        above.forward(coarser, directions, [height, width])
    }

    pub(crate) fn directions(&self, level: &Tensor) -> TorchResult<Directions> {
        let directions = self.directions.forward(level)?;
        Ok(Directions(directions.f_permute([2, 0, 1])?.f_contiguous()?))
    }

    /// How much a map counts, in 0..1: one number.
    fn weight(&self, map: &Tensor) -> TorchResult<Tensor> {
        let mut weight = self.weighing.forward(&mean(map)?)?;
        weight.f_relu_()?.f_hardsigmoid()
    }
}

impl NormedConv {
    fn forward(
        &self,
        map: &Tensor,
        directions: &Directions,
        cells: [i64; 2],
    ) -> TorchResult<Tensor> {
        let (offsets, shares) = directions.of(cells)?;
        self.norm
            .forward(&self.conv.forward(map, &offsets, &shares)?)
    }
}

impl Directions {
    /// Offsets and shares, as a convolution of so many rows and columns reads them.
    ///
    /// That of the level above has fewer of both than the level that says where to look, and the
    /// official operator does not mind: it takes the first numbers as if there were no more.
    fn of(&self, [rows, columns]: [i64; 2]) -> TorchResult<(Tensor, Tensor)> {
        let planes = |first: i64, count: i64| {
            self.0
                .f_narrow(0, first, count)?
                .f_flatten(0, -1)?
                .f_narrow(0, 0, count * rows * columns)?
                .f_view([count, rows, columns])
        };
        let shares = planes(OFFSETS, DIRECTIONS - OFFSETS)?;
        Ok((planes(0, OFFSETS)?, shares.f_sigmoid()?))
    }
}

/// An activation that depends on the mean of the whole map: of two lines, whichever is higher.
///
/// Chen et al., *Dynamic ReLU*, 2020 (arXiv 2003.10027), form A.
#[derive(Clone, Debug)]
pub(crate) struct DynamicRelu {
    squeeze: Linear,
    excite: Linear,
}

impl DynamicRelu {
    fn load(scope: &Scope<'_>, sizes: &TowerSizes) -> Self {
        let TowerSizes {
            channels, squeeze, ..
        } = *sizes;
        Self {
            squeeze: Linear::load(&scope.at("fc.0"), channels, squeeze),
            excite: Linear::load(&scope.at("fc.2"), squeeze, 4 * channels),
        }
    }

    fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        let inside = self.squeeze.forward(&mean(x)?)?.f_relu_()?;
        let lines = self.excite.forward(&inside)?.f_hardsigmoid()?;
        let lines = lines.f_sub_scalar(0.5)?;
        let [slope, height, other_slope, other_height] =
            [0, 1, 2, 3].map(|part| lines.f_view([4, -1])?.f_select(0, part));
        // Without a word from the map, a line through 0 and the zero line.
        let slope = slope?.f_mul_scalar(2)?.f_add_scalar(1)?;
        let line = height?.f_addcmul(x, &slope)?;
        let other = other_height?.f_addcmul(x, &other_slope?.f_mul_scalar(2)?)?;
        line.f_maximum(&other)
    }
}

/// Of a map `[height, width, channels]`: `[channels]`.
fn mean(map: &Tensor) -> TorchResult<Tensor> {
    map.f_mean_dim([0_i64, 1].as_slice(), false, Kind::Float)
}

/// A map at another size, bilinearly, with its corners in the corners.
fn enlarged(map: &Tensor, [rows, columns]: [i64; 2]) -> TorchResult<Tensor> {
    map.f_permute([2, 0, 1])?
        .f_unsqueeze(0)?
        .f_upsample_bilinear2d([rows, columns], true, None, None)?
        .f_squeeze_dim(0)?
        .f_permute([1, 2, 0])
}
