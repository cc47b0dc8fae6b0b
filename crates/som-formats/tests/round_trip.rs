//! What is written and read back is what it was.

use proptest::prelude::*;
use som_core::{BBox, Mask, Region, Size};
use som_formats::{
    Format, Given, MaskFolder, Read, Source, Target, class_names,
    write::{
        Item, Picture,
        coco::{Annotated, Dataset},
        csv, geojson, labelme, masks, npz,
        yolo::{Classes, Outlines},
    },
};

const SIZE: Size = Size::new(37, 23);

/// Shapes with parts and holes.
fn mask() -> impl Strategy<Value = Mask> {
    let rect = (0..30_u32, 0..18_u32, 1..20_u32, 1..12_u32)
        .prop_map(|(x, y, width, height)| Mask::rect(SIZE, BBox::new(x, y, width, height)));
    let rects = proptest::collection::vec((rect, any::<bool>()), 1..6);
    rects.prop_map(|rects| {
        let (first, rest) = rects.split_first().unwrap();
        rest.iter()
            .fold(first.0.clone(), |mask, (rect, adds)| match adds {
                true => mask.union(rect),
                false => mask.difference(rect),
            })
    })
}

fn region() -> impl Strategy<Value = Region> {
    let label = proptest::option::of("[a-z\"',; é]{0,6}[a-z]");
    (mask(), label, proptest::option::of(0..=8_u8)).prop_map(|(mask, label, score)| Region {
        label,
        score: score.map(|score| f32::from(score) / 8.0),
        ..Region::new(mask)
    })
}

/// Regions with numbers that are not those of their order.
fn regions() -> impl Strategy<Value = Vec<(u32, Region)>> {
    let regions = proptest::collection::vec(region(), 0..6);
    regions.prop_map(|regions| (0..).map(|index| 40 - 3 * index).zip(regions).collect())
}

fn picture(regions: &[(u32, Region)]) -> Picture<'_> {
    let items = regions.iter().map(|(id, region)| Item {
        id: Some(*id),
        region,
    });
    Picture {
        name: "a/photo.png",
        size: SIZE,
        items: items.collect(),
    }
}

fn read(bytes: &[u8], format: Format, names: &[String]) -> Vec<Given> {
    let source = Source {
        bytes,
        format: Some(format),
        class_names: names,
    };
    let target = Target {
        name: "a/photo.png",
        size: SIZE,
    };
    let Read { given, notes, .. } = som_formats::read(&source, &target).unwrap();
    assert!(notes.is_empty(), "{notes:?}");
    given
}

/// Number, label, score and mask of each.
type Facts = Vec<(Option<u64>, Option<String>, Option<f32>, Mask)>;

fn facts(given: Vec<Given>) -> Facts {
    let of = |Given { id, region }| (id, region.label, region.score, region.mask);
    given.into_iter().map(of).collect()
}

/// Those of what was written, but for regions without pixels where formats have no such.
fn written(regions: &[(u32, Region)], with_empty: bool) -> Facts {
    let kept = regions
        .iter()
        .filter(|(_, region)| with_empty || !region.mask.is_empty());
    let of = |(id, region): &(u32, Region)| {
        let Region {
            mask, score, label, ..
        } = region.clone();
        (Some(u64::from(*id)), label, score, mask)
    };
    kept.map(of).collect()
}

proptest! {
    #[test]
    fn coco_keeps_everything(regions in regions()) {
        let mut dataset = Dataset::default();
        let other = Region::new(Mask::rect(Size::new(5, 5), BBox::new(1, 1, 2, 2)));
        let others = [other];
        dataset.extend([
            Annotated::new(&Picture::segmented("b.png", Size::new(5, 5), &others)),
            Annotated::new(&picture(&regions)),
        ]);
        let bytes = dataset.json().unwrap();
        prop_assert_eq!(Format::recognise(&bytes).unwrap(), Format::Coco);
        let found = facts(read(&bytes, Format::Coco, &[]));
        prop_assert_eq!(found, written(&regions, true));
    }

    #[test]
    fn arrays_keep_everything(regions in regions()) {
        let bytes = npz::npz(&picture(&regions)).unwrap();
        prop_assert_eq!(Format::recognise(&bytes).unwrap(), Format::Npz);
        let found = facts(read(&bytes, Format::Npz, &[]));
        prop_assert_eq!(found, written(&regions, true));
    }

    #[test]
    fn geojson_keeps_masks_with_holes(regions in regions()) {
        let bytes = geojson::geojson(&picture(&regions)).unwrap();
        prop_assert_eq!(Format::recognise(&bytes).unwrap(), Format::GeoJson);
        let regions: Vec<_> = regions.into_iter().filter(|(_, region)| !region.mask.is_empty()).collect();
        let bytes = geojson::geojson(&picture(&regions)).unwrap();
        let found = facts(read(&bytes, Format::GeoJson, &[]));
        prop_assert_eq!(found, written(&regions, false));
    }

    #[test]
    fn labelme_keeps_parts_and_holes(regions in regions()) {
        let bytes = labelme::labelme(&picture(&regions)).unwrap();
        prop_assert_eq!(Format::recognise(&bytes).unwrap(), Format::LabelMe);
        let mut expected = written(&regions, false);
        for (_, label, ..) in &mut expected {
            *label = label.take().or(Some("region".to_owned()));
        }
        prop_assert_eq!(facts(read(&bytes, Format::LabelMe, &[])), expected);
    }

    #[test]
    fn yolo_keeps_masks_in_one_line_each(regions in regions()) {
        let mut classes = Classes::default();
        let bytes = classes.text(&Outlines::new(&picture(&regions))).unwrap();
        let names = class_names("data.yaml", &classes.yaml().unwrap());
        let mut expected = written(&regions, false);
        if expected.is_empty() {
            return Ok(());
        }
        prop_assert_eq!(Format::recognise(&bytes).unwrap(), Format::Yolo);
        for (id, label, score, _) in &mut expected {
            (*id, *score) = (None, None);
            *label = label.take().or(Some("region".to_owned()));
        }
        prop_assert_eq!(facts(read(&bytes, Format::Yolo, &names.unwrap())), expected);
    }

    #[test]
    fn csv_keeps_boxes(regions in regions()) {
        let bytes = csv::csv(&picture(&regions)).unwrap();
        prop_assert_eq!(Format::recognise(&bytes).unwrap(), Format::Csv);
        let mut expected = written(&regions, true);
        for (_, label, _, mask) in &mut expected {
            *mask = Mask::rect(SIZE, mask.bbox());
            // Spaces around a value do not count.
            *label = label.take().map(|label| label.trim().to_owned());
        }
        prop_assert_eq!(facts(read(&bytes, Format::Csv, &[])), expected);
    }

    #[test]
    fn masks_are_the_regions(regions in regions()) {
        let mut folder = MaskFolder::new(SIZE);
        for (id, region) in &regions {
            let bytes = masks::png(&region.mask).unwrap();
            folder.add(&format!("photo.{id}.png"), &bytes).unwrap();
        }
        let mut expected = written(&regions, true);
        for (_, label, score, _) in &mut expected {
            (*label, *score) = (None, None);
        }
        prop_assert_eq!(facts(folder.finish().unwrap().given), expected);
    }
}

#[test]
fn boxes_stay_boxes() {
    let cup = Region {
        label: Some("cup".to_owned()),
        ..Region::of_box(SIZE, [2.0, 3.0, 30.0, 20.0])
    };
    let regions = [(7, cup.clone())];
    let picture = picture(&regions);
    let mut dataset = Dataset::default();
    dataset.extend([Annotated::new(&picture)]);
    let mut classes = Classes::default();
    let text = classes.text(&Outlines::new(&picture)).unwrap();
    let names = class_names("data.yaml", &classes.yaml().unwrap()).unwrap();
    for (bytes, format) in [
        (dataset.json().unwrap(), Format::Coco),
        (labelme::labelme(&picture).unwrap(), Format::LabelMe),
        (geojson::geojson(&picture).unwrap(), Format::GeoJson),
        (csv::csv(&picture).unwrap(), Format::Csv),
        (text, Format::Yolo),
    ] {
        let found = read(&bytes, format, &names);
        let [Given { region, .. }] = &found[..] else {
            panic!("{format:?}: {} regions", found.len());
        };
        assert_eq!(region.shape(), cup.shape(), "{format:?}");
        assert_eq!(region.mask, cup.mask, "{format:?}");
        assert_eq!(region.label, cup.label, "{format:?}");
    }
}

#[test]
fn classes_of_a_dataset_that_is_there_hold() {
    let cup = Region {
        label: Some("cup".to_owned()),
        ..Region::new(Mask::rect(SIZE, BBox::new(1, 1, 4, 4)))
    };
    let regions = [(1, cup)];
    let outlines = Outlines::new(&picture(&regions));
    let mut classes = Classes::fixed(vec!["spoon".to_owned(), "cup".to_owned()]);
    let text = classes.text(&outlines).unwrap();
    assert!(text.starts_with(b"1 "));
    assert_eq!(classes.yaml(), None);
    let error = Classes::fixed(Vec::new()).text(&outlines).unwrap_err();
    assert!(error.message().contains("no class \"cup\""), "{error}");
}
