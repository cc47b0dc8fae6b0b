//! regions → hints: what a refiner is told of each, and in which calls.

use som_core::{
    BoxHint, Error, HintKind, Hints, Mask, Params, PointHint, Region, Result, Rle, Shape, Size,
};

/// The most boxes of one call.
const MAX_BOXES: usize = 64;

/// What a refiner is told of one region.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Hint {
    Box(BoxHint),
    Point(PointHint),
    Mask(Rle),
}

impl Hint {
    pub(super) const fn kind(&self) -> HintKind {
        match self {
            Self::Box(_) => HintKind::Box,
            Self::Point(_) => HintKind::Point,
            Self::Mask(_) => HintKind::Mask,
        }
    }
}

/// The hints of regions of an image of `size`: of the kind `wanted`, or else of the first that suits of
/// those that are `taken`. `None` for a region that has no pixel.
///
/// # Errors
/// Unsupported, if a region is no more than a box or a point, and such hints are not taken.
pub(super) fn of_all(
    regions: &[Region],
    size: Size,
    wanted: Option<HintKind>,
    taken: &[HintKind],
) -> Result<Vec<Option<Hint>>> {
    let hint = |region: &Region| {
        let kind = match wanted {
            Some(kind) => kind,
            None => suiting(region.shape(), taken)?,
        };
        let is_there = !region.mask.is_empty();
        Ok(is_there.then(|| of(region, size, kind)).flatten())
    };
    regions.iter().map(hint).collect()
}

/// The calls that tell the hints, by their indices: boxes together, as each is about a thing of its own;
/// but points and masks one by one, as several may be about one thing.
pub(super) fn calls(hints: &[Option<Hint>]) -> Vec<Vec<usize>> {
    let of_kind = |kind: HintKind| {
        let indices = hints.iter().enumerate();
        let indices = indices.filter(move |(_, hint)| hint.as_ref().map(Hint::kind) == Some(kind));
        indices.map(|(index, _)| index).collect::<Vec<usize>>()
    };
    let sizes = [
        (HintKind::Box, MAX_BOXES),
        (HintKind::Mask, 1),
        (HintKind::Point, 1),
    ];
    let calls = sizes.into_iter().flat_map(|(kind, size)| {
        let indices = of_kind(kind);
        let calls = indices.chunks(size).map(<[usize]>::to_vec);
        calls.collect::<Vec<_>>()
    });
    calls.collect()
}

/// `params` with these hints.
///
/// # Errors
/// Internal, if they are no JSON.
pub(super) fn told<'a>(
    params: &Params,
    hints: impl IntoIterator<Item = &'a Hint>,
) -> Result<Params> {
    let mut all = Hints::default();
    for hint in hints {
        match hint {
            Hint::Box(bbox) => all.boxes.push(*bbox),
            Hint::Point(point) => all.points.push(*point),
            Hint::Mask(mask) => all.masks.push(mask.clone()),
        }
    }
    let hints = serde_json::to_value(all)
        .map_err(|error| Error::internal("the hints are no JSON").caused_by(error))?;
    let mut params = params.clone();
    params.insert("hints".to_owned(), hints);
    Ok(params)
}

/// What a region becomes, unless somebody says: as much of it as is known.
fn suiting(shape: Shape, taken: &[HintKind]) -> Result<HintKind> {
    let (suiting, name): (&[HintKind], _) = match shape {
        // A mask has a box around it, and points on it.
        Shape::Mask => (&[HintKind::Mask, HintKind::Box, HintKind::Point], "a mask"),
        Shape::Box(_) => (&[HintKind::Box], "a box"),
        Shape::Point(_) => (&[HintKind::Point], "a point"),
    };
    let mut kinds = suiting.iter().copied();
    kinds.find(|kind| taken.contains(kind)).ok_or_else(|| {
        let taken: Vec<&str> = taken.iter().map(|kind| kind.name()).collect();
        Error::unsupported(format!(
            "takes no hint of this kind, but a region to refine is {name} (choose a refiner that does, or have it told as: {})",
            taken.join(", ")
        ))
    })
}

/// A region that has pixels as a hint of this kind; `None`, if nothing of it lies in the image.
fn of(region: &Region, size: Size, kind: HintKind) -> Option<Hint> {
    Some(match kind {
        HintKind::Box => Hint::Box(boxed(region, size)?),
        HintKind::Point => Hint::Point(point(region)?),
        HintKind::Mask => Hint::Mask(region.mask.to_rle()),
    })
}

/// The box of a region, cut to the image.
fn boxed(region: &Region, size: Size) -> Option<BoxHint> {
    let bbox = region.bbox();
    let corners = match region.shape() {
        Shape::Box(corners) => corners,
        Shape::Mask | Shape::Point(_) => {
            let (right, bottom) = (bbox.right() as f64, bbox.bottom() as f64);
            [bbox.x.into(), bbox.y.into(), right, bottom]
        }
    };
    let side = |from: f64, to: f64, end: u32| {
        let end = f64::from(end);
        let (from, to) = (from.clamp(0.0, end), to.clamp(0.0, end));
        let mut extent = to - from;
        // Their sum may be rounded up.
        while from + extent > end {
            extent = extent.next_down();
        }
        (extent > 0.0).then_some((from, extent))
    };
    let (x, width) = side(corners[0], corners[2], size.width)?;
    let (y, height) = side(corners[1], corners[3], size.height)?;
    Some(BoxHint {
        x,
        y,
        width,
        height,
    })
}

/// A point on a region: the middle of a box, and of a mask that of its longest row.
fn point(region: &Region) -> Option<PointHint> {
    let [x, y] = match region.shape() {
        Shape::Point(point) => point,
        Shape::Mask | Shape::Box(_) => middle(&region.mask)?,
    };
    Some(PointHint { x, y, label: 1 })
}

/// The middle of the longest run of pixels; of several, of the one in their middle.
fn middle(mask: &Mask) -> Option<[f64; 2]> {
    let runs = mask
        .rows()
        .flat_map(|(y, row)| row.iter().map(move |span| (y, *span)));
    let runs: Vec<_> = runs.collect();
    let longest = runs.iter().map(|(_, span)| span.len()).max()?;
    let longest: Vec<_> = runs
        .iter()
        .filter(|(_, span)| span.len() == longest)
        .collect();
    let (y, span) = longest.get(longest.len() / 2)?;
    let x = span.start + span.len() / 2;
    Some([f64::from(x) + 0.5, f64::from(*y) + 0.5])
}

#[cfg(test)]
mod tests {
    use som_core::{BBox, ErrorKind, MaskBuilder};

    use super::*;

    const SIZE: Size = Size::new(60, 40);
    const ALL: [HintKind; 3] = HintKind::ALL;

    fn masked() -> Region {
        Region::new(Mask::rect(SIZE, BBox::new(10, 4, 20, 11)))
    }

    fn hint(region: Region, wanted: Option<HintKind>, taken: &[HintKind]) -> Option<Hint> {
        of_all(&[region], SIZE, wanted, taken).unwrap().remove(0)
    }

    #[test]
    fn a_region_is_told_as_what_it_is() {
        let around = BoxHint {
            x: 10.0,
            y: 4.0,
            width: 20.0,
            height: 11.0,
        };
        let on = PointHint {
            x: 20.5,
            y: 9.5,
            label: 1,
        };
        let mask = Hint::Mask(masked().mask.to_rle());
        assert_eq!(hint(masked(), None, &ALL), Some(mask));
        let taken = [HintKind::Point, HintKind::Box];
        assert_eq!(hint(masked(), None, &taken), Some(Hint::Box(around)));
        assert_eq!(hint(masked(), None, &taken[..1]), Some(Hint::Point(on)));

        // As it is, but for what reaches over the edge.
        let boxed = Region::of_box(SIZE, [-3.5, 1.25, 20.5, 99.0]);
        let cut = BoxHint {
            x: 0.0,
            y: 1.25,
            width: 20.5,
            height: 38.75,
        };
        assert_eq!(hint(boxed.clone(), None, &ALL), Some(Hint::Box(cut)));
        let wanted = Some(HintKind::Point);
        let inside = PointHint {
            x: 10.5,
            y: 20.5,
            label: 1,
        };
        assert_eq!(hint(boxed, wanted, &ALL), Some(Hint::Point(inside)));
        let point = Region::of_point(SIZE, [3.25, 7.0]);
        let told = PointHint {
            x: 3.25,
            y: 7.0,
            label: 1,
        };
        assert_eq!(hint(point, None, &ALL), Some(Hint::Point(told)));
        for nothing in [[70.0, 1.0, 80.0, 9.0], [5.0, 5.0, 5.0, 9.0]] {
            assert_eq!(hint(Region::of_box(SIZE, nothing), None, &ALL), None);
        }
    }

    #[test]
    fn every_box_lies_in_the_image() {
        for tenth in 0..600 {
            let left = f64::from(tenth) / 10.0;
            let region = Region::of_box(SIZE, [left, 0.1, 60.0, 39.9]);
            let Some(Hint::Box(bbox)) = hint(region, None, &ALL) else {
                panic!("no box at {left}");
            };
            let hints = Hints {
                boxes: vec![bbox],
                ..Hints::default()
            };
            hints.check(SIZE).unwrap();
        }
    }

    #[test]
    fn a_point_lies_on_the_mask() {
        // A ring: its middle is not on it.
        let mut ring = MaskBuilder::new(SIZE);
        for y in 0..9 {
            match y {
                0 | 8 => ring.push(y, 20, 29),
                _ => {
                    ring.push(y, 20, 22);
                    ring.push(y, 27, 29);
                }
            }
        }
        let ring = Region::new(ring.finish());
        let Some(PointHint { x, y, .. }) = point(&ring) else {
            panic!("no point");
        };
        let on = som_core::Point::new(x as u32, y as u32);
        assert!(ring.mask.contains(on), "{on:?}");
    }

    #[test]
    fn what_is_not_taken_is_refused() {
        for (region, name) in [
            (Region::of_box(SIZE, [1.0, 1.0, 9.0, 9.0]), "a box"),
            (Region::of_point(SIZE, [1.0, 1.0]), "a point"),
        ] {
            let error = of_all(&[region], SIZE, None, &[HintKind::Mask]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.message().contains(name), "{error}");
        }
    }

    #[test]
    fn boxes_share_calls_and_others_do_not() {
        let boxed = || Region::of_box(SIZE, [1.0, 1.0, 9.0, 9.0]);
        let point = || Region::of_point(SIZE, [1.0, 1.0]);
        let nothing = Region::new(Mask::empty(SIZE));
        let regions = [point(), boxed(), masked(), nothing, boxed(), masked()];
        let hints = of_all(&regions, SIZE, None, &ALL).unwrap();
        let all: [&[usize]; 4] = [&[1, 4], &[2], &[5], &[0]];
        assert_eq!(calls(&hints), all);
        let many = of_all(&vec![boxed(); 130], SIZE, None, &ALL).unwrap();
        let sizes: Vec<usize> = calls(&many).iter().map(Vec::len).collect();
        assert_eq!(sizes, [64, 64, 2]);
    }
}
