//! The sizes of a network, read off the shapes of its tensors, and the settings that no shape tells.

use som_core::{Error, Result};
use som_torch::{
    Scope,
    backbone::{SwinSizes, SwinStage},
    checkpoint::Contradictions,
    text::BertSizes,
};

use super::told::{Overrides, Told};

/// Heads of the fusion: the same in every official network, whatever its configuration.
const HEADS: i64 = 8;

/// Levels above the backbone's coarsest map.
const ABOVE: usize = 2;

/// Every size and setting of a GLIP network.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    pub backbone: SwinSizes,
    pub text: BertSizes,
    pub tower: TowerSizes,
    pub settings: Settings,
}

/// Every size of the tower, in which image and text tell each other what they are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TowerSizes {
    /// Of every map.
    pub channels: i64,
    /// How many stages.
    pub stages: i64,
    /// Channels of all heads of the fusion together.
    pub fusion: i64,
    pub heads: i64,
    /// Groups of the convolutions' norms.
    pub groups: i64,
    /// Channels in the middle of what a dynamic activation depends on.
    pub squeeze: i64,
}

/// What holds where a call's parameters say nothing else.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    /// Of the training images' channels, in 0..=255: blue, green, red.
    pub pixel_mean: [f32; 3],
    pub pixel_std: [f32; 3],
    /// Both sides of the input are multiples of this.
    pub size_divisibility: u32,
    pub resize_short_side: u32,
    pub max_size: u32,
    /// Tokens that a text may have.
    pub max_text_len: i64,
    /// What stands between the names of classes.
    pub separation: String,
    /// Pixels from cell to cell, of each level.
    pub strides: Vec<i64>,
    pub detection: DetectionSettings,
    /// A text whose phrases are known.
    pub caption: Option<(String, Vec<String>)>,
}

/// Which boxes are taken.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct DetectionSettings {
    /// A phrase is a candidate in a cell where it is likelier than this.
    pub threshold: f32,
    /// Candidates of each level.
    pub candidates: usize,
    /// Of two boxes of the same phrase that overlap by more, one is taken.
    pub overlap: f32,
    /// Of an image.
    pub most: usize,
}

impl Config {
    /// The sizes of the network at `root`, the settings of the released ones, and what is `told` besides.
    ///
    /// # Errors
    /// Invalid, if that is no GLIP network, or `told` contradicts it.
    pub(crate) fn of(root: &Scope<'_>, told: &Told) -> Result<Self> {
        let said = &told.overrides;
        let tower = TowerSizes::of(&root.at("rpn.head.dyhead_tower"), told)?;
        let backbone = SwinSizes::of(&root.at("backbone.body"))?;
        let text = root.at("language_backbone.body.model");
        let text = BertSizes::of(&text, told.bert.num_attention_heads)?;
        let settings = Settings::new(told, &backbone);
        let levels = backbone
            .stages
            .iter()
            .filter(|stage| stage.is_output)
            .count()
            + ABOVE;
        if settings.strides.len() != levels || levels == ABOVE {
            return Err(Error::invalid(format!(
                "strides of {} levels, for {levels} levels of the pyramid",
                settings.strides.len()
            )));
        }
        let size = settings.size_divisibility;
        if size == 0 || settings.strides.iter().any(|&stride| stride < 1) {
            return Err(Error::invalid(format!(
                "strides {:?}, for sides that are multiples of {size}",
                settings.strides
            )));
        }
        if settings.max_text_len < 3 || settings.max_text_len > text.positions {
            return Err(Error::invalid(format!(
                "texts of {} tokens, for a text encoder of {}",
                settings.max_text_len, text.positions
            )));
        }
        if said.n_layers.is_some_and(|layers| layers != 1) {
            return Err(Error::invalid(
                "texts are read off the last layer of the text encoder alone",
            ));
        }
        Ok(Self {
            backbone,
            text,
            tower,
            settings,
        })
    }

    /// Where `told` says otherwise than the tensors, or asks for another kind of network.
    pub(crate) fn contradictions(&self, told: &Told) -> Contradictions {
        let Self {
            backbone,
            text,
            tower,
            ..
        } = self;
        let Told {
            overrides: said,
            bert,
            ..
        } = told;
        let of_stages =
            |of: fn(&SwinStage) -> i64| -> Vec<i64> { backbone.stages.iter().map(of).collect() };
        let first = |of: fn(&SwinStage) -> i64| backbone.stages.first().map_or(0, of);
        let mut wrong = Contradictions::default();
        for (key, told, found) in [
            (
                "MODEL.SWINT.EMBED_DIM",
                said.embed_dim,
                first(|it| it.channels),
            ),
            (
                "MODEL.SWINT.WINDOW_SIZE",
                said.window_size,
                first(|it| it.window),
            ),
            (
                "MODEL.BACKBONE.OUT_CHANNELS",
                said.out_channels,
                tower.channels,
            ),
            ("MODEL.DYHEAD.CHANNELS", said.channels, tower.channels),
            ("MODEL.DYHEAD.NUM_CONVS", said.num_convs, tower.stages),
            (
                "MODEL.LANGUAGE_BACKBONE.LANG_DIM",
                said.lang_dim,
                text.width,
            ),
            ("fusion_embed_dim", told.fusion_embed_dim, tower.fusion),
            ("bert.vocab_size", bert.vocab_size, text.vocabulary),
            ("bert.hidden_size", bert.hidden_size, text.width),
            (
                "bert.num_hidden_layers",
                bert.num_hidden_layers,
                text.layers,
            ),
            (
                "bert.intermediate_size",
                bert.intermediate_size,
                text.hidden,
            ),
            (
                "bert.max_position_embeddings",
                bert.max_position_embeddings,
                text.positions,
            ),
        ] {
            wrong.compare(key, told.as_ref(), &found);
        }
        let depths = of_stages(|it| it.blocks);
        wrong.compare("MODEL.SWINT.DEPTHS", said.depths.as_ref(), &depths);
        let heads = of_stages(|it| it.heads);
        wrong.compare("MODEL.SWINT.NUM_HEADS", said.num_heads.as_ref(), &heads);
        // The same in all released networks.
        for (key, told, found) in [
            ("MODEL.DYHEAD.SCORE_AGG", &said.score_agg, "MEAN"),
            ("MODEL.DYHEAD.FUSE_CONFIG.TYPE", &said.fusion, "MHA-B"),
        ] {
            wrong.compare(key, told.as_ref(), &found.to_owned());
        }
        wrong
    }
}

impl TowerSizes {
    fn of(scope: &Scope<'_>, told: &Told) -> Result<Self> {
        let [fusion, channels] = scope.extents("0.b_attn.attn.v_proj.weight")?;
        let [squeeze, _] = scope.extents("2.relu.fc.0.weight")?;
        // Each stage is three in a row.
        let is_stage = |stage: &i64| {
            let name = format!("{}.offset.weight", 3 * stage + 2);
            scope.shape(&name).is_some()
        };
        let heads = told.fusion_heads.unwrap_or(HEADS);
        if heads < 1 || fusion % heads != 0 {
            return Err(Error::invalid(format!(
                "{heads} heads do not share out the {fusion} channels of its fusion"
            )));
        }
        let groups = told.overrides.groups.unwrap_or(16);
        if groups < 1 || channels % groups != 0 {
            return Err(Error::invalid(format!(
                "{groups} groups do not share out its {channels} channels"
            )));
        }
        Ok(Self {
            channels,
            stages: (0..).take_while(is_stage).count() as i64,
            fusion,
            heads,
            groups,
            squeeze,
        })
    }

    /// Numbers that it holds at its peak for so many cells and tokens: the maps before and after a stage,
    /// and what the norm of a fusion gives, likenesses and shares, and what is found; or what a level's
    /// three convolutions give, their offsets, and a copy of the map that is looked at.
    pub(crate) fn activations(&self, cells: i64, tokens: i64) -> u64 {
        let fusing = 5 * self.channels + 3 * self.heads * tokens;
        let convolving = 8 * self.channels + 4 * 27;
        (cells * fusing.max(convolving)).unsigned_abs()
    }
}

impl Settings {
    /// Those of the released networks, but for what is told.
    fn new(told: &Told, backbone: &SwinSizes) -> Self {
        let said = &told.overrides;
        let caption = told.caption.clone();
        Self {
            pixel_mean: said.pixel_mean.unwrap_or([103.53, 116.28, 123.675]),
            pixel_std: said.pixel_std.unwrap_or([57.375, 57.12, 58.395]),
            size_divisibility: said.size_divisibility.unwrap_or(32),
            resize_short_side: told.resize_short_side.or(said.min_size).unwrap_or(800),
            max_size: said.max_size.unwrap_or(1333),
            max_text_len: said.max_query_len.unwrap_or(256),
            separation: said.separation.clone().unwrap_or_else(|| ". ".to_owned()),
            strides: said.strides.clone().unwrap_or_else(|| strides(backbone)),
            detection: DetectionSettings::new(said),
            caption: caption.zip(told.spans.clone()),
        }
    }
}

/// Pixels from cell to cell: of the backbone's maps, and twice as many in each level above.
fn strides(backbone: &SwinSizes) -> Vec<i64> {
    let stages = backbone.stages.iter().zip(0_u32..);
    let outputs = stages.filter(|(stage, _)| stage.is_output);
    let mut strides: Vec<i64> = outputs
        .map(|(_, index)| backbone.patch << index.min(32))
        .collect();
    for _ in 0..ABOVE {
        strides.extend(strides.last().map(|stride| 2 * stride));
    }
    strides
}

impl DetectionSettings {
    fn new(said: &Overrides) -> Self {
        Self {
            threshold: said.inference_threshold.unwrap_or(0.05),
            candidates: said.pre_nms_top_n.unwrap_or(1000),
            overlap: said.nms_threshold.unwrap_or(0.6),
            most: said.detections.unwrap_or(100),
        }
    }
}
