//! Regions and their masks.

use serde_json::Value;
use som_core::{BBox, Counts, Error, Mask, MaskBuilder, Point, Region, Result, Rle, Size};

use crate::{params, pb::v1 as pb};

/// Most regions of one image.
const MAX_REGIONS: usize = 1 << 16;
/// Most runs of pixels in all their masks: a few bytes on the wire can stand for millions.
const MAX_RUNS: usize = 1 << 24;
/// Most bytes of a label, and of what a region has besides.
const MAX_LABEL: usize = 1 << 10;
const MAX_EXTRA: usize = 1 << 16;

/// To the wire, with a mask of the whole image.
pub fn to_wire(region: &Region) -> pb::Region {
    with_mask(region, &region.mask)
}

/// To the wire, with a mask cropped to the box: shorter, and cheaper to write and read.
pub fn to_wire_cropped(region: &Region) -> pb::Region {
    let bbox = region.bbox();
    let crop = Size::new(bbox.width, bbox.height);
    let mut mask = MaskBuilder::new(crop);
    for (y, row) in region.mask.rows() {
        for span in row {
            mask.push(y - bbox.y, span.start - bbox.x, span.end - bbox.x);
        }
    }
    with_mask(region, &mask.finish())
}

fn with_mask(region: &Region, mask: &Mask) -> pb::Region {
    pb::Region {
        bbox: Some(bbox_to_wire(region.bbox())),
        mask: Some(mask_to_wire(mask)),
        area: region.mask.area(),
        score: region.score,
        label: region.label.clone(),
        level: region.level.map(u32::from),
        parent: region.parent,
        extra: Some(params::to_wire(&region.extra)),
    }
}

/// From the wire: a region of an image of size `image`.
///
/// The index in `parent` is for the one to check who knows the whole list ([`check_parents`]).
///
/// # Errors
/// Invalid, if the box or mask does not fit the image or a value is out of range; exhausted, if the
/// label or what is in `extra` is too long.
pub fn from_wire(wire: pb::Region, image: Size) -> Result<Region> {
    if let Some(score) = wire.score.filter(|score| !(0.0..=1.0).contains(score)) {
        return Err(Error::invalid(format!("score {score} is not in [0, 1]")));
    }
    let extra = wire.extra.as_ref().map_or(0, prost::Message::encoded_len);
    let lengths = [
        (
            "label",
            wire.label.as_ref().map_or(0, String::len),
            MAX_LABEL,
        ),
        ("extra", extra, MAX_EXTRA),
    ];
    if let Some((what, bytes, most)) = lengths.into_iter().find(|(_, bytes, most)| bytes > most) {
        return Err(Error::exhausted(format!(
            "{what} has {bytes} bytes, but at most {most} are taken"
        )));
    }
    let level = wire.level.map(|level| {
        u8::try_from(level).map_err(|_| Error::invalid(format!("level {level} is above 255")))
    });
    let mut extra = params::from_wire(wire.extra).map_err(|error| error.at("extra"))?;
    // Whole numbers lose their fraction on the way; places have one everywhere else.
    for place in ["box", "point"] {
        let numbers = extra.get_mut(place).and_then(Value::as_array_mut);
        for number in numbers.into_iter().flatten() {
            if let Some(fraction) = number.as_f64() {
                *number = fraction.into();
            }
        }
    }
    let mut known = match (wire.mask, wire.bbox) {
        (None, None) => return Err(Error::invalid("neither bbox nor mask is set")),
        (None, Some(bbox)) => boxed(bbox_from_wire(bbox), image)?,
        (Some(mask), bbox) => Region::new(mask_from_wire(mask, bbox, image)?),
    };
    known.extra.extend(extra);
    Ok(Region {
        score: wire.score,
        label: wire.label,
        level: level.transpose()?,
        parent: wire.parent,
        ..known
    })
}

/// From the wire: all regions of an image.
///
/// # Errors
/// As [`from_wire`], naming the region by its index; exhausted, if there are too many, or their
/// masks take too much memory.
pub fn list_from_wire(wire: Vec<pb::Region>, image: Size) -> Result<Vec<Region>> {
    if wire.len() > MAX_REGIONS {
        let count = wire.len();
        return Err(Error::exhausted(format!(
            "{count} regions, but at most {MAX_REGIONS} are taken"
        )));
    }
    let mut runs = 0;
    let regions = wire.into_iter().enumerate().map(|(index, region)| {
        let region =
            from_wire(region, image).map_err(|error| error.at(format!("region {index}")))?;
        runs += region.mask.rows().map(|(_, row)| row.len()).sum::<usize>();
        match runs {
            0..=MAX_RUNS => Ok(region),
            _ => Err(Error::exhausted(format!(
                "region {index}: with it, the masks have more than {MAX_RUNS} runs of pixels"
            ))),
        }
    });
    let regions = regions.collect::<Result<Vec<_>>>()?;
    check_parents(&regions)?;
    Ok(regions)
}

/// Checks that every `parent` is the index of another region, and that no region is its own ancestor.
///
/// # Errors
/// Invalid, naming the first that is not or is.
pub fn check_parents(regions: &[Region]) -> Result<()> {
    for (index, region) in regions.iter().enumerate() {
        let parent = region.parent.map(|parent| parent as usize);
        if let Some(parent) = parent.filter(|&parent| parent == index || parent >= regions.len()) {
            return Err(Error::invalid(format!(
                "region {index}: parent {parent} is not the index of another region"
            )));
        }
    }
    // By region, the one whose walk upwards has passed it.
    let mut passed = vec![usize::MAX; regions.len()];
    for start in 0..regions.len() {
        let mut at = Some(start);
        while let Some(index) = at.filter(|&index| passed[index] == usize::MAX) {
            passed[index] = start;
            at = regions[index].parent.map(|parent| parent as usize);
        }
        // It ended at a root, on an earlier walk's way, or on its own.
        if at.is_some_and(|index| passed[index] == start) {
            return Err(Error::invalid(format!(
                "region {start}: its parents lead back to themselves"
            )));
        }
    }
    Ok(())
}

/// To the wire.
pub(crate) fn bbox_to_wire(bbox: BBox) -> pb::BBox {
    pb::BBox {
        x: bbox.x,
        y: bbox.y,
        width: bbox.width,
        height: bbox.height,
    }
}

/// From the wire.
pub(crate) fn bbox_from_wire(wire: pb::BBox) -> BBox {
    BBox::new(wire.x, wire.y, wire.width, wire.height)
}

/// To the wire.
pub fn size_to_wire(size: Size) -> pb::Size {
    pb::Size {
        width: size.width,
        height: size.height,
    }
}

/// From the wire.
pub fn size_from_wire(wire: pb::Size) -> Size {
    Size::new(wire.width, wire.height)
}

fn mask_to_wire(mask: &Mask) -> pb::Mask {
    let counts = match mask.to_rle().counts {
        Counts::Compressed(text) => text,
        Counts::Uncompressed(_) => String::new(),
    };
    pb::Mask {
        size: Some(size_to_wire(mask.size())),
        counts,
    }
}

/// A region of which no more than a box is known.
fn boxed(bbox: BBox, image: Size) -> Result<Region> {
    check_box(bbox, image)?;
    let (right, bottom) = (bbox.right() as f64, bbox.bottom() as f64);
    Ok(Region::of_box(
        image,
        [bbox.x.into(), bbox.y.into(), right, bottom],
    ))
}

fn check_box(bbox: BBox, image: Size) -> Result<()> {
    match image.bbox().encloses(bbox) {
        true => Ok(()),
        false => Err(Error::invalid(format!(
            "bbox {} does not lie in the image of {}x{} pixels",
            show(bbox),
            image.width,
            image.height
        ))),
    }
}

/// The pixels of a region: a mask of the whole image, or one cropped to the box.
fn mask_from_wire(mask: pb::Mask, bbox: Option<pb::BBox>, image: Size) -> Result<Mask> {
    let bbox = bbox.map(bbox_from_wire);
    if let Some(bbox) = bbox {
        check_box(bbox, image)?;
    }
    let size = mask.size.map(size_from_wire).unwrap_or_default();
    let crop = bbox.filter(|bbox| (bbox.width, bbox.height) == (size.width, size.height));
    if size != image && crop.is_none() {
        return Err(Error::invalid(format!(
            "the mask has {}x{} pixels, which is neither the image ({}x{}) nor the bbox ({})",
            size.width,
            size.height,
            image.width,
            image.height,
            bbox.map_or("not set".into(), show)
        )));
    }
    let rle = Rle {
        size: [size.height, size.width],
        counts: Counts::Compressed(mask.counts),
    };
    let mask = Mask::from_rle(&rle).map_err(|error| error.at("mask"))?;
    if size != image {
        return Ok(moved(
            &mask,
            image,
            crop.map_or(Point::default(), |bbox| Point::new(bbox.x, bbox.y)),
        ));
    }
    if let Some(bbox) = bbox.filter(|bbox| !bbox.encloses(mask.bbox())) {
        return Err(Error::invalid(format!(
            "the mask reaches out of the bbox ({}): its own is {}",
            show(bbox),
            show(mask.bbox())
        )));
    }
    Ok(mask)
}

/// The pixels of `crop` in an image of `size`, moved so that its origin lies at `at`.
fn moved(crop: &Mask, size: Size, at: Point) -> Mask {
    let mut mask = MaskBuilder::new(size);
    for (y, row) in crop.rows() {
        for span in row {
            mask.push(at.y + y, at.x + span.start, at.x + span.end);
        }
    }
    mask.finish()
}

fn show(bbox: BBox) -> String {
    format!("[{}, {}, {}, {}]", bbox.x, bbox.y, bbox.width, bbox.height)
}

#[cfg(test)]
mod tests {
    use som_core::{ErrorKind, Params};

    use super::*;

    const IMAGE: Size = Size::new(8, 6);

    fn region() -> Region {
        Region {
            score: Some(0.5),
            label: Some("cup".into()),
            level: Some(3),
            parent: Some(1),
            extra: Params::from_iter([("predicted_iou".into(), 0.75.into())]),
            ..Region::new(Mask::rect(IMAGE, BBox::new(2, 1, 3, 4)))
        }
    }

    #[test]
    fn a_region_comes_back_as_it_was() {
        for region in [region(), Region::new(Mask::empty(IMAGE))] {
            assert_eq!(from_wire(to_wire(&region), IMAGE).unwrap(), region);
            assert_eq!(from_wire(to_wire_cropped(&region), IMAGE).unwrap(), region);
        }
    }

    #[test]
    fn whole_cropped_and_absent_masks_are_the_same_pixels() {
        let crop = Mask::rect(Size::new(3, 4), Size::new(3, 4).bbox());
        let whole = to_wire(&region());
        let cropped = pb::Region {
            mask: Some(mask_to_wire(&crop)),
            ..whole.clone()
        };
        let boxed = pb::Region {
            mask: None,
            ..whole.clone()
        };
        let without_box = pb::Region {
            bbox: None,
            ..whole
        };
        for wire in [cropped, without_box] {
            assert_eq!(from_wire(wire, IMAGE).unwrap(), region());
        }
        let boxed = from_wire(boxed, IMAGE).unwrap();
        assert_eq!(boxed.mask, region().mask);
        assert_eq!(
            boxed.shape(),
            som_core::Shape::Box([2.0, 1.0, 5.0, 5.0]),
            "no more than that is known"
        );
        assert_eq!(boxed.extra["predicted_iou"], 0.75);
    }

    #[test]
    fn a_crop_keeps_its_shape_where_it_is_placed() {
        let mut corner = MaskBuilder::new(Size::new(2, 2));
        corner.push(0, 0, 2);
        corner.push(1, 1, 2);
        let wire = pb::Region {
            bbox: Some(bbox_to_wire(BBox::new(6, 4, 2, 2))),
            mask: Some(mask_to_wire(&corner.finish())),
            ..pb::Region::default()
        };
        let mask = from_wire(wire, IMAGE).unwrap().mask;
        let set = |x, y| mask.contains(Point::new(x, y));
        assert!(set(6, 4) && set(7, 4) && set(7, 5) && !set(6, 5));
        assert_eq!(mask.area(), 3);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let good = || to_wire(&region());
        let outside = Some(bbox_to_wire(BBox::new(6, 1, 3, 4)));
        let elsewhere = Some(bbox_to_wire(BBox::new(0, 0, 3, 4)));
        let other_size = Some(mask_to_wire(&Mask::empty(Size::new(5, 5))));
        let broken = |counts: &str| {
            Some(pb::Mask {
                size: Some(size_to_wire(IMAGE)),
                counts: counts.to_owned(),
            })
        };
        let huge = Some(pb::BBox {
            x: u32::MAX,
            y: 0,
            width: u32::MAX,
            height: 1,
        });
        for (wire, why) in [
            (
                pb::Region {
                    bbox: outside,
                    ..good()
                },
                "bbox [6, 1, 3, 4] does not lie in the image of 8x6",
            ),
            (
                pb::Region {
                    bbox: huge,
                    ..good()
                },
                "does not lie in the image",
            ),
            (
                pb::Region {
                    bbox: elsewhere,
                    ..good()
                },
                "the mask reaches out of the bbox",
            ),
            (
                pb::Region {
                    bbox: None,
                    mask: None,
                    ..good()
                },
                "neither bbox nor mask is set",
            ),
            (
                pb::Region {
                    mask: other_size,
                    ..good()
                },
                "the mask has 5x5 pixels, which is neither",
            ),
            (
                pb::Region {
                    mask: broken("1"),
                    ..good()
                },
                "mask: ",
            ),
            (
                pb::Region {
                    mask: broken("\u{7f}é"),
                    ..good()
                },
                "mask: ",
            ),
            (
                pb::Region {
                    score: Some(1.5),
                    ..good()
                },
                "score 1.5 is not in [0, 1]",
            ),
            (
                pb::Region {
                    score: Some(f32::NAN),
                    ..good()
                },
                "score NaN is not in [0, 1]",
            ),
            (
                pb::Region {
                    level: Some(256),
                    ..good()
                },
                "level 256 is above 255",
            ),
        ] {
            let error = from_wire(wire, IMAGE).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(
                error.message().starts_with(why) || error.message().contains(why),
                "{error}"
            );
        }
    }

    #[test]
    fn a_parent_has_to_be_another_region_of_the_list() {
        let list = |parent| {
            let child = pb::Region {
                parent: Some(parent),
                ..to_wire(&region())
            };
            let root = pb::Region {
                parent: None,
                ..to_wire(&region())
            };
            list_from_wire(vec![child, root], IMAGE)
        };
        assert!(list(1).is_ok());
        for parent in [0, 2] {
            let why = format!("region 0: parent {parent} is not the index of another region");
            assert_eq!(list(parent).unwrap_err().message(), why);
        }
    }

    #[test]
    fn no_region_is_its_own_ancestor() {
        let list = |parents: &[Option<u32>]| {
            let regions = parents.iter().map(|&parent| pb::Region {
                parent,
                ..to_wire(&region())
            });
            list_from_wire(regions.collect(), IMAGE)
        };
        for round in [
            vec![Some(1), Some(0)],
            vec![Some(1), Some(2), Some(3), Some(1)],
        ] {
            let error = list(&round).unwrap_err();
            assert_eq!(
                error.message(),
                "region 0: its parents lead back to themselves"
            );
        }
        assert!(list(&[Some(1), Some(2), None, Some(1), Some(0)]).is_ok());
    }

    #[test]
    fn labels_and_extras_have_an_end() {
        let labelled = |bytes| pb::Region {
            label: Some("x".repeat(bytes)),
            ..to_wire(&region())
        };
        assert!(from_wire(labelled(MAX_LABEL), IMAGE).is_ok());
        let error = from_wire(labelled(1 << 20), IMAGE).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Exhausted);
        assert_eq!(
            error.message(),
            "label has 1048576 bytes, but at most 1024 are taken"
        );
        let extra = Params::from_iter([("why".to_owned(), "x".repeat(1 << 20).into())]);
        let extra = pb::Region {
            extra: Some(params::to_wire(&extra)),
            ..to_wire(&region())
        };
        assert!(
            from_wire(extra, IMAGE)
                .unwrap_err()
                .message()
                .starts_with("extra has ")
        );
    }

    #[test]
    fn a_list_that_would_fill_the_memory_is_refused() {
        let tall = Size::new(2, Size::MAX_SIDE);
        let boxed = |size| pb::Region {
            bbox: Some(bbox_to_wire(Size::bbox(size))),
            ..pb::Region::default()
        };
        // 17 times 2^20 rows are more than 2^24 runs.
        let error = list_from_wire(vec![boxed(tall); 17], tall).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Exhausted);
        assert!(error.message().starts_with("region 16: "), "{error}");
        assert!(list_from_wire(vec![boxed(tall); 16], tall).is_ok());
        let error = list_from_wire(vec![boxed(IMAGE); 65_537], IMAGE).unwrap_err();
        assert_eq!(
            error.message(),
            "65537 regions, but at most 65536 are taken"
        );
    }
}
