//! Attention between few tokens and an image.

use tch::Tensor;

use crate::{
    Scope, TorchResult,
    nn::{Linear, Weight},
};

/// Multi-head attention with projections to `heads` x `head` channels.
#[derive(Clone, Debug)]
pub(super) struct Attention {
    /// Comes out scaled.
    query: Linear,
    key: Linear,
    value: Linear,
    output: Linear,
    heads: i64,
    head: i64,
}

impl Attention {
    pub(super) fn load(
        scope: &Scope<'_>,
        channels: i64,
        inner: i64,
        heads: i64,
    ) -> TorchResult<Self> {
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
    pub(super) fn among_tokens(&self, x: &Tensor, values: &Tensor) -> TorchResult<Tensor> {
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
    pub(super) fn keys_of_image(&self, image: &Tensor) -> TorchResult<Tensor> {
        self.per_head(&self.key.forward(image)?)?
            .f_transpose(1, 2)?
            .f_contiguous()
    }

    /// Values of an image `[places, channels]` as `[heads, places, head]`.
    pub(super) fn values_of_image(&self, image: &Tensor) -> TorchResult<Tensor> {
        self.per_head(&self.value.forward(image)?)?.f_contiguous()
    }

    /// Queries of an image `[places, channels]` as `[heads, head, places]`.
    pub(super) fn queries_of_image(&self, image: &Tensor) -> TorchResult<Tensor> {
        self.per_head(&self.query.forward(image)?)?
            .f_transpose(1, 2)?
            .f_contiguous()
    }

    /// `[…, heads · head]` to `[heads, …, head]`, everything between flattened.
    fn per_head(&self, x: &Tensor) -> TorchResult<Tensor> {
        x.f_reshape([-1, self.heads, self.head])?.f_transpose(0, 1)
    }

    /// What tokens find in an image that all prompts share.
    pub(super) fn tokens_to_shared_image(
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
    pub(super) fn tokens_to_image(
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
    pub(super) fn weights_of_shared_image(
        &self,
        query: &Tensor,
        tokens: &Tensor,
    ) -> TorchResult<Tensor> {
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
    pub(super) fn weights_of_image(&self, image: &Tensor, tokens: &Tensor) -> TorchResult<Tensor> {
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
    pub(super) fn answers(&self, tokens: &Tensor) -> TorchResult<Tensor> {
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
