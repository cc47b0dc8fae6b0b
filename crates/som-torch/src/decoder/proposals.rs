//! Every cell of a memory as a proposal of an object: the first stage, from which queries are chosen.
//!
//! Zhu et al., *Deformable DETR*, 2020 (arXiv 2010.04159), section 4.2; `gen_encoder_output_proposals`
//! in the official projects.

use tch::{Device, Tensor};

use crate::{
    Scope, TorchResult,
    attention::Levels,
    nn::{LayerNorm, Linear},
};

/// The side of what a cell of the first level proposes; in each further level it is twice as large.
const SIDE: f32 = 0.05;

/// Proposals with a number nearer to 0 or 1 than this are none.
const MARGIN: f32 = 0.01;

/// Of the norm.
const EPSILON: f64 = 1e-5;

/// A box around each cell.
#[derive(Debug)]
pub struct Proposals {
    /// The logits of each cell's box, `[cells, 4]`: centre x and y, width and height. Infinite where
    /// the cell proposes none.
    pub boxes: Tensor,
    /// Where cells propose none, `[cells, 1]`: those at the very edge.
    pub none: Tensor,
}

impl Proposals {
    /// The proposals of the cells of these maps.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn new(levels: &Levels, device: Device) -> TorchResult<Self> {
        let mut boxes = Vec::new();
        let mut none = Vec::new();
        let mut side = SIDE;
        for &[height, width] in levels.sizes() {
            for row in 0..height {
                let y = (row as f32 + 0.5) / height as f32;
                for column in 0..width {
                    let x = (column as f32 + 0.5) / width as f32;
                    let proposed = [x, y, side, side];
                    let inside = |number: &f32| (MARGIN..1.0 - MARGIN).contains(number);
                    let is_none = !proposed.iter().all(inside);
                    let logit = |number: f32| match is_none {
                        true => f32::INFINITY,
                        false => (number / (1.0 - number)).ln(),
                    };
                    boxes.extend(proposed.map(logit));
                    none.push(is_none);
                }
            }
            side *= 2.0;
        }
        Ok(Self {
            boxes: Tensor::f_from_slice(&boxes)?
                .f_view([-1, 4])?
                .f_to_device(device)?,
            none: Tensor::f_from_slice(&none)?
                .f_view([-1, 1])?
                .f_to_device(device)?,
        })
    }
}

/// A memory as what objects could be made of.
#[derive(Clone, Debug)]
pub struct ProposalHead {
    project: Linear,
    norm: LayerNorm,
}

impl ProposalHead {
    /// `enc_output` and `enc_output_norm` of `scope`.
    pub fn load(scope: &Scope<'_>, channels: i64) -> Self {
        Self {
            project: Linear::load(&scope.at("enc_output"), channels, channels),
            norm: LayerNorm::load(&scope.at("enc_output_norm"), channels, EPSILON),
        }
    }

    /// The content of each proposal, `[cells, channels]`, from a memory of that shape.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn forward(&self, memory: &Tensor, proposals: &Proposals) -> TorchResult<Tensor> {
        let memory = memory.f_masked_fill(&proposals.none, 0.0)?;
        self.norm.forward(&self.project.forward(&memory)?)
    }
}

/// The `count` proposals whose best class has the highest logits `[cells, classes]`, best first; all,
/// where there are fewer.
///
/// # Errors
/// What libtorch reports.
pub fn best(logits: &Tensor, count: i64) -> TorchResult<Tensor> {
    let scores = logits.f_amax([-1_i64].as_slice(), false)?;
    let count = count.min(scores.size()[0]);
    Ok(scores.f_topk(count, 0, true, true)?.1)
}
