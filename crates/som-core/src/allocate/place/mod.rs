//! Where every label goes.
//!
//! A label that lay somewhere on the image before *stays* there, against its region, where nothing speaks
//! against it. Else, in this order of preference:
//! 1. *inside*: wholly on its own visible region, where that is widest or has no ink, hiding at most
//!    half of it;
//! 2. *across* a region that is large but too thin: the middle and most of the label on it;
//! 3. *beside* the region, with a leader line to it, over what it harms least;
//! 4. on a further page, where fewer marks are in the way.
//!
//! Labels of the first two kinds that hide a good part of their region or of its ink move *aside*,
//! to plain ground beside the region, if there is some.
//!
//! Once all labels of a page lie, those with room around them get as wide as their class names
//! need.

mod across;
mod aside;
mod beside;
mod inside;
mod stay;
mod widen;

use self::inside::Inside;
use super::{
    distance::{Columns, Spot},
    ink::Ink,
    kept::KeptLabel,
    legibility::FontSizes,
    page::Page,
    visible::{Tally, Visible},
};
use crate::{BBox, Call, Mask, Point, Result, Size};

/// A label may hide this share of its own region at most; else it moves off.
const OWN_SHARE: f64 = 0.5;
/// Labels off their regions may fill this share of a page: more of them would not find room, and
/// each would look for it among the ends of all others' leader lines.
const FILLED: f64 = 0.5;
/// After a page on which few of them found room, so many times as many are tried on the next one.
const TRIED_AGAIN: usize = 2;
const MIN_TRIED: usize = 16;

/// Where one mark goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) rank: usize,
    /// From 0.
    pub(super) page: u32,
    /// Empty for a mark without text.
    pub(super) label: BBox,
    pub(super) anchor: Point,
    /// Pixels; 0 for a mark without text.
    pub(super) font_size: f32,
}

/// The places of marks, page by page.
pub(super) struct Places {
    pub(super) places: Vec<Place>,
    /// The ranks whose labels are larger than the image.
    pub(super) no_room: Vec<usize>,
    /// How many found no place on as many pages as there may be.
    pub(super) crowded: usize,
    pub(super) pages: u32,
    /// Pixels of all labels, without class names.
    pub(super) covered: u64,
}

/// How marks are dealt out to pages.
#[derive(Clone, Copy)]
pub(super) struct Paging {
    /// Most marks on a page.
    pub(super) page_size: usize,
    /// Most pages.
    pub(super) max_pages: u32,
}

/// Finds a place for every mark; regions come ranked by area, the largest first.
pub(super) fn place(
    visible: &Visible,
    ink: Ink<'_>,
    masks: &[&Mask],
    fonts: Option<FontSizes<'_>>,
    kept: Vec<Option<KeptLabel>>,
    paging: Paging,
    call: &Call<'_>,
) -> Result<Places> {
    let columns = Columns::new(visible);
    let widest = (0..masks.len())
        .map(|rank| {
            call.check()?;
            Ok(columns.widest(rank))
        })
        .collect::<Result<Vec<_>>>()?;
    match fonts {
        None => Ok(without_labels(masks, &widest, paging)),
        Some(fonts) => {
            let tally = Tally::new(masks.len());
            Placer {
                visible,
                ink,
                columns,
                masks,
                fonts,
                widest,
                kept,
                tally,
                call: *call,
            }
            .run(paging)
        }
    }
}

fn without_labels(masks: &[&Mask], widest: &[Option<Spot>], paging: Paging) -> Places {
    let Paging {
        page_size,
        max_pages,
    } = paging;
    let places: Vec<Place> = widest
        .iter()
        .enumerate()
        .take(page_size.saturating_mul(max_pages as usize))
        .map(|(rank, spot)| {
            let anchor = spot.map_or_else(|| any_pixel(masks[rank]), |spot| spot.point);
            let label = BBox::new(anchor.x, anchor.y, 0, 0);
            Place {
                rank,
                page: (rank / page_size) as u32,
                label,
                anchor,
                font_size: 0.0,
            }
        })
        .collect();
    let pages = places.last().map_or(0, |last| last.page + 1);
    Places {
        crowded: masks.len() - places.len(),
        places,
        no_room: Vec::new(),
        pages,
        covered: 0,
    }
}

struct Placer<'a> {
    visible: &'a Visible,
    ink: Ink<'a>,
    columns: Columns<'a>,
    masks: &'a [&'a Mask],
    fonts: FontSizes<'a>,
    /// By rank, where the visible region is widest.
    widest: Vec<Option<Spot>>,
    /// By rank, where the label was on the image before.
    kept: Vec<Option<KeptLabel>>,
    tally: Tally,
    call: Call<'a>,
}

/// A label's box and font size, and the pixel of the region it marks.
#[derive(Clone, Copy)]
struct Label {
    bbox: BBox,
    anchor: Point,
    font_size: f32,
}

impl Label {
    /// As [`Mark::leader`](crate::Mark::leader).
    const fn leader(&self) -> Option<[Point; 2]> {
        if self.bbox.contains(self.anchor) {
            None
        } else {
            Some([self.bbox.center(), self.anchor])
        }
    }
}

impl Placer<'_> {
    fn run(mut self, paging: Paging) -> Result<Places> {
        let size = self.visible.size();
        let ranks = self.masks.len();
        let inside = (0..ranks)
            .map(|rank| self.inside(rank))
            .collect::<Result<Vec<_>>>()?;
        let mut result = Places {
            places: Vec::with_capacity(ranks),
            no_room: Vec::new(),
            crowded: 0,
            pages: 0,
            covered: 0,
        };
        let most = self.most_beside(ranks)?;
        let mut tried = most;
        let mut waiting: Vec<usize> = (0..ranks).collect();
        while !waiting.is_empty() && result.pages < paging.max_pages {
            let mut later = waiting.split_off(paging.page_size.min(waiting.len()));
            let mut labels: Vec<(usize, Label)> = Vec::new();
            let mut page = Page::new(size, ranks);
            let (off, others): (Vec<usize>, Vec<usize>) = waiting
                .iter()
                .copied()
                .partition(|&rank| self.kept[rank].is_some_and(|kept| kept.has_leader()));
            let mut rest = self.put_inside(&mut page, &others, &inside, &mut labels);
            rest.extend(self.put_staying(&mut page, &off, &inside, &mut labels)?);
            rest.sort_unstable();
            let mut next = rest.split_off(tried.min(rest.len()));
            // The ends of leader lines to come.
            let moving = labels.iter().filter(|(_, label)| label.leader().is_none());
            let moving = moving.map(|(rank, _)| rank);
            let moving = moving.filter(|&&rank| hides(&inside, rank));
            for anchor in rest
                .iter()
                .chain(moving)
                .filter_map(|&rank| self.widest[rank])
            {
                page.keep_free(anchor.point);
            }
            let on_their_own = labels.len();
            self.move_aside(&mut page, &inside, &mut labels)?;
            self.put_across(&mut page, &mut rest, &mut labels)?;
            self.put_beside(&mut page, &mut rest, &mut labels)?;
            if labels.is_empty() {
                let rank = rest.remove(0);
                match self.alone(rank)? {
                    Some(label) => labels.push((rank, label)),
                    None => result.no_room.push(rank),
                }
            } else {
                result.covered += labels
                    .iter()
                    .map(|(_, label)| label.bbox.area())
                    .sum::<u64>();
                self.widen(&mut page, &mut labels)?;
            }
            tried =
                (TRIED_AGAIN * labels.len().saturating_sub(on_their_own)).clamp(MIN_TRIED, most);
            let number = result.pages;
            result.pages += u32::from(!labels.is_empty());
            result
                .places
                .extend(labels.into_iter().map(|(rank, label)| {
                    let Label {
                        bbox,
                        anchor,
                        font_size,
                    } = label;
                    Place {
                        rank,
                        page: number,
                        label: bbox,
                        anchor,
                        font_size,
                    }
                }));
            rest.append(&mut next);
            rest.append(&mut later);
            waiting = rest;
        }
        result.crowded = waiting.len();
        Ok(result)
    }

    /// Puts down the labels that fit inside their regions; returns the ranks of the others.
    fn put_inside(
        &self,
        page: &mut Page,
        batch: &[usize],
        inside: &[Option<Inside>],
        labels: &mut Vec<(usize, Label)>,
    ) -> Vec<usize> {
        let mut rest = Vec::new();
        for &rank in batch {
            match inside[rank] {
                Some(Inside { label, .. }) => {
                    page.put(rank, label.bbox, None);
                    labels.push((rank, label));
                }
                None => rest.push(rank),
            }
        }
        rest
    }

    /// The most labels off their regions that are tried on one page.
    fn most_beside(&mut self, ranks: usize) -> Result<usize> {
        let Some(last) = ranks.checked_sub(1) else {
            return Ok(MIN_TRIED);
        };
        let Size { width, height } = self.fonts.measure(self.fonts.len() - 1, last)?;
        let label = Page::taken(Size::new(width, height)) as f64;
        let fit = self.visible.size().pixels() as f64 / label * FILLED;
        Ok((fit as usize).max(MIN_TRIED))
    }

    /// Moves labels that hide much of their regions off these, where there is plain ground.
    fn move_aside(
        &mut self,
        page: &mut Page,
        inside: &[Option<Inside>],
        labels: &mut [(usize, Label)],
    ) -> Result<()> {
        for (rank, label) in labels {
            // One that stays beside its region hides nothing of it.
            if !hides(inside, *rank) || label.leader().is_some() {
                continue;
            }
            self.call.check()?;
            let old = *label;
            self.visible.count(old.bbox, &mut self.tally);
            page.take(*rank, old.bbox, &self.tally);
            *label = self.aside(page, *rank)?.unwrap_or(old);
            self.put(page, *rank, label);
        }
        Ok(())
    }

    /// Puts a label down, with its leader line, if it has one.
    fn put(&mut self, page: &mut Page, rank: usize, label: &Label) {
        self.visible.count(label.bbox, &mut self.tally);
        page.put(rank, label.bbox, Some(&self.tally));
        if let Some(leader) = label.leader() {
            page.put_leader(leader);
            page.keep_free(label.anchor);
        }
    }

    /// Puts labels across thin regions and takes those out of `rest`.
    fn put_across(
        &mut self,
        page: &mut Page,
        rest: &mut Vec<usize>,
        labels: &mut Vec<(usize, Label)>,
    ) -> Result<()> {
        let mut others = Vec::with_capacity(rest.len());
        for &rank in rest.iter() {
            self.call.check()?;
            match self.across(page, rank)? {
                Some(label) => {
                    let aside = match self.ink.is_plain(label.bbox) {
                        true => None,
                        false => self.aside(page, rank)?,
                    };
                    let label = aside.unwrap_or(label);
                    self.put(page, rank, &label);
                    labels.push((rank, label));
                }
                None => others.push(rank),
            }
        }
        *rest = others;
        Ok(())
    }

    /// Puts labels beside their regions and takes those out of `rest`.
    fn put_beside(
        &mut self,
        page: &mut Page,
        rest: &mut Vec<usize>,
        labels: &mut Vec<(usize, Label)>,
    ) -> Result<()> {
        let mut to_come = vec![false; self.masks.len()];
        rest.iter().for_each(|&rank| to_come[rank] = true);
        let mut others = Vec::new();
        for &rank in rest.iter() {
            self.call.check()?;
            to_come[rank] = false;
            match self.beside(page, rank, &to_come)? {
                Some(label) => {
                    self.put(page, rank, &label);
                    labels.push((rank, label));
                }
                None => others.push(rank),
            }
        }
        *rest = others;
        Ok(())
    }

    /// The last resort, on a page of its own: on the region, whatever it hides.
    fn alone(&mut self, rank: usize) -> Result<Option<Label>> {
        let step = self.fonts.len() - 1;
        let Size { width, height } = self.fonts.measure(step, rank)?;
        let image = self.visible.size();
        if width > image.width || height > image.height {
            return Ok(None);
        }
        let anchor = self.widest[rank].map_or_else(|| any_pixel(self.masks[rank]), |s| s.point);
        let x = anchor.x.saturating_sub(width / 2).min(image.width - width);
        let y = anchor
            .y
            .saturating_sub(height / 2)
            .min(image.height - height);
        let bbox = BBox::new(x, y, width, height);
        Ok(Some(Label {
            bbox,
            anchor,
            font_size: self.fonts.font_size(step),
        }))
    }
}

/// True if the label of `rank` lies inside its region and hides much of it.
fn hides(inside: &[Option<Inside>], rank: usize) -> bool {
    inside[rank].is_some_and(|inside| inside.hides)
}

/// The box whose [`BBox::center`] is `center`; `None` if it would begin outside the image.
fn centered(center: Point, width: u32, height: u32) -> Option<BBox> {
    let x = center.x.checked_sub(width / 2)?;
    Some(BBox::new(
        x,
        center.y.checked_sub(height / 2)?,
        width,
        height,
    ))
}

/// The pixel of the mask nearest to the middle of its box, on its middle row.
fn any_pixel(mask: &Mask) -> Point {
    let bbox = mask.bbox();
    nearest_pixels(mask, bbox.center())
        .next()
        .unwrap_or(bbox.center())
}

/// The nearest pixel to `target` of each run of the mask, from the rows next to it outwards.
fn nearest_pixels(mask: &Mask, target: Point) -> impl Iterator<Item = Point> {
    let bbox = mask.bbox();
    (0..bbox.height)
        .flat_map(move |off| {
            let below = Some(target.y.saturating_add(off));
            let above = target.y.checked_sub(off).filter(|_| off > 0);
            [below, above]
        })
        .flatten()
        .flat_map(move |y| {
            mask.row(y)
                .iter()
                .map(move |s| Point::new(target.x.clamp(s.start, s.end - 1), y))
        })
}
