//! Entries → regions of the image: cut to it, counted, and checked.

use som_core::{Mask, Params, Region, Rle, Size};

use super::{Given, Read, coordinates::Corners};
use crate::{FormatError, MAX_ENTRIES};

/// Most runs of pixels in all masks together, as over gRPC: a few bytes can stand for millions.
const MAX_RUNS: usize = 1 << 24;

/// How far something may reach over the image's edge without a note: what rounding does.
const SLACK: f64 = 0.5;

/// An entry of a file, as it stands there.
#[derive(Debug)]
pub(super) struct Entry {
    /// Where it stands: `annotations[3]`, `line 7`.
    pub(super) place: String,
    pub(super) id: Option<u64>,
    pub(super) shape: Shape,
    pub(super) label: Option<String>,
    pub(super) score: Option<f64>,
    pub(super) level: Option<u8>,
    /// Index of the entry around it.
    pub(super) parent: Option<u32>,
    pub(super) extra: Params,
}

/// The pixels of an entry.
#[derive(Debug)]
pub(super) enum Shape {
    Mask(Mask),
    Rle(Rle),
    /// Outlines: corners x, y, x, y, …
    Polygons(Vec<Vec<f64>>),
    Box(Corners),
}

impl Entry {
    pub(super) fn new(place: String, shape: Shape) -> Self {
        Self {
            place,
            id: None,
            shape,
            label: None,
            score: None,
            level: None,
            parent: None,
            extra: Params::new(),
        }
    }
}

/// The regions of an image in the making.
pub(super) struct Gathering {
    size: Size,
    given: Vec<Given>,
    /// Where each stands, as far as it has a parent that is still to be checked.
    children: Vec<(String, u32)>,
    runs: usize,
    cut: Tally,
    notes: Vec<String>,
    tells_images_apart: bool,
}

/// How many entries had something about them, and which was the first.
#[derive(Default)]
struct Tally {
    count: usize,
    first: String,
}

impl Tally {
    fn add(&mut self, place: &str) {
        if self.count == 0 {
            place.clone_into(&mut self.first);
        }
        self.count += 1;
    }
}

impl Gathering {
    pub(super) fn new(size: Size) -> Self {
        Self {
            size,
            given: Vec::new(),
            children: Vec::new(),
            runs: 0,
            cut: Tally::default(),
            notes: Vec::new(),
            tells_images_apart: false,
        }
    }

    /// The image's size.
    pub(super) fn size(&self) -> Size {
        self.size
    }

    /// Says something odd to the user.
    pub(super) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Says that the file speaks of several images.
    pub(super) fn tells_images_apart(&mut self) {
        self.tells_images_apart = true;
    }

    /// Checks a size that the file claims for the image.
    ///
    /// # Errors
    /// OtherSize.
    pub(super) fn check_size(&self, place: &str, found: Size) -> Result<(), FormatError> {
        match found == self.size {
            true => Ok(()),
            false => Err(FormatError::OtherSize {
                place: place.to_owned(),
                found,
                image: self.size,
            }),
        }
    }

    /// Adds an entry.
    ///
    /// # Errors
    /// Entry, Mask or OtherSize for what is wrong with it; TooMany and TooLarge.
    pub(super) fn add(&mut self, entry: Entry) -> Result<(), FormatError> {
        if self.given.len() == MAX_ENTRIES {
            return Err(FormatError::TooMany);
        }
        let Entry {
            place,
            id,
            shape,
            label,
            score,
            level,
            parent,
            mut extra,
        } = entry;
        if let Some(score) = score.filter(|score| !(0.0..=1.0).contains(score)) {
            let message = format!("the score {score} is not in [0, 1]");
            return Err(FormatError::entry(place, message));
        }
        let covered = self.covered(&place, shape)?;
        let mask = covered.mask;
        extra.extend(covered.extra);
        self.runs += mask.rows().map(|(_, row)| row.len()).sum::<usize>();
        if self.runs > MAX_RUNS {
            return Err(FormatError::TooLarge {
                place,
                limit: MAX_RUNS,
            });
        }
        if let Some(id) = id {
            extra.insert("id".to_owned(), id.into());
        }
        if let Some(parent) = parent {
            let index = self.given.len();
            if parent as usize == index {
                return Err(FormatError::entry(place, "its parent is itself"));
            }
            self.children.push((place, parent));
        }
        self.given.push(Given {
            id,
            region: Region {
                mask,
                score: score.map(|score| score as f32),
                label: label.filter(|label| !label.trim().is_empty()),
                level,
                parent,
                extra,
            },
        });
        Ok(())
    }

    /// All of them.
    ///
    /// # Errors
    /// Entry for a parent that is not there.
    pub(super) fn finish(mut self) -> Result<Read, FormatError> {
        let count = self.given.len();
        let is_missing = |(_, parent): &&(String, u32)| *parent as usize >= count;
        if let Some((place, parent)) = self.children.iter().find(is_missing) {
            let message = format!("its parent {parent} is not the index of another one");
            return Err(FormatError::entry(place, message));
        }
        match self.cut.count {
            0 => {}
            1 => self.notes.push(format!(
                "{} reaches over the edge of the image and was cut there",
                self.cut.first
            )),
            count => self.notes.push(format!(
                "{count} entries reach over the edge of the image and were cut there (first {})",
                self.cut.first
            )),
        }
        Ok(Read {
            given: self.given,
            notes: self.notes,
            tells_images_apart: self.tells_images_apart,
        })
    }

    /// What an entry covers of the image, as a region of which no more is known.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub(super) fn covered(&mut self, place: &str, shape: Shape) -> Result<Region, FormatError> {
        let failed = |error| FormatError::Mask {
            place: place.to_owned(),
            error,
        };
        match shape {
            Shape::Mask(mask) => {
                self.check_size(place, mask.size())?;
                Ok(Region::new(mask))
            }
            Shape::Rle(rle) => {
                self.check_size(place, rle.image_size())?;
                Mask::from_rle(&rle).map(Region::new).map_err(failed)
            }
            Shape::Polygons(polygons) => {
                if let Some(around) = Corners::around(polygons.as_slice()) {
                    self.meet(place, "the outline", around)?;
                }
                let mask = Mask::from_coco_polygons(self.size, &polygons);
                mask.map(Region::new).map_err(failed)
            }
            Shape::Box(corners) => {
                self.meet(place, "the box", corners)?;
                Ok(Region::of_box(self.size, corners.to_xyxy()))
            }
        }
    }

    /// Checks that something meets the image, and notes if it reaches over the edge.
    fn meet(&mut self, place: &str, what: &str, corners: Corners) -> Result<(), FormatError> {
        let (width, height) = (f64::from(self.size.width), f64::from(self.size.height));
        let Corners {
            left,
            top,
            right,
            bottom,
        } = corners;
        if ![left, top, right, bottom].into_iter().all(f64::is_finite) {
            let message = format!("{what} {corners} has a corner that is no number");
            return Err(FormatError::entry(place, message));
        }
        if right < left || bottom < top {
            let message = format!("{what} {corners} ends before it begins");
            return Err(FormatError::entry(place, message));
        }
        if left >= width || top >= height || right <= 0.0 || bottom <= 0.0 {
            // Nothing at the image's corner is where hidden elements of a page stand.
            if corners.is_empty() {
                return Ok(());
            }
            let message = format!("{what} {corners} lies outside of the {} image", self.size);
            return Err(FormatError::entry(place, message));
        }
        let over = [-left, -top, right - width, bottom - height];
        if over.into_iter().any(|over| over > SLACK) {
            self.cut.add(place);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use som_core::BBox;

    use super::*;

    const SIZE: Size = Size::new(60, 40);

    fn boxed(numbers: [f64; 4]) -> Result<Read, FormatError> {
        let mut gathering = Gathering::new(SIZE);
        let shape = Shape::Box(Corners::from_xywh(numbers));
        gathering.add(Entry::new("line 7".to_owned(), shape))?;
        gathering.finish()
    }

    #[test]
    fn boxes_cover_the_pixels_whose_centres_lie_in_them() {
        for (numbers, bbox) in [
            ([10.0, 5.0, 20.0, 10.0], BBox::new(10, 5, 20, 10)),
            ([10.4, 5.5, 19.2, 10.0], BBox::new(10, 5, 20, 10)),
            ([10.6, 5.6, 0.2, 0.2], BBox::new(10, 5, 1, 1)),
            ([-0.3, 0.0, 60.5, 40.2], BBox::new(0, 0, 60, 40)),
        ] {
            let read = boxed(numbers).unwrap();
            let region = &read.given[0].region;
            assert_eq!(region.bbox(), bbox, "{numbers:?}");
            assert!(region.is_box());
            assert!(read.notes.is_empty(), "{:?}", read.notes);
        }
        assert!(
            boxed([5.0, 5.0, 0.0, 9.0]).unwrap().given[0]
                .region
                .mask
                .is_empty()
        );
    }

    #[test]
    fn what_reaches_over_the_edge_is_cut_and_told() {
        let read = boxed([50.0, 30.0, 20.0, 20.0]).unwrap();
        assert_eq!(read.given[0].region.bbox(), BBox::new(50, 30, 10, 10));
        let note = "line 7 reaches over the edge of the image and was cut there";
        assert_eq!(read.notes, [note]);
    }

    #[test]
    fn what_is_no_region_of_the_image_is_refused() {
        for (numbers, why) in [
            (
                [60.0, 0.0, 5.0, 5.0],
                "line 7: the box 60,0 to 65,5 lies outside of the 60x40 image",
            ),
            (
                [-9.0, 0.0, 5.0, 5.0],
                "line 7: the box -9,0 to -4,5 lies outside of the 60x40 image",
            ),
            (
                [5.0, 5.0, -3.0, 5.0],
                "line 7: the box 5,5 to 2,10 ends before it begins",
            ),
            (
                [f64::NAN, 5.0, 3.0, 5.0],
                "line 7: the box NaN,5 to NaN,10 has a corner that is no number",
            ),
        ] {
            assert_eq!(boxed(numbers).unwrap_err().to_string(), why);
        }
        let mut gathering = Gathering::new(SIZE);
        let other = Shape::Mask(Mask::empty(Size::new(40, 60)));
        let error = gathering
            .add(Entry::new("a.png".to_owned(), other))
            .unwrap_err();
        let text = error.to_string();
        assert!(
            text.starts_with("a.png belongs to an image of 40x60, but this one has 60x40"),
            "{text}"
        );
    }

    #[test]
    fn entries_end_where_no_image_has_room() {
        let mut gathering = Gathering::new(SIZE);
        let entry = || Entry::new("x".to_owned(), Shape::Box(Corners::from_xywh([1.0; 4])));
        for _ in 0..MAX_ENTRIES {
            gathering.add(entry()).unwrap();
        }
        assert!(matches!(
            gathering.add(entry()).unwrap_err(),
            FormatError::TooMany
        ));
    }
}
