//! What holds for a finished mark: checked on the result alone, by other code than placed it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{
    AllocateOptions, AllocatedMark, claim::claim, grid::Grid, ink::Ink, layout::enlarged,
    legibility::GLYPH_SHARE,
};
use crate::{BBox, Image, Mask, Size};

/// What was checked for one mark after allocation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The label's box lies wholly inside the image.
    pub inside_image: bool,
    /// The label's box shares no pixel with another label's box on its page.
    pub clear_of_labels: bool,
    /// The share of the label's box that lies on the visible part of its own region, in [0, 1].
    pub on_region: f32,
    /// A leader line ties the label to its region.
    pub leader: bool,
    /// The anchor, where a leader line ends, is a pixel of the region.
    pub anchor_on_region: bool,
    /// Contrast ratio of the text against its plate, in [1, 21] (WCAG 2.2).
    pub contrast: f32,
    /// Height of digits and capitals in pixels of the image that the LMM sees; 0 without text.
    pub glyph_height: f32,
    /// The share of the region's ink that labels of its page cover, in [0, 1]; 0 for a region
    /// without any. Ink is where colours step from one pixel to the next along a row, as at letters
    /// and lines.
    pub ink_hidden: f32,
}

impl Facts {
    /// Least contrast ratio of text (WCAG 2.2, level AA).
    pub(crate) const MIN_CONTRAST: f32 = 4.5;

    /// True if everything holds that allocation promises: the label is in the image and clear of
    /// others, on its region or tied to it, with enough contrast and at least `min_glyph` high.
    pub fn hold(&self, min_glyph: f32) -> bool {
        self.inside_image
            && self.clear_of_labels
            && self.anchor_on_region
            && (self.leader || self.on_region >= 0.5 || self.glyph_height == 0.0)
            && self.contrast >= Self::MIN_CONTRAST
            && (self.glyph_height >= min_glyph || self.glyph_height == 0.0)
    }
}

/// Checks `marks`, which are in order of their numbers, the largest region first, on pages `scale`
/// times as large as `image`.
pub(super) fn check(
    image: &Image<'_>,
    scale: u32,
    marks: &mut [AllocatedMark],
    options: &AllocateOptions,
) {
    let (width, height) = image.dimensions();
    let size = Size::new(width * scale, height * scale);
    let masks: Vec<Cow<'_, Mask>> = marks
        .iter()
        .map(|allocated| match &allocated.mark.region.mask {
            mask if scale == 1 => Cow::Borrowed(mask),
            mask => Cow::Owned(mask.resized(size)),
        })
        .collect();
    let page = (scale > 1).then(|| enlarged(image, scale));
    let hidden = match &page {
        None => ink_hidden(Ink::new(image), marks, &masks),
        Some(page) => Image::from_raw(size.width, size.height, page.as_raw().as_slice())
            .map_or_else(Vec::new, |page| ink_hidden(Ink::new(&page), marks, &masks)),
    };
    let clear = clear_of_labels(marks);
    let visible = on_region(size, marks, &masks);
    let view = options.view.scale(size);
    let facts: Vec<Facts> = marks
        .iter()
        .zip(&masks)
        .zip(clear.into_iter().zip(visible).zip(hidden))
        .map(
            |((allocated, mask), ((clear_of_labels, on_region), ink_hidden))| {
                let AllocatedMark {
                    mark, font_size, ..
                } = allocated;
                Facts {
                    inside_image: size.bbox().encloses(mark.label_box),
                    clear_of_labels,
                    on_region,
                    leader: mark.leader().is_some(),
                    anchor_on_region: mask.contains(mark.anchor),
                    contrast: mark.color.contrast(mark.color.ink()),
                    glyph_height: font_size * GLYPH_SHARE * view,
                    ink_hidden,
                }
            },
        )
        .collect();
    for (allocated, facts) in marks.iter_mut().zip(facts) {
        allocated.facts = facts;
    }
}

/// For each mark, the share of its region's ink under the labels of its page.
fn ink_hidden(ink: Ink<'_>, marks: &[AllocatedMark], masks: &[Cow<'_, Mask>]) -> Vec<f32> {
    let mut labels: Vec<(u32, BBox)> = marks
        .iter()
        .map(|allocated| (allocated.page, allocated.mark.label_box))
        .filter(|(_, label)| !label.is_empty())
        .collect();
    labels.sort_by_key(|&(page, label)| (page, label.x));
    let widest = labels.iter().map(|(_, label)| label.width).max();
    let hidden = |(allocated, mask): (&AllocatedMark, &Cow<'_, Mask>)| {
        let bbox = mask.bbox();
        let from = (
            allocated.page,
            bbox.x.saturating_sub(widest.unwrap_or_default()),
        );
        let first = labels.partition_point(|&(page, label)| (page, label.x) < from);
        let near = labels[first..].iter().take_while(|&&(page, label)| {
            page == allocated.page && u64::from(label.x) < bbox.right()
        });
        let under: u64 = near
            .filter(|(_, label)| label.intersects(bbox))
            .map(|&(_, label)| ink.of_mask_under(mask, label))
            .sum();
        match under {
            0 => 0.0,
            under => (under as f64 / ink.of_mask(mask).max(under) as f64) as f32,
        }
    };
    marks.iter().zip(masks).map(hidden).collect()
}

/// For each mark, whether no other label on its page meets its own.
fn clear_of_labels(marks: &[AllocatedMark]) -> Vec<bool> {
    let mut clear = vec![true; marks.len()];
    let mut by_column: Vec<usize> = (0..marks.len()).collect();
    by_column.sort_by_key(|&index| (marks[index].page, marks[index].mark.label_box.x));
    for (position, &a) in by_column.iter().enumerate() {
        let label = marks[a].mark.label_box;
        for &b in &by_column[position + 1..] {
            let other = marks[b].mark.label_box;
            if marks[b].page != marks[a].page || u64::from(other.x) >= label.right() {
                break;
            }
            if label.intersects(other) {
                clear[a] = false;
                clear[b] = false;
            }
        }
    }
    clear
}

/// For each mark, the share of its label's box on its region and on no smaller one.
fn on_region(size: Size, marks: &[AllocatedMark], masks: &[Cow<'_, Mask>]) -> Vec<f32> {
    let claims: Vec<Cow<'_, Mask>> = marks
        .iter()
        .zip(masks)
        .map(|(allocated, mask)| claim(&allocated.mark.region, Cow::Borrowed(mask.as_ref())))
        .collect();
    let mut by_place = Grid::new(size);
    for (index, claimed) in claims.iter().enumerate() {
        by_place.insert(claimed.bbox(), index);
    }
    let mut pixels = Vec::new();
    marks
        .iter()
        .enumerate()
        .map(|(index, allocated)| {
            let label = allocated.mark.label_box;
            pixels.clear();
            pixels.resize(label.area() as usize, false);
            let mut set = |mask: &Mask, value: bool| {
                for (row, y) in pixels
                    .chunks_exact_mut(label.width.max(1) as usize)
                    .zip(label.y..)
                {
                    for span in mask.row(y) {
                        let start = span.start.max(label.x) - label.x;
                        let end = span.end.saturating_sub(label.x).min(label.width);
                        if start < end {
                            row[start as usize..end as usize].fill(value);
                        }
                    }
                }
            };
            set(&masks[index], true);
            by_place.any(label, |other| {
                if other > index {
                    set(&claims[other], false);
                }
                false
            });
            let on = pixels.iter().filter(|&&pixel| pixel).count();
            on as f32 / (pixels.len().max(1)) as f32
        })
        .collect()
}
