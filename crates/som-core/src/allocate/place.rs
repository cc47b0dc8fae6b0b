//! Where every label goes.
//!
//! In this order of preference:
//! 1. *inside*: wholly on its own visible region, where that is widest, hiding at most half of it;
//! 2. *across* a region that is large but too thin: the middle and most of the label on it;
//! 3. *beside* the region, with a leader line to it, over what it harms least;
//! 4. on a further page, where fewer marks are in the way.

use super::{
    distance::{Columns, Spot},
    legibility::Ladder,
    page::Page,
    visible::{Tally, Visible},
};
use crate::{BBox, Call, Mask, Point, Result, Size};

/// A label may hide this share of its own region at most; else it moves off.
const OWN_SHARE: f64 = 0.5;
/// A label across a thin region has at least this share of its box on it...
const ACROSS_SHARE: f64 = 0.6;
/// ...and hides at most this share of the region.
const ACROSS_HIDDEN: f64 = 0.25;
/// A label beside its region hides at most this share of it.
const BESIDE_HIDDEN: f64 = 0.25;

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

/// The places of all marks, page by page, and the ranks for whose label no page has room.
pub(super) struct Places {
    pub(super) places: Vec<Place>,
    pub(super) no_room: Vec<usize>,
    pub(super) pages: u32,
}

/// Finds a place for every mark; regions come ranked by area, the largest first.
pub(super) fn place(
    visible: &Visible,
    masks: &[&Mask],
    ladder: Option<Ladder<'_>>,
    page_size: usize,
    call: &Call<'_>,
) -> Result<Places> {
    let columns = Columns::new(visible);
    let widest = (0..masks.len())
        .map(|rank| {
            call.check()?;
            Ok(columns.widest(rank))
        })
        .collect::<Result<Vec<_>>>()?;
    match ladder {
        None => Ok(without_labels(masks, &widest, page_size)),
        Some(ladder) => {
            let tally = Tally::new(masks.len());
            Placer {
                visible,
                columns,
                masks,
                ladder,
                widest,
                tally,
                call: *call,
            }
            .run(page_size)
        }
    }
}

fn without_labels(masks: &[&Mask], widest: &[Option<Spot>], page_size: usize) -> Places {
    let places: Vec<Place> = widest
        .iter()
        .enumerate()
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
        places,
        no_room: Vec::new(),
        pages,
    }
}

struct Placer<'a> {
    visible: &'a Visible,
    columns: Columns<'a>,
    masks: &'a [&'a Mask],
    ladder: Ladder<'a>,
    /// By rank, where the visible region is widest.
    widest: Vec<Option<Spot>>,
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

impl Placer<'_> {
    fn run(mut self, page_size: usize) -> Result<Places> {
        let size = self.visible.size();
        let ranks = self.masks.len();
        let inside = (0..ranks)
            .map(|rank| self.inside(rank))
            .collect::<Result<Vec<_>>>()?;
        let mut result = Places {
            places: Vec::with_capacity(ranks),
            no_room: Vec::new(),
            pages: 0,
        };
        let mut waiting: Vec<usize> = (0..ranks).collect();
        while !waiting.is_empty() {
            let later = waiting.split_off(page_size.min(waiting.len()));
            let mut labels: Vec<(usize, Label)> = Vec::new();
            let mut page = Page::new(size, ranks);
            let mut rest = self.put_inside(&mut page, &waiting, &inside, &mut labels);
            self.put_across(&mut page, &mut rest, &mut labels)?;
            self.put_beside(&mut page, &mut rest, &mut labels)?;
            if labels.is_empty() {
                let rank = rest.remove(0);
                match self.alone(rank)? {
                    Some(label) => labels.push((rank, label)),
                    None => result.no_room.push(rank),
                }
            }
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
            rest.extend(later);
            waiting = rest;
        }
        Ok(result)
    }

    /// Puts down the labels that fit inside their regions; returns the ranks of the others.
    fn put_inside(
        &self,
        page: &mut Page,
        batch: &[usize],
        inside: &[Option<Label>],
        labels: &mut Vec<(usize, Label)>,
    ) -> Vec<usize> {
        let mut rest = Vec::new();
        for &rank in batch {
            match inside[rank] {
                Some(label) => {
                    page.put(rank, label.bbox, None);
                    labels.push((rank, label));
                }
                None => rest.push(rank),
            }
        }
        // The ends of leader lines to come.
        for anchor in rest.iter().filter_map(|&rank| self.widest[rank]) {
            page.keep_free(anchor.point);
        }
        rest
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
                    self.visible.count(label.bbox, &mut self.tally);
                    page.put(rank, label.bbox, Some(&self.tally));
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
                    self.visible.count(label.bbox, &mut self.tally);
                    page.put(rank, label.bbox, Some(&self.tally));
                    page.put_leader([label.bbox.center(), label.anchor]);
                    page.keep_free(label.anchor);
                    labels.push((rank, label));
                }
                None => others.push(rank),
            }
        }
        *rest = others;
        Ok(())
    }

    /// The label wholly inside the visible region, as large as fits with some room around it.
    fn inside(&mut self, rank: usize) -> Result<Option<Label>> {
        self.call.check()?;
        let Some(widest) = self.widest[rank] else {
            return Ok(None);
        };
        let most = self.visible.parts()[rank].area as f64 * OWN_SHARE;
        for rung in 0..=self.ladder.len() {
            // At last the smallest size without any room around it.
            let tight = rung == self.ladder.len();
            let rung = rung.min(self.ladder.len() - 1);
            let font_size = self.ladder.font_size(rung);
            let Size { width, height } = self.ladder.measure(rung, rank)?;
            if f64::from(width) * f64::from(height) > most {
                continue;
            }
            let room = if tight {
                0
            } else {
                (font_size / 6.0).round() as u32
            };
            let with_room = Size::new(width + 2 * room, height + 2 * room);
            if let Some(spot) = self.columns.fit(rank, widest, with_room) {
                let bbox = centered(spot.point, width, height);
                return Ok(bbox.map(|bbox| Label {
                    bbox,
                    anchor: spot.point,
                    font_size,
                }));
            }
        }
        Ok(None)
    }

    /// The label with its middle and most of its box on a region that is large but thin.
    fn across(&mut self, page: &Page, rank: usize) -> Result<Option<Label>> {
        /// Rows of the region to try.
        const TRIES: usize = 48;
        let Some(widest) = self.widest[rank] else {
            return Ok(None);
        };
        let area = self.visible.parts()[rank].area as f64;
        let mut ridge = Vec::new();
        for rung in 0..self.ladder.len() {
            let font_size = self.ladder.font_size(rung);
            let Size { width, height } = self.ladder.measure(rung, rank)?;
            let box_area = f64::from(width) * f64::from(height);
            if box_area > area * ACROSS_HIDDEN {
                continue;
            }
            if ridge.is_empty() {
                ridge = self.columns.ridge(rank, TRIES);
                ridge.insert(0, widest);
            }
            let mut best: Option<(u32, Label)> = None;
            for spot in &ridge {
                let Some(bbox) = centered(spot.point, width, height) else {
                    continue;
                };
                if !page.is_free(bbox, Some(widest.point)) {
                    continue;
                }
                self.visible.count(bbox, &mut self.tally);
                let own = self.tally.of(rank);
                if f64::from(own) >= box_area * ACROSS_SHARE
                    && best.is_none_or(|(most, _)| own > most)
                    && page.spares(rank, &self.tally, self.visible, |_| true)
                {
                    best = Some((
                        own,
                        Label {
                            bbox,
                            anchor: spot.point,
                            font_size,
                        },
                    ));
                }
            }
            if let Some((_, label)) = best {
                return Ok(Some(label));
            }
        }
        Ok(None)
    }

    /// The label beside the region, as near and as harmless as can be. Protects the regions whose
    /// labels are `to_come` too, if possible.
    fn beside(&mut self, page: &Page, rank: usize, to_come: &[bool]) -> Result<Option<Label>> {
        let part = self.visible.parts()[rank];
        if f64::from(page.hidden(rank)) > part.area as f64 * OWN_SHARE {
            return Ok(None);
        }
        let anchor = match self.widest[rank] {
            Some(spot) => spot.point,
            None => match uncovered_pixel(self.masks[rank], page) {
                Some(pixel) => pixel,
                None => return Ok(None),
            },
        };
        for protect_all in [true, false] {
            for rung in self.ladder.len() / 2..self.ladder.len() {
                let size = self.ladder.measure(rung, rank)?;
                let font_size = self.ladder.font_size(rung);
                let protected = |other: usize| protect_all && to_come[other];
                if let Some(bbox) = self.nearest(page, rank, anchor, size, font_size, protected) {
                    return Ok(Some(Label {
                        bbox,
                        anchor,
                        font_size,
                    }));
                }
            }
        }
        Ok(None)
    }

    /// The best box of `size` around `anchor`.
    fn nearest(
        &mut self,
        page: &Page,
        rank: usize,
        anchor: Point,
        size: Size,
        font_size: f32,
        protected: impl Fn(usize) -> bool,
    ) -> Option<BBox> {
        /// Of leader lines, in font sizes.
        const LONGEST: f32 = 6.0;
        // Costs are in lengths of the leader, in font sizes.
        const OWN_HIDDEN: f32 = 6.0;
        const OTHER_HIDDEN: f32 = 3.0;
        const REGIONS_BELOW: f32 = 0.15;
        const CROSSING: f32 = 3.0;

        let parts = self.visible.parts();
        let longest = font_size * LONGEST;
        let mut best: Option<(f32, BBox)> = None;
        let mut length = font_size * 0.6;
        while length <= longest && best.is_none_or(|(cost, _)| length / font_size < cost) {
            for direction in DIRECTIONS {
                let Some(bbox) = beside(anchor, size, direction, length) else {
                    continue;
                };
                if !page.is_free(bbox, Some(anchor)) {
                    continue;
                }
                let leader = [bbox.center(), anchor];
                if page.tangles(bbox, leader) {
                    continue;
                }
                self.visible.count(bbox, &mut self.tally);
                let own = f64::from(self.tally.of(rank)) / (parts[rank].area.max(1) as f64);
                if own > BESIDE_HIDDEN || !page.spares(rank, &self.tally, self.visible, &protected)
                {
                    continue;
                }
                let others: f64 = self
                    .tally
                    .iter()
                    .filter(|&(other, _)| other != rank)
                    .map(|(other, pixels)| f64::from(pixels) / parts[other].area as f64)
                    .sum();
                let cost = length / font_size
                    + OWN_HIDDEN * own as f32
                    + OTHER_HIDDEN * others as f32
                    + REGIONS_BELOW * self.tally.iter().count() as f32
                    + CROSSING * page.crossings(leader) as f32;
                if best.is_none_or(|(least, _)| cost < least) {
                    best = Some((cost, bbox));
                }
            }
            length += (font_size / 2.0).max(length / 4.0);
        }
        best.map(|(_, bbox)| bbox)
    }

    /// The last resort, on a page of its own: on the region, whatever it hides.
    fn alone(&mut self, rank: usize) -> Result<Option<Label>> {
        let rung = self.ladder.len() - 1;
        let Size { width, height } = self.ladder.measure(rung, rank)?;
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
            font_size: self.ladder.font_size(rung),
        }))
    }
}

/// Sixteen directions around the clock, the preferred ones first: aside, then up and down.
const DIRECTIONS: [(f32, f32); 16] = {
    // Cosine and sine of 22.5 and 45 degrees.
    const C: f32 = 0.923_879_5;
    const S: f32 = 0.382_683_43;
    const D: f32 = std::f32::consts::FRAC_1_SQRT_2;
    [
        (1.0, 0.0),
        (-1.0, 0.0),
        (D, -D),
        (-D, -D),
        (D, D),
        (-D, D),
        (0.0, -1.0),
        (0.0, 1.0),
        (C, -S),
        (-C, -S),
        (C, S),
        (-C, S),
        (S, -C),
        (-S, -C),
        (S, C),
        (-S, C),
    ]
};

/// The box of `size` in `direction` from `anchor`, `length` pixels of leader line away.
fn beside(anchor: Point, size: Size, direction: (f32, f32), length: f32) -> Option<BBox> {
    // From the box's middle to its edge, along the direction.
    let to_edge = |half: f32, along: f32| {
        if along == 0.0 {
            f32::MAX
        } else {
            half / along.abs()
        }
    };
    let inner = to_edge(size.width as f32 / 2.0, direction.0)
        .min(to_edge(size.height as f32 / 2.0, direction.1));
    let x = anchor.x as f32 + direction.0 * (inner + length) - size.width as f32 / 2.0;
    let y = anchor.y as f32 + direction.1 * (inner + length) - size.height as f32 / 2.0;
    (x >= 0.0 && y >= 0.0)
        .then(|| BBox::new(x.round() as u32, y.round() as u32, size.width, size.height))
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

/// As [`any_pixel`], but clear of the labels on the page.
fn uncovered_pixel(mask: &Mask, page: &Page) -> Option<Point> {
    nearest_pixels(mask, mask.bbox().center())
        .find(|pixel| page.is_free(BBox::new(pixel.x, pixel.y, 1, 1), Some(*pixel)))
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
