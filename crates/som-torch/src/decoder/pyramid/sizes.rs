//! The sizes of a pyramid decoder, read off the shapes of its tensors.

use som_core::{Error, Result};

use crate::Scope;

/// Groups of channels that are normed together, in every official configuration.
const GROUPS: i64 = 32;

/// Every size of a pyramid decoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PyramidDecoderSizes {
    /// Channels of the backbone's maps, the finest first.
    pub features: Vec<i64>,
    /// Channels of the levels.
    pub channels: i64,
    /// Channels that masks are read from.
    pub mask_channels: i64,
    /// Layers of the transformer.
    pub layers: i64,
    /// Heads of its attention, which no shape tells.
    pub heads: i64,
    /// Channels inside its MLPs.
    pub hidden: i64,
    /// Groups of channels that are normed together.
    pub groups: i64,
}

impl PyramidDecoderSizes {
    /// The sizes of the decoder at `scope`, behind a backbone whose maps have so many channels.
    ///
    /// # Errors
    /// Invalid, if there is none, with what is missing or odd about it.
    pub fn of(scope: &Scope<'_>, features: &[i64], heads: i64) -> Result<Self> {
        let [mask_channels, channels, _, _] = scope.extents("mask_features.weight")?;
        let layers = scope.at("transformer.encoder.layers");
        let hidden = match layers.shape("0.linear1.weight") {
            Some(&[hidden, _]) => hidden,
            _ => 0,
        };
        if features.len() < 3 {
            return Err(Error::invalid(format!(
                "a pixel decoder behind a backbone of {} maps",
                features.len()
            )));
        }
        if heads < 1 || channels % heads != 0 || channels % 2 != 0 {
            return Err(Error::invalid(format!(
                "{heads} heads for the {channels} channels of its pixel decoder"
            )));
        }
        if channels % GROUPS != 0 {
            return Err(Error::invalid(format!(
                "{channels} channels make no {GROUPS} groups"
            )));
        }
        Ok(Self {
            features: features.to_vec(),
            channels,
            mask_channels,
            layers: layers.count("norm1.weight"),
            heads,
            hidden,
            groups: GROUPS,
        })
    }

    /// Numbers that it holds at its peak for an image of `height` x `width` pixels, beside the
    /// backbone's maps: on the finest one, what is added, smoothed and normed, and the masks' map.
    pub fn activations(&self, height: i64, width: i64) -> u64 {
        let finest = (height / 4).max(1) * (width / 4).max(1);
        let levels = finest / 3;
        let cells = (finest / 64).max(1);
        let thinking = cells * (4 * self.channels + self.hidden) + self.heads * cells * cells;
        let smoothing = finest * (4 * self.channels + self.mask_channels);
        (levels * self.channels + thinking.max(smoothing)).unsigned_abs()
    }
}
