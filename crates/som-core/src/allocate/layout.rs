//! Layout: at which size marks are drawn, and how many of them.
//!
//! An image too small for its labels is drawn enlarged; of what still does not fit on as many pages
//! as there may be, the smallest regions go without a mark first.

use std::borrow::Cow;

use image::RgbImage;

use super::{
    AllocateOptions, Labels, UnmarkedReason,
    claim::claim,
    color,
    ink::Ink,
    legibility::FontSizes,
    numbering::Numbering,
    place::{self, Paging, Place, Places},
    visible::Visible,
};
use crate::{Call, Color, Error, Image, Mask, Region, Result, Size};

/// The longer side in pixels up to which an image is enlarged for its labels.
const ENLARGED_SIDE: u32 = 1024;
/// The most pixels that one becomes along each side.
const MAX_SCALE: u32 = 16;
/// The shorter side in pixels below which there is nothing to enlarge.
const LEAST_SIDE: u32 = 8;
/// An image is too small for labels that cover more than this share of it.
const COVERED: f64 = 1.0 / 3.0;
/// How often the largest regions are laid out to find how many fit.
const TRIES: usize = 5;

/// What is laid out.
pub(super) struct Laying<'a> {
    pub(super) image: &'a Image<'a>,
    pub(super) labels: Option<Labels<'a>>,
    pub(super) options: &'a AllocateOptions,
    /// Regions from this index on do not give way.
    pub(super) appended: usize,
    pub(super) call: &'a Call<'a>,
}

/// Where all marks are.
pub(super) struct Layout {
    /// How many times as large as the image the pages are, along each side.
    pub(super) scale: u32,
    pub(super) pages: u32,
    pub(super) numbering: Numbering,
    /// By rank; `None` without labels.
    pub(super) texts: Option<Vec<String>>,
    /// By rank, what the region got.
    pub(super) spots: Vec<Spot>,
    /// How many found no place on as many pages as there may be.
    crowded: usize,
    /// The share of a page that labels cover.
    covered: f64,
}

/// What one region got.
#[derive(Clone)]
pub(super) enum Spot {
    /// A place and a colour.
    Placed(Place, Color),
    /// Nothing, and why.
    Without(UnmarkedReason),
}

impl Laying<'_> {
    /// Lays out marks for the regions `ranked`, the largest first. Takes out of them, and returns,
    /// the smallest ones for which there is no place.
    pub(super) fn lay_out(
        &self,
        ranked: &mut Vec<(usize, Region)>,
    ) -> Result<(Layout, Vec<(usize, Region)>)> {
        let all: Vec<&(usize, Region)> = ranked.iter().collect();
        let page_size = self.options.marks.page_size();
        let mut layout = self.at_scale(1, &all, page_size)?;
        for scale in self.larger_scales() {
            if !layout.is_too_small(self.options) {
                break;
            }
            let larger = self.at_scale(scale, &all, page_size)?;
            if larger.shortage() <= layout.shortage() {
                layout = larger;
            }
        }
        let most = match layout.crowded {
            0 => ranked.len(),
            crowded => self.fitting(ranked, crowded, &mut layout)?,
        };
        let keeps = self.largest(ranked, most);
        let (mut kept, mut left_out) = (Vec::with_capacity(most), Vec::new());
        for (region, is_kept) in ranked.drain(..).zip(keeps) {
            match is_kept {
                true => kept.push(region),
                false => left_out.push(region),
            }
        }
        *ranked = kept;
        let layout = self.balanced(layout, ranked)?;
        Ok((layout, left_out))
    }

    /// The same with as many marks on each page as on the others, if that takes no more pages: of 60
    /// marks, one alone on the last page is soon overlooked.
    fn balanced(&self, layout: Layout, ranked: &[(usize, Region)]) -> Result<Layout> {
        let fullest = layout.fullest();
        let even = layout.placed().div_ceil(layout.pages.max(1) as usize);
        if fullest <= even {
            return Ok(layout);
        }
        let all: Vec<&(usize, Region)> = ranked.iter().collect();
        let balanced = self.at_scale(layout.scale, &all, even)?;
        let is_better = balanced.shortage() <= layout.shortage() && balanced.fullest() < fullest;
        Ok(if is_better { balanced } else { layout })
    }

    /// How many of the largest regions fit, and their `layout`, where `crowded` of all do not. If none
    /// do, all as they are.
    fn fitting(
        &self,
        ranked: &[(usize, Region)],
        crowded: usize,
        layout: &mut Layout,
    ) -> Result<usize> {
        let (mut fitting, mut too_many) = (0, ranked.len());
        let mut most = too_many - crowded;
        for _ in 0..TRIES {
            if most <= fitting || most >= too_many {
                break;
            }
            let keeps = self.largest(ranked, most);
            let regions = ranked.iter().zip(keeps).filter(|(_, keep)| *keep);
            let regions: Vec<_> = regions.map(|(region, _)| region).collect();
            let page_size = self.options.marks.page_size();
            let fewer = self.at_scale(layout.scale, &regions, page_size)?;
            if fewer.crowded == 0 {
                fitting = most;
                *layout = fewer;
            } else {
                too_many = most;
            }
            most = (fitting + too_many).div_ceil(2);
        }
        Ok(match fitting {
            0 => ranked.len(),
            fitting => fitting,
        })
    }

    /// Which of the regions are the largest, so many of them; those that do not give way come first.
    fn largest(&self, ranked: &[(usize, Region)], most: usize) -> Vec<bool> {
        let gives_way = ranked.iter().map(|region| region.0 < self.appended);
        let fixed = gives_way.clone().filter(|gives_way| !gives_way).count();
        let mut left = most.saturating_sub(fixed);
        let keep = gives_way.map(|gives_way| {
            let keep = !gives_way || left > 0;
            left -= usize::from(keep && gives_way);
            keep
        });
        keep.collect()
    }

    /// The scales above 1 that make the image larger, and not too large for the LMM to see it so.
    fn larger_scales(&self) -> impl Iterator<Item = u32> {
        let Size { width, height } = self.size();
        let view = self.options.view;
        let most = match self.labels {
            Some(_) if width.min(height) >= LEAST_SIDE => ENLARGED_SIDE / width.max(height),
            _ => 1,
        };
        (2..=most.min(MAX_SCALE)).filter(move |&scale| {
            let size = Size::new(width * scale, height * scale);
            view.scale(size) >= 1.0
        })
    }

    fn size(&self) -> Size {
        Size::new(self.image.width(), self.image.height())
    }

    /// Lays out on an image that is so many times as large, with so many marks on a page at most.
    fn at_scale(
        &self,
        scale: u32,
        ranked: &[&(usize, Region)],
        page_size: usize,
    ) -> Result<Layout> {
        if scale == 1 {
            let masks = ranked.iter().map(|region| Cow::Borrowed(&region.1.mask));
            return self.on(self.image, (scale, page_size), masks, ranked);
        }
        let enlarged = enlarged(self.image, scale);
        let (width, height) = enlarged.dimensions();
        let image = Image::from_raw(width, height, enlarged.as_raw().as_slice())
            .ok_or_else(|| Error::internal("an enlarged image has too few pixels"))?;
        let size = Size::new(width, height);
        let masks = ranked
            .iter()
            .map(|region| Cow::Owned(region.1.mask.resized(size)));
        self.on(&image, (scale, page_size), masks, ranked)
    }

    /// Lays out `masks`, those of `ranked` on an `image` that is so many times as large, with so many
    /// marks on a page at most.
    fn on<'m>(
        &self,
        image: &Image<'_>,
        (scale, page_size): (u32, usize),
        masks: impl Iterator<Item = Cow<'m, Mask>>,
        ranked: &[&(usize, Region)],
    ) -> Result<Layout> {
        let options = self.options;
        let regions = ranked.iter().map(|region| &region.1);
        let claims: Vec<Cow<'_, Mask>> = regions
            .zip(masks)
            .map(|(region, mask)| claim(region, mask))
            .collect();
        let masks: Vec<&Mask> = claims.iter().map(Cow::as_ref).collect();
        let size = Size::new(image.width(), image.height());
        let indices: Vec<usize> = ranked.iter().map(|region| region.0).collect();
        let numbering = Numbering::new(&indices, self.appended, options);
        let visible = Visible::new(size, masks.iter().copied());
        let fonts = self
            .labels
            .map(|labels| {
                let regions = ranked.iter().map(|region| &region.1);
                FontSizes::new(labels, options, size, &numbering.labels, regions, self.call)
            })
            .transpose()?;
        let texts = fonts.as_ref().map(|fonts| fonts.texts().to_vec());
        let paging = Paging {
            page_size,
            max_pages: options.marks.max_pages(),
        };
        let ink = Ink::new(image);
        let Places {
            places,
            no_room,
            crowded,
            pages,
            covered,
        } = place::place(&visible, ink, &masks, fonts, paging, self.call)?;
        let colors = color::choose(
            image,
            &visible,
            &places,
            &options.marks.colors,
            options.shuffle,
        );
        let mut spots = vec![Spot::Without(UnmarkedReason::Crowded); ranked.len()];
        for (place, color) in places.into_iter().zip(colors) {
            spots[place.rank] = Spot::Placed(place, color);
        }
        for rank in no_room {
            spots[rank] = Spot::Without(UnmarkedReason::NoRoom);
        }
        Ok(Layout {
            scale,
            pages,
            numbering,
            texts,
            spots,
            crowded,
            covered: covered as f64 / (size.pixels().max(1) * u64::from(pages.max(1))) as f64,
        })
    }
}

impl Layout {
    /// True if more fits on a larger image, or less of it would be hidden there.
    fn is_too_small(&self, options: &AllocateOptions) -> bool {
        let (unplaced, pages) = self.shortage();
        let needed = self.spots.len().div_ceil(options.marks.page_size().max(1));
        unplaced > 0 || pages as usize > needed.max(1) || self.covered > COVERED
    }

    /// How many regions have no place, and how many pages the others take.
    fn shortage(&self) -> (usize, u32) {
        (self.spots.len() - self.placed(), self.pages)
    }

    /// How many marks have a place.
    fn placed(&self) -> usize {
        self.places().count()
    }

    /// How many marks are on the page that has most.
    fn fullest(&self) -> usize {
        let pages = 0..self.pages;
        let marks = pages.map(|page| self.places().filter(|place| place.page == page).count());
        marks.max().unwrap_or_default()
    }

    fn places(&self) -> impl Iterator<Item = &Place> {
        self.spots.iter().filter_map(|spot| match spot {
            Spot::Placed(place, _) => Some(place),
            Spot::Without(_) => None,
        })
    }
}

/// Every pixel so many times along each side.
pub(super) fn enlarged(image: &Image<'_>, scale: u32) -> RgbImage {
    let (width, height) = image.dimensions();
    RgbImage::from_fn(width * scale, height * scale, |x, y| {
        *image.get_pixel(x / scale, y / scale)
    })
}
