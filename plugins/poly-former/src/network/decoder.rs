//! A memory to what is written about it, point by point.
//!
//! Liu et al., *PolyFormer*, 2023 (arXiv 2302.07387), sections 3.3 and 3.4; official files
//! `tasks/refcoco.py`, `inference_step`, and `models/polyformer/unify_transformer.py`,
//! `TransformerDecoder`. There every step computes all before it again; here their keys and values are
//! kept, which gives the same numbers.

use som_core::{Call, Result};
use som_torch::{
    Scope, TorchResult,
    nn::{LayerNorm, Linear, Mlp, Weight},
    numbers,
    stages::stage,
    torch_error,
};
use tch::{Device, Kind, Tensor};

use super::{
    attention::{EPSILON, HeadAttention, KeysAndValues, NormedMlp},
    codebook::{Codebook, Written},
    config::{Config, LayerSizes},
    encoder::Memory,
    places::{DistanceTable, PlaceProduct, count_of_cell_distances, token_distances},
};

/// What stands between polygons among coordinates, which are at most 1.
pub(crate) const SEPARATOR: f32 = 2.0;

/// What makes coordinates of a memory. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct Decoder {
    pub codebook: Codebook,
    /// `[positions, channels]`
    places: Weight,
    place_norm: LayerNorm,
    own_product: PlaceProduct,
    memory_product: PlaceProduct,
    pub layers: Vec<Layer>,
    norm: LayerNorm,
    /// To how likely a step is a point, a separator or the end.
    kind: Linear,
    /// To where a point is.
    point: Mlp,
    sizes: LayerSizes,
    least_steps: i64,
    most_steps: i64,
}

/// What the decoder says next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Said {
    /// How likely it is a point, a separator or the end, as logits.
    pub kind: [f32; 3],
    /// Where it would be as a point: x and y, in 0..=1.
    pub point: [f32; 2],
}

/// What is kept from step to step.
#[derive(Debug)]
pub(crate) struct Progress {
    /// Of the steps so far, and of the memory, for each layer.
    layers: Vec<(KeysAndValues, KeysAndValues)>,
    /// How well the places of steps fit each other, `[heads, steps, steps]`, and those of the memory,
    /// `[heads, steps, cells + tokens]`.
    own_product: Tensor,
    memory_product: Tensor,
    /// From each step to those before and itself, `[steps, steps]`.
    distances: Tensor,
    /// How many steps there were.
    step: i64,
}

impl Decoder {
    /// `decoder` of `root`, and the token embeddings that it shares.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn load(root: &Scope<'_>, config: &Config) -> TorchResult<Self> {
        let scope = root.at("decoder");
        let sizes = config.decoder;
        let channels = sizes.channels;
        leave_unused(&scope, &sizes, config.image_bucket);
        let product = |names| PlaceProduct::load(&scope, names, &sizes);
        let layers = (0..sizes.layers).map(|index| Layer::load(&scope, index, &sizes));
        let positions = &[sizes.positions, channels];
        Ok(Self {
            codebook: Codebook::load(root, config.bins, channels),
            places: scope.at("embed_positions").weight("weight", positions),
            place_norm: LayerNorm::load(&scope.at("pos_ln"), channels, EPSILON),
            own_product: product(["self_pos_q_linear", "self_pos_k_linear"]),
            memory_product: product(["cross_pos_q_linear", "cross_pos_k_linear"]),
            layers: layers.collect::<TorchResult<_>>()?,
            norm: LayerNorm::load(&scope.at("layer_norm"), channels, EPSILON),
            kind: Linear {
                weight: scope.at("cls_head").weight("weight", &[3, channels]),
                bias: None,
            },
            point: Mlp::load(&scope.at("reg_head"), &[channels, channels, channels, 2]),
            sizes,
            least_steps: config.settings.least_steps,
            most_steps: config.settings.most_steps,
        })
    }

    /// What is written about a memory: coordinates in 0..=1, x and y in turns, and separators.
    ///
    /// # Errors
    /// Cancelled, between steps; Invalid, if the weights give no numbers; what libtorch reports.
    pub(crate) fn write(&self, memory: &Memory, call: &Call<'_>) -> Result<Vec<f32>> {
        stage("decoder", || {
            let mut progress = self.begin(memory).map_err(torch_error)?;
            let mut numbers = Vec::new();
            let mut written = Written::Start;
            for step in 0..self.most_steps {
                call.check()?;
                let said = self.step(written, &mut progress).map_err(torch_error)?;
                match self.next(&said, step)? {
                    None => break,
                    Some(next) => written = next,
                }
                match written {
                    Written::Point(point) => numbers.extend(point),
                    _ => numbers.push(SEPARATOR),
                }
            }
            Ok(numbers)
        })
    }

    /// What is written at `step`; `None`: the end.
    fn next(&self, said: &Said, step: i64) -> Result<Option<Written>> {
        let Said { kind, point } = said;
        if !kind.iter().chain(point).all(|number| number.is_finite()) {
            return Err(numbers::none_of("decoder"));
        }
        let [coordinate, separator, end] = *kind;
        let is_end = end > coordinate && end > separator;
        let is_separator = separator > coordinate && !is_end;
        Ok(match (is_separator, is_end && step >= self.least_steps) {
            (true, _) => Some(Written::Separator),
            (_, true) => None,
            _ => Some(Written::Point(point.map(|it| it.min(1.0)))),
        })
    }

    /// Before the first step.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn begin(&self, memory: &Memory) -> TorchResult<Progress> {
        let Memory { content, places } = memory;
        let (steps, device) = (self.most_steps, content.device());
        let own = self
            .place_norm
            .forward(&self.places.f_narrow(0, 0, steps)?)?;
        let room = || -> TorchResult<Tensor> {
            let LayerSizes {
                channels, heads, ..
            } = self.sizes;
            let options = (content.kind(), device);
            Tensor::f_empty([1, heads, steps, channels / heads], options)
        };
        let layers = self.layers.iter().map(|layer| {
            let own = KeysAndValues {
                keys: room()?,
                values: room()?,
            };
            TorchResult::Ok((own, layer.memory.keys_and_values(content)?))
        });
        Ok(Progress {
            layers: layers.collect::<TorchResult<_>>()?,
            own_product: self.own_product.forward(&own, &own)?,
            memory_product: self.memory_product.forward(&own, places)?,
            distances: token_distances(self.sizes.token_bucket, steps, device)?,
            step: 0,
        })
    }

    /// One step: what is said after `written`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn step(&self, written: Written, progress: &mut Progress) -> TorchResult<Said> {
        let mut x = self.codebook.read(written)?;
        for (index, layer) in self.layers.iter().enumerate() {
            x = layer.forward(&x, index, progress)?;
        }
        progress.step += 1;
        self.say(&x)
    }

    /// What the last layer `[1, channels]` says.
    fn say(&self, x: &Tensor) -> TorchResult<Said> {
        let x = self.norm.forward(x)?;
        let kind = self.kind.forward(&x)?;
        let point = self.point.forward(&x)?.f_sigmoid()?;
        let said = Tensor::f_cat(&[kind, point], 1)?.f_flatten(0, 1)?;
        let said = said.f_to_kind(Kind::Float)?.f_to_device(Device::Cpu)?;
        let mut numbers = [0.0; 5];
        said.f_copy_data(&mut numbers, 5)?;
        let [coordinate, separator, end, x, y] = numbers;
        Ok(Said {
            kind: [coordinate, separator, end],
            point: [x, y],
        })
    }
}

/// Constants, and what the design that this one follows needs for the codes of images.
fn leave_unused(scope: &Scope<'_>, sizes: &LayerSizes, bucket: i64) {
    for name in [
        "version",
        "token_rp_bucket",
        "image_rp_bucket",
        "image_position_idx",
    ] {
        scope.leave(name);
    }
    let channels = sizes.channels;
    let places = [bucket * bucket + 1, channels];
    scope.at("embed_image_positions").spare("weight", &places);
    for norm in ["image_pos_ln", "code_layernorm_embedding"] {
        scope.at(norm).spare("weight", &[channels]);
        scope.at(norm).spare("bias", &[channels]);
    }
    let tables = scope.at("image_rel_pos_table_list");
    for layer in 0..sizes.layers {
        let shape = [count_of_cell_distances(bucket), sizes.heads];
        tables.at(layer).spare("weight", &shape);
    }
}

/// Attention to the steps so far, then to the memory, then an MLP.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    before_own: LayerNorm,
    own: HeadAttention,
    before_memory: LayerNorm,
    memory: HeadAttention,
    mlp: NormedMlp,
    table: DistanceTable,
}

impl Layer {
    fn load(decoder: &Scope<'_>, index: i64, sizes: &LayerSizes) -> TorchResult<Self> {
        let scope = decoder.at("layers").at(index);
        let norm = |name: &str| LayerNorm::load(&scope.at(name), sizes.channels, EPSILON);
        let table = decoder.at("token_rel_pos_table_list").at(index);
        Ok(Self {
            before_own: norm("self_attn_layer_norm"),
            own: HeadAttention::load(&scope, "self_attn", "self_attn_ln", sizes)?,
            before_memory: norm("encoder_attn_layer_norm"),
            memory: HeadAttention::load(&scope, "encoder_attn", "cross_attn_ln", sizes)?,
            mlp: NormedMlp::load(&scope, sizes),
            table: DistanceTable::load(&table, 2 * sizes.token_bucket - 1, sizes.heads),
        })
    }

    /// The step `[1, channels]` to the same, in the layer of this index.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn forward(
        &self,
        x: &Tensor,
        index: usize,
        progress: &Progress,
    ) -> TorchResult<Tensor> {
        let Some((own, memory)) = progress.layers.get(index) else {
            return Ok(x.shallow_clone());
        };
        let normed = self.before_own.forward(x)?;
        let so_far = progress.keep(own, &self.own.keys_and_values(&normed)?)?;
        let bias = self.bias(progress)?;
        let x = self.own.forward(&normed, &so_far, &bias)?.f_add_(x)?;
        let normed = self.before_memory.forward(&x)?;
        let bias = progress.memory_bias()?;
        let x = self.memory.forward(&normed, memory, &bias)?.f_add_(&x)?;
        self.mlp.forward(&x)
    }

    /// What is added to the logits of this step and those before it, `[heads, 1, steps so far]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn bias(&self, progress: &Progress) -> TorchResult<Tensor> {
        let so_far = progress.step + 1;
        let row = |of: &Tensor, axis: i64| {
            of.f_narrow(axis, progress.step, 1)?
                .f_narrow(axis + 1, 0, so_far)
        };
        let distances = row(&progress.distances, 0)?;
        row(&progress.own_product, 1)?.f_add(&self.table.of(&distances)?)
    }
}

impl Progress {
    /// What is added to the logits of this step and the memory, `[heads, 1, cells + tokens]`.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn memory_bias(&self) -> TorchResult<Tensor> {
        self.memory_product.f_narrow(1, self.step, 1)
    }

    /// Adds keys and values of this step to `own`: those of all so far.
    fn keep(&self, own: &KeysAndValues, these: &KeysAndValues) -> TorchResult<KeysAndValues> {
        let keep = |all: &Tensor, one: &Tensor| {
            all.f_narrow(2, self.step, 1)?.f_copy_(one)?;
            all.f_narrow(2, 0, self.step + 1)
        };
        Ok(KeysAndValues {
            keys: keep(&own.keys, &these.keys)?,
            values: keep(&own.values, &these.values)?,
        })
    }
}
