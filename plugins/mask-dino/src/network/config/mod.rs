//! What a network is: read off the shapes of its tensors, and where these do not tell, off a file, or
//! off the table of the released networks.

mod check;
mod official;
mod told;

use serde::Deserialize;
use som_core::{Error, Result};
use som_torch::{
    Scope, Source,
    backbone::{ResNetSizes, SwinSizes},
    classes::DataSet,
    decoder::{PixelDecoderSizes, QueryDecoderSizes, boxes::BoxRule},
};

use self::official::{Official, Signs};
use self::told::{Initialize, Told};

/// What a config file may hold, for messages.
const TOLD: &str =
    "what the official configuration says, such as num_classes and initialize_box_type";

/// Everything about a Mask DINO network.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    pub backbone: BackboneSizes,
    pub pixel_decoder: PixelDecoderSizes,
    pub queries: QueryDecoderSizes,
    pub selection: Selection,
    /// How many classes there are.
    pub classes: i64,
    /// Whether there is a column of logits for "no object" behind those of the classes.
    pub has_no_object: bool,
    /// Affine maps of the head for masks.
    pub mask_layers: i64,
    pub input: Input,
    pub output: Output,
}

/// The sizes of the backbone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum BackboneSizes {
    ResNet(ResNetSizes),
    Swin(SwinSizes),
}

/// Where queries come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    /// They are the best proposals, `count` of them.
    Proposals {
        count: i64,
        /// How their boxes are taken from their masks, instead of from the proposals.
        boxes: Option<BoxRule>,
        /// Whether what they are about is learned, so that only their boxes are chosen.
        learned_content: bool,
    },
    /// All about them is learned.
    Learned { count: i64 },
}

/// How the network sees an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Input {
    pub mean: [f32; 3],
    pub deviation: [f32; 3],
    /// The shorter side gets so many pixels,
    pub shortest_edge: u32,
    /// but the longer one no more than these.
    pub max_size: u32,
    /// Both are filled up to a multiple of this.
    pub divisibility: u32,
}

/// What is made of the network's answers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Output {
    /// What the network was trained for.
    pub task: Task,
    /// Classes below this are things. `None`: as the data set has it.
    pub things: Option<i64>,
    /// The data set whose classes it knows.
    pub vocabulary: Option<DataSet>,
    /// Whether only things are instances.
    pub only_things: bool,
    /// Whether masks are brought to the image's size before they vote on the class of each pixel.
    pub enlarge_first: bool,
    pub object_mask_threshold: f32,
    pub overlap_threshold: f64,
    /// How much scores are spread before they vote; `None`: not at all.
    pub temperature: Option<f32>,
    /// Whether an instance's score is that of its class alone.
    pub focus_on_box: bool,
    pub detections_per_image: usize,
}

/// What to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Task {
    Instance,
    Panoptic,
    Semantic,
}

impl Config {
    /// The network at the root of the names, which is that of `source`.
    ///
    /// # Errors
    /// Invalid, if it is no Mask DINO network, if the config file says otherwise than the tensors, or
    /// if neither it nor the table of the released networks tells what the tensors do not.
    pub(crate) fn of(root: &Scope<'_>, source: &Source) -> Result<Self> {
        let told: Option<Told> = source.told("Mask DINO", TOLD)?;
        let is_told = told.is_some();
        let told = told.unwrap_or_default();
        let weights = source.checkpoint.path().to_string_lossy();
        let (config, official) =
            source.sizes("Mask DINO", &told, |told| Self::read(root, &weights, told))?;
        if official.is_none() && !is_told {
            return Err(Error::invalid(format!(
                "checkpoint {weights} is none of the released networks, and its tensors do not tell everything (give its configuration: --set config=FILE)",
            )));
        }
        config.contradictions(&told).none_in(source)?;
        Ok(config)
    }

    /// With the released network that it is, if it is one.
    fn read(root: &Scope<'_>, weights: &str, said: &Told) -> Result<(Self, Option<Official>)> {
        let head = root.at("sem_seg_head");
        let predictor = head.at("predictor");
        let backbone = BackboneSizes::of(&root.at("backbone"), said)?;
        let heads = said.nheads_encoder.unwrap_or(8);
        let mut pixel_decoder =
            PixelDecoderSizes::of(&head.at("pixel_decoder"), &backbone.features(), heads)?;
        pixel_decoder.groups = said.group_norm_groups.unwrap_or(pixel_decoder.groups);
        let levels = pixel_decoder.count() as i64;
        let queries = QueryDecoderSizes::of(&predictor, pixel_decoder.channels, levels)?;
        let [columns, _] = predictor.extents("class_embed.weight")?;
        let has_no_object = match (predictor.shape("label_enc.weight"), said.semantic_ce_loss) {
            (Some(labels), _) => labels.first() != Some(&columns),
            (None, told) => told.unwrap_or(false),
        };
        let classes = columns - i64::from(has_no_object);
        let signs = Signs {
            backbone: backbone.name().to_owned(),
            num_classes: classes,
            levels,
            channels: queries.channels,
            files: Vec::new(),
        };
        let official = Official::find(&signs, weights)?;
        let config = Self {
            selection: selection(&predictor, said, official.as_ref()),
            mask_layers: predictor.at("mask_embed.layers").count("weight"),
            input: Input::of(said, official.as_ref()),
            output: Output::of(said, official.as_ref(), has_no_object),
            backbone,
            pixel_decoder,
            queries,
            classes,
            has_no_object,
        };
        Ok((config, official))
    }

    /// How many queries there are.
    pub(crate) const fn query_count(&self) -> i64 {
        match self.selection {
            Selection::Proposals { count, .. } | Selection::Learned { count } => count,
        }
    }
}

/// What tensors tell of it: a first stage, and learned content.
fn selection(predictor: &Scope<'_>, said: &Told, official: Option<&Official>) -> Selection {
    let learned = predictor
        .shape("query_feat.weight")
        .and_then(|shape| shape.first().copied());
    if predictor.shape("enc_output.weight").is_none() {
        return Selection::Learned {
            count: learned.unwrap_or_default(),
        };
    }
    let initialize = said
        .initialize_box_type
        .or_else(|| official?.initialize_box_type);
    Selection::Proposals {
        count: learned
            .or(said.num_queries)
            .or_else(|| Some(official?.num_queries))
            .unwrap_or(100),
        boxes: match initialize.unwrap_or(Initialize::No) {
            Initialize::No => None,
            Initialize::BitMask => Some(BoxRule::Tight),
            Initialize::Mask2Box => Some(BoxRule::Inclusive),
        },
        learned_content: learned.is_some(),
    }
}

impl BackboneSizes {
    fn of(scope: &Scope<'_>, said: &Told) -> Result<Self> {
        if scope.shape("patch_embed.proj.weight").is_some() {
            return SwinSizes::of(scope).map(Self::Swin);
        }
        let mut sizes = ResNetSizes::of(scope)?;
        let told = said.resnet.as_ref().and_then(|told| told.stride_in_1x1);
        sizes.stride_in_1x1 = told.unwrap_or(sizes.stride_in_1x1);
        Ok(Self::ResNet(sizes))
    }

    /// As the table of released networks has it.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::ResNet(_) => "resnet",
            Self::Swin(_) => "swin",
        }
    }

    /// Channels of its maps, from the finest on.
    pub(crate) fn features(&self) -> Vec<i64> {
        match self {
            Self::ResNet(sizes) => sizes.stages.iter().map(|stage| stage.output).collect(),
            Self::Swin(sizes) => {
                let outputs = sizes.stages.iter().filter(|stage| stage.is_output);
                outputs.map(|stage| stage.channels).collect()
            }
        }
    }

    /// Numbers that it holds at its peak for an image of `height` x `width` pixels.
    pub(crate) fn activations(&self, height: i64, width: i64) -> u64 {
        match self {
            Self::ResNet(sizes) => sizes.activations(height, width),
            Self::Swin(sizes) => sizes.activations(height, width),
        }
    }
}

impl Input {
    fn of(said: &Told, official: Option<&Official>) -> Self {
        Self {
            mean: said.pixel_mean.unwrap_or([123.675, 116.28, 103.53]),
            deviation: said.pixel_std.unwrap_or([58.395, 57.12, 57.375]),
            shortest_edge: said
                .resize_shortest_edge
                .or_else(|| Some(official?.resize_shortest_edge))
                .unwrap_or(800),
            max_size: said
                .max_size
                .or_else(|| Some(official?.max_size))
                .unwrap_or(1333),
            divisibility: said.size_divisibility.unwrap_or(32),
        }
    }
}

impl Output {
    /// What is left out is as in the official defaults.
    fn of(said: &Told, official: Option<&Official>, has_no_object: bool) -> Self {
        let trained = official.map(|official| official.task);
        let on = |told: Option<bool>, tasks: &[Task]| {
            told.unwrap_or_else(|| trained.is_some_and(|task| tasks.contains(&task)))
        };
        let panoptic = on(said.panoptic_on, &[Task::Panoptic]);
        let instance = on(said.instance_on, &[Task::Panoptic, Task::Instance]);
        Self {
            task: match (panoptic, instance) {
                (true, _) if !has_no_object => Task::Panoptic,
                (_, true) if !has_no_object => Task::Instance,
                _ => Task::Semantic,
            },
            things: said.num_thing_classes,
            vocabulary: official.and_then(|official| DataSet::named(&official.vocabulary)),
            only_things: panoptic,
            enlarge_first: panoptic || instance,
            object_mask_threshold: said
                .object_mask_threshold
                .or_else(|| Some(official?.object_mask_threshold))
                .unwrap_or(0.0),
            overlap_threshold: said.overlap_threshold.unwrap_or(if official.is_some() {
                0.8
            } else {
                0.0
            }),
            temperature: said
                .pano_transform_eval
                .unwrap_or(true)
                .then(|| said.pano_temperature.unwrap_or(0.06)),
            focus_on_box: said.focus_on_box.unwrap_or(false),
            detections_per_image: said.detections_per_image.unwrap_or(100),
        }
    }
}

#[cfg(test)]
mod tests;
