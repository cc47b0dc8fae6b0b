use serde_json::json;
use som_core::{BBox, Mask, Region, Size};

fn region() -> Region {
    let mut region = Region::new(Mask::rect(Size::new(5, 4), BBox::new(1, 1, 2, 2)));
    region.score = Some(0.93);
    region.label = Some("cup".to_owned());
    region.level = Some(3);
    region.extra.insert("predicted_iou".to_owned(), json!(0.5));
    region
}

#[test]
fn json_is_a_coco_annotation() {
    assert_eq!(
        serde_json::to_string(&region()).unwrap(),
        r#"{"bbox":[1,1,2,2],"area":4,"segmentation":{"size":[4,5],"counts":"52207"},"score":0.93,"label":"cup","level":3,"parent":null,"extra":{"predicted_iou":0.5}}"#
    );
}

#[test]
fn regions_survive_json() {
    for region in [region(), Region::new(Mask::empty(Size::new(3, 0)))] {
        let json = serde_json::to_string(&region).unwrap();
        assert_eq!(serde_json::from_str::<Region>(&json).unwrap(), region);
    }
}

#[test]
fn the_mask_alone_is_needed_and_checked() {
    let rle = json!({"size": [4, 5], "counts": [5, 2, 2, 2, 9]});
    let read: Region = serde_json::from_value(json!({"segmentation": rle})).unwrap();
    assert_eq!(read.bbox(), BBox::new(1, 1, 2, 2));
    let wrong = json!({"segmentation": {"size": [4, 5], "counts": [5, 2]}});
    let error = serde_json::from_value::<Region>(wrong).unwrap_err();
    assert_eq!(
        error.to_string(),
        "RLE: the counts add up to 7 pixels, but a 5x4 mask has 20"
    );
}
