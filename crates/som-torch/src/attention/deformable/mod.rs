//! Multi-scale deformable attention: each query looks at a few places near its own, in maps of
//! several resolutions.
//!
//! Zhu et al., *Deformable DETR*, 2020 (arXiv 2010.04159), section 4.1; `MSDeformAttn` of the official
//! projects that build on it. Which places, and how much each counts, is said by the query alone, so
//! that no query is compared with all keys.
//!
//! The sampling has two forms with the same result: `cpu` for single precision on the CPU, and
//! `tensors` for all else, made of libtorch's operations; a kernel for GPUs would stand beside them.

mod cpu;
mod levels;
mod tensors;

use std::sync::Arc;

use tch::{Device, Kind, Tensor};

pub use self::levels::Levels;
use crate::{
    Scope, TorchResult,
    nn::{Linear, Weight},
    numbers,
};

/// Attention of queries to places in maps of several resolutions.
#[derive(Clone, Debug)]
pub struct DeformableAttention {
    /// To each place's offset `[head, level, point, 2]`, across and down, then to each place's logit
    /// `[head, level, point]`.
    places: Linear,
    value: Linear,
    output: Linear,
    shape: Shape,
}

/// How many of each.
#[derive(Clone, Copy, Debug)]
struct Shape {
    heads: i64,
    levels: i64,
    /// In each level.
    points: i64,
    /// Channels of each head.
    channels: i64,
}

/// What a [`DeformableAttention`] sees of a memory, to be sampled by any number of queries. Clones
/// share the numbers.
#[derive(Clone, Debug)]
pub struct DeformableValues {
    numbers: Numbers,
    levels: Levels,
}

/// `[cells, heads, channels]`
#[derive(Debug)]
enum Numbers {
    Cpu(Arc<[f32]>),
    Tensor(Tensor),
}

impl Clone for Numbers {
    fn clone(&self) -> Self {
        match self {
            Self::Cpu(numbers) => Self::Cpu(Arc::clone(numbers)),
            Self::Tensor(tensor) => Self::Tensor(tensor.shallow_clone()),
        }
    }
}

impl DeformableValues {
    /// Bytes of memory held.
    pub fn bytes(&self) -> u64 {
        match &self.numbers {
            Numbers::Cpu(numbers) => size_of_val::<[f32]>(numbers) as u64,
            Numbers::Tensor(tensor) => (tensor.numel() * tensor.kind().elt_size_in_bytes()) as u64,
        }
    }
}

impl DeformableAttention {
    /// `sampling_offsets`, `attention_weights`, `value_proj` and `output_proj` of `scope`, for
    /// `channels` in all heads together, and `points` in each of `levels` maps.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn load(
        scope: &Scope<'_>,
        channels: i64,
        heads: i64,
        levels: i64,
        points: i64,
    ) -> TorchResult<Self> {
        let places = heads * levels * points;
        let offsets = Linear::load(&scope.at("sampling_offsets"), channels, 2 * places);
        let logits = Linear::load(&scope.at("attention_weights"), channels, places);
        let linear = |name: &str| Linear::load(&scope.at(name), channels, channels);
        let bias = [offsets.bias, logits.bias].into_iter().flatten();
        Ok(Self {
            places: Linear {
                weight: Weight::concatenate(&[offsets.weight, logits.weight])?,
                bias: Some(Weight::concatenate(&bias.collect::<Vec<_>>())?),
            },
            value: linear("value_proj"),
            output: linear("output_proj"),
            shape: Shape {
                heads,
                levels,
                points,
                channels: channels / heads,
            },
        })
    }

    /// What this attention sees of a memory `[cells, channels]`, which is the maps of `levels`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn values(&self, memory: &Tensor, levels: &Levels) -> TorchResult<DeformableValues> {
        let values = self.value.forward(memory)?;
        let numbers = if values.device() == Device::Cpu && values.kind() == Kind::Float {
            Numbers::Cpu(numbers::of(&values)?.into())
        } else {
            let Shape {
                heads, channels, ..
            } = self.shape;
            Numbers::Tensor(values.f_view([-1, heads, channels])?)
        };
        Ok(DeformableValues {
            numbers,
            levels: levels.clone(),
        })
    }

    /// What queries `[queries, channels]` find around where they are: `places` are points
    /// `[queries, 2]` (x, y) or boxes `[queries, 4]` (centre x, y, width, height), in 0..1 of each
    /// map. Around a point, places lie cells away; around a box, as far as the box reaches.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn forward(
        &self,
        queries: &Tensor,
        places: &Tensor,
        values: &DeformableValues,
    ) -> TorchResult<Tensor> {
        let asked = self.places.forward(queries)?;
        let DeformableValues {
            numbers: of,
            levels,
        } = values;
        let found = match of {
            Numbers::Cpu(of) => {
                let (asked, places) = (numbers::of(&asked)?, numbers::of(places)?);
                let found = cpu::sample(of, levels, self.shape, &asked, &places);
                Tensor::f_from_slice(&found)?.f_view(queries.size().as_slice())?
            }
            Numbers::Tensor(of) => tensors::sample(of, levels, self.shape, &asked, places)?,
        };
        self.output.forward(&found)
    }
}

#[cfg(test)]
mod tests;
