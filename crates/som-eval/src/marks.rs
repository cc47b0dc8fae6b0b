//! Marks by themselves: whether they can be read, and what they hide.

use std::sync::Arc;

use serde::Serialize;
use som_core::{AllocatedMark, Cancellation, Image, Result, Size, View};
use som_engine::{Engine, MarkRequest, Marking, SharedImage};

/// Height of digits in pixels below which few models read them.
const READABLE: f32 = 9.0;

/// What is true of the marks of some images.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct MarkFacts {
    /// Images that were marked.
    pub images: usize,
    /// Marks on them.
    pub marks: usize,
    /// Regions without a mark.
    pub unmarked: usize,
    /// Pages that were drawn.
    pub pages: usize,
    /// The share of labels that share a pixel with another one.
    pub overlapping: f64,
    /// The share of labels of which most lies on the visible part of their own region.
    pub on_own_region: f64,
    /// The share of labels that a leader line ties to their region.
    pub with_leader: f64,
    /// The least contrast of a text with its plate (WCAG 2.2).
    pub least_contrast: f64,
    /// The share of the image that labels hide, on average over pages.
    pub hidden_by_labels: f64,
    /// The share of pixels that any ink changes, on average over pages.
    pub changed: f64,
    /// For each model the share of labels whose digits are at least 9 pixels high in what it sees.
    pub readable: Vec<(String, f64)>,
}

/// Sums of what [`MarkFacts`] tells.
#[derive(Default)]
struct Sums {
    overlapping: f64,
    on_own_region: f64,
    with_leader: f64,
    least_contrast: Option<f32>,
    hidden: f64,
    changed: f64,
    readable: Vec<f64>,
}

/// Marks images one by one; `request` makes the request about each.
///
/// # Errors
/// As [`Engine::mark`].
pub async fn mark_facts(
    engine: &Arc<Engine>,
    images: impl IntoIterator<Item = SharedImage>,
    request: impl Fn(SharedImage) -> MarkRequest,
    stop: &Cancellation,
) -> Result<MarkFacts> {
    let mut facts = MarkFacts::default();
    let models: Vec<_> = engine.lmms().list().cloned().collect();
    let settings = &engine.settings().view;
    let usual = View {
        long_side: settings.long_side,
        short_side: settings.short_side,
        ..View::UNLIMITED
    };
    let mut sums = Sums {
        readable: vec![0.0; models.len()],
        ..Sums::default()
    };
    for image in images {
        let marking = engine.mark(request(image.clone()), stop).await?;
        facts.images += 1;
        facts.marks += marking.marked.allocation.marks.len();
        facts.unmarked += marking.marked.allocation.unmarked.len();
        facts.pages += marking.marked.pages.len();
        let size = image.size();
        for mark in &marking.marked.allocation.marks {
            sums.add(mark);
            // The height is told as the usual view has it.
            let usual = usual.scale(size);
            for (sum, model) in sums.readable.iter_mut().zip(&models) {
                let height = mark.facts.glyph_height / usual * model.images.view.scale(size);
                *sum += share(height >= READABLE);
            }
        }
        sums.add_pages(&image, &marking)?;
    }
    let of_marks = |sum: f64| sum / facts.marks.max(1) as f64;
    let of_pages = |sum: f64| sum / facts.pages.max(1) as f64;
    let readable = models.iter().zip(&sums.readable);
    Ok(MarkFacts {
        overlapping: of_marks(sums.overlapping),
        on_own_region: of_marks(sums.on_own_region),
        with_leader: of_marks(sums.with_leader),
        least_contrast: sums.least_contrast.map_or(0.0, f64::from),
        hidden_by_labels: of_pages(sums.hidden),
        changed: of_pages(sums.changed),
        readable: readable
            .map(|(model, sum)| (model.name.clone(), of_marks(*sum)))
            .collect(),
        ..facts
    })
}

impl Sums {
    fn add(&mut self, mark: &AllocatedMark) {
        let facts = &mark.facts;
        self.overlapping += share(!facts.clear_of_labels);
        self.on_own_region += share(facts.on_region > 0.5);
        self.with_leader += share(facts.leader);
        let least = self.least_contrast.unwrap_or(f32::INFINITY);
        self.least_contrast = Some(least.min(facts.contrast));
    }

    fn add_pages(&mut self, image: &SharedImage, marking: &Marking) -> Result<()> {
        let clean = image.as_image()?;
        for (page, number) in marking.marked.pages.iter().zip(1..) {
            let labels = marking.marked.allocation.on_page(number);
            let hidden: u64 = labels.map(|mark| mark.mark.label_box.area()).sum();
            self.hidden += hidden as f64 / image.size().pixels() as f64;
            self.changed += changed(&clean, page, image.size());
        }
        Ok(())
    }
}

/// The share of pixels that differ.
fn changed(clean: &Image<'_>, page: &image::RgbImage, size: Size) -> f64 {
    let pairs = clean
        .as_raw()
        .chunks_exact(3)
        .zip(page.as_raw().chunks_exact(3));
    let differ = pairs.filter(|(before, after)| before != after).count();
    differ as f64 / size.pixels() as f64
}

fn share(is_so: bool) -> f64 {
    f64::from(u8::from(is_so))
}
