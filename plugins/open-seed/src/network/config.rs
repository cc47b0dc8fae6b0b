//! The sizes of a network, read off the shapes of its tensors, and the settings that no shape tells.

use serde::Deserialize;
use som_core::{Error, Result};
use som_torch::{
    Scope,
    backbone::SwinSizes,
    checkpoint::Contradictions,
    decoder::{LevelOrder, PixelDecoderSizes, QueryDecoderSizes},
};

/// Heads of deformable attention and of queries' attention to each other, in every configuration.
const HEADS: i64 = 8;

/// Channels of each head of CLIP's text encoders.
const TEXT_HEAD: i64 = 64;

/// Every size and setting of an OpenSeeD network.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    pub backbone: SwinSizes,
    pub pixels: PixelDecoderSizes,
    pub decoder: QueryDecoderSizes,
    /// Channels of class embeddings.
    pub embedding: i64,
    /// Of the text encoder.
    pub text_heads: i64,
    /// Proposals that become queries.
    pub queries: i64,
    /// Learned queries for stuff: none in networks with one kind of queries.
    pub stuff_queries: i64,
    pub settings: Settings,
}

/// What holds where a call's parameters say nothing else.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    /// Of the training images' channels, in 0..=255.
    pub pixel_mean: [f32; 3],
    pub pixel_std: [f32; 3],
    /// Both sides of the input are multiples of this.
    pub size_divisibility: u32,
    pub resize_short_side: u32,
    pub max_size: Option<u32>,
    pub object_mask_threshold: f32,
    pub overlap_threshold: f64,
    pub detections_per_image: u32,
    /// What class scores are sharpened with; `None`: they are taken as they are.
    pub temperature: Option<f32>,
    /// Whether masks do not count in the scores of instances.
    pub focus_on_box: bool,
}

impl Config {
    /// The sizes of the network at `root`, the settings of the official configuration for it, and
    /// what is `told` besides.
    ///
    /// # Errors
    /// Invalid, if that is no OpenSeeD network, or `told` contradicts it.
    pub(crate) fn of(root: &Scope<'_>, told: &Told) -> Result<Self> {
        let head = root.at("sem_seg_head");
        let predictor = head.at("predictor");
        let [_, embedding] = predictor.extents("class_embed")?;
        let text = predictor.at("lang_encoder.lang_encoder");
        let [_, width] = text.extents("positional_embedding")?;
        let stuff_queries = match predictor.shape("query_feat.weight") {
            Some(&[count, _]) => count,
            _ => 0,
        };
        let backbone = SwinSizes::of(&root.at("backbone"))?;
        let channels: Vec<i64> = backbone.stages.iter().map(|stage| stage.channels).collect();
        let pixels = PixelDecoderSizes::of(&head.at("pixel_decoder"), &channels, HEADS)?;
        let levels = pixels.count() as i64;
        let decoder = QueryDecoderSizes::of(&predictor, pixels.channels, levels)?;
        let Effective { decoder: said, .. } = &told.effective;
        let queries = match stuff_queries {
            0 => said.num_object_queries,
            _ => said.num_object_queries_test,
        };
        let config = Self {
            text_heads: told
                .effective
                .text
                .heads
                .unwrap_or((width / TEXT_HEAD).max(1)),
            queries: queries.unwrap_or(300),
            settings: Settings::new(told, stuff_queries > 0),
            backbone,
            pixels,
            decoder,
            embedding,
            stuff_queries,
        };
        if config.queries < 1 || config.text_heads < 1 || width % config.text_heads != 0 {
            return Err(Error::invalid(format!(
                "{} queries, and {} heads for the {width} channels of its text encoder",
                config.queries, config.text_heads
            )));
        }
        Ok(config)
    }

    /// Where `told` says otherwise than the tensors.
    pub(crate) fn contradictions(&self, told: &Told) -> Contradictions {
        let Effective {
            model,
            dim_proj,
            swin,
            encoder,
            decoder,
            ..
        } = &told.effective;
        let stages = |of: fn(&som_torch::backbone::SwinStage) -> i64| -> Vec<i64> {
            self.backbone.stages.iter().map(of).collect()
        };
        let order = match self.pixels.order {
            LevelOrder::FineFirst => "low2high",
            LevelOrder::CoarseFirst => "high2low",
        };
        let class = match self.stuff_queries {
            0 => "openseed_model",
            _ => "openseed_model_decouple_train",
        };
        let first = self.backbone.stages.first();
        let mut wrong = Contradictions::default();
        wrong.compare("model", model.as_ref(), &class.to_owned());
        wrong.compare("dim_proj", dim_proj.as_ref(), &self.embedding);
        wrong.compare(
            "EMBED_DIM",
            swin.embed_dim.as_ref(),
            &first.map_or(0, |stage| stage.channels),
        );
        wrong.compare(
            "DEPTHS",
            swin.depths.as_ref(),
            &stages(|stage| stage.blocks),
        );
        wrong.compare(
            "NUM_HEADS",
            swin.num_heads.as_ref(),
            &stages(|stage| stage.heads),
        );
        wrong.compare(
            "WINDOW_SIZE",
            swin.window_size.as_ref(),
            &first.map_or(0, |stage| stage.window),
        );
        wrong.compare(
            "CONVS_DIM",
            encoder.convs_dim.as_ref(),
            &self.pixels.channels,
        );
        wrong.compare(
            "MASK_DIM",
            encoder.mask_dim.as_ref(),
            &self.pixels.mask_channels,
        );
        wrong.compare(
            "TRANSFORMER_ENC_LAYERS",
            encoder.transformer_enc_layers.as_ref(),
            &self.pixels.layers,
        );
        wrong.compare(
            "TOTAL_NUM_FEATURE_LEVELS",
            encoder.total_num_feature_levels.as_ref(),
            &(self.pixels.count() as i64),
        );
        wrong.compare(
            "FEATURE_ORDER",
            encoder.feature_order.as_ref(),
            &order.to_owned(),
        );
        // How queries start is the same in all official configurations.
        wrong.compare("TWO_STAGE", decoder.two_stage.as_ref(), &true);
        wrong.compare("LEARN_TGT", decoder.learn_tgt.as_ref(), &false);
        wrong.compare(
            "INITIALIZE_BOX_TYPE",
            decoder.initialize_box_type.as_ref(),
            &"no".to_owned(),
        );
        wrong.compare(
            "HIDDEN_DIM",
            decoder.hidden_dim.as_ref(),
            &self.decoder.channels,
        );
        wrong.compare(
            "DIM_FEEDFORWARD",
            decoder.dim_feedforward.as_ref(),
            &self.decoder.hidden,
        );
        wrong.compare(
            "DEC_LAYERS",
            decoder.dec_layers.as_ref(),
            &self.decoder.layers,
        );
        wrong
    }
}

impl Settings {
    /// Those of the official configurations, but for what is told.
    fn new(told: &Told, has_stuff_queries: bool) -> Self {
        let Told { effective, capture } = told;
        let Effective { test, decoder, .. } = effective;
        // In the official files, the networks with queries for stuff alone have 300.
        let detections = if has_stuff_queries { 300 } else { 100 };
        Self {
            pixel_mean: effective.pixel_mean.unwrap_or([123.675, 116.28, 103.53]),
            pixel_std: effective.pixel_std.unwrap_or([58.395, 57.12, 57.375]),
            size_divisibility: decoder.size_divisibility.unwrap_or(32),
            // As the demos resize.
            resize_short_side: capture.resize_short_side.unwrap_or(512),
            max_size: capture.max_size,
            object_mask_threshold: capture
                .object_mask_threshold
                .or(test.object_mask_threshold)
                .unwrap_or(0.25),
            overlap_threshold: capture
                .overlap_threshold
                .or(test.overlap_threshold)
                .unwrap_or(0.8),
            detections_per_image: effective.detections_per_image.unwrap_or(detections),
            temperature: test
                .pano_transform_eval
                .unwrap_or(true)
                .then_some(test.pano_temperature.unwrap_or(0.06)),
            focus_on_box: test.test_foucus_on_box.unwrap_or(false),
        }
    }
}

/// A `config` file: the official configuration in force, and how images are taken. All of it may be
/// left out.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct Told {
    effective: Effective,
    capture: Capture,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Effective {
    model: Option<String>,
    dim_proj: Option<i64>,
    text: Text,
    swin: SwinSection,
    encoder: EncoderSection,
    decoder: DecoderSection,
    test: Test,
    detections_per_image: Option<u32>,
    pixel_mean: Option<[f32; 3]>,
    pixel_std: Option<[f32; 3]>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "SCREAMING_SNAKE_CASE")]
struct Text {
    heads: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "SCREAMING_SNAKE_CASE")]
struct SwinSection {
    embed_dim: Option<i64>,
    depths: Option<Vec<i64>>,
    num_heads: Option<Vec<i64>>,
    window_size: Option<i64>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "SCREAMING_SNAKE_CASE")]
struct EncoderSection {
    convs_dim: Option<i64>,
    mask_dim: Option<i64>,
    transformer_enc_layers: Option<i64>,
    total_num_feature_levels: Option<i64>,
    feature_order: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "SCREAMING_SNAKE_CASE")]
struct DecoderSection {
    hidden_dim: Option<i64>,
    num_object_queries: Option<i64>,
    num_object_queries_test: Option<i64>,
    dim_feedforward: Option<i64>,
    dec_layers: Option<i64>,
    size_divisibility: Option<u32>,
    two_stage: Option<bool>,
    learn_tgt: Option<bool>,
    initialize_box_type: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "SCREAMING_SNAKE_CASE")]
struct Test {
    overlap_threshold: Option<f64>,
    object_mask_threshold: Option<f32>,
    pano_transform_eval: Option<bool>,
    pano_temperature: Option<f32>,
    /// As the official files spell it.
    test_foucus_on_box: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
struct Capture {
    resize_short_side: Option<u32>,
    max_size: Option<u32>,
    object_mask_threshold: Option<f32>,
    overlap_threshold: Option<f64>,
}
