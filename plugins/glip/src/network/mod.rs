//! The GLIP network.
//!
//! Li et al., *Grounded Language-Image Pre-training*, 2021 (arXiv 2112.03857); official project
//! `microsoft/GLIP`, `maskrcnn_benchmark/modeling/detector/generalized_vl_rcnn.py`.

mod told;
mod config;
mod pyramid;
mod text;
mod dynamic;
mod tower;
mod head;
mod detections;

use std::ops::Range;

use som_core::{Call, Image, Result, Size};
use som_torch::{
    Compute, Encoded, Loader, Source, TorchResult, backbone::Swin, input::Normalization, numbers,
    resize, stages::stage, text::WordPieces, threads, torch_error,
};
use tch::{Kind, Tensor};

pub(crate) use self::{config::Config, detections::Detection, text::tokens_at};
use self::{
    config::Settings,
    detections::detections,
    head::{Head, Predictions},
    pyramid::Pyramid,
    text::TextEncoder,
    told::Told,
    tower::Tower,
};

/// As messages name it.
const NAME: &str = "GLIP";

/// What a `config` may hold, for messages.
const TOLD: &str = "overrides, with keys of the official configurations such as MODEL.GROUP_NORM.NUM_GROUPS, bert.num_attention_heads, fusion_heads, resize_short_side, caption, spans";

/// Backbone, pyramid, text encoder, tower and head. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub config: Config,
    backbone: Swin,
    pyramid: Pyramid,
    pub text: TextEncoder,
    tower: Tower,
    head: Head,
    compute: Compute,
}

/// An image of which all is known that does not depend on a text.
#[derive(Debug)]
pub struct EncodedImage {
    /// The pyramid, each `[height, width, channels]`.
    pub(crate) levels: Vec<Tensor>,
    /// At which the network sees it.
    pub(crate) inside: Size,
    /// Of the image.
    pub(crate) size: Size,
}

/// How large an image is made: its shorter side, and the most that the longer side may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Resize {
    pub(crate) short_side: u32,
    pub(crate) max_size: u32,
}

impl Network {
    /// Loads the network of `source`. The precision is the backbone's; all else computes in single
    /// precision.
    ///
    /// # Errors
    /// Invalid, if the checkpoint holds another network, with every tensor that does not fit, or its
    /// config contradicts it; Exhausted, if memory runs out.
    pub(crate) fn load(source: &Source) -> Result<Self> {
        let told: Told = source.told(NAME, TOLD)?.unwrap_or_default();
        let loader = Loader::new(&source.checkpoint, source.compute.device)?;
        let root = loader.root(Kind::Float);
        let config = source.sizes(NAME, &told, |told| Config::of(&root, told))?;
        config.contradictions(&told).none_in(source)?;
        let network = Self::build(&loader, config, source);
        // First what does not fit: with placeholders in it, the network may not have been built.
        loader.finish()?;
        network
    }

    /// The network of what `loader` has.
    fn build(loader: &Loader<'_>, config: Config, source: &Source) -> Result<Self> {
        let root = loader.root(Kind::Float);
        let images = loader.root(source.compute.kind()).at("backbone.body");
        let Config {
            backbone,
            text,
            tower,
            settings,
        } = &config;
        let parts = || {
            TorchResult::Ok((
                Swin::load(&images, backbone)?,
                Pyramid::load(&root.at("backbone.fpn"), backbone, tower.channels)?,
                Tower::load(&root.at("rpn.head.dyhead_tower"), tower, text)?,
                Head::load(&root, &config)?,
            ))
        };
        let parts = parts();
        let text = TextEncoder::load(loader, source, text, settings.max_text_len);
        let (backbone, pyramid, tower, head) = parts.map_err(torch_error)?;
        Ok(Self {
            backbone,
            pyramid,
            text: text?,
            tower,
            head,
            config,
            compute: source.compute,
        })
    }

    /// Runs everything that does not depend on a text.
    ///
    /// # Errors
    /// Cancelled; Invalid, if the weights give no numbers; Exhausted, if memory runs out.
    pub(crate) fn encode(
        &self,
        image: &Image<'_>,
        resize: Resize,
        call: &Call<'_>,
    ) -> Result<EncodedImage> {
        let size = Size::new(image.width(), image.height());
        let inside = resized(size, resize);
        let padded = self.padded(inside);
        let (height, width) = (padded.height.into(), padded.width.into());
        self.require_numbers(self.config.backbone.activations(height, width))?;
        threads::use_all();
        let input = self.input(image, inside).map_err(torch_error)?;
        let maps = self.backbone.forward(&input, call)?;
        drop(input);
        let levels = stage("pyramid", || {
            let single = maps.iter().map(|map| map.f_to_kind(Kind::Float));
            let single: Vec<Tensor> = single.collect::<TorchResult<_>>()?;
            self.pyramid.forward(&single)
        });
        let levels = levels.map_err(torch_error)?;
        for level in &levels {
            numbers::require(level, "backbone")?;
        }
        Ok(EncodedImage {
            levels,
            inside,
            size,
        })
    }

    /// With what is filled up at the right and at the bottom.
    fn padded(&self, inside: Size) -> Size {
        let multiple = self.config.settings.size_divisibility;
        let up = |side: u32| side.div_ceil(multiple).saturating_mul(multiple);
        Size::new(up(inside.width), up(inside.height))
    }

    /// The normalised image at this size, filled up: `[height, width, 3]`, with blue first.
    fn input(&self, image: &Image<'_>, inside: Size) -> TorchResult<Tensor> {
        let Settings {
            pixel_mean: [blue, green, red],
            pixel_std: [blue_std, green_std, red_std],
            ..
        } = self.config.settings;
        let normalization = Normalization {
            mean: [red, green, blue],
            deviation: [red_std, green_std, blue_std],
        };
        let resized = resize::bilinear(image, inside);
        normalization
            .apply(&resized, self.padded(inside), self.compute.device)?
            .f_flip([2])
    }

    /// The boxes of phrases of a text, each of which consists of these tokens; the likeliest first.
    ///
    /// # Errors
    /// Cancelled; Invalid, if the weights give no numbers; Exhausted, if memory runs out.
    pub(crate) fn detect(
        &self,
        image: &EncodedImage,
        text: &WordPieces,
        phrases: &[Range<usize>],
        call: &Call<'_>,
    ) -> Result<Vec<Detection>> {
        let predictions = self.predict(image, text, call)?;
        stage("detections", || {
            let settings = &self.config.settings.detection;
            detections(&predictions, phrases, image.inside, settings).map_err(torch_error)
        })
    }

    /// What the cells of each level think of a text.
    fn predict(
        &self,
        image: &EncodedImage,
        text: &WordPieces,
        call: &Call<'_>,
    ) -> Result<Vec<Predictions>> {
        let cells = image.levels.iter().map(|level| {
            let extents = level.size();
            extents.iter().take(2).product::<i64>()
        });
        let tokens = text.ids.len() as i64;
        self.require_numbers(self.config.tower.activations(cells.sum(), tokens))?;
        threads::use_all();
        let text = self.text.read(text, call)?;
        numbers::require(&text.tokens, "text encoder")?;
        let (levels, tokens) = self.tower.forward(&image.levels, &text, call)?;
        let predictions = self.head.forward(&levels, &tokens).map_err(torch_error)?;
        for level in &predictions {
            for tensor in [&level.likeness, &level.moves, &level.centerness] {
                numbers::require(tensor, "tower")?;
            }
        }
        Ok(predictions)
    }

    fn require_numbers(&self, count: u64) -> Result<()> {
        let bytes = size_of::<f32>() as u64 * count;
        self.compute.require(bytes, "the network's activations")
    }
}

/// The size at which the network sees an image: its shorter side is the target, unless the longer one
/// then exceeded the most. The longer one is cut off to whole pixels; no side gets 0.
///
/// As torchvision's `Resize` in the official demo (`predictor_glip.py`), with the limit of the official
/// evaluation (`maskrcnn_benchmark/data/transforms/transforms.py`, `Resize.get_size`).
pub(crate) fn resized(size: Size, resize: Resize) -> Size {
    let [width, height] = [size.width, size.height].map(|side| f64::from(side.max(1)));
    let (short, long) = (width.min(height), width.max(height));
    let (target, most) = (f64::from(resize.short_side), f64::from(resize.max_size));
    let target = match long / short * target > most {
        true => (most * short / long).round_ties_even(),
        false => target,
    };
    match target as u32 {
        0 if width < height => Size::new(1, resize.max_size),
        0 => Size::new(resize.max_size, 1),
        target => resize::shortest_side(size, target),
    }
}

impl Clone for EncodedImage {
    fn clone(&self) -> Self {
        Self {
            levels: self.levels.iter().map(Tensor::shallow_clone).collect(),
            inside: self.inside,
            size: self.size,
        }
    }
}

impl Encoded for EncodedImage {
    fn bytes(&self) -> u64 {
        let numbers: usize = self.levels.iter().map(Tensor::numel).sum();
        4 * numbers as u64
    }
}

#[cfg(test)]
mod tests;
