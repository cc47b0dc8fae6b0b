//! Panoptic quality, against panopticapi's own evaluation.

use std::fs;

use serde::Deserialize;
use som_core::{Mask, Size};
use som_eval::{
    data::LabelMap,
    metrics::panoptic::{Labelled, Panoptic, Quality},
};

use crate::asset::path;

#[derive(Deserialize)]
struct Cases {
    size: [u32; 2],
    images: Vec<Image>,
    each: Vec<Official>,
    all: Official,
}

#[derive(Deserialize)]
struct Image {
    truth: Side,
    found: Side,
}

#[derive(Deserialize)]
struct Side {
    /// Runs of a label and its number of pixels, row by row.
    labels: Vec<[u32; 2]>,
    segments: Vec<Segment>,
}

#[derive(Deserialize)]
struct Segment {
    id: u32,
    class: String,
    #[serde(default)]
    crowd: bool,
}

#[derive(Deserialize)]
struct Official {
    pq: f64,
    sq: f64,
    rq: f64,
    n: f64,
}

impl Side {
    fn map(&self, size: Size) -> LabelMap {
        let runs = self.labels.iter();
        let labels = runs.flat_map(|[label, count]| std::iter::repeat_n(*label, *count as usize));
        LabelMap {
            size,
            labels: labels.collect(),
            is_indexed: false,
        }
    }
}

fn add(panoptic: &mut Panoptic, image: &Image, size: Size) {
    let (truth, found) = (image.truth.map(size), image.found.map(size));
    let masks = |side: &Side, map: &LabelMap| -> Vec<Mask> {
        side.segments
            .iter()
            .map(|segment| map.mask(segment.id))
            .collect()
    };
    let masks = [masks(&image.truth, &truth), masks(&image.found, &found)];
    let [truth_masks, found_masks] = &masks;
    let truth_segments = labelled(&image.truth, truth_masks);
    let found_segments = labelled(&image.found, found_masks);
    panoptic.add(&truth_segments, &found_segments, &truth.mask(0));
}

fn labelled<'a>(side: &'a Side, masks: &'a [Mask]) -> Vec<Labelled<'a>> {
    let segments = side.segments.iter().zip(masks);
    let labelled = segments.map(|(segment, mask)| Labelled {
        class: &segment.class,
        mask,
        is_crowd: segment.crowd,
    });
    labelled.collect()
}

fn assert_same(found: Quality, official: &Official) {
    assert_eq!(found.classes as f64, official.n);
    let pairs = [
        (found.pq, official.pq),
        (found.sq, official.sq),
        (found.rq, official.rq),
    ];
    for (found, official) in pairs {
        assert!(
            (found - official).abs() < 1e-12,
            "{found} instead of {official}"
        );
    }
}

#[test]
fn panoptic_quality_is_panopticapis() {
    let text = fs::read_to_string(path("panoptic_quality.json")).unwrap();
    let cases: Cases = serde_json::from_str(&text).unwrap();
    let size = Size::new(cases.size[0], cases.size[1]);
    let mut all = Panoptic::default();
    for (image, official) in cases.images.iter().zip(&cases.each) {
        let mut one = Panoptic::default();
        add(&mut one, image, size);
        assert_same(one.quality().unwrap(), official);
        add(&mut all, image, size);
    }
    assert_eq!(cases.images.len(), 12);
    assert_same(all.quality().unwrap(), &cases.all);
}
