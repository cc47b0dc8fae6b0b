//! regions → marks: the number, text, place and colour of every mark.
//!
//! The method is the paper's (Yang et al., *Set-of-Mark Prompting Unleashes Extraordinary Visual
//! Grounding in GPT-4V*, 2023, section 2.3): regions are ranked by area, each loses what smaller
//! ones cover, and its label goes where the distance transform of the rest is largest, or off the
//! region where it is too small. On top of that no label overlaps another, hides a small region or
//! is too small for the LMM to read, or lies on letters and lines where there is plain ground; marks
//! that cannot be placed so go to further pages. A box of which no mask is known hides no more than its
//! frame. What was reached is checked afterwards: see [`Facts`].

mod claim;
mod color;
mod distance;
mod facts;
mod grid;
mod ink;
mod kept;
mod layout;
mod legibility;
mod numbering;
mod page;
mod place;
mod visible;

use serde::{Deserialize, Serialize};

pub use self::{facts::Facts, kept::KeptMark};
use self::{
    layout::{Laying, Layout, Spot},
    visible::MAX_REGIONS,
};
use crate::{Call, Error, Image, Labelling, Mark, MarkOptions, Params, Region, Result, Size, View};

/// What mark allocation goes by: what the user asks of the marks, and what the caller knows of the
/// LMM and of other marks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AllocateOptions {
    /// What the user asks.
    pub marks: MarkOptions,
    /// How the image is scaled before the LMM sees it.
    pub view: View,
    /// Index of the first label, at least that of [`MarkOptions::start`]: 0 for "1" or "A".
    pub first: u32,
    /// The numbers of the regions before the appended ones, in their order: different and from 1;
    /// appended ones are numbered on. Empty for numbers by area.
    pub ids: Vec<u32>,
    /// This many regions at the end of the list get the last numbers, whatever their area: those
    /// before them keep the numbers they have without them.
    pub appended: usize,
    /// Which permutation of the labels and which choice of colours to take; 0 for labels in the
    /// order of ids. Ids do not change.
    pub shuffle: u64,
    /// What marks were on the image before, by their numbers: their colours and the places of their labels
    /// stay, as long as everything holds that allocation promises.
    pub kept: Vec<KeptMark>,
}

/// The style that writes the labels, and its parameters.
#[derive(Clone, Copy)]
pub struct Labels<'a> {
    /// Gives the texts and their sizes.
    pub labelling: &'a dyn Labelling,
    /// The parameters of the layer that draws them.
    pub params: &'a Params,
}

/// The result of [`allocate`].
#[derive(Clone, Debug, PartialEq)]
pub struct Allocation {
    /// How many times as large as the image its pages are, along each side: 1, or more where the
    /// image is too small for its labels. Boxes of labels and anchors are in pixels of the pages.
    pub scale: u32,
    /// In the order of their ids: the largest region first, unless regions had ids; appended ones
    /// last.
    pub marks: Vec<AllocatedMark>,
    /// Number of pages; 0 if there are no marks.
    pub pages: u32,
    /// Regions without a mark, in the order given.
    pub unmarked: Vec<Unmarked>,
}

impl AllocateOptions {
    /// What the numbers of [`Numbering`] are counted from.
    fn first(&self) -> u32 {
        match self.ids.is_empty() {
            true => self.first.max(self.marks.first()),
            false => 0,
        }
    }

    /// What the mark whose number is `number` in [`Numbering`] was on the image before.
    fn kept_of(&self, number: u32) -> Option<&KeptMark> {
        let id = self.first().saturating_add(number).saturating_add(1);
        self.kept.iter().find(|kept| kept.id == id)
    }
}

impl Default for Allocation {
    fn default() -> Self {
        Self {
            scale: 1,
            marks: Vec::new(),
            pages: 0,
            unmarked: Vec::new(),
        }
    }
}

impl Allocation {
    /// The marks of `page` (from 1), in the order of their numbers.
    pub fn on_page(&self, page: u32) -> impl Iterator<Item = &AllocatedMark> {
        self.marks.iter().filter(move |mark| mark.page == page)
    }
}

/// A mark, where it stands and what was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct AllocatedMark {
    /// The mark's number, from 1 (plus [`AllocateOptions::first`](field@AllocateOptions::first)), or that of the region.
    pub id: u32,
    /// The image it is drawn on, from 1.
    pub page: u32,
    /// The region's index in the list given to [`allocate`].
    pub index: usize,
    /// What is drawn: the region in pixels of the image, the label's box and the anchor in those of
    /// the page, which is [`Allocation::scale`] times as large. The region's `parent` is an index into
    /// [`Allocation::marks`].
    pub mark: Mark,
    /// Font size of the text in pixels; 0 without text.
    pub font_size: f32,
    /// What was checked on the result.
    pub facts: Facts,
}

/// A region that got no mark.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unmarked {
    /// The region's index in the list given to [`allocate`].
    pub index: usize,
    /// The region.
    pub region: Region,
    /// Why.
    pub reason: UnmarkedReason,
}

/// Why a region got no mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnmarkedReason {
    /// It has no pixel.
    Empty,
    /// Enough larger regions have marks.
    OverLimit,
    /// The image is too small for its label.
    NoRoom,
    /// The pages are full, and it is one of the smallest.
    Crowded,
}

/// Chooses number, text, place and colour of a mark for each of the `regions` of `image`.
///
/// The same input gives the same output.
///
/// # Errors
/// Invalid, if a region belongs to an image of another size, ids are not as [`AllocateOptions::ids`]
/// says, or an option is out of range; cancelled; whatever measuring a label reports.
pub fn allocate(
    image: &Image<'_>,
    regions: Vec<Region>,
    labels: Option<Labels<'_>>,
    options: &AllocateOptions,
    call: &Call<'_>,
) -> Result<Allocation> {
    let size = Size::new(image.width(), image.height());
    options.marks.check()?;
    check_sizes(size, &regions)?;
    let appended = regions.len().saturating_sub(options.appended);
    numbering::check(&options.ids, appended)?;
    let (mut ranked, mut unmarked) = rank(regions, appended, &options.marks);
    let laying = Laying {
        image,
        labels,
        options,
        appended,
        call,
    };
    let (layout, left_out) = laying.lay_out(&mut ranked)?;
    unmarked.extend(
        left_out
            .into_iter()
            .map(unmarked_for(UnmarkedReason::Crowded)),
    );
    let Layout {
        scale,
        pages,
        numbering,
        texts,
        spots,
        ..
    } = layout;
    let mut marks = Vec::with_capacity(ranked.len());
    for (rank, (ranked, spot)) in ranked.into_iter().zip(spots).enumerate() {
        let (place, color) = match spot {
            Spot::Placed(place, color) => (place, color),
            Spot::Without(reason) => {
                unmarked.push(unmarked_for(reason)(ranked));
                continue;
            }
        };
        let (index, region) = ranked;
        let texts = texts.as_ref();
        marks.push(AllocatedMark {
            id: options
                .first()
                .saturating_add(numbering.ids[rank])
                .saturating_add(1),
            page: place.page + 1,
            index,
            mark: Mark {
                region,
                text: texts.map_or_else(String::new, |texts| texts[rank].clone()),
                label_box: place.label,
                anchor: place.anchor,
                color,
            },
            font_size: place.font_size,
            facts: Facts::default(),
        });
    }
    unmarked.sort_by_key(|unmarked| unmarked.index);
    facts::check(image, scale, &mut marks, options);
    marks.sort_by_key(|mark| mark.id);
    relink_parents(&mut marks);
    Ok(Allocation {
        scale,
        marks,
        pages,
        unmarked,
    })
}

fn check_sizes(size: Size, regions: &[Region]) -> Result<()> {
    for (index, region) in regions.iter().enumerate() {
        let other = region.mask.size();
        if other != size {
            return Err(Error::invalid(format!(
                "region {index} belongs to an image of {}x{}, but this one has {}x{} pixels",
                other.width, other.height, size.width, size.height
            )));
        }
    }
    Ok(())
}

/// The regions to mark with their indices, the largest first (of equal ones the first given), and
/// the others. Those from `appended` on do not give way to larger ones.
fn rank(
    regions: Vec<Region>,
    appended: usize,
    options: &MarkOptions,
) -> (Vec<(usize, Region)>, Vec<Unmarked>) {
    let (mut ranked, empty): (Vec<_>, Vec<_>) = regions
        .into_iter()
        .enumerate()
        .partition(|(_, region)| !region.mask.is_empty());
    ranked.sort_by_cached_key(|(_, region)| std::cmp::Reverse(region.mask.area()));
    let limit = options.max_marks().min(MAX_REGIONS);
    let mut room = limit.saturating_sub(
        ranked
            .iter()
            .filter(|(index, _)| *index >= appended)
            .count(),
    );
    let (mut ranked, mut over): (Vec<_>, Vec<_>) = ranked.into_iter().partition(|(index, _)| {
        let fits = *index >= appended || room > 0;
        room -= usize::from(fits && *index < appended);
        fits
    });
    over.extend(ranked.split_off(limit.min(ranked.len())));
    let unmarked = [
        (empty, UnmarkedReason::Empty),
        (over, UnmarkedReason::OverLimit),
    ];
    let unmarked = unmarked
        .into_iter()
        .flat_map(|(regions, reason)| regions.into_iter().map(unmarked_for(reason)));
    (ranked, unmarked.collect())
}

/// A region with its index, as one that got no mark.
fn unmarked_for(reason: UnmarkedReason) -> impl Fn((usize, Region)) -> Unmarked {
    move |(index, region)| Unmarked {
        index,
        region,
        reason,
    }
}

/// Turns parents from indices into the regions given to indices into `marks`.
fn relink_parents(marks: &mut [AllocatedMark]) {
    let mut by_index: Vec<(usize, u32)> = marks
        .iter()
        .enumerate()
        .map(|(at, mark)| (mark.index, at as u32))
        .collect();
    by_index.sort_unstable();
    for mark in marks {
        let parent = &mut mark.mark.region.parent;
        *parent = parent.and_then(|parent| {
            let found = by_index.binary_search_by_key(&(parent as usize), |&(index, _)| index);
            found.ok().map(|at| by_index[at].1)
        });
    }
}
