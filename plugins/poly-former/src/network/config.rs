//! The sizes of a network, read off the shapes of its tensors, and the settings that no shape tells.

use som_core::{Error, Result};
use som_torch::{
    Scope,
    backbone::{SwinSizes, SwinStage},
    checkpoint::Contradictions,
    text::BertSizes,
};

use super::told::{Arguments, Told};

/// What the dictionary has before the bins of points: the start, a padding, the end, the separator.
pub(crate) const START_TOKEN: i64 = 0;
pub(crate) const SEPARATOR_TOKEN: i64 = 3;
pub(crate) const FIRST_BIN: i64 = 4;

/// Tokens between which distances are told apart.
pub(crate) const MAX_TOKENS: i64 = 1024;

/// Every size and setting of a PolyFormer network.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    pub backbone: SwinSizes,
    pub text: BertSizes,
    pub encoder: LayerSizes,
    pub decoder: LayerSizes,
    /// Places that cells of an image can have along a side.
    pub image_bucket: i64,
    /// Bins of each axis that points are read from.
    pub bins: i64,
    pub settings: Settings,
}

/// Every size of a stack of layers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LayerSizes {
    /// How many.
    pub layers: i64,
    pub channels: i64,
    pub heads: i64,
    /// Channels inside the MLPs.
    pub hidden: i64,
    /// What logits are multiplied with.
    pub scale: f64,
    /// Distances between tokens, on either side, that are told apart.
    pub token_bucket: i64,
    /// Places that tokens can have.
    pub positions: i64,
}

/// What is as in the released networks, where a config says nothing else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Settings {
    /// Of the training images' channels, in 0..=255.
    pub pixel_mean: [f32; 3],
    pub pixel_std: [f32; 3],
    /// Width and height of what the network sees of an image, in pixels.
    pub image_size: u32,
    /// Words that an expression may have.
    pub words: usize,
    /// Steps before which it does not end, and after which it does.
    pub least_steps: i64,
    pub most_steps: i64,
}

impl Config {
    /// The sizes of the network at `root`, the settings of the released ones, and what is `told` besides.
    ///
    /// # Errors
    /// Invalid, if that is no PolyFormer network, or `told` contradicts it.
    pub(crate) fn of(root: &Scope<'_>, told: &Told) -> Result<Self> {
        let (encoder, decoder) = (root.at("encoder"), root.at("decoder"));
        let backbone = SwinSizes::of(&encoder.at("embed_images"))?;
        let outputs = backbone.stages.iter().filter(|stage| stage.is_output);
        if outputs.count() != 1 {
            return Err(Error::invalid(
                "a backbone with more than one output, or none",
            ));
        }
        let text = BertSizes::of(&encoder.at("bert"), told.bert.num_attention_heads)?;
        let [channels, _] = encoder.extents("image_proj.weight")?;
        if text.width != channels {
            return Err(Error::invalid(format!(
                "a text encoder of {} channels, beside {channels} of the image",
                text.width
            )));
        }
        let factor = told.arguments.attn_scale_factor.unwrap_or(2.0);
        let [cells, _] = encoder.extents("embed_image_positions.weight")?;
        let [tokens, _] = encoder.extents("embed_tokens.weight")?;
        Ok(Self {
            backbone,
            text,
            encoder: LayerSizes::of(&encoder, channels, factor)?,
            decoder: LayerSizes::of(&decoder, channels, factor)?,
            image_bucket: side(cells - 1, "places of cells")?,
            bins: side(tokens - FIRST_BIN, "tokens for points")?,
            settings: Settings::new(told),
        })
    }

    /// Tokens that a prompt may have.
    pub(crate) fn prompt(&self) -> i64 {
        let most = self.text.positions.min(self.encoder.positions);
        most.min(MAX_TOKENS)
    }

    /// Cells along a side of what the network sees of an image.
    pub(crate) fn side(&self) -> i64 {
        let up = |extent: i64, by: i64| (extent + by - 1) / by;
        let patches = up(self.settings.image_size.into(), self.backbone.patch);
        let stages = self.backbone.stages.iter();
        let before = stages.take_while(|stage| !stage.is_output);
        before.fold(patches, |side, _| up(side, 2))
    }

    /// Where `told` says otherwise than the tensors, or asks for what the network cannot do.
    pub(crate) fn contradictions(&self, told: &Told) -> Contradictions {
        let mut wrong = Contradictions::default();
        for (key, told, found) in self.sizes(told) {
            wrong.compare(key, told.as_ref(), &found);
        }
        let of_stages = |of: fn(&SwinStage) -> i64| -> Vec<i64> {
            self.backbone.stages.iter().map(of).collect()
        };
        let depths = of_stages(|stage| stage.blocks);
        wrong.compare("swin.depths", told.swin.depths.as_ref(), &depths);
        let heads = of_stages(|stage| stage.heads);
        wrong.compare("swin.num_heads", told.swin.num_heads.as_ref(), &heads);
        let arguments = &told.arguments;
        // The same in all released networks.
        for (key, told) in [
            (
                "encoder_normalize_before",
                arguments.encoder_normalize_before,
            ),
            (
                "decoder_normalize_before",
                arguments.decoder_normalize_before,
            ),
            ("disable_entangle", arguments.disable_entangle),
        ] {
            wrong.compare(key, told.as_ref(), &true);
        }
        let (side, bucket) = (self.side(), self.image_bucket);
        if side < 1 || side > bucket {
            wrong.add(format!(
                "images of {0}x{0} pixels (patch_image_size) have {side}x{side} cells, and the checkpoint has places for 1x1 to {bucket}x{bucket}",
                self.settings.image_size
            ));
        }
        let (steps, most) = (
            self.settings.most_steps,
            self.decoder.positions.min(MAX_TOKENS),
        );
        if steps < 1 || steps > most {
            wrong.add(format!(
                "max_len is {steps}, and the checkpoint has places for 1 to {most} steps"
            ));
        }
        wrong
    }

    /// What may be told of sizes, under its name, and what is so.
    fn sizes(&self, told: &Told) -> [(&'static str, Option<i64>, i64); 20] {
        let Self {
            backbone,
            text,
            encoder,
            decoder,
            ..
        } = self;
        let Arguments {
            encoder_embed_dim,
            encoder_ffn_embed_dim,
            encoder_layers,
            encoder_attention_heads,
            decoder_ffn_embed_dim,
            decoder_layers,
            decoder_attention_heads,
            token_bucket_size,
            image_bucket_size,
            ..
        } = told.arguments;
        let (bert, special) = (&told.bert, &told.special_tokens);
        let first = backbone.stages.first();
        let output = backbone.stages.iter().find(|stage| stage.is_output);
        let (width, window) = first.map_or((0, 0), |it| (it.channels, it.window));
        let seen = output.map_or(0, |it| it.channels);
        let dictionary = self.bins * self.bins + FIRST_BIN;
        [
            ("encoder_embed_dim", encoder_embed_dim, encoder.channels),
            (
                "encoder_ffn_embed_dim",
                encoder_ffn_embed_dim,
                encoder.hidden,
            ),
            ("encoder_layers", encoder_layers, encoder.layers),
            (
                "encoder_attention_heads",
                encoder_attention_heads,
                encoder.heads,
            ),
            (
                "decoder_ffn_embed_dim",
                decoder_ffn_embed_dim,
                decoder.hidden,
            ),
            ("decoder_layers", decoder_layers, decoder.layers),
            (
                "decoder_attention_heads",
                decoder_attention_heads,
                decoder.heads,
            ),
            ("token_bucket_size", token_bucket_size, encoder.token_bucket),
            ("image_bucket_size", image_bucket_size, self.image_bucket),
            ("swin.embed_dim", told.swin.embed_dim, width),
            ("swin.window_size", told.swin.window_size, window),
            ("bert.vocab_size", bert.vocab_size, text.vocabulary),
            ("bert.hidden_size", bert.hidden_size, text.width),
            (
                "bert.num_hidden_layers",
                bert.num_hidden_layers,
                text.layers,
            ),
            ("image_proj_in_features", told.image_proj_in_features, seen),
            ("num_bins", told.num_bins, self.bins),
            ("dictionary_size", told.dictionary_size, dictionary),
            ("special_tokens.bos", special.bos, START_TOKEN),
            (
                "special_tokens.separator_and_unk",
                special.separator_and_unk,
                SEPARATOR_TOKEN,
            ),
            ("special_tokens.first_bin", special.first_bin, FIRST_BIN),
        ]
    }
}

impl LayerSizes {
    /// Of the layers of the encoder or decoder at `scope`, whose logits are scaled by a head's channels
    /// times `factor`.
    fn of(scope: &Scope<'_>, channels: i64, factor: f64) -> Result<Self> {
        let layers = scope.at("layers");
        let [heads] = layers.extents("0.self_attn.c_attn")?;
        let [hidden, _] = layers.extents("0.fc1.weight")?;
        let [distances, _] = scope.extents("token_rel_pos_table_list.0.weight")?;
        let [positions, _] = scope.extents("embed_positions.weight")?;
        if heads < 1 || channels % heads != 0 {
            let name = layers.name("");
            return Err(Error::invalid(format!(
                "{heads} heads do not share out the {channels} channels of {name}"
            )));
        }
        // Places are told apart where they are nearer than half of them.
        if distances < 3 {
            let name = scope.name("token_rel_pos_table_list");
            return Err(Error::invalid(format!("{distances} distances in {name}")));
        }
        Ok(Self {
            layers: layers.count("fc1.weight"),
            channels,
            heads,
            hidden,
            scale: ((channels / heads) as f64 * factor).powf(-0.5),
            token_bucket: (distances + 1) / 2,
            positions,
        })
    }
}

/// The side of a square of so many places.
fn side(places: i64, what: &str) -> Result<i64> {
    let side = (1..=4096).find(|side| side * side == places);
    side.ok_or_else(|| Error::invalid(format!("{places} {what}, which are no square")))
}

impl Settings {
    /// Those of the released networks, but for what is told.
    fn new(told: &Told) -> Self {
        let channels = |told: Option<[f32; 3]>| told.unwrap_or([0.5; 3]).map(|it| 255.0 * it);
        Self {
            pixel_mean: channels(told.image_mean),
            pixel_std: channels(told.image_std),
            image_size: told.patch_image_size.unwrap_or(512),
            words: told.max_src_length.unwrap_or(80),
            least_steps: told.min_len.unwrap_or(6),
            most_steps: told.max_len.unwrap_or(210),
        }
    }
}
