//! How large text must be, in pixels of the image, for the LMM to read it.

use serde_json::Value;

use super::{AllocateOptions, Labels};
use crate::{Call, Error, Params, Region, Result, Size, mark};

/// Height of digits and capitals per font size. 0.7 is typical of sans-serif faces (DejaVu Sans:
/// 0.729), so a promise made with it holds.
pub(super) const GLYPH_SHARE: f32 = 0.7;

/// The font sizes to try, the preferred one first, and the labels measured at each.
pub(super) struct Ladder<'a> {
    labels: Labels<'a>,
    rungs: Vec<Rung>,
    texts: Vec<String>,
    /// By rank, the text and the class name; `None` where there is no name to write.
    captions: Vec<Option<String>>,
    cancelled: Call<'a>,
}

struct Rung {
    font_size: f32,
    params: Params,
    /// By rank, once measured.
    boxes: Vec<Option<Size>>,
}

impl<'a> Ladder<'a> {
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
        let sizes = match wanted.map(|size| size as f32).or(options.font_size) {
            Some(fixed) => vec![fixed],
            None => automatic_sizes(options, size, count),
        };
        let rungs = sizes
            .into_iter()
            .map(|font_size| {
                let mut params = labels.params.clone();
                params.insert("font_size".into(), f64::from(font_size).into());
                Rung {
                    font_size,
                    params,
                    boxes: vec![None; count],
                }
            })
            .collect();
        let texts = numbers
            .iter()
            .map(|&number| labels.labelling.label(options.first.saturating_add(number)))
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
            rungs,
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
        self.rungs.len()
    }

    pub(super) fn font_size(&self, rung: usize) -> f32 {
        self.rungs[rung].font_size
    }

    /// The box that the label of `rank` needs at font size number `rung`.
    pub(super) fn measure(&mut self, rung: usize, rank: usize) -> Result<Size> {
        if let Some(size) = self.rungs[rung].boxes[rank] {
            return Ok(size);
        }
        let size = self.box_of(&self.texts[rank], &self.rungs[rung])?;
        self.rungs[rung].boxes[rank] = Some(size);
        Ok(size)
    }

    /// The box that the label of `rank` needs with the class name beside its text, at a font size
    /// of the ladder; `None` where no name is to be written.
    pub(super) fn measure_caption(&self, font_size: f32, rank: usize) -> Result<Option<Size>> {
        let rung = self.rungs.iter().find(|rung| rung.font_size == font_size);
        match (rung, &self.captions[rank]) {
            (Some(rung), Some(caption)) => self.box_of(caption, rung).map(Some),
            _ => Ok(None),
        }
    }

    fn box_of(&self, text: &str, rung: &Rung) -> Result<Size> {
        let call = self.cancelled.with_params(&rung.params);
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

    let smallest = (options.min_glyph / GLYPH_SHARE / options.view.scale(size))
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
