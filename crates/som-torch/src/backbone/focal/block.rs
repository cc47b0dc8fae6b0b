//! What a stage is made of.

use tch::Tensor;

use super::{EPSILON, Stage};
use crate::{
    Scope, TorchResult,
    nn::{DepthwiseConv, FeedForward, LayerNorm, Linear, Weight},
};

/// Modulation, then an MLP, each scaled and added to what came in.
#[derive(Clone, Debug)]
pub(super) struct Block {
    /// What a place takes up from its neighbours before modulation, and before the MLP; `None` in
    /// Focal-L.
    neighbours: Option<[DepthwiseConv; 2]>,
    modulation: Modulation,
    norm1: LayerNorm,
    /// `[channels]`
    scale1: Weight,
    mlp: FeedForward,
    norm2: LayerNorm,
    scale2: Weight,
}

impl Block {
    pub(super) fn load(scope: &Scope<'_>, stage: &Stage, depthwise: bool) -> TorchResult<Self> {
        let Stage {
            channels, hidden, ..
        } = *stage;
        let neighbours = |name| DepthwiseConv::load(&scope.at(name), channels, 3, true);
        Ok(Self {
            neighbours: match depthwise {
                true => Some([neighbours("dw1"), neighbours("dw2")]),
                false => None,
            },
            modulation: Modulation::load(&scope.at("modulation"), stage)?,
            norm1: LayerNorm::load(&scope.at("norm1"), channels, EPSILON),
            scale1: scope.weight("gamma_1", &[channels]),
            mlp: FeedForward {
                expand: Linear::load(&scope.at("mlp.fc1"), channels, hidden),
                contract: Linear::load(&scope.at("mlp.fc2"), hidden, channels),
            },
            norm2: LayerNorm::load(&scope.at("norm2"), channels, EPSILON),
            scale2: scope.weight("gamma_2", &[channels]),
        })
    }

    /// A map `[rows, columns, channels]` to the same.
    pub(super) fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        let Some([before, between]) = &self.neighbours else {
            // Focal-L norms what is added.
            let found = self.norm1.forward(&self.modulation.forward(x)?)?;
            let x = x.f_addcmul(&found, &self.scale1)?;
            let thought = self.norm2.forward(&self.mlp.forward(&x)?)?;
            return x.f_addcmul(&thought, &self.scale2);
        };
        // Focal-T norms the sum.
        let mut x = before.forward(x)?.f_contiguous()?.f_add_(x)?;
        let found = self.modulation.forward(&x)?;
        let x = self.norm1.forward(&x.f_addcmul_(&found, &self.scale1)?)?;
        let mut x = between.forward(&x)?.f_contiguous()?.f_add_(&x)?;
        let thought = self.mlp.forward(&x)?;
        self.norm2.forward(&x.f_addcmul_(&thought, &self.scale2)?)
    }
}

/// A query for each place, weighed with what surrounds it at several distances.
#[derive(Clone, Debug)]
pub(super) struct Modulation {
    query: Linear,
    context: Linear,
    /// How much each distance counts at a place, and at last the whole map.
    gates: Linear,
    /// Each wider than the one before, which it continues.
    levels: Vec<DepthwiseConv>,
    mix: Linear,
    output: Linear,
}

impl Modulation {
    pub(super) fn load(scope: &Scope<'_>, stage: &Stage) -> TorchResult<Self> {
        let Stage {
            channels,
            ref windows,
            ..
        } = *stage;
        let levels = windows.len() as i64;
        let project = scope.at("f");
        let width = 2 * channels + levels + 1;
        let weight = project.weight("weight", &[width, channels]);
        let bias = project.weight("bias", &[width]);
        let part = |start, count| {
            let part = |weight: &Weight| weight.map(|weight| weight.f_narrow(0, start, count));
            TorchResult::Ok(Linear {
                weight: part(&weight)?,
                bias: Some(part(&bias)?),
            })
        };
        let mix = scope.at("h");
        let focal = scope.at("focal_layers");
        let convs = windows.iter().enumerate().map(|(level, &window)| {
            DepthwiseConv::load(&focal.at(level).at(0), channels, window, false)
        });
        Ok(Self {
            query: part(0, channels)?,
            context: part(channels, channels)?,
            gates: part(2 * channels, levels + 1)?,
            levels: convs.collect(),
            mix: Linear {
                weight: mix
                    .weight("weight", &[channels, channels, 1, 1])
                    .map(|weight| weight.f_flatten(1, -1))?,
                bias: Some(mix.weight("bias", &[channels])),
            },
            output: Linear::load(&scope.at("proj"), channels, channels),
        })
    }

    /// A map `[rows, columns, channels]` to the same.
    pub(super) fn forward(&self, x: &Tensor) -> TorchResult<Tensor> {
        let count = self.levels.len() as i64;
        // The mean of the distances; cheapest where there are the fewest numbers.
        let mut gates = planes(&self.gates, x)?;
        let gates = gates.f_div_scalar_(count + 1)?;
        let gate = |level| gates.f_narrow(-1, level, 1);
        let mut context = planes(&self.context, x)?;
        let mut sum: Option<Tensor> = None;
        for (level, conv) in (0..).zip(&self.levels) {
            context = conv.forward(&context)?.f_gelu_("none")?;
            sum = Some(match sum {
                None => context.f_mul(&gate(level)?)?,
                Some(mut sum) => sum.f_addcmul_(&context, &gate(level)?)?,
            });
        }
        let whole = context.f_mean_dim([0_i64, 1].as_slice(), true, context.kind())?;
        let whole = whole.f_gelu("none")?.f_mul(&gate(count)?)?;
        let sum = match sum {
            None => whole,
            Some(mut sum) => sum.f_add_(&whole)?,
        };
        // Seen as a matrix, planes need no copy.
        let mut mixed = self.mix.forward(&sum.f_flatten(0, 1)?)?;
        let query = self.query.forward(x)?.f_flatten(0, 1)?;
        self.output
            .forward(&mixed.f_mul_(&query)?)?
            .f_view(&*x.size())
    }
}

/// What `linear` makes of a map, `[rows, columns, output]`: in memory one channel
/// after the other, as convolutions of single channels have it.
fn planes(linear: &Linear, x: &Tensor) -> TorchResult<Tensor> {
    let (rows, columns, _) = x.size3()?;
    let mut found = linear.weight.f_mm(&x.f_flatten(0, 1)?.f_tr()?)?;
    if let Some(bias) = &linear.bias {
        found = found.f_add_(&bias.f_unsqueeze(1)?)?;
    }
    found.f_view([-1, rows, columns])?.f_permute([1, 2, 0])
}
