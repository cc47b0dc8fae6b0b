//! The mask decoder: a transformer between prompt tokens and image, then masks and their IoUs.
//!
//! Nearly all its work is products with the image side, `places` x `channels` for each prompt.
//! Three things keep that small, with the same results as the official arrangement:
//!
//! - What the first layer computes of the image alone is computed once per image ([`ImageSide`]).
//! - A prompt has few tokens. So keys, values and queries of the image are never projected:
//!   `(x · W) · t` is computed as `x · (W · t)`, head by head.
//! - The IoU of a prompt's masks needs its IoU token only. Masks are made in a second step, for
//!   the prompts the caller still wants.

use som_torch::{
    Scope, TorchResult,
    nn::{LayerNorm, Linear, Mlp, UpConv, Weight},
};
use tch::Tensor;

use super::config::{Config, Decoder as DecoderConfig};

const EPSILON: f64 = 1e-5;

/// Embedding and prompts to masks.
#[derive(Clone, Debug)]
pub(crate) struct MaskDecoder {
    /// `[1 + masks, channels]`: the IoU token, then one for each mask.
    tokens: Weight,
    first: Layer,
    later: Vec<Layer>,
    last_attention: Attention,
    last_norm: LayerNorm,
    enlarge1: UpConv,
    enlarge_norm: LayerNorm,
    enlarge2: UpConv,
    /// Per mask token, what weighs the enlarged channels.
    weigh: Vec<Mlp>,
    iou_head: Mlp,
    grid: i64,
}

/// An image as the decoder sees it: its embedding with a mask prompt added, and everything the
/// first layer computes of it alone. `places` are the embedding's, row by row.
#[derive(Debug)]
pub(crate) struct ImageSide {
    /// `[places, channels]`
    image: Tensor,
    /// The encodings of the places, `[places, channels]`.
    places: Tensor,
    /// For the first layer's attention of tokens to image: `[heads, head, places]` and
    /// `[heads, places, head]`.
    key: Tensor,
    value: Tensor,
    /// For its attention of image to tokens: `[heads, head, places]`.
    query: Tensor,
}

impl ImageSide {
    /// Bytes of memory held.
    pub(crate) fn bytes(&self) -> u64 {
        let tensors = [&self.image, &self.key, &self.value, &self.query];
        tensors.iter().map(|tensor| 4 * tensor.numel() as u64).sum()
    }
}

impl Clone for ImageSide {
    /// Shares the numbers.
    fn clone(&self) -> Self {
        Self {
            image: self.image.shallow_clone(),
            places: self.places.shallow_clone(),
            key: self.key.shallow_clone(),
            value: self.value.shallow_clone(),
            query: self.query.shallow_clone(),
        }
    }
}

/// Prompts after the transformer.
#[derive(Debug)]
pub(crate) struct Decoded {
    /// `[prompts, tokens, channels]`, before the last attention.
    tokens: Tensor,
    /// What they were at first.
    origin: Tensor,
    /// `[prompts, places, channels]`
    image: Tensor,
    /// The encodings of the places, `[places, channels]`.
    places: Tensor,
}

impl MaskDecoder {
    pub(crate) fn load(scope: &Scope<'_>, config: &Config) -> TorchResult<Self> {
        let channels = config.embedding;
        let DecoderConfig {
            layers,
            heads,
            inner,
            hidden,
            masks,
            ref iou_widths,
        } = config.decoder;
        let transformer = scope.at("transformer");
        let layer = |index: i64| {
            let scope = transformer.at("layers").at(index);
            Layer::load(&scope, channels, heads, inner, hidden)
        };
        let enlarge = scope.at("output_upscaling");
        let weigh = scope.at("output_hypernetworks_mlps");
        let weigh_widths = [channels, channels, channels, channels / 8];
        Ok(Self {
            tokens: Weight::concatenate(&[
                scope.weight("iou_token.weight", &[1, channels]),
                scope.weight("mask_tokens.weight", &[masks, channels]),
            ])?,
            first: layer(0)?,
            later: (1..layers).map(layer).collect::<TorchResult<_>>()?,
            last_attention: Attention::load(
                &transformer.at("final_attn_token_to_image"),
                channels,
                inner,
                heads,
            )?,
            last_norm: LayerNorm::load(&transformer.at("norm_final_attn"), channels, EPSILON),
            enlarge1: UpConv::load(&enlarge.at(0), channels, channels / 4)?,
            enlarge_norm: LayerNorm::load(&enlarge.at(1), channels / 4, 1e-6),
            enlarge2: UpConv::load(&enlarge.at(3), channels / 4, channels / 8)?,
            weigh: (0..masks)
                .map(|index| Mlp::load(&weigh.at(index), &weigh_widths))
                .collect(),
            iou_head: Mlp::load(&scope.at("iou_prediction_head"), iou_widths),
            grid: config.grid,
        })
    }

    /// Prepares an image for any number of prompts: its embedding `[places, channels]`, the
    /// embedding of a mask prompt `[places or 1, channels]`, and the encodings of the places.
    pub(crate) fn prepare(
        &self,
        embedding: &Tensor,
        mask: &Tensor,
        places: &Tensor,
    ) -> TorchResult<ImageSide> {
        let image = embedding.f_add(mask)?;
        let placed = image.f_add(places)?;
        Ok(ImageSide {
            key: self.first.to_image.keys_of_image(&placed)?,
            value: self.first.to_image.values_of_image(&image)?,
            query: self.first.to_tokens.queries_of_image(&placed)?,
            places: places.shallow_clone(),
            image,
        })
    }

    /// Runs prompts `[prompts, tokens, channels]` (tokens may be 0) against an image.
    pub(crate) fn decode(&self, side: &ImageSide, prompts: &Tensor) -> TorchResult<Decoded> {
        let (count, _, channels) = prompts.size3()?;
        let outputs = self
            .tokens
            .f_unsqueeze(0)?
            .f_expand([count, -1, channels], false)?;
        let origin = Tensor::f_cat(&[&outputs, prompts], 1)?;
        let (mut tokens, mut image) = self.first.forward_first(&origin, side)?;
        for layer in &self.later {
            (tokens, image) = layer.forward(&tokens, &origin, image, &side.places)?;
        }
        Ok(Decoded {
            tokens,
            origin,
            image,
            places: side.places.shallow_clone(),
        })
    }

    /// The predicted IoU `[prompts, masks]` of every mask the decoder can give.
    pub(crate) fn ious(&self, decoded: &Decoded) -> TorchResult<Tensor> {
        let token = self.finish(decoded, &decoded.image, 0, 1)?;
        self.iou_head.forward(&token.f_squeeze_dim(1)?)
    }

    /// The logits `[chosen, count, low, low]` of `count` masks from mask `first` on, for the
    /// prompts of the given indices.
    pub(crate) fn masks(
        &self,
        decoded: &Decoded,
        chosen: &[i64],
        first: usize,
        count: usize,
    ) -> TorchResult<Tensor> {
        let index = Tensor::f_from_slice(chosen)?.f_to_device(decoded.image.device())?;
        let select = |x: &Tensor| x.f_index_select(0, &index);
        let image = select(&decoded.image)?;
        let decoded = Decoded {
            tokens: select(&decoded.tokens)?,
            origin: select(&decoded.origin)?,
            places: decoded.places.shallow_clone(),
            image,
        };
        let tokens = self.finish(&decoded, &decoded.image, 1 + first as i64, count as i64)?;
        let weights = self.weigh.iter().skip(first).take(count).zip(0..);
        let weights = weights
            .map(|(mlp, index)| mlp.forward(&tokens.f_select(1, index)?))
            .collect::<TorchResult<Vec<_>>>()?;
        let weights = Tensor::f_stack(&weights, -1)?;
        let (chosen, grid, count) = (chosen.len() as i64, self.grid, count as i64);
        let enlarged = self
            .enlarge(&decoded.image)?
            .f_view([chosen, 16 * grid * grid, -1])?;
        // Each place has become 2x2 and each of these 2x2: only now put them in order.
        let logits = enlarged.f_bmm(&weights)?;
        logits
            .f_view(&[chosen, grid, grid, 2, 2, 2, 2, count] as &[i64])?
            .f_permute([0, 7, 1, 3, 5, 2, 4, 6])?
            .f_reshape([chosen, count, 4 * grid, 4 * grid])
    }

    /// `[prompts, places, channels]` to `[prompts, places, 4, 4, channels / 8]`.
    pub(crate) fn enlarge(&self, image: &Tensor) -> TorchResult<Tensor> {
        let x = self
            .enlarge_norm
            .forward(&self.enlarge1.forward(image)?)?
            .f_gelu_("none")?;
        self.enlarge2.forward(&x)?.f_gelu_("none")
    }

    /// The last attention to the image, for `count` tokens from token `first` on.
    fn finish(
        &self,
        decoded: &Decoded,
        image: &Tensor,
        first: i64,
        count: i64,
    ) -> TorchResult<Tensor> {
        let tokens = decoded.tokens.f_narrow(1, first, count)?;
        let query = tokens.f_add(&decoded.origin.f_narrow(1, first, count)?)?;
        let found =
            self.last_attention
                .tokens_to_image(&query, image, image, Some(&decoded.places))?;
        self.last_norm.forward(&tokens.f_add(&found)?)
    }

    /// Both sides after the whole transformer, for comparison with the official project.
    #[cfg(test)]
    pub(crate) fn transformed(&self, decoded: &Decoded) -> TorchResult<(Tensor, Tensor)> {
        let tokens = decoded.tokens.size3()?.1;
        Ok((
            self.finish(decoded, &decoded.image, 0, tokens)?,
            decoded.image.shallow_clone(),
        ))
    }
}

/// Attention among tokens, of tokens to image, an MLP, and attention of image to tokens.
#[derive(Clone, Debug)]
struct Layer {
    among_tokens: Attention,
    norm1: LayerNorm,
    to_image: Attention,
    norm2: LayerNorm,
    mlp: Mlp,
    norm3: LayerNorm,
    to_tokens: Attention,
    norm4: LayerNorm,
}

impl Layer {
    fn load(
        scope: &Scope<'_>,
        channels: i64,
        heads: i64,
        inner: i64,
        hidden: i64,
    ) -> TorchResult<Self> {
        let norm = |name| LayerNorm::load(&scope.at(name), channels, EPSILON);
        Ok(Self {
            among_tokens: Attention::load(&scope.at("self_attn"), channels, channels, heads)?,
            norm1: norm("norm1"),
            to_image: Attention::load(
                &scope.at("cross_attn_token_to_image"),
                channels,
                inner,
                heads,
            )?,
            norm2: norm("norm2"),
            mlp: Mlp::new(vec![
                Linear::load(&scope.at("mlp.lin1"), channels, hidden),
                Linear::load(&scope.at("mlp.lin2"), hidden, channels),
            ]),
            norm3: norm("norm3"),
            to_tokens: Attention::load(
                &scope.at("cross_attn_image_to_token"),
                channels,
                inner,
                heads,
            )?,
            norm4: norm("norm4"),
        })
    }

    /// The first layer, where all prompts see the same image. What attention among the tokens
    /// finds replaces them here.
    fn forward_first(&self, origin: &Tensor, side: &ImageSide) -> TorchResult<(Tensor, Tensor)> {
        let tokens = self
            .norm1
            .forward(&self.among_tokens.among_tokens(origin, origin)?)?;
        let found =
            self.to_image
                .tokens_to_shared_image(&tokens.f_add(origin)?, &side.key, &side.value)?;
        let tokens = self.after_image(&tokens, &found)?;
        let weights = self
            .to_tokens
            .weights_of_shared_image(&side.query, &tokens.f_add(origin)?)?;
        let image = side
            .image
            .f_unsqueeze(0)?
            .f_expand([tokens.size3()?.0, -1, -1], false)?;
        let image = image.f_baddbmm(
            &weights.f_transpose(1, 2)?,
            &self.to_tokens.answers(&tokens)?,
            1,
            1,
        )?;
        Ok((tokens, self.norm4.forward(&image)?))
    }

    /// A later layer: tokens and image of each prompt are its own.
    fn forward(
        &self,
        tokens: &Tensor,
        origin: &Tensor,
        mut image: Tensor,
        places: &Tensor,
    ) -> TorchResult<(Tensor, Tensor)> {
        let found = self
            .among_tokens
            .among_tokens(&tokens.f_add(origin)?, tokens)?;
        let tokens = self.norm1.forward(&tokens.f_add(&found)?)?;
        let placed = image.f_add(places)?;
        let found = self
            .to_image
            .tokens_to_image(&tokens.f_add(origin)?, &placed, &image, None)?;
        let tokens = self.after_image(&tokens, &found)?;
        let weights = self
            .to_tokens
            .weights_of_image(&placed, &tokens.f_add(origin)?)?;
        let image = image.f_baddbmm_(
            &weights.f_transpose(1, 2)?,
            &self.to_tokens.answers(&tokens)?,
        )?;
        Ok((tokens, self.norm4.forward(&image)?))
    }

    fn after_image(&self, tokens: &Tensor, found: &Tensor) -> TorchResult<Tensor> {
        let tokens = self.norm2.forward(&tokens.f_add(found)?)?;
        self.norm3
            .forward(&tokens.f_add(&self.mlp.forward(&tokens)?)?)
    }
}

/// Multi-head attention with projections to `heads` x `head` channels.
#[derive(Clone, Debug)]
struct Attention {
    /// Comes out scaled.
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: i64,
    head: i64,
}

impl Attention {
    fn load(scope: &Scope<'_>, channels: i64, inner: i64, heads: i64) -> TorchResult<Self> {
        let head = inner / heads;
        let scale = (head as f64).powf(-0.5);
        let project = |name| Linear::load(&scope.at(name), channels, inner);
        let query = project("q_proj");
        let scaled = |weight: &Weight| weight.map(|weight| weight.f_mul_scalar(scale));
        Ok(Self {
            query: Linear {
                weight: scaled(&query.weight)?,
                bias: query.bias.as_ref().map(scaled).transpose()?,
            },
            key: project("k_proj"),
            value: project("v_proj"),
            output: Linear::load(&scope.at("out_proj"), inner, channels),
            heads,
            head,
        })
    }

    /// Attention among tokens `[prompts, tokens, channels]`: `x` are queries and keys.
    fn among_tokens(&self, x: &Tensor, values: &Tensor) -> TorchResult<Tensor> {
        let split = |x: Tensor| {
            x.f_unflatten(-1, [self.heads, self.head])?
                .f_transpose(1, 2)
        };
        let query = split(self.query.forward(x)?)?;
        let key = split(self.key.forward(x)?)?;
        let value = split(self.value.forward(values)?)?;
        let weights = query
            .f_matmul(&key.f_transpose(2, 3)?)?
            .f_softmax(-1, None)?;
        self.output.forward(
            &weights
                .f_matmul(&value)?
                .f_transpose(1, 2)?
                .f_flatten(2, 3)?,
        )
    }

    /// Keys of an image `[places, channels]` as `[heads, head, places]`.
    fn keys_of_image(&self, image: &Tensor) -> TorchResult<Tensor> {
        self.per_head(&self.key.forward(image)?)?
            .f_transpose(1, 2)?
            .f_contiguous()
    }

    /// Values of an image `[places, channels]` as `[heads, places, head]`.
    fn values_of_image(&self, image: &Tensor) -> TorchResult<Tensor> {
        self.per_head(&self.value.forward(image)?)?.f_contiguous()
    }

    /// Queries of an image `[places, channels]` as `[heads, head, places]`.
    fn queries_of_image(&self, image: &Tensor) -> TorchResult<Tensor> {
        self.per_head(&self.query.forward(image)?)?
            .f_transpose(1, 2)?
            .f_contiguous()
    }

    /// `[…, heads · head]` to `[heads, …, head]`, everything between flattened.
    fn per_head(&self, x: &Tensor) -> TorchResult<Tensor> {
        x.f_reshape([-1, self.heads, self.head])?.f_transpose(0, 1)
    }

    /// What tokens find in an image that all prompts share.
    fn tokens_to_shared_image(
        &self,
        tokens: &Tensor,
        key: &Tensor,
        value: &Tensor,
    ) -> TorchResult<Tensor> {
        let (prompts, count, _) = tokens.size3()?;
        let query = self.per_head(&self.query.forward(tokens)?)?;
        let logits = query.f_bmm(key)?;
        let found = logits
            .f_internal_softmax_out(&logits, -1, false)?
            .f_bmm(value)?;
        self.output
            .forward(&found.f_transpose(0, 1)?.f_reshape([prompts, count, -1])?)
    }

    /// What tokens find in the image of their prompt. `keys` and `values` are
    /// `[prompts, places, channels]`; `places` are encodings yet to be added to the keys.
    ///
    /// The offset of the keys' projection adds the same to all logits of a token, so that it
    /// cancels out; that of the values' comes out as it is.
    fn tokens_to_image(
        &self,
        tokens: &Tensor,
        keys: &Tensor,
        values: &Tensor,
        places: Option<&Tensor>,
    ) -> TorchResult<Tensor> {
        let (prompts, count, _) = tokens.size3()?;
        let query = self.per_head(&self.query.forward(tokens)?)?;
        let probes = self.through(&query, &self.key.weight)?;
        let probes = self.by_prompt(&probes, prompts, count)?;
        let keys = keys.f_transpose(1, 2)?;
        let logits = match places {
            Some(places) => {
                let logits = probes.f_flatten(0, 1)?.f_mm(&places.f_tr()?)?;
                logits
                    .f_unflatten(0, [prompts, self.heads * count])?
                    .f_baddbmm_(&probes, &keys)?
            }
            None => probes.f_bmm(&keys)?,
        };
        let found = logits
            .f_internal_softmax_out(&logits, -1, false)?
            .f_bmm(values)?;
        // [prompts, heads · tokens, channels] to [heads, prompts · tokens, channels]
        let found = found
            .f_unflatten(1, [self.heads, count])?
            .f_transpose(0, 1)?
            .f_flatten(1, 2)?;
        let weight = self.value.weight.f_unflatten(0, [self.heads, self.head])?;
        let found = found.f_bmm(&weight.f_transpose(1, 2)?)?;
        let found = found.f_transpose(0, 1)?.f_reshape([prompts, count, -1])?;
        let found = match &self.value.bias {
            Some(bias) => found.f_add(bias)?,
            None => found,
        };
        self.output.forward(&found)
    }

    /// How much each place of a shared image takes of each token: `[prompts, heads · tokens,
    /// places]`, from queries `[heads, head, places]`.
    fn weights_of_shared_image(&self, query: &Tensor, tokens: &Tensor) -> TorchResult<Tensor> {
        let (prompts, count, _) = tokens.size3()?;
        let key = self.per_head(&self.key.forward(tokens)?)?;
        let logits = key.f_bmm(query)?.f_unflatten(1, [prompts, count])?;
        logits
            .f_softmax(2, None)?
            .f_transpose(0, 1)?
            .f_reshape([prompts, self.heads * count, -1])
    }

    /// As [`weights_of_shared_image`](Self::weights_of_shared_image), for images
    /// `[prompts, places, channels]`.
    fn weights_of_image(&self, image: &Tensor, tokens: &Tensor) -> TorchResult<Tensor> {
        let (prompts, count, _) = tokens.size3()?;
        let key = self.per_head(&self.key.forward(tokens)?)?;
        let probes = self.by_prompt(&self.through(&key, &self.query.weight)?, prompts, count)?;
        let image = image.f_transpose(1, 2)?;
        let logits = match &self.query.bias {
            Some(bias) => {
                let offsets = key.f_bmm(&bias.f_view([self.heads, self.head, 1])?)?;
                let offsets = self.by_prompt(&offsets, prompts, count)?;
                let size = [prompts, self.heads * count, image.size3()?.2];
                offsets
                    .f_expand(size, false)?
                    .f_baddbmm(&probes, &image, 1, 1)?
            }
            None => probes.f_bmm(&image)?,
        };
        logits
            .f_unflatten(1, [self.heads, count])?
            .f_softmax(2, None)?
            .f_flatten(1, 2)
    }

    /// What each token answers to each place that takes it wholly, by head:
    /// `[prompts, heads · tokens, channels]`. The offset of the output is shared out among the
    /// heads, whose weights each add up to 1.
    fn answers(&self, tokens: &Tensor) -> TorchResult<Tensor> {
        let (prompts, count, _) = tokens.size3()?;
        let value = self.per_head(&self.value.forward(tokens)?)?;
        let weight = self
            .output
            .weight
            .f_unflatten(1, [self.heads, self.head])?
            .f_permute([1, 2, 0])?;
        let mut answers = value.f_bmm(&weight)?;
        if let Some(bias) = &self.output.bias {
            answers = answers.f_add_(&bias.f_div_scalar(self.heads as f64)?)?;
        }
        self.by_prompt(&answers, prompts, count)
    }

    /// `[heads, n, head]` through a projection's weight `[heads · head, channels]`:
    /// `[heads, n, channels]`.
    fn through(&self, x: &Tensor, weight: &Weight) -> TorchResult<Tensor> {
        x.f_bmm(&weight.f_unflatten(0, [self.heads, self.head])?)
    }

    /// `[heads, prompts · tokens, n]` to `[prompts, heads · tokens, n]`.
    fn by_prompt(&self, x: &Tensor, prompts: i64, tokens: i64) -> TorchResult<Tensor> {
        x.f_unflatten(1, [prompts, tokens])?
            .f_transpose(0, 1)?
            .f_reshape([prompts, self.heads * tokens, -1])
    }
}
