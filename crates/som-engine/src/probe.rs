//! Can this model read marks? One small question with a known answer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use image::{Rgb, RgbImage};
use som_core::{
    Cancellation, Error, Finish, Layer, Mask, MaskBuilder, ProviderInfo, Region, Result, Size,
    Usage,
    task::{Finding, Task},
};

use crate::{
    Engine, RegionSource,
    ask::{AskImage, AskRequest, Budget},
};

/// The discs of the image: what they are called and their colours, the largest first.
const DISCS: [(&str, [u8; 3]); 6] = [
    ("the red disc", [214, 39, 40]),
    ("the blue disc", [31, 90, 200]),
    ("the green disc", [30, 150, 50]),
    ("the yellow disc", [240, 210, 30]),
    ("the white disc", [250, 250, 250]),
    ("the black disc", [10, 10, 10]),
];
/// Where the discs stand: columns and rows of a grid, so that neither reading order nor area
/// gives the answer away.
const CELLS: [(u32, u32); 6] = [(1, 1), (0, 0), (2, 0), (0, 1), (1, 0), (2, 1)];
/// Side of a cell of the grid in pixels.
const CELL: u32 = 160;

/// What a model made of the image.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The model.
    pub lmm: ProviderInfo,
    /// What it answered.
    pub text: String,
    /// How the answer ended.
    pub finish: Finish,
    /// Discs that were asked for.
    pub asked: usize,
    /// Discs whose mark it named.
    pub right: usize,
    /// It was asked for, and gave, an answer by a JSON schema; `None` if it does not claim to.
    pub structured: Option<bool>,
    /// Time until the answer was complete.
    pub took: Duration,
    /// Tokens, if the provider tells.
    pub usage: Option<Usage>,
    /// What that costs in US dollars, if there are prices.
    pub cost: Option<f64>,
}

impl Engine {
    /// Shows the model called `name` an image of marked discs and asks which mark stands on
    /// which.
    ///
    /// # Errors
    /// As [`ask`](Self::ask); Unsupported, if no mark style writes labels.
    pub async fn probe(self: &Arc<Self>, name: &str, cancellation: &Cancellation) -> Result<Probe> {
        let (image, regions) = discs();
        let image = AskImage::new(image.into(), RegionSource::Given(regions.into()));
        let task = Task::Refer {
            expressions: DISCS.iter().map(|(name, _)| (*name).to_owned()).collect(),
        };
        let request = AskRequest {
            layers: Some(vec![self.labelling_layer()?]),
            lmm: Some(name.to_owned()),
            budget: Budget {
                max_rounds: 1,
                ..Budget::default()
            },
            ..AskRequest::new(vec![image], task)
        };
        let started = Instant::now();
        let outcome = self.ask_watched(request, cancellation, |_| {}).await?;
        let structured = outcome.lmm.structured;
        Ok(Probe {
            asked: DISCS.len(),
            right: right(&outcome.grounded.findings),
            structured: structured
                .then(|| serde_json::from_str::<serde_json::Value>(outcome.text.trim()).is_ok()),
            took: started.elapsed(),
            usage: outcome.usage,
            cost: outcome.cost,
            text: outcome.text,
            finish: outcome.finish,
            lmm: outcome.lmm,
        })
    }

    /// A layer that writes labels and hides nothing: the topmost of the settings that does, else
    /// any.
    fn labelling_layer(&self) -> Result<Layer> {
        let usual = self.settings().mark.styles.iter().rev();
        let usual = usual.filter_map(|id| self.registry().style(id).ok());
        let style = usual
            .chain(self.registry().styles())
            .find(|style| style.style().labelling().is_some());
        let style = style.ok_or_else(|| Error::unsupported("no mark style writes labels"))?;
        Ok(Layer {
            style: style.descriptor().id.clone(),
            ..Layer::default()
        })
    }
}

/// How many discs were found: mark 1 is the largest, and so on.
fn right(findings: &[Finding]) -> usize {
    let found = findings.iter().zip(1..);
    found.filter(|(finding, id)| finding.marks == [*id]).count()
}

/// The image and its regions, in the order of [`DISCS`].
fn discs() -> (RgbImage, Vec<Region>) {
    let size = Size::new(3 * CELL, 2 * CELL);
    let mut image = RgbImage::from_pixel(size.width, size.height, Rgb([150, 150, 150]));
    let mut regions = Vec::new();
    for (index, ((_, color), (column, row))) in DISCS.into_iter().zip(CELLS).enumerate() {
        let center = (column * CELL + CELL / 2, row * CELL + CELL / 2);
        let mask = disc(size, center, CELL * 2 / 5 - 3 * index as u32);
        for (y, spans) in mask.rows() {
            for x in spans.iter().flat_map(|span| span.start..span.end) {
                image.put_pixel(x, y, Rgb(color));
            }
        }
        regions.push(Region::new(mask));
    }
    (image, regions)
}

fn disc(size: Size, (cx, cy): (u32, u32), radius: u32) -> Mask {
    let mut mask = MaskBuilder::new(size);
    for y in cy - radius..=cy + radius {
        let down = f64::from(y) - f64::from(cy);
        let half = (f64::from(radius).powi(2) - down.powi(2)).max(0.0).sqrt() as u32;
        mask.push(y, cx - half, cx + half + 1);
    }
    mask.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn discs_are_apart_and_get_smaller() {
        let (_, regions) = discs();
        let areas: Vec<u64> = regions.iter().map(|region| region.mask.area()).collect();
        assert!(areas.windows(2).all(|pair| pair[0] > pair[1]), "{areas:?}");
        for (index, region) in regions.iter().enumerate() {
            let others = &regions[index + 1..];
            assert!(
                others
                    .iter()
                    .all(|other| !region.bbox().intersects(other.bbox()))
            );
        }
    }
}
