//! The sizes of a network: read off the shapes of its tensors, and compared with what a config file
//! says of them.
//!
//! So the released Swin-T and Swin-L and any other network of this design load through the same code.

use serde::Deserialize;
use som_core::{Error, Result, Size};
use som_torch::{
    Scope, Source,
    backbone::SwinSizes,
    checkpoint::Contradictions,
    decoder::{LevelOrder, PixelDecoderSizes, QueryDecoderSizes},
    input::Normalization,
};

/// What all released networks have that no shape tells.
const HEADS: i64 = 8;
const TEXT_SIZE: u32 = 640;
const DIVISIBILITY: u32 = 32;
const NORMALIZATION: Normalization = Normalization {
    mean: [123.675, 116.28, 103.53],
    deviation: [58.395, 57.12, 57.375],
};

/// Every size of a Semantic-SAM network.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub swin: SwinSizes,
    pub pixel_decoder: PixelDecoderSizes,
    pub queries: QueryDecoderSizes,
    /// Masks of each point.
    pub masks: i64,
    pub normalization: Normalization,
    /// The sides of the padded input are multiples of this.
    pub divisibility: u32,
    /// The shorter side of the image in the input, where a call says nothing else.
    pub text_size: u32,
}

impl Config {
    /// The sizes of the network at `root`, which is that of `source`.
    ///
    /// # Errors
    /// Invalid, if that is no Semantic-SAM network, or the config file contradicts it.
    pub(crate) fn of(root: &Scope<'_>, source: &Source) -> Result<Self> {
        let told = source
            .told::<Told>("Semantic-SAM", TOLD)?
            .unwrap_or_default();
        let config = source.sizes("Semantic-SAM", &told, |told| Self::read(root, told))?;
        config.contradictions(&told).none_in(source)?;
        Ok(config)
    }

    fn read(root: &Scope<'_>, told: &Told) -> Result<Self> {
        let head = root.at("sem_seg_head");
        let (pixel_decoder, predictor) = (head.at("pixel_decoder"), head.at("predictor"));
        let [masks, _] = predictor.extents("mask_tokens.weight")?;
        let swin = SwinSizes::of(&root.at("backbone"))?;
        let outputs = swin.stages.iter().filter(|stage| stage.is_output);
        let features: Vec<i64> = outputs.map(|stage| stage.channels).collect();
        let heads = told.encoder_n_heads.or(told.decoder.heads).unwrap_or(HEADS);
        let mut pixel_decoder = PixelDecoderSizes::of(&pixel_decoder, &features, heads)?;
        pixel_decoder.groups = told.group_norm_groups.unwrap_or(pixel_decoder.groups);
        let (channels, groups) = (pixel_decoder.channels, pixel_decoder.groups);
        if groups < 1 || channels % groups != 0 {
            return Err(Error::invalid(format!(
                "its {channels} channels make no {groups} groups to norm"
            )));
        }
        let levels = pixel_decoder.count() as i64;
        Ok(Self {
            queries: QueryDecoderSizes::of(&predictor, pixel_decoder.channels, levels)?,
            swin,
            pixel_decoder,
            masks,
            normalization: Normalization {
                mean: told.pixel_mean.unwrap_or(NORMALIZATION.mean),
                deviation: told.pixel_std.unwrap_or(NORMALIZATION.deviation),
            },
            divisibility: told.size_divisibility.unwrap_or(DIVISIBILITY).max(1),
            text_size: told.text_size.unwrap_or(TEXT_SIZE),
        })
    }

    /// The size at which the network sees an image: the padded input for one of the size `inside`.
    pub(crate) fn padded(&self, inside: Size) -> Size {
        let up = |side: u32| {
            let side = side.checked_next_multiple_of(self.divisibility);
            side.unwrap_or(u32::MAX)
        };
        Size::new(up(inside.width), up(inside.height))
    }

    /// Where the config file and the tensors say different things.
    fn contradictions(&self, told: &Told) -> Contradictions {
        let Self {
            swin,
            pixel_decoder,
            queries,
            ..
        } = self;
        let stages = |of: fn(&som_torch::backbone::SwinStage) -> i64| {
            swin.stages.iter().map(of).collect::<Vec<i64>>()
        };
        let first = |all: Vec<i64>| all.first().copied().unwrap_or_default();
        let features: Vec<String> = (pixel_decoder.finest..pixel_decoder.features.len())
            .map(|feature| format!("res{}", feature + 2))
            .collect();
        let width = first(stages(|stage| stage.channels));
        let hidden = |ratio: f64| (ratio * width as f64) as i64;
        let (backbone, encoder, decoder) = (&told.swin, &told.encoder, &told.decoder);
        let mut wrong = Contradictions::default();
        wrong.compare("SWIN.PATCH_SIZE", backbone.patch_size.as_ref(), &swin.patch);
        wrong.compare(
            "SWIN.EMBED_DIM",
            backbone.embed_dim.as_ref(),
            &first(stages(|stage| stage.channels)),
        );
        wrong.compare(
            "SWIN.DEPTHS",
            backbone.depths.as_ref(),
            &stages(|stage| stage.blocks),
        );
        wrong.compare(
            "SWIN.NUM_HEADS",
            backbone.heads.as_ref(),
            &stages(|stage| stage.heads),
        );
        wrong.compare(
            "SWIN.WINDOW_SIZE",
            backbone.window.as_ref(),
            &first(stages(|stage| stage.window)),
        );
        wrong.compare(
            "channels inside the MLPs of its first blocks by SWIN.MLP_RATIO",
            backbone.mlp_ratio.map(hidden).as_ref(),
            &first(stages(|stage| stage.hidden)),
        );
        wrong.compare("SWIN.APE", backbone.ape.as_ref(), &false);
        wrong.compare(
            "ENCODER.CONVS_DIM",
            encoder.channels.as_ref(),
            &pixel_decoder.channels,
        );
        wrong.compare(
            "ENCODER.MASK_DIM",
            encoder.mask_channels.as_ref(),
            &pixel_decoder.mask_channels,
        );
        wrong.compare(
            "ENCODER.TRANSFORMER_ENC_LAYERS",
            encoder.layers.as_ref(),
            &pixel_decoder.layers,
        );
        wrong.compare(
            "encoder_dim_feedforward",
            told.encoder_hidden.as_ref(),
            &pixel_decoder.hidden,
        );
        wrong.compare(
            "enc_n_points",
            told.encoder_points.as_ref(),
            &pixel_decoder.points,
        );
        wrong.compare("transformer_in_features", told.features.as_ref(), &features);
        wrong.compare(
            "total_num_feature_levels",
            told.levels.as_ref(),
            &queries.levels,
        );
        wrong.compare(
            "feature_order",
            told.order.as_ref(),
            &named(pixel_decoder.order),
        );
        wrong.compare(
            "DECODER.HIDDEN_DIM",
            decoder.channels.as_ref(),
            &queries.channels,
        );
        wrong.compare(
            "DECODER.DIM_FEEDFORWARD",
            decoder.hidden.as_ref(),
            &queries.hidden,
        );
        wrong.compare(
            "DECODER.DEC_LAYERS",
            decoder.layers.as_ref(),
            &queries.layers,
        );
        wrong.compare(
            "DECODER.NUM_INTERACTIVE_TOKENS",
            decoder.masks.as_ref(),
            &self.masks,
        );
        wrong.compare("num_mask_tokens", told.masks.as_ref(), &self.masks);
        wrong.compare(
            "dec_n_points",
            told.decoder_points.as_ref(),
            &queries.points,
        );
        wrong.compare(
            "decoder_activation",
            told.activation.as_ref(),
            &"relu".to_owned(),
        );
        wrong
    }
}

fn named(order: LevelOrder) -> String {
    match order {
        LevelOrder::FineFirst => "low2high",
        LevelOrder::CoarseFirst => "high2low",
    }
    .to_owned()
}

/// What tells people what a config file may hold.
const TOLD: &str = "the sections SWIN, ENCODER and DECODER of the official configuration, and text_size, pixel_mean, pixel_std, size_divisibility, encoder_n_heads";

/// A config file: the official configuration's sections, and what the official code has in other
/// places, each as far as it is given.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Told {
    #[serde(rename = "SWIN")]
    swin: ToldSwin,
    #[serde(rename = "ENCODER")]
    encoder: ToldEncoder,
    #[serde(rename = "DECODER")]
    decoder: ToldDecoder,
    pixel_mean: Option<[f32; 3]>,
    pixel_std: Option<[f32; 3]>,
    size_divisibility: Option<u32>,
    text_size: Option<u32>,
    encoder_n_heads: Option<i64>,
    group_norm_groups: Option<i64>,
    #[serde(rename = "encoder_dim_feedforward")]
    encoder_hidden: Option<i64>,
    #[serde(rename = "enc_n_points")]
    encoder_points: Option<i64>,
    #[serde(rename = "dec_n_points")]
    decoder_points: Option<i64>,
    #[serde(rename = "transformer_in_features")]
    features: Option<Vec<String>>,
    #[serde(rename = "total_num_feature_levels")]
    levels: Option<i64>,
    #[serde(rename = "feature_order")]
    order: Option<String>,
    #[serde(rename = "num_mask_tokens")]
    masks: Option<i64>,
    #[serde(rename = "decoder_activation")]
    activation: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "SCREAMING_SNAKE_CASE")]
struct ToldSwin {
    patch_size: Option<i64>,
    embed_dim: Option<i64>,
    depths: Option<Vec<i64>>,
    #[serde(rename = "NUM_HEADS")]
    heads: Option<Vec<i64>>,
    #[serde(rename = "WINDOW_SIZE")]
    window: Option<i64>,
    mlp_ratio: Option<f64>,
    ape: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ToldEncoder {
    #[serde(rename = "CONVS_DIM")]
    channels: Option<i64>,
    #[serde(rename = "MASK_DIM")]
    mask_channels: Option<i64>,
    #[serde(rename = "TRANSFORMER_ENC_LAYERS")]
    layers: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ToldDecoder {
    #[serde(rename = "HIDDEN_DIM")]
    channels: Option<i64>,
    /// Of the encoder: the decoder has 8, whatever this says.
    #[serde(rename = "NHEADS")]
    heads: Option<i64>,
    #[serde(rename = "DIM_FEEDFORWARD")]
    hidden: Option<i64>,
    #[serde(rename = "DEC_LAYERS")]
    layers: Option<i64>,
    #[serde(rename = "NUM_INTERACTIVE_TOKENS")]
    masks: Option<i64>,
}
