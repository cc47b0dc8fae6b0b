//! The tower: image and text tell each other what they are about, stage by stage, each stage of the
//! dynamic head after such an exchange.
//!
//! Li et al., *Grounded Language-Image Pre-training*, 2021 (arXiv 2112.03857), section 3.2; official file
//! `maskrcnn_benchmark/modeling/rpn/vldyhead.py`, `VLDyHead`.

use som_core::{Call, Result};
use som_torch::{
    Scope, TorchResult,
    attention::{Fusion, Levels},
    stages::stage,
    text::{BertLayer, BertSizes},
    torch_error,
};
use tch::Tensor;

use super::{config::TowerSizes, dynamic::DynamicBlock, text::ReadText};

/// Levels and tokens to the same, each knowing of the others. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct Tower {
    stages: Vec<Stage>,
}

/// One stage: first an exchange, then each by itself.
#[derive(Clone, Debug)]
pub(crate) struct Stage {
    fusion: Fusion,
    pub text: BertLayer,
    pub image: DynamicBlock,
}

impl Tower {
    /// Three numbered parts of `scope` for each stage.
    pub(crate) fn load(
        scope: &Scope<'_>,
        sizes: &TowerSizes,
        text: &BertSizes,
    ) -> TorchResult<Self> {
        let TowerSizes {
            channels,
            fusion,
            heads,
            ..
        } = *sizes;
        let stage = |index: i64| {
            let part = |part: i64| scope.at(3 * index + part);
            let of_both = [channels, text.width];
            TorchResult::Ok(Stage {
                fusion: Fusion::load(&part(0).at("b_attn"), of_both, fusion, heads),
                text: BertLayer::load(&part(1), text),
                image: DynamicBlock::load(&part(2), sizes)?,
            })
        };
        Ok(Self {
            stages: (0..sizes.stages).map(stage).collect::<TorchResult<_>>()?,
        })
    }

    /// In order.
    #[cfg(test)]
    pub(crate) fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// Levels `[height, width, channels]` and the tokens `[tokens, width]` of a text: what becomes of both.
    ///
    /// # Errors
    /// Cancelled, between stages; what libtorch reports.
    pub(crate) fn forward(
        &self,
        levels: &[Tensor],
        text: &ReadText,
        call: &Call<'_>,
    ) -> Result<(Vec<Tensor>, Tensor)> {
        stage("tower", || {
            let mut levels: Vec<Tensor> = levels.iter().map(Tensor::shallow_clone).collect();
            let mut tokens = text.tokens.shallow_clone();
            for stage in &self.stages {
                call.check()?;
                let exchanged = stage.exchange(&levels, &tokens).map_err(torch_error)?;
                call.check()?;
                let think = |(levels, tokens): (Vec<Tensor>, Tensor)| {
                    let tokens = stage.text.forward(&tokens, &text.mask)?;
                    TorchResult::Ok((stage.image.forward(&levels)?, tokens))
                };
                (levels, tokens) = think(exchanged).map_err(torch_error)?;
            }
            Ok((levels, tokens))
        })
    }
}

impl Stage {
    /// What levels and tokens are after they told each other.
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn exchange(
        &self,
        levels: &[Tensor],
        tokens: &Tensor,
    ) -> TorchResult<(Vec<Tensor>, Tensor)> {
        let (cells, levels) = Levels::join(levels)?;
        let (cells, tokens) = self.fusion.forward(&cells, tokens)?;
        Ok((levels.split(&cells)?, tokens))
    }
}
