//! How large text must be, in pixels of the image, for the LMM to read it.

use super::{AllocateOptions, Labels};
use crate::{Call, Error, Params, Result, Size};

/// Height of digits and capitals per font size. 0.7 is typical of sans-serif faces (DejaVu Sans:
/// 0.729), so a promise made with it holds.
pub(super) const GLYPH_SHARE: f32 = 0.7;

/// The font sizes to try, the preferred one first, and the labels measured at each.
pub(super) struct FontSizes<'a> {
    labels: Labels<'a>,
    steps: Vec<Step>,
    texts: Vec<String>,
    cancelled: Call<'a>,
}

struct Step {
    font_size: f32,
    params: Params,
    /// By rank, once measured.
    boxes: Vec<Option<Size>>,
}

impl<'a> FontSizes<'a> {
    /// For the labels with these `numbers`, by rank, on an image of `size`.
    pub(super) fn new(
        labels: Labels<'a>,
        options: &AllocateOptions,
        size: Size,
        numbers: &[u32],
        call: &Call<'a>,
    ) -> Result<Self> {
        let count = numbers.len();
        let wanted = labels
            .params
            .get("font_size")
            .and_then(serde_json::Value::as_f64);
        let sizes = match wanted.map(|size| size as f32).or(options.marks.font_size()) {
            Some(fixed) => vec![fixed],
            None => automatic_sizes(options, size, count),
        };
        let steps = sizes
            .into_iter()
            .map(|font_size| {
                let mut params = labels.params.clone();
                params.insert("font_size".into(), f64::from(font_size).into());
                Step {
                    font_size,
                    params,
                    boxes: vec![None; count],
                }
            })
            .collect();
        let texts = numbers
            .iter()
            .map(|&number| labels.labelling.label(options.first.saturating_add(number)))
            .collect::<Result<_>>()?;
        Ok(Self {
            labels,
            steps,
            texts,
            cancelled: *call,
        })
    }

    /// The texts of the marks, by rank.
    pub(super) fn texts(&self) -> &[String] {
        &self.texts
    }

    /// Number of font sizes.
    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }

    pub(super) fn font_size(&self, step: usize) -> f32 {
        self.steps[step].font_size
    }

    /// The box that the label of `rank` needs at font size number `step`.
    pub(super) fn measure(&mut self, step: usize, rank: usize) -> Result<Size> {
        let step = &mut self.steps[step];
        if let Some(size) = step.boxes[rank] {
            return Ok(size);
        }
        let text = &self.texts[rank];
        let size = self
            .labels
            .labelling
            .measure(text, &self.cancelled.with_params(&step.params))?;
        if size.width == 0 || size.height == 0 {
            return Err(Error::internal(format!(
                "the labelling style measures {text:?} as {}x{} pixels (it must give a box with pixels)",
                size.width, size.height
            )));
        }
        step.boxes[rank] = Some(size);
        Ok(size)
    }
}

/// From what suits the image down to the smallest the LMM can read.
fn automatic_sizes(options: &AllocateOptions, size: Size, count: usize) -> Vec<f32> {
    /// Font size per side of a square image.
    const PER_SIDE: f32 = 0.028;
    /// The same per side of a square that is one mark's share of the image.
    const PER_SHARE: f32 = 0.25;
    /// Room to go down from the preferred size.
    const ABOVE_SMALLEST: f32 = 1.25;

    let smallest = (options.marks.min_glyph() / GLYPH_SHARE / options.view.scale(size))
        .ceil()
        .max(1.0);
    let side = (size.pixels() as f32).sqrt();
    let suits = (side * PER_SIDE).min(side / (count.max(1) as f32).sqrt() * PER_SHARE);
    let preferred = suits.max(smallest * ABOVE_SMALLEST).round();
    let middle = (preferred * smallest).sqrt().round();
    let mut sizes = vec![preferred, middle, smallest];
    sizes.dedup();
    sizes
}
