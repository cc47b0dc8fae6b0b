//! How large text must be, in pixels of the image, for the LMM to read it.

use serde_json::Value;

use super::{AllocateOptions, Labels};
use crate::{Call, Error, Params, Region, Result, Size, mark};

/// Height of digits and capitals per font size. 0.7 is typical of sans-serif faces (DejaVu Sans:
/// 0.729), so a promise made with it holds.
pub(super) const GLYPH_SHARE: f32 = 0.7;

/// The font sizes to try, the preferred one first, and the labels measured at each.
pub(super) struct FontSizes<'a> {
    labels: Labels<'a>,
    steps: Vec<Step>,
    texts: Vec<String>,
    /// By rank, the text and the class name; `None` where there is no name to write.
    captions: Vec<Option<String>>,
    cancelled: Call<'a>,
}

struct Step {
    font_size: f32,
    params: Params,
    /// By rank, once measured.
    boxes: Vec<Option<Size>>,
}

impl<'a> FontSizes<'a> {
    /// For the labels of `regions` with these `numbers`, both by rank, on an image of `size`.
    pub(super) fn new<'r>(
        labels: Labels<'a>,
        options: &AllocateOptions,
        size: Size,
        numbers: &[u32],
        regions: impl Iterator<Item = &'r Region>,
        call: &Call<'a>,
    ) -> Result<Self> {
        let count = numbers.len();
        let wanted = labels.params.get("font_size").and_then(Value::as_f64);
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
            .map(|&number| {
                labels
                    .labelling
                    .label(options.first().saturating_add(number))
            })
            .collect::<Result<Vec<_>>>()?;
        let wanted = labels.params.get("class_names");
        let wanted = wanted.is_some_and(|wanted| wanted == &Value::Bool(true));
        let captions = regions.zip(&texts).map(|(region, text)| {
            let name = region.label.as_deref().filter(|_| wanted);
            name.and_then(|name| mark::caption(text, name))
        });
        Ok(Self {
            captions: captions.collect(),
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
        if let Some(size) = self.steps[step].boxes[rank] {
            return Ok(size);
        }
        let size = self.box_of(&self.texts[rank], &self.steps[step])?;
        self.steps[step].boxes[rank] = Some(size);
        Ok(size)
    }

    /// The box that the label of `rank` needs with the class name beside its text, at one of the
    /// font sizes; `None` where no name is to be written.
    pub(super) fn measure_caption(&self, font_size: f32, rank: usize) -> Result<Option<Size>> {
        let step = self.steps.iter().find(|step| step.font_size == font_size);
        match (step, &self.captions[rank]) {
            (Some(step), Some(caption)) => self.box_of(caption, step).map(Some),
            _ => Ok(None),
        }
    }

    fn box_of(&self, text: &str, step: &Step) -> Result<Size> {
        let call = self.cancelled.with_params(&step.params);
        let size = self.labels.labelling.measure(text, &call)?;
        if size.width == 0 || size.height == 0 {
            return Err(Error::internal(format!(
                "the labelling style measures {text:?} as {}x{} pixels (it must give a box with pixels)",
                size.width, size.height
            )));
        }
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
