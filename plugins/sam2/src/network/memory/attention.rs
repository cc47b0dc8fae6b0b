//! How a frame sees what is remembered of others.
//!
//! `sam2/modeling/memory_attention.py` and `RoPEAttention` of `sam2/modeling/sam/transformer.py`;
//! rotary encodings along two axes: Heo et al., *Rotary Position Embedding for Vision Transformer*, 2024
//! (arXiv 2403.13298).

use som_torch::{
    Scope, TorchResult,
    nn::{LayerNorm, Linear, Mlp, Weight},
};
use tch::{Device, Tensor};

use super::sizes::MemorySizes;

/// Of all norms.
const EPSILON: f64 = 1e-5;

/// How much of its places an image gets beforehand.
const PLACES: f64 = 0.1;

/// Layers of attention of an image to itself and to memories.
#[derive(Clone, Debug)]
pub(crate) struct MemoryAttention {
    layers: Vec<Layer>,
    norm: LayerNorm,
}

/// Memories, as a frame sees them.
#[derive(Debug)]
pub(crate) struct Bank {
    /// `[tokens, channels]`: whole memories, one place after the other, then pointers.
    pub tokens: Tensor,
    /// Where and when they are from, `[tokens, channels]`.
    pub positions: Tensor,
    /// How many of them are of pointers, which have no place in the image.
    pub pointers: i64,
}

impl MemoryAttention {
    pub(super) fn load(scope: &Scope<'_>, sizes: &MemorySizes) -> TorchResult<Self> {
        let rotation = Rotation::new(sizes, scope.device())?;
        let layers = (0..sizes.layers)
            .map(|index| Layer::load(&scope.at("layers").at(index), sizes, &rotation));
        Ok(Self {
            layers: layers.collect(),
            norm: LayerNorm::load(&scope.at("norm"), sizes.hidden_channels, EPSILON),
        })
    }

    /// An image `[places, hidden channels]` to the same, with what it finds in `bank`. `places` are the
    /// encodings of its places.
    pub(crate) fn forward(
        &self,
        image: &Tensor,
        places: &Tensor,
        bank: &Bank,
    ) -> TorchResult<Tensor> {
        let mut x = image.f_add(&places.f_mul_scalar(PLACES)?)?;
        let keys = bank.tokens.f_add(&bank.positions)?;
        for layer in &self.layers {
            x = layer.forward(&x, &keys, bank)?;
        }
        self.norm.forward(&x)
    }
}

#[derive(Clone, Debug)]
struct Layer {
    within: Attention,
    norm1: LayerNorm,
    to_memories: Attention,
    norm2: LayerNorm,
    mlp: Mlp,
    norm3: LayerNorm,
}

impl Layer {
    fn load(scope: &Scope<'_>, sizes: &MemorySizes, rotation: &Rotation) -> Self {
        let MemorySizes {
            hidden_channels,
            hidden,
            channels,
            ..
        } = *sizes;
        let norm = |name| LayerNorm::load(&scope.at(name), hidden_channels, EPSILON);
        let attention = |name, keys| Attention::load(&scope.at(name), sizes, keys, rotation);
        Self {
            within: attention("self_attn", hidden_channels),
            norm1: norm("norm1"),
            to_memories: attention("cross_attn_image", channels),
            norm2: norm("norm2"),
            mlp: Mlp::new(vec![
                Linear::load(&scope.at("linear1"), hidden_channels, hidden),
                Linear::load(&scope.at("linear2"), hidden, hidden_channels),
            ]),
            norm3: norm("norm3"),
        }
    }

    fn forward(&self, x: &Tensor, keys: &Tensor, bank: &Bank) -> TorchResult<Tensor> {
        let normed = self.norm1.forward(x)?;
        let x = x.f_add(&self.within.forward(&normed, &normed, &normed, 0)?)?;
        let normed = self.norm2.forward(&x)?;
        let found = self
            .to_memories
            .forward(&normed, keys, &bank.tokens, bank.pointers)?;
        let x = x.f_add(&found)?;
        x.f_add(&self.mlp.forward(&self.norm3.forward(&x)?)?)
    }
}

/// Multi-head attention whose queries and keys are turned by where they lie.
#[derive(Clone, Debug)]
struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: i64,
    rotation: Rotation,
}

impl Attention {
    /// Of keys and values of `keys` channels.
    fn load(scope: &Scope<'_>, sizes: &MemorySizes, keys: i64, rotation: &Rotation) -> Self {
        let MemorySizes {
            hidden_channels,
            inner,
            heads,
            ..
        } = *sizes;
        Self {
            query: Linear::load(&scope.at("q_proj"), hidden_channels, inner),
            key: Linear::load(&scope.at("k_proj"), keys, inner),
            value: Linear::load(&scope.at("v_proj"), keys, inner),
            output: Linear::load(&scope.at("out_proj"), inner, hidden_channels),
            heads,
            rotation: rotation.clone(),
        }
    }

    /// The last `placeless` keys are not turned.
    fn forward(
        &self,
        queries: &Tensor,
        keys: &Tensor,
        values: &Tensor,
        placeless: i64,
    ) -> TorchResult<Tensor> {
        // [n, heads · head] to [heads, n, head]
        let split = |x: Tensor| x.f_unflatten(-1, [self.heads, -1])?.f_transpose(0, 1);
        let query = split(self.query.forward(queries)?)?;
        let key = split(self.key.forward(keys)?)?;
        let value = split(self.value.forward(values)?)?;
        let query = self.rotation.turn(&query)?;
        let placed = key.size3()?.1 - placeless;
        let turned = self.rotation.turn(&key.f_narrow(1, 0, placed)?)?;
        let key = Tensor::f_cat(&[turned, key.f_narrow(1, placed, placeless)?], 1)?;
        let found = Tensor::f_scaled_dot_product_attention(
            &query.f_unsqueeze(0)?,
            &key.f_unsqueeze(0)?,
            &value.f_unsqueeze(0)?,
            None::<&Tensor>,
            0.0,
            false,
            None,
            false,
        )?;
        let found = found.f_squeeze_dim(0)?.f_transpose(0, 1)?;
        self.output.forward(&found.f_flatten(1, 2)?)
    }
}

/// By how much the pairs of channels of each place are turned.
#[derive(Clone, Debug)]
struct Rotation {
    /// Cosines and sines `[places, head / 2]`: a quarter of the channels by columns, then as many by
    /// rows.
    cosines: Weight,
    sines: Weight,
}

impl Rotation {
    fn new(sizes: &MemorySizes, device: Device) -> TorchResult<Self> {
        let head = sizes.inner / sizes.heads;
        let theta = sizes.theta as f32;
        let speeds = (0..head / 4).map(|pair| 1.0 / theta.powf((4 * pair) as f32 / head as f32));
        let speeds: Vec<f32> = speeds.collect();
        let (mut cosines, mut sines) = (Vec::new(), Vec::new());
        for row in 0..sizes.grid {
            for column in 0..sizes.grid {
                for place in [column, row] {
                    for speed in &speeds {
                        let angle = place as f32 * speed;
                        cosines.push(angle.cos());
                        sines.push(angle.sin());
                    }
                }
            }
        }
        let table = |numbers: &[f32]| {
            let table = Tensor::f_from_slice(numbers)?.f_view([-1, head / 2])?;
            TorchResult::Ok(Weight::new(table.f_to_device(device)?))
        };
        Ok(Self {
            cosines: table(&cosines)?,
            sines: table(&sines)?,
        })
    }

    /// `[heads, times · places, head]`, neighbouring channels together.
    fn turn(&self, x: &Tensor) -> TorchResult<Tensor> {
        let (heads, tokens, head) = x.size3()?;
        let places = self.cosines.size2()?.0;
        let pairs = x.f_reshape([heads, tokens / places, places, head / 2, 2])?;
        let (real, imaginary) = (pairs.f_select(-1, 0)?, pairs.f_select(-1, 1)?);
        let turned = [
            real.f_mul(&self.cosines)?
                .f_sub(&imaginary.f_mul(&self.sines)?)?,
            real.f_mul(&self.sines)?
                .f_add(&imaginary.f_mul(&self.cosines)?)?,
        ];
        Tensor::f_stack(&turned, -1)?.f_reshape([heads, tokens, head])
    }
}
