//! The coordinate codebook: what has been written, as the decoder reads it.
//!
//! Liu et al., *PolyFormer*, 2023 (arXiv 2302.07387), section 3.3; official files `tasks/refcoco.py`,
//! `inference_step`, and `models/polyformer/unify_transformer.py`, `extract_features_scriptable`. A point
//! is read bilinearly off the four bins around it.

use som_torch::{
    Scope, TorchResult,
    nn::{LayerNorm, Weight},
};
use tch::{Kind, Tensor};

use super::{
    attention::EPSILON,
    config::{FIRST_BIN, SEPARATOR_TOKEN, START_TOKEN},
};

/// One step of what is written, but for the end.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Written {
    /// Before anything is.
    Start,
    /// x and y, in 0..=1 of width and height.
    Point([f32; 2]),
    /// Between two polygons.
    Separator,
}

/// Reads steps. Clones share the weights.
#[derive(Clone, Debug)]
pub(crate) struct Codebook {
    /// `[bins² + 4, channels]`, of a point by its bins of x, then of y.
    tokens: Weight,
    norm: LayerNorm,
    bins: i64,
}

impl Codebook {
    /// `encoder.embed_tokens` and `decoder.layernorm_embedding` of `root`.
    pub(crate) fn load(root: &Scope<'_>, bins: i64, channels: i64) -> Self {
        let decoder = root.at("decoder");
        let shape = [bins * bins + FIRST_BIN, channels];
        // The same tensor once more.
        decoder.at("embed_tokens").spare("weight", &shape);
        Self {
            tokens: root.at("encoder.embed_tokens").weight("weight", &shape),
            norm: LayerNorm::load(&decoder.at("layernorm_embedding"), channels, EPSILON),
            bins,
        }
    }

    /// `[1, channels]`
    ///
    /// # Errors
    /// What libtorch reports.
    pub(crate) fn read(&self, written: Written) -> TorchResult<Tensor> {
        let (tokens, weights) = self.corners(written);
        let device = self.tokens.device();
        let tokens = Tensor::f_from_slice(&tokens)?.f_to_device(device)?;
        let weights = Tensor::f_from_slice(&weights)?.f_to_device(device)?;
        // In double precision, as there.
        let tokens = self.tokens.f_index_select(0, &tokens)?;
        let tokens = tokens.f_to_kind(Kind::Double)?;
        let x = weights.f_unsqueeze(0)?.f_mm(&tokens)?;
        self.norm.forward(&x.f_to_kind(self.tokens.kind())?)
    }

    /// The tokens that a step is read off, and how much each weighs: bins below in x and y, below in x
    /// and above in y, above and below, above in both.
    pub(crate) fn corners(&self, written: Written) -> ([i64; 4], [f64; 4]) {
        let [x, y] = match written {
            Written::Start => return ([START_TOKEN; 4], [1.0, 0.0, 0.0, 0.0]),
            Written::Separator => return ([SEPARATOR_TOKEN; 4], [1.0, 0.0, 0.0, 0.0]),
            // In single precision, as there.
            Written::Point(point) => point.map(|it| it * (self.bins - 1) as f32),
        };
        let token = |x: f32, y: f32| x as i64 * self.bins + y as i64 + FIRST_BIN;
        let tokens = [
            token(x.floor(), y.floor()),
            token(x.floor(), y.ceil()),
            token(x.ceil(), y.floor()),
            token(x.ceil(), y.ceil()),
        ];
        let [(right, left), (down, up)] = [x, y].map(|it| {
            let above = it - it.floor();
            (f64::from(above), f64::from(1.0 - above))
        });
        (tokens, [left * up, left * down, right * up, right * down])
    }
}
