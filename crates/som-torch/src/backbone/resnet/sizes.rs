//! The sizes of a ResNet, read off the shapes of its tensors.

use som_core::{Error, Result};

use crate::Scope;

/// Every size of a ResNet of bottleneck blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResNetSizes {
    /// Channels of the stem.
    pub stem: i64,
    /// From the finest to the coarsest.
    pub stages: Vec<Stage>,
    /// Whether the first convolution of a block halves the map, instead of the 3x3 one. No shape
    /// tells: read as false, as in all networks that were trained with PyTorch.
    pub stride_in_1x1: bool,
}

/// The blocks of one stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stage {
    /// How many blocks.
    pub blocks: i64,
    /// Channels of the 3x3 convolutions.
    pub inner: i64,
    /// Groups of the 3x3 convolutions.
    pub groups: i64,
    /// Channels of the map.
    pub output: i64,
}

impl ResNetSizes {
    /// The sizes of the backbone at `scope`.
    ///
    /// # Errors
    /// Invalid, if there is none, with what is missing or odd about it.
    pub fn of(scope: &Scope<'_>) -> Result<Self> {
        let [stem, ..] = scope.extents::<4>("stem.conv1.weight")?;
        let stages = (2..)
            .map(|index| scope.at(format_args!("res{index}")))
            .take_while(|stage| stage.shape("0.conv1.weight").is_some());
        let stages = stages
            .map(|scope| Stage::of(&scope))
            .collect::<Result<Vec<_>>>()?;
        if stages.is_empty() {
            let missing = scope.name("res2.0.conv1.weight");
            return Err(Error::invalid(format!("no tensor {missing}")));
        }
        Ok(Self {
            stem,
            stages,
            stride_in_1x1: false,
        })
    }

    /// Numbers that it holds at its peak for an image of `height` x `width` pixels: what goes into a
    /// block, the shortcut, and what the 3x3 convolution takes and gives; and the maps.
    pub fn activations(&self, height: i64, width: i64) -> u64 {
        let up = |extent: i64| (extent + 1) / 2;
        let stem = up(height) * up(width) * (3 + 2 * self.stem);
        let (mut rows, mut columns) = (up(up(height)), up(up(width)));
        let (mut most, mut outputs) = (stem, 0);
        for (index, stage) in self.stages.iter().enumerate() {
            // The first block of a stage may work on the larger map of the one before.
            let cells = rows * columns;
            most = most.max(outputs + cells * (3 * stage.output + 2 * stage.inner));
            if index > 0 {
                (rows, columns) = (up(rows), up(columns));
            }
            outputs += rows * columns * stage.output;
        }
        (most + outputs).unsigned_abs()
    }
}

impl Stage {
    fn of(scope: &Scope<'_>) -> Result<Self> {
        let [inner, ..] = scope.extents::<4>("0.conv1.weight")?;
        let [_, of_group, ..] = scope.extents::<4>("0.conv2.weight")?;
        let [output, ..] = scope.extents::<4>("0.conv3.weight")?;
        if of_group < 1 || inner % of_group != 0 {
            let name = scope.name("0.conv2.weight");
            return Err(Error::invalid(format!(
                "the tensor {name} takes {of_group} of {inner} channels, which makes no whole groups"
            )));
        }
        Ok(Self {
            blocks: scope.count("conv1.weight"),
            inner,
            groups: (inner / of_group).max(1),
            output,
        })
    }
}
