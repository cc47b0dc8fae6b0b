//! Bad files: an error with its place, little memory, and no panic.

use proptest::prelude::*;
use som_core::{ErrorKind, Size};
use som_formats::{FormatError, MAX_ENTRIES};

use crate::read;

const SIZE: Size = Size::new(100, 80);

#[test]
fn broken_json_is_told_by_line_and_column() {
    for (text, place) in [
        (
            "{\"shapes\": [\n  {\"label\": \"a\",,}\n]}",
            "line 2, column 17: ",
        ),
        (
            "[{\"x\": 1, \"y\": 2, \"width\": 3, \"height\": 4}",
            "line 1, column 42: EOF",
        ),
        (
            "{\"shapes\": [\n{\"label\": \"a\", \"points\": 3}]}",
            "line 2, column 26: [0]: invalid type",
        ),
        (
            "{\"images\": [{\"id\": 1}],\n\"annotations\": [{\"image_id\": 1, \"bbox\": [1, 2]}]}",
            "line 2, column 46: annotations[0]: invalid length 2",
        ),
    ] {
        let error = read(text.as_bytes(), "a.png", SIZE).unwrap_err();
        assert!(matches!(error, FormatError::Syntax { .. }), "{error:?}");
        assert!(error.to_string().starts_with(place), "{error}");
    }
}

#[test]
fn a_million_entries_are_refused_with_the_limit() {
    let entry = r#"{"x": 1, "y": 2, "width": 3, "height": 4},"#;
    let boxes = format!("[{}{{}}]", entry.repeat(1_000_000));
    let csv = format!("x,y,width,height\n{}", "1,2,3,4\n".repeat(1_000_000));
    let yolo = "0 0.5 0.5 0.1 0.1\n".repeat(1_000_000);
    let shapes = format!(
        "{{\"shapes\": [{}{{}}]}}",
        r#"{"label": "a", "points": []},"#.repeat(1_000_000)
    );
    for text in [boxes, csv, yolo, shapes] {
        let error = read(text.as_bytes(), "a.png", SIZE)
            .unwrap_err()
            .to_string();
        let limit = format!("more than {MAX_ENTRIES} entries");
        assert!(error.contains(&limit), "{error}");
    }
}

/// Every byte of an archive of arrays may be another one.
#[test]
fn damaged_arrays_are_errors() {
    let regions = [som_core::Region {
        label: Some("cup".to_owned()),
        ..som_core::Region::new(som_core::Mask::rect(
            SIZE,
            som_core::BBox::new(3, 4, 20, 10),
        ))
    }];
    let picture = som_formats::write::Picture::segmented("a.png", SIZE, &regions);
    let whole = som_formats::write::npz::npz(&picture).unwrap();
    let other = read(&whole, "a.png", Size::new(80, 100)).unwrap_err();
    assert!(matches!(other, FormatError::OtherSize { .. }), "{other}");
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        let _ = read(&bytes, "a.png", SIZE);
        let error = read(&whole[..at], "a.png", SIZE).unwrap_err();
        assert_ne!(error.kind(), ErrorKind::Internal);
    }
}

#[test]
fn masks_that_take_too_much_memory_are_refused() {
    // As high as an image may be, so that each box has a million runs.
    let size = Size::new(4000, Size::MAX_SIDE);
    let text = "0 0.5 0.5 1 1\n".repeat(20);
    let error = read(text.as_bytes(), "a.png", size).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exhausted);
    assert!(error.to_string().starts_with("line 17: with it"), "{error}");
}

#[test]
fn nothing_is_told_from_something_else() {
    for text in ["", " \n\t", "\u{feff}"] {
        let error = read(text.as_bytes(), "a.png", SIZE).unwrap_err();
        assert_eq!(error.to_string(), "the file is empty");
    }
    let error = read(b"GIF89a", "a.png", SIZE).unwrap_err().to_string();
    assert!(
        error.starts_with("no known format: looked for som's own JSON, COCO"),
        "{error}"
    );
    assert!(
        read(b"\xef\xbb\xbf[]", "a.png", SIZE)
            .unwrap()
            .given
            .is_empty()
    );
}

const FILES: [&str; 6] = [
    r#"{"images":[{"id":1,"file_name":"a.png","width":100,"height":80}],"annotations":[{"id":1,"image_id":1,"category_id":1,"segmentation":{"size":[80,100],"counts":"0P23"},"bbox":[1,2,3,4]}],"categories":[{"id":1,"name":"x"}]}"#,
    r#"{"shapes":[{"label":"a","points":[[1,2],[3,4],[5,1]],"group_id":1,"shape_type":"polygon"},{"label":"m","points":[[1,2],[3,4]],"shape_type":"mask","mask":"iVBORw0KGgo="},{"label":"c","points":[[1,2],[1,2]],"shape_type":"circle"}]}"#,
    r#"{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"MultiPolygon","coordinates":[[[[1,2],[3,4],[9,1]]]]},"properties":{}}]}"#,
    r#"{"image":{"path":"a.png","width":100,"height":80},"regions":[{"bbox":[1,2,3,4],"segmentation":[[1,2,3,4,9,1]],"parent":0}]}"#,
    "x,y,width,height,label\n1,2,3,4,cup\n",
    "0 0.5 0.5 0.1 0.1\n1 0.1 0.1 0.5 0.1 0.5 0.5 0.9\n",
];

proptest! {
    /// Whatever stands in a file, it is read or refused.
    #[test]
    fn no_file_stops_the_program(
        file in 0..FILES.len(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 0..6),
        end in any::<prop::sample::Index>(),
    ) {
        let mut bytes = FILES[file].as_bytes().to_vec();
        for (place, byte, inserts) in edits {
            let place = place.index(bytes.len());
            // Digits and signs change numbers; anything else mostly breaks the text.
            let byte = match byte {
                0..200 => b"0123456789-.e,[]{}\" "[usize::from(byte) % 20],
                byte => byte,
            };
            match inserts {
                true => bytes.insert(place, byte),
                false => bytes[place] = byte,
            }
        }
        let _ = read(&bytes, "a.png", SIZE);
        bytes.truncate(end.index(bytes.len()));
        let _ = read(&bytes, "a.png", SIZE);
    }
}
