//! The sizes of a network, read off the shapes of its tensors, and the settings that no shape tells.

use som_core::{Error, Result};
use som_torch::{
    Scope,
    backbone::{FocalSizes, FocalStage},
    checkpoint::Contradictions,
    decoder::PyramidDecoderSizes,
};

use super::told::{Model, Official, Told};

/// Heads of all attention to images and queries, in every official configuration.
const HEADS: i64 = 8;

/// Channels of each head of CLIP's text encoders.
const TEXT_HEAD: i64 = 64;

/// Levels that queries look at.
const LEVELS: i64 = 3;

/// Every size and setting of a SEEM network.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    pub backbone: FocalSizes,
    pub pixels: PyramidDecoderSizes,
    pub decoder: DecoderSizes,
    /// Channels of class embeddings.
    pub embedding: i64,
    /// Of the text encoder.
    pub text_heads: i64,
    pub settings: Settings,
}

/// Every size of the decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DecoderSizes {
    pub channels: i64,
    pub heads: i64,
    /// Channels inside its MLPs.
    pub hidden: i64,
    pub layers: i64,
    pub levels: i64,
    /// Queries that are learned.
    pub queries: i64,
    /// How many pixels of prompts are drawn for each level, and at last for their mean.
    pub most_points: [i64; 4],
}

/// What holds where a call's parameters say nothing else.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    /// Of the training images' channels, in 0..=255.
    pub pixel_mean: [f32; 3],
    pub pixel_std: [f32; 3],
    /// Both sides of the input are multiples of this.
    pub size_divisibility: u32,
    /// The shorter side of the image as the network sees it.
    pub text_size: u32,
    pub object_mask_threshold: f32,
    pub overlap_threshold: f64,
    /// Queries of each prompt.
    pub copies: usize,
    /// Of what is drawn at random.
    pub seed: i64,
}

impl Config {
    /// The sizes of the network at `root`, the settings of the official configuration for it, and
    /// what is `told` besides.
    ///
    /// # Errors
    /// Invalid, if that is no SEEM network, or `told` contradicts it.
    pub(crate) fn of(root: &Scope<'_>, told: &Told) -> Result<Self> {
        let head = root.at("sem_seg_head");
        let predictor = head.at("predictor");
        let [channels, embedding] = predictor.extents("class_embed")?;
        let [queries, _] = predictor.extents("query_feat.weight")?;
        let [hidden, _] = predictor.extents("transformer_ffn_layers.0.linear1.weight")?;
        let [_, width] = predictor
            .at("lang_encoder.lang_encoder")
            .extents("positional_embedding")?;
        let Official { model, .. } = &told.official_config;
        let heads = model.decoder.nheads.unwrap_or(HEADS);
        let backbone = FocalSizes::of(&root.at("backbone"))?;
        let features: Vec<i64> = backbone.stages.iter().map(|stage| stage.channels).collect();
        let pixels = PyramidDecoderSizes::of(&head.at("pixel_decoder"), &features, heads)?;
        let text_heads = model.text.heads.unwrap_or((width / TEXT_HEAD).max(1));
        if text_heads < 1 || width % text_heads != 0 || heads < 1 || channels % heads != 0 {
            return Err(Error::invalid(format!(
                "{heads} heads for the {channels} channels of its decoder, and {text_heads} for the {width} of its text encoder"
            )));
        }
        // Words are compared with objects, take part in the same attention, and strokes with masks.
        let widths = [channels, embedding, pixels.channels, pixels.mask_channels];
        if widths.iter().any(|&other| other != channels) {
            return Err(Error::invalid(format!(
                "a decoder whose channels, texts, levels and masks differ in width: {widths:?}"
            )));
        }
        let settings = Settings::new(told)?;
        let most_points = model.decoder.max_spatial_len.unwrap_or([512; 4]);
        if most_points.iter().any(|&most| most < 1) {
            return Err(Error::invalid(format!(
                "MAX_SPATIAL_LEN is {most_points:?}, where 1 is the least"
            )));
        }
        Ok(Self {
            decoder: DecoderSizes {
                channels,
                heads,
                hidden,
                layers: predictor
                    .at("transformer_self_attention_layers")
                    .count("norm.weight"),
                levels: LEVELS,
                queries,
                most_points,
            },
            backbone,
            pixels,
            embedding,
            text_heads,
            settings,
        })
    }

    /// Where `told` says otherwise than the tensors.
    pub(crate) fn contradictions(&self, told: &Told) -> Contradictions {
        let Model {
            name,
            dim_proj,
            backbone,
            encoder,
            decoder,
            ..
        } = &told.official_config.model;
        let focal = &backbone.focal;
        let stages = |of: fn(&FocalStage) -> i64| -> Vec<i64> {
            self.backbone.stages.iter().map(of).collect()
        };
        let kind = if self.backbone.depthwise {
            "focal_dw"
        } else {
            "focal"
        };
        let first = stages(|stage| stage.channels).first().copied();
        let windows = stages(|stage| stage.windows.first().copied().unwrap_or_default());
        let mut wrong = Contradictions::default();
        wrong.compare("NAME", name.as_ref(), &"seem_model_v1".to_owned());
        wrong.compare("DIM_PROJ", dim_proj.as_ref(), &self.embedding);
        wrong.compare("BACKBONE.NAME", backbone.name.as_ref(), &kind.to_owned());
        wrong.compare(
            "EMBED_DIM",
            focal.embed_dim.as_ref(),
            &first.unwrap_or_default(),
        );
        let depths = stages(|stage| stage.blocks);
        wrong.compare("DEPTHS", focal.depths.as_ref(), &depths);
        let levels = stages(|stage| stage.windows.len() as i64);
        wrong.compare("FOCAL_LEVELS", focal.focal_levels.as_ref(), &levels);
        wrong.compare("FOCAL_WINDOWS", focal.focal_windows.as_ref(), &windows);
        // What follows is the same in all official configurations.
        wrong.compare("USE_POSTLN", focal.use_postln.as_ref(), &true);
        wrong.compare("SCALING_MODULATOR", focal.scaling_modulator.as_ref(), &true);
        wrong.compare("PRE_NORM", decoder.pre_norm.as_ref(), &false);
        let Self { pixels, .. } = self;
        wrong.compare("CONVS_DIM", encoder.convs_dim.as_ref(), &pixels.channels);
        wrong.compare("MASK_DIM", encoder.mask_dim.as_ref(), &pixels.mask_channels);
        let layers = encoder.transformer_enc_layers.as_ref();
        wrong.compare("TRANSFORMER_ENC_LAYERS", layers, &pixels.layers);
        let sizes = &self.decoder;
        wrong.compare("HIDDEN_DIM", decoder.hidden_dim.as_ref(), &sizes.channels);
        let queries = decoder.num_object_queries.as_ref();
        wrong.compare("NUM_OBJECT_QUERIES", queries, &sizes.queries);
        let hidden = decoder.dim_feedforward.as_ref();
        wrong.compare("DIM_FEEDFORWARD", hidden, &sizes.hidden);
        // There, the queries before the first layer count as one.
        let layers = decoder.dec_layers.as_ref();
        wrong.compare("DEC_LAYERS", layers, &(sizes.layers + 1));
        wrong
    }
}

impl Settings {
    /// Those of the official configurations, but for what is told.
    fn new(told: &Told) -> Result<Self> {
        let Official {
            model,
            input,
            attention_arch,
        } = &told.official_config;
        let test = &model.decoder.test;
        let copies = attention_arch.query_number.unwrap_or(3);
        if copies < 1 {
            return Err(Error::invalid("QUERY_NUMBER is 0, where 1 is the least"));
        }
        Ok(Self {
            pixel_mean: input.pixel_mean.unwrap_or([123.675, 116.28, 103.53]),
            pixel_std: input.pixel_std.unwrap_or([58.395, 57.12, 57.375]),
            size_divisibility: model.decoder.size_divisibility.unwrap_or(32),
            // As SoM calls it.
            text_size: told.som_text_size.unwrap_or(640),
            object_mask_threshold: test.object_mask_threshold.unwrap_or(0.8),
            overlap_threshold: test.overlap_threshold.unwrap_or(0.8),
            copies,
            seed: told.capture.interactive_seed.unwrap_or(0),
        })
    }
}

impl DecoderSizes {
    /// Numbers that it holds at its peak for an input of `height` x `width` pixels: the levels as
    /// queries look at them, keys and values of the finest one, and which cells each query sees.
    pub(crate) fn activations(&self, height: i64, width: i64) -> u64 {
        let cells = (height / 8).max(1) * (width / 8).max(1);
        let looking = 2 * cells * self.channels + cells * self.queries * (2 + self.heads);
        (4 * cells * self.channels + looking).unsigned_abs()
    }
}
