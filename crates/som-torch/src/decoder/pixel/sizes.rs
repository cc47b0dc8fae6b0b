//! The sizes of a pixel decoder, read off the shapes of its tensors.

use som_core::{Error, Result};

use super::EncoderLayerSizes;
use crate::Scope;

/// Every size of a pixel decoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PixelDecoderSizes {
    /// Channels of the backbone's maps, from the finest on.
    pub features: Vec<i64>,
    /// Which of these maps is the finest that the encoder looks at; it looks at all coarser ones,
    /// too.
    pub finest: usize,
    /// Whether the encoder looks at one more, which is made of the coarsest and half as high and wide.
    pub has_extra_level: bool,
    /// In which order it looks at them.
    pub order: LevelOrder,
    /// Channels of each level.
    pub channels: i64,
    /// Channels of the map for masks.
    pub mask_channels: i64,
    /// Layers of the encoder.
    pub layers: i64,
    /// Heads of its attention.
    pub heads: i64,
    /// Points that a head looks at in each level.
    pub points: i64,
    /// Channels inside its MLPs.
    pub hidden: i64,
    /// Groups of the group norms: 32 in all projects.
    pub groups: i64,
}

/// In which order levels stand in a memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LevelOrder {
    /// The finest first: what the official configurations call `low2high`.
    FineFirst,
    /// The coarsest first: `high2low`.
    CoarseFirst,
}

/// One level of the encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// The map of the backbone that it is made of.
    pub feature: usize,
    /// The projection that makes it.
    pub projection: usize,
}

impl PixelDecoderSizes {
    /// The sizes of the pixel decoder at `scope`, behind a backbone whose maps have so many channels,
    /// the finest first. How many heads share its attention, no shape tells: 8 in all projects.
    ///
    /// # Errors
    /// Invalid, if there is none, with what is missing or odd about it.
    pub fn of(scope: &Scope<'_>, features: &[i64], heads: i64) -> Result<Self> {
        let layer = scope.at("transformer.encoder.layers");
        let [mask_channels, channels, ..] = scope.extents::<4>("mask_features.weight")?;
        let [levels, _] = scope.at("transformer").extents("level_embed")?;
        let [hidden, _] = layer.extents("0.linear1.weight")?;
        let [logits, _] = layer.extents("0.self_attn.attention_weights.weight")?;
        let projections = scope.at("input_proj");
        let inputs = (0..projections.count("0.weight")).filter(|index| {
            let weight = projections.shape(&format!("{index}.0.weight"));
            weight.is_some_and(|shape| shape.last() == Some(&1))
        });
        let inputs = inputs.count();
        let odd = |what: String| {
            let scope = scope.name("");
            Err(Error::invalid(format!("the pixel decoder {scope} {what}")))
        };
        let Some(finest) = features.len().checked_sub(inputs).filter(|_| inputs > 0) else {
            return odd(format!(
                "takes {inputs} maps, but the backbone gives {}",
                features.len()
            ));
        };
        let extra = levels - inputs as i64;
        if !(0..=1).contains(&extra) {
            return odd(format!("has {levels} levels of {inputs} maps"));
        }
        if heads < 1 || channels % heads != 0 || logits % (heads * levels) != 0 {
            return odd(format!(
                "has {heads} heads, which do not share out {channels} channels and {logits} places in {levels} levels"
            ));
        }
        let [_, first, ..] = projections.extents::<4>("0.0.weight")?;
        let coarse_first = inputs == 1 || features.last() == Some(&first);
        Ok(Self {
            features: features.to_vec(),
            finest,
            has_extra_level: extra == 1,
            order: match coarse_first {
                true => LevelOrder::CoarseFirst,
                false => LevelOrder::FineFirst,
            },
            channels,
            mask_channels,
            layers: layer.count("linear1.weight"),
            heads,
            points: logits / (heads * levels),
            hidden,
            groups: 32,
        })
    }

    /// Of each layer of the encoder.
    pub(super) fn layer(&self) -> EncoderLayerSizes {
        EncoderLayerSizes {
            channels: self.channels,
            heads: self.heads,
            levels: self.count() as i64,
            points: self.points,
            hidden: self.hidden,
        }
    }

    /// How many levels the encoder looks at.
    pub fn count(&self) -> usize {
        self.features.len() - self.finest + usize::from(self.has_extra_level)
    }

    /// Height and width of each level, in the encoder's order, for an image of `height` x `width`
    /// pixels, which are multiples of 32.
    pub fn extents(&self, height: i64, width: i64) -> Vec<[i64; 2]> {
        let mut extents: Vec<[i64; 2]> = (0..self.count())
            .map(|level| {
                let shift = 2 + self.finest + level;
                [height, width].map(|extent| ((extent - 1) >> shift) + 1)
            })
            .collect();
        if self.order == LevelOrder::CoarseFirst {
            extents.reverse();
        }
        extents
    }

    /// Numbers that it holds at its peak for an image of `height` x `width` pixels, beside the
    /// backbone's maps: in the encoder tokens, positions, their sum, values twice, what queries ask
    /// and find, or what is inside the MLP; then the fine maps.
    pub fn activations(&self, height: i64, width: i64) -> u64 {
        let extents = self.extents(height, width);
        let cells: i64 = extents.iter().map(|[height, width]| height * width).sum();
        let asked = 3 * self.heads * self.count() as i64 * self.points;
        let attending = 7 * self.channels + 2 * asked;
        let thinking = 4 * self.channels + self.hidden;
        let fine = (height / 4) * (width / 4) * (5 * self.channels + self.mask_channels);
        let encoding = cells * attending.max(thinking);
        encoding
            .max(cells * 2 * self.channels + fine)
            .unsigned_abs()
    }

    /// In the encoder's order.
    pub(super) fn levels(&self) -> Vec<Level> {
        let inputs = self.finest..self.features.len();
        let features: Vec<usize> = match self.order {
            LevelOrder::FineFirst => inputs.collect(),
            LevelOrder::CoarseFirst => inputs.rev().collect(),
        };
        let mut levels: Vec<Level> = features
            .into_iter()
            .enumerate()
            .map(|(projection, feature)| Level {
                feature,
                projection,
            })
            .collect();
        if self.has_extra_level {
            // Its projection is the last in any order.
            let extra = Level {
                feature: self.features.len() - 1,
                projection: levels.len(),
            };
            let place = match self.order {
                LevelOrder::FineFirst => levels.len(),
                LevelOrder::CoarseFirst => 0,
            };
            levels.insert(place, extra);
        }
        levels
    }

    /// Input channels and size of each projection, in the order of the tensors.
    pub(super) fn projections(&self) -> Vec<(i64, i64)> {
        let mut levels = self.levels();
        levels.sort_by_key(|level| level.projection);
        let inputs = self.features.len() - self.finest;
        levels
            .iter()
            .map(|level| {
                let size = if level.projection < inputs { 1 } else { 3 };
                (self.features[level.feature], size)
            })
            .collect()
    }

    /// The backbone's maps that make finer ones, from the coarsest to the finest.
    pub(super) fn steps(&self) -> impl Iterator<Item = usize> {
        (0..self.finest.max(1)).rev()
    }
}
