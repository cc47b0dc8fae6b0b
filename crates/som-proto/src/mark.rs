//! Marks: what is asked of them, the layers that draw them, their facts, and the regions that got
//! none.

use som_core::{
    AllocatedMark, Color, Error, Facts, Layer, Mark, MarkOptions, Point, Result, Size, Unmarked,
    UnmarkedReason,
};

use crate::{params, pb::v1 as pb, region};

/// To the wire.
pub fn options_to_wire(options: &MarkOptions) -> pb::MarkOptions {
    let MarkOptions {
        page_size,
        max_pages,
        max_marks,
        min_glyph,
        font_size,
        start,
        ref colors,
    } = *options;
    pb::MarkOptions {
        page_size,
        max_pages,
        max_marks,
        min_glyph,
        font_size,
        start,
        colors: colors.iter().map(|color| color.to_u32()).collect(),
    }
}

/// From the wire, where no options at all are options that are not set.
pub fn options_from_wire(wire: Option<pb::MarkOptions>) -> MarkOptions {
    let pb::MarkOptions {
        page_size,
        max_pages,
        max_marks,
        min_glyph,
        font_size,
        start,
        colors,
    } = wire.unwrap_or_default();
    MarkOptions {
        page_size,
        max_pages,
        max_marks,
        min_glyph,
        font_size,
        start,
        colors: colors.into_iter().map(Color::from_u32).collect(),
    }
}

/// To the wire.
pub fn layer_to_wire(layer: &Layer) -> pb::StyleLayer {
    pb::StyleLayer {
        id: layer.style.clone(),
        params: Some(params::to_wire(&layer.params)),
    }
}

/// From the wire.
///
/// # Errors
/// Invalid, if a parameter is no JSON.
pub fn layer_from_wire(wire: pb::StyleLayer) -> Result<Layer> {
    match params::from_wire(wire.params) {
        Ok(params) => Ok(Layer {
            style: wire.id,
            params,
        }),
        Err(error) => Err(error.at(format!("mark style \"{}\"", wire.id))),
    }
}

/// To the wire.
pub fn to_wire(allocated: &AllocatedMark) -> pb::Mark {
    let AllocatedMark {
        id,
        page,
        index,
        mark,
        font_size,
        facts,
    } = allocated;
    pb::Mark {
        id: *id,
        text: mark.text.clone(),
        label_box: Some(region::bbox_to_wire(mark.label_box)),
        anchor: Some(pb::Point {
            x: mark.anchor.x,
            y: mark.anchor.y,
        }),
        page: *page,
        color: mark.color.to_u32(),
        font_size: *font_size,
        facts: Some(facts_to_wire(facts)),
        region: Some(region::to_wire(&mark.region)),
        index: index_to_wire(*index),
    }
}

/// From the wire: a mark of an image of size `image`.
///
/// # Errors
/// Invalid, if a part is missing or the region does not fit the image.
pub fn from_wire(wire: pb::Mark, image: Size) -> Result<AllocatedMark> {
    let missing = |part: &str| Error::invalid(format!("mark {}: {part} is not set", wire.id));
    let label_box = wire.label_box.ok_or_else(|| missing("label_box"))?;
    let anchor = wire.anchor.ok_or_else(|| missing("anchor"))?;
    let facts = wire.facts.ok_or_else(|| missing("facts"))?;
    let region = wire.region.ok_or_else(|| missing("region"))?;
    let region =
        region::from_wire(region, image).map_err(|error| error.at(format!("mark {}", wire.id)))?;
    Ok(AllocatedMark {
        id: wire.id,
        page: wire.page,
        index: wire.index as usize,
        mark: Mark {
            region,
            text: wire.text,
            label_box: region::bbox_from_wire(label_box),
            anchor: Point::new(anchor.x, anchor.y),
            color: Color::from_u32(wire.color),
        },
        font_size: wire.font_size,
        facts: facts_from_wire(facts),
    })
}

/// To the wire.
pub fn unmarked_to_wire(unmarked: &Unmarked) -> pb::Unmarked {
    let reason = match unmarked.reason {
        UnmarkedReason::Empty => pb::UnmarkedReason::Empty,
        UnmarkedReason::OverLimit => pb::UnmarkedReason::OverLimit,
        UnmarkedReason::NoRoom => pb::UnmarkedReason::NoRoom,
        UnmarkedReason::Crowded => pb::UnmarkedReason::Crowded,
    };
    pb::Unmarked {
        index: index_to_wire(unmarked.index),
        region: Some(region::to_wire(&unmarked.region)),
        reason: reason.into(),
    }
}

/// From the wire: a region of an image of size `image`.
///
/// # Errors
/// Invalid, if the region is missing or does not fit the image, or the reason is unknown.
pub fn unmarked_from_wire(wire: pb::Unmarked, image: Size) -> Result<Unmarked> {
    let at = |error: Error| error.at(format!("unmarked region {}", wire.index));
    let reason = match wire.reason() {
        pb::UnmarkedReason::Empty => UnmarkedReason::Empty,
        pb::UnmarkedReason::OverLimit => UnmarkedReason::OverLimit,
        pb::UnmarkedReason::NoRoom => UnmarkedReason::NoRoom,
        pb::UnmarkedReason::Crowded => UnmarkedReason::Crowded,
        pb::UnmarkedReason::Unspecified => {
            return Err(at(Error::invalid("its reason is unknown")));
        }
    };
    let region = wire
        .region
        .ok_or_else(|| Error::invalid("region is not set"));
    Ok(Unmarked {
        index: wire.index as usize,
        region: region
            .and_then(|region| region::from_wire(region, image))
            .map_err(at)?,
        reason,
    })
}

fn facts_to_wire(facts: &Facts) -> pb::MarkFacts {
    pb::MarkFacts {
        inside_image: facts.inside_image,
        clear_of_labels: facts.clear_of_labels,
        on_region: facts.on_region,
        leader: facts.leader,
        anchor_on_region: facts.anchor_on_region,
        contrast: facts.contrast,
        glyph_height: facts.glyph_height,
        ink_hidden: facts.ink_hidden,
    }
}

fn facts_from_wire(wire: pb::MarkFacts) -> Facts {
    Facts {
        inside_image: wire.inside_image,
        clear_of_labels: wire.clear_of_labels,
        on_region: wire.on_region,
        leader: wire.leader,
        anchor_on_region: wire.anchor_on_region,
        contrast: wire.contrast,
        glyph_height: wire.glyph_height,
        ink_hidden: wire.ink_hidden,
    }
}

/// Lists are far shorter than 2^32.
fn index_to_wire(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use som_core::{BBox, Mask, Region};

    use super::*;

    const IMAGE: Size = Size::new(8, 6);

    fn region() -> Region {
        Region::new(Mask::rect(IMAGE, BBox::new(2, 1, 3, 4)))
    }

    fn mark() -> AllocatedMark {
        AllocatedMark {
            id: 7,
            page: 2,
            index: 3,
            mark: Mark {
                region: region(),
                text: "7".into(),
                label_box: BBox::new(2, 1, 2, 2),
                anchor: Point::new(3, 4),
                color: Color([1, 2, 3]),
            },
            font_size: 12.5,
            facts: Facts {
                inside_image: true,
                clear_of_labels: false,
                on_region: 0.75,
                leader: true,
                anchor_on_region: true,
                contrast: 4.5,
                glyph_height: 9.0,
                ink_hidden: 0.125,
            },
        }
    }

    #[test]
    fn a_mark_comes_back_as_it_was() {
        assert_eq!(from_wire(to_wire(&mark()), IMAGE).unwrap(), mark());
    }

    #[test]
    fn options_and_layers_come_back_as_they_were() {
        let options = MarkOptions {
            page_size: Some(0),
            max_pages: Some(2),
            max_marks: None,
            min_glyph: Some(7.5),
            font_size: Some(20.0),
            start: Some(11),
            colors: vec![Color([1, 2, 3])],
        };
        let back = options_from_wire(Some(options_to_wire(&options)));
        assert_eq!(back, options);
        assert_eq!(options_from_wire(None), MarkOptions::default());
        let layer = Layer {
            style: "number".into(),
            params: som_core::Params::from_iter([("font_size".into(), 20.into())]),
        };
        assert_eq!(layer_from_wire(layer_to_wire(&layer)).unwrap(), layer);
    }

    #[test]
    fn an_unmarked_region_comes_back_as_it_was() {
        for reason in [
            UnmarkedReason::Empty,
            UnmarkedReason::OverLimit,
            UnmarkedReason::NoRoom,
            UnmarkedReason::Crowded,
        ] {
            let unmarked = Unmarked {
                index: 4,
                region: region(),
                reason,
            };
            let back = unmarked_from_wire(unmarked_to_wire(&unmarked), IMAGE);
            assert_eq!(back.unwrap(), unmarked);
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let good = || to_wire(&mark());
        for (wire, why) in [
            (
                pb::Mark {
                    anchor: None,
                    ..good()
                },
                "mark 7: anchor is not set",
            ),
            (
                pb::Mark {
                    region: None,
                    ..good()
                },
                "mark 7: region is not set",
            ),
            (
                pb::Mark {
                    region: Some(pb::Region::default()),
                    ..good()
                },
                "mark 7: neither bbox nor mask is set",
            ),
        ] {
            assert_eq!(from_wire(wire, IMAGE).unwrap_err().message(), why);
        }
        let unknown = pb::Unmarked {
            reason: 99,
            ..pb::Unmarked::default()
        };
        let error = unmarked_from_wire(unknown, IMAGE).unwrap_err();
        assert_eq!(error.message(), "unmarked region 0: its reason is unknown");
    }
}
