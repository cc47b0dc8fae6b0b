//! Objects of a sequence, followed by a model.

use std::{fs, sync::Arc};

use image::{Rgb, RgbImage};
use serde_json::json;
use som_eval::data::{Kind, LabelMap, Place};

use crate::{
    asset::{path, value},
    bench::{Drawn, Oracle, report, row, run},
};

/// DAVIS's miniature, with frames in which each object has a colour of its own.
fn davis() -> Drawn {
    let drawn = Drawn(tempfile::tempdir().unwrap());
    let maps = path("davis2017/DAVIS/Annotations/480p/astro");
    let places = [
        "ImageSets/2017/val.txt",
        "Annotations/480p/astro",
        "JPEGImages/480p/astro",
    ];
    for place in places {
        let folder = drawn.path(place);
        let parent = folder.parent().unwrap();
        let is_file = place.ends_with(".txt");
        fs::create_dir_all(if is_file { parent } else { folder.as_path() }).unwrap();
    }
    fs::write(drawn.path(places[0]), "astro\n").unwrap();
    for entry in fs::read_dir(maps).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_name().unwrap();
        fs::copy(&file, drawn.path(places[1]).join(name)).unwrap();
        let map = LabelMap::read(&file).unwrap();
        let mut frame = RgbImage::new(map.size.width, map.size.height);
        for (pixel, label) in frame.pixels_mut().zip(&map.labels) {
            *pixel = [Rgb([90, 90, 90]), Rgb([220, 20, 20]), Rgb([20, 20, 220])][*label as usize];
        }
        frame
            .save(drawn.path(places[2]).join(name).with_extension("jpg"))
            .unwrap();
    }
    drawn
}

#[tokio::test]
async fn objects_are_followed_from_the_first_frame() {
    let drawn = davis();
    let oracle = Arc::new(Oracle::new());
    let mut plan = drawn.plan(vec![row(json!({"name": "golden", "regions": "golden"}))]);
    plan.data = Place {
        kind: Kind::Davis2017,
        ..plan.data
    };
    let folder = drawn.path("out");
    let ran = run(&oracle, &plan, &folder).await.unwrap();
    assert_eq!((ran.rows[0].done, ran.rows[0].failure.clone()), (1, None));
    // Six frames: the first is given, and the last does not count.
    assert_eq!(ran.asked, 4);
    let report = report(&folder);
    assert_eq!(value(&report.rows[0].scores, "j&f"), 1.0);
    // What cannot be asked is told.
    let other = drawn.plan(vec![row(
        json!({"segmenter": "columns", "specialist": true}),
    )]);
    let mut other = other;
    other.data = plan.data;
    let ran = run(&oracle, &other, &drawn.path("other")).await.unwrap();
    assert!(
        ran.rows[0].left_out[0].contains("of sequences only those"),
        "{ran:?}"
    );
}
