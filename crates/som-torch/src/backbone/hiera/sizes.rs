//! The sizes of a Hiera backbone: what shapes tell, and what somebody has to say.

use som_core::Result;

use crate::checkpoint::Shapes;

/// What the shapes of a Hiera backbone's tensors tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HieraShapes {
    /// Channels of the first stage.
    pub width: i64,
    /// Rows and columns of the table of positions.
    pub background: [i64; 2],
    /// Side of the table of positions within a window.
    pub tile: i64,
    /// Of all stages, one after the other.
    pub blocks: Vec<BlockShapes>,
}

/// What shapes tell of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockShapes {
    /// Channels that come in.
    pub input: i64,
    /// Channels that come out.
    pub output: i64,
    /// Channels inside its MLP.
    pub hidden: i64,
    /// Whether it begins a stage, but for the first one: it halves rows and columns.
    pub pools: bool,
}

impl HieraShapes {
    /// What the tensors below `prefix`, such as `image_encoder.trunk`, tell.
    ///
    /// # Errors
    /// Invalid, if there is no such backbone.
    pub fn of(shapes: &Shapes<'_>, prefix: &str) -> Result<Self> {
        let [width, _, _, _] = shapes.get(&format!("{prefix}.patch_embed.proj.weight"))?;
        let [_, _, rows, columns] = shapes.get(&format!("{prefix}.pos_embed"))?;
        let [_, _, tile, _] = shapes.get(&format!("{prefix}.pos_embed_window"))?;
        let blocks = format!("{prefix}.blocks.");
        let block = |index: i64| {
            let [_, input] = shapes.get(&format!("{blocks}{index}.attn.qkv.weight"))?;
            let [output, _] = shapes.get(&format!("{blocks}{index}.attn.proj.weight"))?;
            let [hidden, _] = shapes.get(&format!("{blocks}{index}.mlp.layers.0.weight"))?;
            Ok(BlockShapes {
                input,
                output,
                hidden,
                pools: shapes.has(&format!("{blocks}{index}.proj.weight")),
            })
        };
        let count = shapes.count(&blocks, ".norm1.weight");
        Ok(Self {
            width,
            background: [rows, columns],
            tile,
            blocks: (0..count).map(block).collect::<Result<_>>()?,
        })
    }

    /// How many blocks each stage has.
    pub fn stages(&self) -> Vec<i64> {
        let mut stages = vec![0];
        for block in &self.blocks {
            if block.pools {
                stages.push(0);
            }
            if let Some(last) = stages.last_mut() {
                *last += 1;
            }
        }
        stages
    }
}

/// What no shape tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HieraSettings {
    /// Side in pixels of the square input.
    pub side: i64,
    /// Heads in the first stage; twice as many in each further one.
    pub heads: i64,
    /// Side in tokens of the windows of each stage.
    pub windows: Vec<i64>,
    /// Numbers of the blocks that attend to the whole map.
    pub global: Vec<i64>,
}

/// Every size of a Hiera backbone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HieraSizes {
    /// What shapes tell.
    pub shapes: HieraShapes,
    /// Side in pixels of the square input.
    pub side: i64,
    /// Of all stages, one after the other.
    pub blocks: Vec<BlockSizes>,
}

/// Every size of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockSizes {
    /// What shapes tell.
    pub shapes: BlockShapes,
    /// Heads of its attention.
    pub heads: i64,
    /// Side in tokens of the windows it attends in; `None`, if it attends to the whole map.
    pub window: Option<i64>,
    /// Whether its map is one of the outputs.
    pub ends_stage: bool,
}

/// Pixels along a side of a token of the first stage.
pub(super) const STRIDE: i64 = 4;

impl HieraSizes {
    /// Shapes and settings together.
    ///
    /// # Errors
    /// Why they do not fit together.
    pub fn new(shapes: HieraShapes, settings: &HieraSettings) -> Result<Self, String> {
        let HieraSettings {
            side,
            heads,
            ref windows,
            ref global,
        } = *settings;
        let stages = shapes.stages();
        check_side(side, stages.len(), shapes.tile)?;
        if !(1..=1 << 10).contains(&heads) {
            return Err(format!("num_heads is {heads}"));
        }
        if windows.len() != stages.len() || windows.iter().any(|size| !(1..=1 << 12).contains(size))
        {
            return Err(format!(
                "window_spec is {windows:?}, but {} stages have windows",
                stages.len()
            ));
        }
        if windows.first() != Some(&shapes.tile) {
            return Err(format!(
                "window_spec begins with {:?}, but the positions within a window are {} x {}",
                windows.first().copied().unwrap_or_default(),
                shapes.tile,
                shapes.tile
            ));
        }
        let mut blocks = Vec::new();
        let mut stage = 0_usize;
        for (&shapes, index) in shapes.blocks.iter().zip(0..) {
            // The block that halves the map still has the windows of what it halves.
            let window = windows.get(stage).copied().unwrap_or(1);
            let window = (!global.contains(&index)).then_some(window);
            stage += usize::from(shapes.pools);
            blocks.push(BlockSizes {
                shapes,
                heads: heads << stage,
                window,
                ends_stage: false,
            });
        }
        let ends = blocks.len();
        for index in 0..ends {
            let next = blocks.get(index + 1);
            blocks[index].ends_stage = next.is_none_or(|next| next.shapes.pools);
        }
        let sizes = Self {
            shapes,
            side,
            blocks,
        };
        sizes.check_blocks(global)?;
        Ok(sizes)
    }

    /// Side in tokens of the map of a stage, numbered from 0.
    pub const fn grid(&self, stage: usize) -> i64 {
        (self.side / STRIDE) >> stage
    }

    /// Channels of the outputs, from the finest to the coarsest.
    pub fn channels(&self) -> Vec<i64> {
        let ends = self.blocks.iter().filter(|block| block.ends_stage);
        ends.map(|block| block.shapes.output).collect()
    }

    /// Numbers that it holds at its peak: tokens before and after a norm, queries, keys and values of
    /// the map and again in windows, what they find, or what is inside the MLP; and the outputs.
    pub fn activations(&self) -> u64 {
        let (mut most, mut outputs, mut grid) = (0, 0, self.grid(0));
        for block in &self.blocks {
            let BlockShapes {
                input,
                output,
                hidden,
                pools,
            } = block.shapes;
            let window = block.window.unwrap_or(grid);
            let padded = ((grid + window - 1) / window * window).pow(2);
            let attending = grid.pow(2) * (2 * input + 3 * output) + padded * 4 * output;
            if pools {
                grid /= 2;
            }
            let thinking = grid.pow(2) * (3 * output + hidden);
            most = most.max(attending.max(thinking));
            if block.ends_stage {
                outputs += grid.pow(2) * output;
            }
        }
        (most + outputs).unsigned_abs()
    }

    fn check_blocks(&self, global: &[i64]) -> Result<(), String> {
        if self.blocks.is_empty() {
            return Err("it has no blocks".to_owned());
        }
        let count = self.blocks.len() as i64;
        if let Some(block) = global.iter().find(|block| !(0..count).contains(block)) {
            return Err(format!(
                "global_att_blocks names block {block}, but the last one is {}",
                count - 1
            ));
        }
        let mut channels = self.shapes.width;
        for (block, index) in self.blocks.iter().zip(0..) {
            let BlockShapes {
                input,
                output,
                hidden,
                pools,
            } = block.shapes;
            if input != channels || (!pools && output != input) || output < 1 || hidden < 1 {
                return Err(format!(
                    "its block {index} makes {output} channels of {input}, after {channels}"
                ));
            }
            if output % block.heads != 0 {
                return Err(format!(
                    "{} heads do not share out the {output} channels of its block {index} (by num_heads)",
                    block.heads
                ));
            }
            match block.window {
                None if pools => {
                    return Err(format!(
                        "block {index} halves its map, and cannot attend to all of it (global_att_blocks)"
                    ));
                }
                Some(window) if pools && window % 2 != 0 => {
                    return Err(format!(
                        "block {index} halves its windows, which are {window} wide (window_spec)"
                    ));
                }
                _ => {}
            }
            channels = output;
        }
        Ok(())
    }
}

/// Every stage has half the rows and columns of the one before, and the positions within a window are
/// laid out as tiles.
fn check_side(side: i64, stages: usize, tile: i64) -> Result<(), String> {
    let multiple = STRIDE << (stages - 1).min(16);
    if !(1..=1 << 13).contains(&side) || side % multiple != 0 {
        return Err(format!(
            "image_size is {side}, which is no multiple of {multiple}"
        ));
    }
    if tile < 1 || side / STRIDE % tile != 0 {
        return Err(format!(
            "image_size is {side}, but {} tokens make no whole windows of {tile}",
            side / STRIDE
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes() -> HieraShapes {
        let block = |input, output| BlockShapes {
            input,
            output,
            hidden: 4 * output,
            pools: input != output,
        };
        HieraShapes {
            width: 8,
            background: [7, 7],
            tile: 8,
            blocks: vec![block(8, 8), block(8, 16), block(16, 16), block(16, 32)],
        }
    }

    fn settings() -> HieraSettings {
        HieraSettings {
            side: 128,
            heads: 1,
            windows: vec![8, 4, 14],
            global: vec![2],
        }
    }

    #[test]
    fn a_stage_begins_in_the_windows_of_the_one_before() {
        assert_eq!(shapes().stages(), [1, 2, 1]);
        let sizes = HieraSizes::new(shapes(), &settings()).unwrap();
        let windows: Vec<_> = sizes.blocks.iter().map(|block| block.window).collect();
        assert_eq!(windows, [Some(8), Some(8), None, Some(4)]);
        let heads: Vec<i64> = sizes.blocks.iter().map(|block| block.heads).collect();
        assert_eq!(heads, [1, 2, 2, 4]);
        assert_eq!(sizes.channels(), [8, 16, 32]);
        assert_eq!((sizes.grid(0), sizes.grid(2)), (32, 8));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        type Change = fn(&mut HieraSettings);
        let cases: [(Change, &str); 7] = [
            (|it| it.side = 100, "image_size is 100"),
            (|it| it.side = 16, "whole windows of 8"),
            (|it| it.heads = 3, "3 heads do not share out"),
            (|it| it.windows = vec![8, 4], "3 stages have windows"),
            (|it| it.windows = vec![4, 4, 4], "begins with 4"),
            (|it| it.windows = vec![8, 3, 4], "3 wide"),
            (|it| it.global = vec![1], "cannot attend to all of it"),
        ];
        for (change, told) in cases {
            let mut settings = settings();
            change(&mut settings);
            let why = HieraSizes::new(shapes(), &settings).unwrap_err();
            assert!(why.contains(told), "{why}");
        }
    }
}
