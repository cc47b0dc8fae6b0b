//! The sizes of a Swin backbone, read off the shapes of its tensors.

use som_core::{Error, Result};

use crate::Scope;

/// Every size of a Swin backbone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwinSizes {
    /// Side of a patch in pixels.
    pub patch: i64,
    /// Whether patches are normed.
    pub patch_norm: bool,
    /// From the finest to the coarsest.
    pub stages: Vec<Stage>,
}

/// The blocks of one stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// How many blocks.
    pub blocks: i64,
    /// Channels of its map.
    pub channels: i64,
    /// Heads of its attention.
    pub heads: i64,
    /// Side of its windows in tokens.
    pub window: i64,
    /// Channels inside its MLP.
    pub hidden: i64,
    /// Whether queries, keys and values have an offset.
    pub qkv_bias: bool,
    /// Whether its map, normed, is one of the outputs.
    pub is_output: bool,
}

impl SwinSizes {
    /// The sizes of the backbone at `scope`. All are told by shapes.
    ///
    /// # Errors
    /// Invalid, if there is none, with what is missing or odd about it.
    pub fn of(scope: &Scope<'_>) -> Result<Self> {
        let [_, _, patch, _] = scope.extents("patch_embed.proj.weight")?;
        let stages = (0..)
            .map(|index| scope.at("layers").at(index))
            .take_while(|layer| layer.shape("blocks.0.norm1.weight").is_some());
        let stages = stages
            .enumerate()
            .map(|(index, layer)| Stage::of(scope, &layer, index))
            .collect::<Result<Vec<_>>>()?;
        if stages.is_empty() || patch < 1 {
            return Err(Error::invalid(format!(
                "a Swin backbone of {} stages and patches of {patch} pixels",
                stages.len()
            )));
        }
        Ok(Self {
            patch,
            patch_norm: scope.shape("patch_embed.norm.weight").is_some(),
            stages,
        })
    }

    /// Numbers that it holds at its peak for an image of `height` x `width` pixels: tokens before and
    /// after a norm, queries, keys and values of the map and again in windows, what they find, or
    /// what is inside the MLP; and the outputs.
    pub fn activations(&self, height: i64, width: i64) -> u64 {
        let up = |extent: i64, by: i64| (extent + by - 1) / by;
        let (mut rows, mut columns) = (up(height, self.patch), up(width, self.patch));
        let (mut most, mut outputs) = (0, 0);
        for stage in &self.stages {
            let tokens = rows * columns;
            let windows = up(rows, stage.window) * up(columns, stage.window);
            let padded = windows * stage.window.pow(2);
            let attending = tokens * 5 * stage.channels + padded * 4 * stage.channels;
            let thinking = tokens * (3 * stage.channels + stage.hidden);
            outputs += tokens * stage.channels;
            most = most.max(attending.max(thinking));
            (rows, columns) = (up(rows, 2), up(columns, 2));
        }
        (most + outputs).unsigned_abs()
    }
}

impl Stage {
    fn of(scope: &Scope<'_>, layer: &Scope<'_>, index: usize) -> Result<Self> {
        let block = layer.at("blocks.0");
        let [distances, heads] = block.extents("attn.relative_position_bias_table")?;
        let [hidden, channels] = block.extents("mlp.fc1.weight")?;
        let window = (1..=64).find(|window| (2 * window - 1_i64).pow(2) == distances);
        let Some(window) = window.filter(|_| heads > 0 && channels % heads == 0 && hidden > 0)
        else {
            return Err(Error::invalid(format!(
                "a Swin stage of {channels} channels, {heads} heads and {distances} relative positions"
            )));
        };
        Ok(Self {
            blocks: layer.at("blocks").count("norm1.weight"),
            channels,
            heads,
            window,
            hidden,
            qkv_bias: block.shape("attn.qkv.bias").is_some(),
            is_output: scope.shape(&format!("norm{index}.weight")).is_some(),
        })
    }
}
