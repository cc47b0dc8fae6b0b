//! The sizes of a network, read off the shapes of its tensors, and the settings that no shape tells.

use som_core::{Error, Result};
use som_torch::{Scope, checkpoint::Contradictions, input::Normalization};

use super::told::Told;

/// Every size and setting of a SegGPT network.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Config {
    /// Pixels along a side of a patch.
    pub patch: i64,
    /// Patches of what the network sees: of the example above the image.
    pub rows: i64,
    pub columns: i64,
    /// Patches along a side of what positions were learnt on.
    pub pretrained: i64,
    /// Channels of a token.
    pub width: i64,
    pub layers: i64,
    pub heads: i64,
    /// Channels inside the MLPs.
    pub hidden: i64,
    /// Channels of a pixel in the decoder.
    pub decoder: i64,
    /// The layer after which picture and painting are one.
    pub merge: i64,
    /// The layers that the decoder looks at, in order.
    pub seen: Vec<i64>,
    pub epsilon: f64,
    pub normalization: Normalization,
}

impl Config {
    /// The sizes of the network at `root`, the settings of the released one, and what is `told` besides.
    ///
    /// # Errors
    /// Invalid, if that is no SegGPT network.
    pub(crate) fn of(root: &Scope<'_>, told: &Told) -> Result<Self> {
        let (embeddings, encoder) = (root.at("model.embeddings"), root.at("model.encoder"));
        let projection = "patch_embeddings.projection.weight";
        let [width, _, patch, _] = embeddings.extents(projection)?;
        let [_, positions, _] = embeddings.extents("position_embeddings")?;
        let layers = encoder.at("layers");
        let [heights, head] = layers.extents("0.attention.rel_pos_h")?;
        let [widths, _] = layers.extents("0.attention.rel_pos_w")?;
        let [hidden, _] = layers.extents("0.mlp.lin1.weight")?;
        let [_, seen] = root.extents("decoder.decoder_embed.weight")?;
        let [decoder, ..] = root.extents::<4>("decoder.decoder_pred.conv.weight")?;
        if head < 1 || width % head != 0 {
            return Err(Error::invalid(format!(
                "heads of {head} channels do not share out {width}"
            )));
        }
        let count = layers.count("mlp.lin1.weight");
        let [rows, columns] = match (told.image_size, patch) {
            (Some([height, width]), 1..) => [height / patch, width / patch],
            _ => [(heights + 1) / 2, (widths + 1) / 2],
        };
        let pretrained = (1..=4096).find(|side| side * side == positions - 1);
        let pretrained = pretrained.ok_or_else(|| {
            Error::invalid(format!("{positions} positions, one of them a class's"))
        })?;
        let merge = told.merge_index.unwrap_or(2);
        let config = Self {
            patch,
            rows,
            columns,
            pretrained,
            width,
            layers: count,
            heads: width / head,
            hidden,
            decoder,
            merge,
            seen: match &told.intermediate_hidden_state_indices {
                Some(told) => told.clone(),
                // The last of each equal part of the layers (5, 11, 17 and 23 of 24), behind the merge.
                None => (1..=seen / width)
                    .map(|part| (part * count / (seen / width) - 1).max(merge + part - 1))
                    .collect(),
            },
            epsilon: told.layer_norm_eps.unwrap_or(1e-6),
            normalization: Normalization {
                mean: [0.485, 0.456, 0.406].map(|it: f32| 255.0 * it),
                deviation: [0.229, 0.224, 0.225].map(|it: f32| 255.0 * it),
            },
        };
        config.check(seen)?;
        Ok(config)
    }

    /// Checks that a network of such sizes can be run.
    fn check(&self, seen: i64) -> Result<()> {
        let Self {
            rows,
            columns,
            patch,
            ..
        } = *self;
        if columns < 1 || rows != 2 * columns {
            return Err(Error::invalid(format!(
                "{rows}x{columns} patches (image_size), which are not twice as high as wide"
            )));
        }
        if !(1..=1024).contains(&patch) || patch * columns > 16_384 {
            return Err(Error::invalid(format!(
                "{columns} patches of {patch} pixels in a row"
            )));
        }
        let is_layer = |index: &i64| (0..self.layers).contains(index);
        if !is_layer(&self.merge) {
            return Err(Error::invalid(format!(
                "merge_index is {}, but there are {} layers, counted from 0",
                self.merge, self.layers
            )));
        }
        // Before the merge there are still two of each token.
        let merged = |index: &i64| is_layer(index) && *index >= self.merge;
        let in_order = self.seen.is_sorted_by(|a, b| a < b);
        if !in_order || !self.seen.iter().all(merged) || self.seen.len() as i64 * self.width != seen
        {
            return Err(Error::invalid(format!(
                "intermediate_hidden_state_indices are {:?}, but the decoder takes {} layers, in order, of {} to {}",
                self.seen,
                seen / self.width,
                self.merge,
                self.layers - 1
            )));
        }
        Ok(())
    }

    /// Pixels along a side of what the network sees of a picture.
    pub(crate) const fn side(&self) -> i64 {
        self.columns * self.patch
    }

    /// Where `told` says otherwise than the tensors, or asks for what the network cannot do.
    pub(crate) fn contradictions(&self, told: &Told) -> Contradictions {
        let mut wrong = Contradictions::default();
        for (key, told, found) in [
            ("hidden_size", told.hidden_size, self.width),
            ("num_hidden_layers", told.num_hidden_layers, self.layers),
            ("num_attention_heads", told.num_attention_heads, self.heads),
            ("mlp_dim", told.mlp_dim, self.hidden),
            ("patch_size", told.patch_size, self.patch),
            (
                "decoder_hidden_size",
                told.decoder_hidden_size,
                self.decoder,
            ),
        ] {
            wrong.compare(key, told.as_ref(), &found);
        }
        let pretrained = told.pretrain_image_size.map(|size| size / self.patch);
        wrong.compare(
            "pretrain_image_size / patch_size",
            pretrained.as_ref(),
            &self.pretrained,
        );
        let gelu = "gelu".to_owned();
        wrong.compare("hidden_act", told.hidden_act.as_ref(), &gelu);
        for (key, told) in [
            ("qkv_bias", told.qkv_bias),
            (
                "use_relative_position_embeddings",
                told.use_relative_position_embeddings,
            ),
        ] {
            wrong.compare(key, told.as_ref(), &true);
        }
        wrong
    }
}
