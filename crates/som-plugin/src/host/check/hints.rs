//! Hints to try a segmenter with.

use serde_json::Value;
use som_core::{BBox, BoxHint, Capability, Descriptor, ExampleHint, Hints, Mask, PointHint, Size};

use super::test_image::TestImage;

/// Hints of each kind that a segmenter declares, and what each is.
pub(super) fn hints_of(descriptor: &Descriptor, size: Size) -> Vec<(&'static str, Value)> {
    let capabilities = descriptor.capabilities.iter();
    capabilities
        .flat_map(|&capability| hints_for(capability, size))
        .collect()
}

/// Hints that need `capability`, for an image of `size`.
pub(super) fn hints_for(capability: Capability, size: Size) -> Vec<(&'static str, Value)> {
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    let point = |x, y, label| PointHint { x, y, label };
    let middle = point((width / 2.0).floor(), (height / 2.0).floor(), 1);
    let corner = point(width - 1.0, height - 1.0, 1);
    let points = |points: &[PointHint]| Hints {
        points: points.to_vec(),
        ..Hints::default()
    };
    let bbox = |x, y, width, height| Hints {
        boxes: vec![BoxHint {
            x,
            y,
            width,
            height,
        }],
        ..Hints::default()
    };
    let mask = |bbox: BBox| Hints {
        masks: vec![Mask::rect(size, bbox).to_rle()],
        ..Hints::default()
    };
    let half = BBox::new(0, 0, size.width.div_ceil(2), size.height);
    let hints = match capability {
        Capability::Points => vec![
            ("a point", points(&[middle])),
            ("a point in the last corner", points(&[corner])),
            (
                "a point and one of the background",
                points(&[middle, point(0.0, 0.0, 0)]),
            ),
        ],
        Capability::Boxes => vec![
            ("a box around everything", bbox(0.0, 0.0, width, height)),
            (
                "a box of one pixel",
                bbox(width - 1.0, height - 1.0, 1.0, 1.0),
            ),
        ],
        Capability::Masks => vec![
            ("a mask", mask(half)),
            ("a mask of one pixel", mask(BBox::new(0, 0, 1, 1))),
        ],
        Capability::Text => vec![(
            "a text",
            Hints {
                texts: vec!["a cup".to_owned()],
                ..Hints::default()
            },
        )],
        Capability::Examples => {
            let example = |bbox| Hints {
                examples: example(size, bbox).into_iter().collect(),
                ..Hints::default()
            };
            vec![
                ("an example", example(half)),
                ("an example of one pixel", example(BBox::new(0, 0, 1, 1))),
            ]
        }
        Capability::Automatic | Capability::Labels | Capability::Levels => Vec::new(),
    };
    let as_json = |(what, hints)| Some((what, serde_json::to_value(hints).ok()?));
    hints.into_iter().filter_map(as_json).collect()
}

/// A picture of `size` in which the pixels of `bbox` are what is looked for.
fn example(size: Size, bbox: BBox) -> som_core::Result<ExampleHint> {
    let picture = TestImage::photograph(size.width, size.height);
    let labels = Mask::rect(size, bbox).to_dense(size.bbox());
    ExampleHint::of_pixels(&picture.image()?, &labels)
}
