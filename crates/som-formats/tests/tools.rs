//! Files as other tools write them.

use som_core::{BBox, Size};
use som_formats::FormatError;

use crate::read;

const SIZE: Size = Size::new(100, 80);

/// Number, label and box of each region of a file.
#[track_caller]
fn found(text: &str, name: &str) -> Vec<(Option<u64>, Option<String>, BBox)> {
    let read = read(text.as_bytes(), name, SIZE).unwrap();
    let of = |given: som_formats::Given| {
        let bbox = given.region.bbox();
        (given.id, given.region.label, bbox)
    };
    read.given.into_iter().map(of).collect()
}

fn one(id: Option<u64>, label: &str, bbox: [u32; 4]) -> (Option<u64>, Option<String>, BBox) {
    let [x, y, width, height] = bbox;
    let label = (!label.is_empty()).then(|| label.to_owned());
    (id, label, BBox::new(x, y, width, height))
}

fn error(text: &str) -> FormatError {
    read(text.as_bytes(), "a.png", SIZE).unwrap_err()
}

const COCO: &str = r#"{
 "images": [{"id": 7, "file_name": "val/a.png", "width": 100, "height": 80},
            {"id": 8, "file_name": "val/b.png", "width": 9, "height": 9}],
 "annotations": [
  {"id": 1, "image_id": 7, "category_id": 3, "bbox": [10, 10, 20.0, 20], "iscrowd": 0,
   "segmentation": [[10, 10, 30, 10, 30, 20, 10, 20], [40, 40, 50, 40, 50, 50, 40, 50]]},
  {"id": 2, "image_id": 8, "category_id": 3, "bbox": [0, 0, 500, 500]},
  {"id": 5, "image_id": 7, "category_id": 4, "bbox": [1, 2, 3, 4], "segmentation": []},
  {"id": 6, "image_id": 7, "category_id": 3, "iscrowd": 1,
   "segmentation": {"size": [80, 100], "counts": [0, 80, 7920]}}],
 "categories": [{"id": 3, "name": "cup", "supercategory": "kitchen"}, {"id": 4, "name": "spoon"}]}"#;

#[test]
fn coco_annotations_are_those_of_the_image() {
    let cups = [
        one(Some(1), "cup", [10, 10, 40, 40]),
        one(Some(5), "spoon", [1, 2, 3, 4]),
        one(Some(6), "cup", [0, 0, 1, 80]),
    ];
    assert_eq!(found(COCO, "photos/a.jpg"), cups);
    let read = read(COCO.as_bytes(), "val/a.png", SIZE).unwrap();
    assert!(read.tells_images_apart);
    assert_eq!(read.given[0].region.mask.area(), 300);
    assert_eq!(read.given[2].region.extra["iscrowd"], true);
    let other = crate::read(COCO.as_bytes(), "c.png", SIZE).unwrap_err();
    assert_eq!(
        other.to_string(),
        "has no entry for c.png (it has val/a.png, val/b.png)"
    );
    let other = crate::read(COCO.as_bytes(), "b.png", SIZE)
        .unwrap_err()
        .to_string();
    assert!(
        other.starts_with("its entry belongs to an image of 9x9, but this one has 100x80"),
        "{other}"
    );
}

#[test]
fn coco_results_are_told_by_the_number_of_the_image() {
    let text = r#"[{"image_id": 39769, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.5},
                   {"image_id": 40, "category_id": 1, "bbox": [5, 5, 5, 5], "score": 0.25}]"#;
    let expected = [one(None, "", [1, 2, 3, 4])];
    for name in [
        "000000039769.jpg",
        "x/COCO_val2014_000000039769.jpg",
        "39769",
    ] {
        assert_eq!(found(text, name), expected, "{name}");
    }
    let why =
        "has no results for a.png: no image_id is its name or the number in it (it has 39769, 40)";
    assert_eq!(error(text).to_string(), why);
}

#[test]
fn detections_are_boxes_under_many_names() {
    for (text, expected) in [
        // supervision's JSONSink.
        (
            r#"[{"x_min": 1.0, "y_min": 2.0, "x_max": 11.0, "y_max": 22.0, "class_id": 2,
                 "confidence": 0.5, "tracker_id": 9, "class_name": "cup"}]"#,
            one(Some(9), "cup", [1, 2, 10, 20]),
        ),
        // Ultralytics.
        (
            r#"[{"name": "cup", "class": 41, "confidence": 0.9,
                 "box": {"x1": 1.0, "y1": 2.0, "x2": 11.0, "y2": 22.0}}]"#,
            one(None, "cup", [1, 2, 10, 20]),
        ),
        (
            r#"[{"name": "cup", "class": 41, "box": {"x1": 0, "y1": 0, "x2": 90, "y2": 70},
                 "segments": {"x": [1, 11, 11, 1], "y": [2, 2, 22, 22]}}]"#,
            one(None, "cup", [1, 2, 10, 20]),
        ),
        // Transformers.
        (
            r#"[{"score": 0.99, "label": "cup", "box": {"xmin": 1, "ymin": 2, "xmax": 11, "ymax": 22}}]"#,
            one(None, "cup", [1, 2, 10, 20]),
        ),
        // Roboflow, whose x and y are middles.
        (
            r#"{"image": {"width": 100, "height": 80}, "predictions":
                [{"x": 6, "y": 12, "width": 10, "height": 20, "confidence": 0.5, "class": "cup",
                  "class_id": 0, "detection_id": "a-b"}]}"#,
            one(None, "cup", [1, 2, 10, 20]),
        ),
        // The elements of a page.
        (
            r#"{"url": "https://example.org", "elements":
                [{"tag": "button", "x": 1, "y": 2, "width": 10, "height": 20, "top": 2, "left": 1,
                  "right": 11, "bottom": 22, "text": "OK"}]}"#,
            one(None, "button", [1, 2, 10, 20]),
        ),
        (
            r#"[{"id": 4, "rect": {"left": 1, "top": 2, "width": 10, "height": 20}, "role": "link"}]"#,
            one(Some(4), "link", [1, 2, 10, 20]),
        ),
        // Four numbers, of which the third would reach out of the image as a width.
        (
            r#"[{"bbox": [1, 2, 11, 22], "label": "cup"}, {"bbox": [50, 50, 90, 70]}]"#,
            one(None, "cup", [1, 2, 10, 20]),
        ),
        (
            r#"[{"bbox": [1, 2, 10, 20], "label": "cup"}]"#,
            one(None, "cup", [1, 2, 10, 20]),
        ),
    ] {
        assert_eq!(found(text, "a.png")[0], expected, "{text}");
    }
}

#[test]
fn what_is_not_known_stays_with_the_region() {
    let text = r#"[{"x": 1, "y": 2, "width": 10, "height": 20, "text": "OK", "role": "button",
                    "href": "/a", "visible": true, "note": null}]"#;
    let read = read(text.as_bytes(), "a.png", SIZE).unwrap();
    let extra = &read.given[0].region.extra;
    assert_eq!(extra["href"], "/a");
    assert_eq!(extra["visible"], true);
    assert_eq!(extra["role"], "button");
    assert!(!extra.contains_key("note"), "{extra:?}");
}

#[test]
fn labelme_has_shapes_of_several_kinds() {
    let text = r#"{"version": "5.5.0", "flags": {}, "imagePath": "a.png", "imageData": null,
      "imageHeight": 80, "imageWidth": 100, "shapes": [
       {"label": "cup", "points": [[11, 22], [1, 2]], "group_id": null, "shape_type": "rectangle", "flags": {}},
       {"label": "cat", "points": [[0, 0], [4, 0], [4, 4], [0, 4]], "group_id": 3, "shape_type": "polygon"},
       {"label": "cat", "points": [[8, 0], [10, 0], [10, 4], [8, 4]], "group_id": 3, "shape_type": "polygon"},
       {"label": "disc", "points": [[50, 40], [60, 40]], "shape_type": "circle"},
       {"label": "dot", "points": [[5, 5]], "shape_type": "point"}]}"#;
    let expected = [
        one(None, "cup", [1, 2, 10, 20]),
        one(Some(3), "cat", [0, 0, 10, 4]),
        one(None, "disc", [40, 30, 20, 20]),
    ];
    assert_eq!(found(text, "a.png"), expected);
    let read = read(text.as_bytes(), "a.png", SIZE).unwrap();
    assert_eq!(
        read.notes,
        ["1 shapes have no area and were passed over (first of type point)"]
    );
    let other = text.replace("\"imageWidth\": 100", "\"imageWidth\": 90");
    let why = error(&other).to_string();
    assert!(
        why.starts_with("the file belongs to an image of 90x80"),
        "{why}"
    );
}

#[test]
fn som_reads_what_was_edited() {
    let region = |bbox: &str| format!(r#"{{"bbox": {bbox}, "label": "cup"}}"#);
    let report = |path: &str, id: u32, bbox: &str| {
        format!(
            r#"{{"image": {{"path": "{path}", "width": 100, "height": 80}}, "marks": [{{"id": {id}, "region": {}}}]}}"#,
            region(bbox)
        )
    };
    let line = report("a.png", 7, "[1, 2, 10, 20]");
    let expected = [one(Some(7), "cup", [1, 2, 10, 20])];
    assert_eq!(found(&line, "a.png"), expected);
    // A line for each image.
    let lines = format!("{}\n{line}\n", report("b.png", 1, "[0, 0, 1, 1]"));
    assert_eq!(found(&lines, "x/a.png"), expected);
    assert_eq!(
        found(
            &format!("[{}]", region("[1, 2, 10, 20]"))
                .replace("\"bbox\"", "\"segmentation\": [], \"bbox\""),
            "a.png"
        ),
        [one(None, "cup", [1, 2, 10, 20])]
    );
    let broken = line.replace("\"bbox\": [1, 2, 10, 20],", "");
    assert_eq!(
        error(&broken).to_string(),
        "marks[0]: has neither segmentation nor bbox"
    );
    let parent = line.replace("\"label\"", "\"parent\": 4, \"label\"");
    assert_eq!(
        error(&parent).to_string(),
        "marks[0]: its parent 4 is not the index of another one"
    );
}

#[test]
fn qupath_names_classes_in_its_own_way() {
    let text = r#"{"type": "FeatureCollection", "features": [
      {"type": "Feature", "id": "uuid", "geometry": {"type": "Polygon", "coordinates":
        [[[1, 2], [11, 2], [11, 22], [1, 22], [1, 2]]]},
       "properties": {"objectType": "annotation", "classification": {"name": "Tumor", "color": [1, 2, 3]}}},
      {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}, "properties": null}]}"#;
    assert_eq!(found(text, "a.png"), [one(None, "Tumor", [1, 2, 10, 20])]);
}
