use std::{fs, path::Path};

use object::{Object, read::NameOrOrdinal};
use som_core::{
    BBox, Call, Canvas, Color, Image, Mark, MarkStyle, Marks, Mask, Params, Point, Region, Result,
    SegmenterFactory, Size,
};
use som_plugin::host::load;

use super::build::{c_library, rust_library};

const SIZE: Size = Size::new(20, 10);

fn segment(library: &Path, params: serde_json::Value, pixels: &[u8]) -> Result<Vec<Region>> {
    let params: Params = serde_json::from_value(params).unwrap();
    let call = Call::uncancellable(&params);
    let image = Image::from_raw(SIZE.width, SIZE.height, pixels).unwrap();
    load(library)?.segmenters[0]
        .create(&call)?
        .segment(&image, &call)
}

fn draw(library: &Path, params: serde_json::Value, pixels: &mut [u8]) -> Result<()> {
    let params: Params = serde_json::from_value(params).unwrap();
    let bbox = BBox::new(2, 1, 9, 8);
    let mark = Mark {
        region: Region::new(Mask::rect(SIZE, bbox)),
        text: String::new(),
        label_box: BBox::new(4, 4, 1, 1),
        anchor: Point::new(4, 4),
        color: Color([255, 0, 0]),
    };
    let mut canvas = Canvas::from_raw(SIZE.width, SIZE.height, pixels).unwrap();
    load(library)?.mark_styles[0].draw(
        &mut canvas,
        &Marks::from_iter([&mark]),
        &Call::uncancellable(&params),
    )
}

/// The pixels of a row whose red differs from `background`, as a picture.
fn row(pixels: &[u8], y: usize, background: u8) -> String {
    let row = pixels.chunks(SIZE.width as usize * 3).nth(y).unwrap();
    row.chunks(3)
        .map(|rgb| if rgb[0] == background { '.' } else { '#' })
        .collect()
}

#[test]
fn the_segmenter_in_rust_cuts_a_grid() {
    let pixels = [0; 600];
    let library = rust_library("example-segmenter");
    let regions = segment(&library, serde_json::json!({"cell": 8}), &pixels).unwrap();
    let boxes: Vec<BBox> = regions.iter().map(Region::bbox).collect();
    let expected = [
        (0, 0, 8, 8),
        (8, 0, 8, 8),
        (16, 0, 4, 8),
        (0, 8, 8, 2),
        (8, 8, 8, 2),
        (16, 8, 4, 2),
    ];
    assert_eq!(
        boxes,
        expected.map(|(x, y, width, height)| BBox::new(x, y, width, height))
    );
}

#[test]
fn the_segmenter_in_c_separates_bright_from_dark() {
    let mut pixels = [10; 600];
    pixels[3 * 25..3 * 30].fill(200);
    let library = c_library("segmenter-c", "examples/segmenter-c/segmenter.c", []);
    let regions = segment(&library, serde_json::json!({"threshold": 128}), &pixels).unwrap();
    let [bright, dark] = &regions[..] else {
        panic!("two regions")
    };
    assert_eq!(
        (bright.label.as_deref(), dark.label.as_deref()),
        (Some("bright"), Some("dark"))
    );
    assert_eq!(bright.mask, Mask::rect(SIZE, BBox::new(5, 1, 5, 1)));
    assert_eq!(dark.mask.area(), 195);
    let regions = segment(&library, serde_json::json!({"threshold": 201}), &pixels).unwrap();
    assert_eq!(regions.len(), 1);
}

#[test]
fn the_mark_style_in_rust_draws_corners() {
    let mut pixels = [7; 600];
    let library = rust_library("example-mark-style");
    draw(&library, serde_json::json!({"line_width": 1}), &mut pixels).unwrap();
    let rows = [0, 1, 2, 3, 6, 7, 8, 9].map(|y| row(&pixels, y, 7));
    assert_eq!(
        rows,
        [
            "....................",
            "..##.....##.........",
            "..#.......#.........",
            "....................",
            "....................",
            "..#.......#.........",
            "..##.....##.........",
            "....................",
        ]
    );
}

#[test]
fn the_mark_style_in_c_darkens_the_rest() {
    let mut pixels = [100; 600];
    let library = c_library("mark-style-c", "examples/mark-style-c/mark_style.c", []);
    draw(&library, serde_json::json!({"strength": 0.25}), &mut pixels).unwrap();
    assert_eq!(row(&pixels, 0, 100), "#".repeat(20));
    assert_eq!(row(&pixels, 4, 100), "##.........#########");
    assert_eq!(pixels[0], 75);
}

#[test]
fn a_plugin_in_rust_exports_its_entry_alone() {
    for package in ["example-segmenter", "example-mark-style", "example-tracker"] {
        let bytes = fs::read(rust_library(package)).unwrap();
        let library = object::File::parse(&*bytes).unwrap();
        let exports: Vec<_> = library
            .exports()
            .unwrap()
            .map(|export| export.unwrap().into_name())
            .collect();
        assert_eq!(
            exports,
            [NameOrOrdinal::Name(b"som_plugin_entry_v1".into())],
            "{package}"
        );
    }
}
