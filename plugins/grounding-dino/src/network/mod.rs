//! The Grounding DINO network.
//!
//! Liu et al., *Grounding DINO: Marrying DINO with Grounded Pre-Training for Open-Set Object Detection*,
//! 2023 (arXiv 2303.05499); official project `IDEA-Research/GroundingDINO`, and its form in Hugging
//! Face's transformers, `models/grounding_dino`. Checkpoints of both load: all else here knows the
//! official names.

mod names;
mod told;
mod config;
mod text;
mod encoder;
mod decoder;

use som_core::{Call, Image, Result, Size};
use som_torch::{
    Compute, Encoded, Loader, Source, TorchResult,
    attention::Levels,
    backbone::Swin,
    decoder::NormedConv,
    input::Normalization,
    nn::{Weight, sine_positions_of},
    numbers, resize, threads, torch_error,
};
use tch::{Kind, Tensor};

pub(crate) use self::{config::Config, decoder::Predictions, text::Tokens};
use self::{
    config::Settings,
    decoder::Decoder,
    encoder::Encoder,
    text::TextEncoder,
    told::{Images, Told},
};

/// As messages name it.
const NAME: &str = "Grounding DINO";

/// What a `config` may hold, for messages.
const TOLD: &str = "what Hugging Face's config.json of such a network does";

/// What is beside it.
const IMAGES: &str = "preprocessor_config.json";

/// Groups of the levels' norms.
const GROUPS: i64 = 32;

/// Backbone, text encoder, encoder and decoder. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    pub config: Config,
    backbone: Swin,
    /// To the levels' common channels: of each map of the backbone, then of the coarsest once more.
    projections: Vec<NormedConv>,
    /// `[levels, channels]`
    level_embedding: Weight,
    pub text: TextEncoder,
    encoder: Encoder,
    decoder: Decoder,
    compute: Compute,
}

/// An image of which all is known that does not depend on a text.
#[derive(Debug)]
pub struct EncodedImage {
    /// `[cells, channels]`
    pub(crate) cells: Tensor,
    /// What places and levels add to cells that ask, `[cells, channels]`.
    pub(crate) positions: Tensor,
    /// The maps that the cells are of.
    pub(crate) levels: Levels,
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
    /// Invalid, if the checkpoint holds another network, with every tensor that does not fit, or
    /// what lies beside it contradicts it; Exhausted, if memory runs out.
    pub(crate) fn load(source: &Source) -> Result<Self> {
        let told: Told = source.told(NAME, TOLD)?.unwrap_or_default();
        let images = source.config.beside(source.checkpoint.path(), IMAGES)?;
        let images: Images = images.parse(TOLD)?.unwrap_or_default();
        let checkpoint = names::official(&source.checkpoint);
        let loader = Loader::new(&checkpoint, source.compute.device)?;
        let root = loader.root(Kind::Float);
        let config = source.sizes(NAME, &told, |told| Config::of(&root, told, &images))?;
        config.contradictions(&told, &images).none_in(source)?;
        let network = Self::build(&loader, config, source);
        // First what does not fit: with placeholders in it, the network may not have been built.
        loader.finish()?;
        network
    }

    /// The network of what `loader` has.
    fn build(loader: &Loader<'_>, config: Config, source: &Source) -> Result<Self> {
        let root = loader.root(Kind::Float);
        let images = loader.root(source.compute.kind());
        let transformer = root.at("transformer");
        let (channels, levels) = (config.decoder.channels, config.decoder.levels);
        let backbone = Swin::load(&images.at("backbone.0"), &config.backbone);
        let maps = config.backbone.stages.iter();
        let maps: Vec<i64> = maps
            .filter(|stage| stage.is_output)
            .map(|stage| stage.channels)
            .collect();
        let coarsest = maps.last().copied().unwrap_or_default();
        let projection = |(index, level): (usize, i64)| {
            let scope = root.at("input_proj").at(index);
            let (input, size, stride) = match maps.get(level as usize) {
                Some(&input) => (input, 1, 1),
                None => (coarsest, 3, 2),
            };
            let places = [scope.at(0), scope.at(1)];
            NormedConv::load(&places, [input, channels, size], stride, GROUPS)
        };
        let projections = (0..levels).enumerate().map(projection);
        let projections: TorchResult<Vec<NormedConv>> = projections.collect();
        let level_embedding = transformer.weight("level_embed", &[levels, channels]);
        let encoder = Encoder::load(&transformer.at("encoder"), &config.encoder);
        let decoder = Decoder::load(&root, &config.decoder);
        let most = config.settings.max_text_len;
        let text = TextEncoder::load(loader, source, &config.text, channels, most);
        // For training only: what noisy boxes are labelled with.
        root.at("label_enc").leave("weight");
        Ok(Self {
            backbone: backbone.map_err(torch_error)?,
            projections: projections.map_err(torch_error)?,
            level_embedding,
            text: text?,
            encoder: encoder.map_err(torch_error)?,
            decoder: decoder.map_err(torch_error)?,
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
        self.require(inside)?;
        threads::use_all();
        let input = self.input(image, inside).map_err(torch_error)?;
        let maps = self.backbone.forward(&input, call)?;
        drop(input);
        let single = maps.iter().map(|map| map.f_to_kind(Kind::Float));
        let maps: Vec<Tensor> = single.collect::<Result<_, _>>().map_err(torch_error)?;
        for map in &maps {
            numbers::require(map, "backbone")?;
        }
        let (cells, positions, levels) = self.levels(&maps).map_err(torch_error)?;
        Ok(EncodedImage {
            cells,
            positions,
            levels,
            size,
        })
    }

    /// The normalised image `[height, width, 3]` at this size.
    fn input(&self, image: &Image<'_>, inside: Size) -> TorchResult<Tensor> {
        let Settings {
            pixel_mean: mean,
            pixel_std: deviation,
            ..
        } = self.config.settings;
        let resized = resize::bilinear(image, inside);
        Normalization { mean, deviation }.apply(&resized, inside, self.compute.device)
    }

    /// The backbone's maps as cells of all levels, their positions, and the levels.
    fn levels(&self, maps: &[Tensor]) -> TorchResult<(Tensor, Tensor, Levels)> {
        let (channels, temperature) = (
            self.config.decoder.channels,
            self.config.settings.temperature,
        );
        let levels = self.projections.iter().enumerate();
        let levels = levels.filter_map(|(level, projection)| {
            let map = maps.get(level).or_else(|| maps.last())?;
            Some(projection.forward(map))
        });
        let levels: Vec<Tensor> = levels.collect::<TorchResult<_>>()?;
        let mut positions = Vec::with_capacity(levels.len());
        for (level, map) in (0..).zip(&levels) {
            let (height, width, _) = map.size3()?;
            let places = sine_positions_of(height, width, channels, temperature, map.device())?;
            positions.push(places.f_add(&self.level_embedding.f_select(0, level)?)?);
        }
        let (positions, _) = Levels::join(&positions)?;
        let (cells, levels) = Levels::join(&levels)?;
        Ok((cells, positions, levels))
    }

    /// What of an image is like the tokens of a text.
    ///
    /// # Errors
    /// Cancelled; Invalid, if the weights give no numbers; Exhausted, if memory runs out.
    pub(crate) fn detect(
        &self,
        image: &EncodedImage,
        text: &Tokens,
        call: &Call<'_>,
    ) -> Result<Predictions> {
        let Config {
            encoder, decoder, ..
        } = &self.config;
        let (cells, tokens) = (image.levels.cells(), text.ids.len() as i64);
        let most = encoder.activations(cells, tokens);
        self.require_numbers(most.max(decoder.activations(cells)))?;
        threads::use_all();
        let text = self.text.read(text, call)?;
        numbers::require(&text.tokens, "text encoder")?;
        let EncodedImage {
            cells,
            positions,
            levels,
            ..
        } = image;
        let (memory, text) = self
            .encoder
            .forward(cells, positions, levels, &text, call)?;
        numbers::require(&memory, "encoder")?;
        let found = self.decoder.forward(&memory, levels, &text, call)?;
        numbers::require(&found.logits, "decoder")?;
        numbers::require(&found.boxes, "decoder")?;
        Ok(found)
    }

    /// Checks that memory suffices for an input of this size.
    fn require(&self, inside: Size) -> Result<()> {
        let (height, width) = (inside.height.into(), inside.width.into());
        self.require_numbers(self.config.backbone.activations(height, width))
    }

    fn require_numbers(&self, count: u64) -> Result<()> {
        let bytes = size_of::<f32>() as u64 * count;
        self.compute.require(bytes, "the network's activations")
    }
}

/// The size at which the network sees an image: its shorter side is the target, unless the longer one
/// then exceeded the most. In whole pixels, cut off; no side gets 0.
///
/// As `get_size_with_aspect_ratio` of Hugging Face's `GroundingDinoImageProcessor`, which is the official
/// `transforms.py`, `resize`, but for the longer side where it is the one that limits.
pub(crate) fn resized(size: Size, resize: Resize) -> Size {
    let [width, height] = [size.width, size.height].map(|side| f64::from(side.max(1)));
    let (short, long) = (width.min(height), width.max(height));
    let (target, most) = (f64::from(resize.short_side), f64::from(resize.max_size));
    let limited = (long / short * target > most).then(|| most * short / long);
    let side = limited.map_or(target, f64::round_ties_even);
    if short == side {
        return size;
    }
    let longer = (limited.unwrap_or(target) * long / short) as u32;
    let (short, long) = ((side as u32).max(1), longer.max(1));
    match width < height {
        true => Size::new(short, long),
        false => Size::new(long, short),
    }
}

impl Clone for EncodedImage {
    fn clone(&self) -> Self {
        Self {
            cells: self.cells.shallow_clone(),
            positions: self.positions.shallow_clone(),
            levels: self.levels.clone(),
            size: self.size,
        }
    }
}

impl Encoded for EncodedImage {
    fn bytes(&self) -> u64 {
        4 * (self.cells.numel() + self.positions.numel()) as u64
    }
}

#[cfg(test)]
mod tests;
