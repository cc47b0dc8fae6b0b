//! The sizes of a FocalNet, read off the shapes of its tensors.

use som_core::{Error, Result};

use crate::Scope;

/// Every size of a FocalNet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FocalSizes {
    /// Whether blocks have convolutions of single channels: Focal-T's have.
    pub depthwise: bool,
    /// From the finest to the coarsest.
    pub stages: Vec<Stage>,
}

/// The blocks of one stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// How many blocks.
    pub blocks: i64,
    /// Channels of its map.
    pub channels: i64,
    /// Channels inside its MLP.
    pub hidden: i64,
    /// Side of the window of each distance, from near to far.
    pub windows: Vec<i64>,
}

impl FocalSizes {
    /// The sizes of the backbone at `scope`. All are told by shapes.
    ///
    /// # Errors
    /// Invalid, if there is none, with what is missing or odd about it.
    pub fn of(scope: &Scope<'_>) -> Result<Self> {
        let [_, _, size, _] = scope.extents("patch_embed.proj.weight")?;
        let layers = (0..)
            .map(|index| scope.at("layers").at(index))
            .take_while(|layer| layer.shape("blocks.0.modulation.f.weight").is_some());
        let stages = layers.map(|layer| Stage::of(&layer));
        let stages = stages.collect::<Result<Vec<_>>>()?;
        if stages.is_empty() || size != 7 {
            return Err(Error::invalid(format!(
                "a FocalNet of {} stages that starts with windows of {size} pixels",
                stages.len()
            )));
        }
        let first = scope.at("layers.0.blocks.0.dw1");
        Ok(Self {
            depthwise: first.shape("weight").is_some(),
            stages,
        })
    }

    /// Numbers that it holds at its peak for an image of `height` x `width` pixels: a map before and
    /// after, what surrounds each place and its sum and product, or what is inside the MLP; and the
    /// outputs.
    pub fn activations(&self, height: i64, width: i64) -> u64 {
        let (mut rows, mut columns) = (height.div_euclid(4).max(1), width.div_euclid(4).max(1));
        let (mut most, mut outputs) = (0, 0);
        for stage in &self.stages {
            let cells = rows * columns;
            let modulating = 6 * stage.channels + stage.windows.len() as i64;
            let thinking = 3 * stage.channels + stage.hidden;
            outputs += cells * stage.channels;
            most = most.max(cells * modulating.max(thinking));
            (rows, columns) = ((rows + 1) / 2, (columns + 1) / 2);
        }
        (most + outputs).unsigned_abs()
    }
}

impl Stage {
    fn of(layer: &Scope<'_>) -> Result<Self> {
        let block = layer.at("blocks.0");
        let [hidden, channels] = block.extents("mlp.fc1.weight")?;
        let focal = block.at("modulation.focal_layers");
        let windows = (0..focal.count("0.weight"))
            .map(|level| {
                let [_, _, window, _] = focal.at(level).extents("0.weight")?;
                Ok(window)
            })
            .collect::<Result<Vec<_>>>()?;
        if windows.is_empty() || windows.iter().any(|window| window % 2 == 0) {
            return Err(Error::invalid(format!(
                "a FocalNet stage with windows of {windows:?} cells"
            )));
        }
        Ok(Self {
            blocks: layer.at("blocks").count("modulation.f.weight"),
            channels,
            hidden,
            windows,
        })
    }
}
