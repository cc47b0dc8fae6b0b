//! The sizes of a network, read off the shapes of its tensors, and the settings that no shape tells.

use som_core::{Error, Result};
use som_torch::{
    Scope,
    backbone::{SwinSizes, SwinStage},
    checkpoint::Contradictions,
    decoder::EncoderLayerSizes,
    text::BertSizes,
};

use super::{
    encoder::EncoderSizes,
    told::{Backbone, Images, Told},
};

/// Heads of queries and cells, where nothing is told: of both released networks.
const HEADS: i64 = 8;

/// Every size and setting of a Grounding DINO network.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    pub backbone: SwinSizes,
    pub text: BertSizes,
    pub encoder: EncoderSizes,
    pub decoder: DecoderSizes,
    pub settings: Settings,
}

/// Every size of the decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DecoderSizes {
    pub channels: i64,
    pub layers: i64,
    /// Of all three attentions.
    pub heads: i64,
    /// Maps that the memory consists of, and points that a head looks at in each.
    pub levels: i64,
    pub points: i64,
    /// Channels inside the MLPs.
    pub hidden: i64,
    /// How many queries there are.
    pub queries: i64,
}

/// What holds where a call's parameters say nothing else.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Settings {
    /// Of the training images' channels, in 0..=255.
    pub pixel_mean: [f32; 3],
    pub pixel_std: [f32; 3],
    pub resize_short_side: u32,
    pub max_size: u32,
    /// Tokens that a text may have.
    pub max_text_len: i64,
    /// The ratio of the longest wave to the shortest in the code of places.
    pub temperature: f32,
}

impl Config {
    /// The sizes of the network at `root`, under the official names, the settings of the released ones,
    /// and what is `told` besides.
    ///
    /// # Errors
    /// Invalid, if that is no Grounding DINO network, or `told` contradicts it.
    pub(crate) fn of(root: &Scope<'_>, told: &Told, images: &Images) -> Result<Self> {
        let transformer = root.at("transformer");
        let [levels, channels] = transformer.extents("level_embed")?;
        let [queries, _] = transformer.extents("tgt_embed.weight")?;
        let backbone = SwinSizes::of(&root.at("backbone.0"))?;
        let maps = backbone.stages.iter().filter(|stage| stage.is_output);
        let inputs = maps.count() as i64;
        if !(inputs..=inputs + 1).contains(&levels) || inputs < 1 {
            return Err(Error::invalid(format!(
                "{levels} levels of {inputs} maps of the backbone"
            )));
        }
        let text = BertSizes::of(&root.at("bert"), told.text_config.num_attention_heads)?;
        let layers = transformer.at("encoder");
        let heads = told.encoder_attention_heads.unwrap_or(HEADS);
        let image = EncoderLayerSizes {
            channels,
            heads,
            levels,
            points: points(&layers.at("layers.0.self_attn"), channels, heads, levels)?,
            hidden: layers.extents::<2>("layers.0.linear1.weight")?[0],
        };
        let [fusion, _] = layers.extents("fusion_layers.0.attn.v_proj.weight")?;
        let text_heads = (heads / 2).max(1);
        if fusion % text_heads != 0 || channels % text_heads != 0 {
            return Err(Error::invalid(format!(
                "{text_heads} heads do not share out the {fusion} channels of its fusion"
            )));
        }
        let encoder = EncoderSizes {
            layers: layers.at("layers").count("linear1.weight"),
            image,
            fusion,
            text_heads,
            text_hidden: layers.extents::<2>("text_layers.0.linear1.weight")?[0],
        };
        let layers = transformer.at("decoder.layers");
        let heads = told.decoder_attention_heads.unwrap_or(HEADS);
        let decoder = DecoderSizes {
            channels,
            layers: layers.count("linear1.weight"),
            heads,
            levels,
            points: points(&layers.at("0.cross_attn"), channels, heads, levels)?,
            hidden: layers.extents::<2>("0.linear1.weight")?[0],
            queries,
        };
        let settings = Settings::new(told, images);
        if settings.max_text_len < 3 || settings.max_text_len > text.positions {
            return Err(Error::invalid(format!(
                "texts of {} tokens, for a text encoder of {}",
                settings.max_text_len, text.positions
            )));
        }
        Ok(Self {
            backbone,
            text,
            encoder,
            decoder,
            settings,
        })
    }

    /// Where `told` and `images` say otherwise than the tensors, or ask for another kind of network.
    pub(crate) fn contradictions(&self, told: &Told, images: &Images) -> Contradictions {
        let Self {
            backbone,
            text,
            encoder,
            decoder,
            ..
        } = self;
        let of_stages =
            |of: fn(&SwinStage) -> i64| -> Vec<i64> { backbone.stages.iter().map(of).collect() };
        let first = backbone.stages.first();
        let mut wrong = Contradictions::default();
        for (key, told, found) in [
            ("d_model", told.d_model, encoder.image.channels),
            ("encoder_layers", told.encoder_layers, encoder.layers),
            (
                "encoder_ffn_dim",
                told.encoder_ffn_dim,
                encoder.image.hidden,
            ),
            (
                "encoder_n_points",
                told.encoder_n_points,
                encoder.image.points,
            ),
            ("decoder_layers", told.decoder_layers, decoder.layers),
            ("decoder_ffn_dim", told.decoder_ffn_dim, decoder.hidden),
            ("decoder_n_points", told.decoder_n_points, decoder.points),
            ("num_queries", told.num_queries, decoder.queries),
            (
                "num_feature_levels",
                told.num_feature_levels,
                decoder.levels,
            ),
            ("query_dim", told.query_dim, 4),
            (
                "text_config.hidden_size",
                told.text_config.hidden_size,
                text.width,
            ),
            (
                "text_config.num_hidden_layers",
                told.text_config.num_hidden_layers,
                text.layers,
            ),
            (
                "text_config.vocab_size",
                told.text_config.vocab_size,
                text.vocabulary,
            ),
            (
                "backbone_config.embed_dim",
                told.backbone_config.embed_dim,
                first.map_or(0, |it| it.channels),
            ),
            (
                "backbone_config.window_size",
                told.backbone_config.window_size,
                first.map_or(0, |it| it.window),
            ),
            ("resample", images.resample, 2),
        ] {
            wrong.compare(key, told.as_ref(), &found);
        }
        let Backbone {
            depths, num_heads, ..
        } = &told.backbone_config;
        wrong.compare(
            "backbone_config.depths",
            depths.as_ref(),
            &of_stages(|it| it.blocks),
        );
        wrong.compare(
            "backbone_config.num_heads",
            num_heads.as_ref(),
            &of_stages(|it| it.heads),
        );
        // The same in both released networks.
        for (key, told, found) in [
            ("two_stage", told.two_stage, true),
            ("embedding_init_target", told.embedding_init_target, true),
            (
                "decoder_bbox_embed_share",
                told.decoder_bbox_embed_share,
                true,
            ),
            (
                "two_stage_bbox_embed_share",
                told.two_stage_bbox_embed_share,
                false,
            ),
        ] {
            wrong.compare(key, told.as_ref(), &found);
        }
        let activation = told.activation_function.as_ref();
        wrong.compare("activation_function", activation, &"relu".to_owned());
        wrong
    }
}

/// Points that a head looks at in each level, by the deformable attention at `scope`.
fn points(scope: &Scope<'_>, channels: i64, heads: i64, levels: i64) -> Result<i64> {
    let [logits, _] = scope.extents("attention_weights.weight")?;
    if heads < 1 || channels % heads != 0 || channels % 4 != 0 || logits % (heads * levels) != 0 {
        let scope = scope.name("");
        return Err(Error::invalid(format!(
            "{heads} heads do not share out the {channels} channels and {logits} places in {levels} levels of {scope}"
        )));
    }
    Ok(logits / (heads * levels))
}

impl DecoderSizes {
    /// Numbers that it holds at its peak for a memory of so many cells: what a layer sees of it, twice,
    /// and the queries' attention to each other.
    pub(crate) fn activations(&self, cells: i64) -> u64 {
        let asked = 3 * self.heads * self.levels * self.points;
        let each = 8 * self.channels + self.hidden + 2 * asked + self.heads * self.queries;
        (3 * cells * self.channels + self.queries * each).unsigned_abs()
    }
}

impl Settings {
    /// Those of the released networks, but for what is told.
    fn new(told: &Told, images: &Images) -> Self {
        let channels = |told: Option<[f32; 3]>, usual: [f32; 3]| {
            told.unwrap_or(usual).map(|number| 255.0 * number)
        };
        Self {
            pixel_mean: channels(images.image_mean, [0.485, 0.456, 0.406]),
            pixel_std: channels(images.image_std, [0.229, 0.224, 0.225]),
            resize_short_side: images.size.shortest_edge.unwrap_or(800),
            max_size: images.size.longest_edge.unwrap_or(1333),
            max_text_len: told.max_text_len.unwrap_or(256),
            temperature: told.positional_embedding_temperature.unwrap_or(20.0),
        }
    }
}
