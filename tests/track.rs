//! `som track`: objects through videos, with what is embedded.

use image::{Delay, Frame, Rgb, RgbImage, codecs::gif::GifEncoder};
use serde_json::{Value, json};
use som_core::{BBox, Mask, Rle};

use crate::som::{Folder, Ran};

const WIDTH: u32 = 192;
const HEIGHT: u32 = 128;

const RED: Rgb<u8> = Rgb([214, 40, 40]);
const BLUE: Rgb<u8> = Rgb([30, 60, 200]);
const GROUND: Rgb<u8> = Rgb([225, 222, 210]);

/// A red and a blue square that pass each other.
fn places(index: u32) -> [BBox; 2] {
    [
        BBox::new(10 + 12 * index, 20, 40, 36),
        BBox::new(140 - 12 * index, 76, 36, 30),
    ]
}

fn picture(index: u32) -> RgbImage {
    let [red, blue] = places(index);
    RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let point = som_core::Point::new(x, y);
        match (red.contains(point), blue.contains(point)) {
            (true, _) => RED,
            (_, true) => BLUE,
            _ => GROUND,
        }
    })
}

/// A folder with so many frames in `frames/`, whose names sort by number alone.
fn film(count: u32) -> Folder {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("frames")).unwrap();
    for index in 0..count {
        let path = folder.path(format!("frames/frame{index}.png"));
        picture(index).save(path).unwrap();
    }
    folder
}

fn track(folder: &Folder, words: &[&str]) -> Ran {
    folder.som(&[&["track"], words].concat())
}

/// The masks of a frame, by object.
fn masks(report: &Value, at: usize) -> Vec<(u64, Mask)> {
    let objects = report["frames"][at]["objects"].as_array().unwrap().iter();
    objects
        .map(|object| {
            let rle: Rle = serde_json::from_value(object["segmentation"].clone()).unwrap();
            let number = object["object"].as_u64().unwrap();
            (number, Mask::from_rle(&rle).unwrap())
        })
        .collect()
}

fn mask_of(report: &Value, at: usize, object: u64) -> Mask {
    let mut all = masks(report, at).into_iter();
    let found = all.find(|(number, _)| *number == object);
    found
        .unwrap_or_else(|| panic!("frame {at} has no object {object}"))
        .1
}

fn square(bbox: BBox) -> Mask {
    Mask::rect(som_core::Size::new(WIDTH, HEIGHT), bbox)
}

fn assert_follows_the_schema(report: &Value) {
    let schema = include_str!("../crates/cli/schemas/track.schema.json");
    let schema: Value = serde_json::from_str(schema).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = schema
        .iter_errors(report)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn everything_keeps_its_number_and_its_mark() {
    let folder = film(8);
    let ran = track(&folder, &["frames", "-o", "marked", "--json", "out.json"]).succeeded();
    assert!(
        ran.stderr.contains("frames: 3 objects in 8 frames"),
        "{}",
        ran.stderr
    );
    let report = folder.json("out.json");
    assert_follows_the_schema(&report);
    assert_eq!(report["tracker"]["id"], "classic");
    let first = masks(&report, 0);
    let number_of = |bbox: BBox| {
        let found = first.iter().find(|(_, mask)| mask.iou(&square(bbox)) > 0.9);
        found.unwrap().0
    };
    let [red, blue] = places(0).map(number_of);
    let colors = |at: usize| -> Vec<(u64, Value)> {
        let marks = report["frames"][at]["marked"]["marks"].as_array().unwrap();
        marks
            .iter()
            .map(|mark| (mark["id"].as_u64().unwrap(), mark["color"].clone()))
            .collect()
    };
    // Where a label is, from the middle of its object.
    let place = |at: usize, number: u64| -> [i64; 2] {
        let marks = report["frames"][at]["marked"]["marks"].as_array().unwrap();
        let mark = marks.iter().find(|mark| mark["id"] == number).unwrap();
        let label: [i64; 4] = serde_json::from_value(mark["label_box"].clone()).unwrap();
        let scale = folder.image(&format!("marked/frame{at}.png")).width() / WIDTH;
        let region: [i64; 4] = serde_json::from_value(mark["region"]["bbox"].clone()).unwrap();
        [0, 1].map(|axis| {
            let middle = i64::from(scale) * (2 * region[axis] + region[axis + 2]);
            2 * label[axis] + label[axis + 2] - middle
        })
    };
    for at in 0..8 {
        let [red_place, blue_place] = places(at as u32);
        for (number, place) in [(red, red_place), (blue, blue_place)] {
            let found = mask_of(&report, at, number);
            assert!(
                found.iou(&square(place)) > 0.9,
                "frame {at}, object {number}"
            );
        }
        assert_eq!(colors(at), colors(0), "frame {at}");
        let marked = folder.image(&format!("marked/frame{at}.png"));
        assert_ne!(marked, picture(at as u32));
    }
    // A label moves against its object once at most: where that of the ground comes in its way.
    for number in [red, blue] {
        let moves = (1..8).filter(|&at| place(at, number) != place(at - 1, number));
        assert!(moves.count() <= 1, "object {number}");
    }
}

#[test]
fn what_is_pointed_at_is_followed_forwards_and_backwards() {
    let folder = film(7);
    let hint = {
        let bbox = places(3)[1];
        format!(
            "3:5:box:{},{},{},{}",
            bbox.x, bbox.y, bbox.width, bbox.height
        )
    };
    let ran = track(
        &folder,
        &["frames", "--hint", &hint, "--masks", "maps", "--json", "-"],
    );
    let report = ran.succeeded().json();
    assert_follows_the_schema(&report);
    let order: Vec<u64> = report["frames"]
        .as_array()
        .unwrap()
        .iter()
        .map(|frame| frame["index"].as_u64().unwrap())
        .collect();
    assert_eq!(order, [0, 1, 2, 3, 4, 5, 6]);
    for at in 0..7 {
        assert_eq!(masks(&report, at).len(), 1, "frame {at}");
        let found = mask_of(&report, at, 5);
        assert!(found.iou(&square(places(at as u32)[1])) > 0.9, "frame {at}");
        let map = image::open(folder.path(format!("maps/{at:05}.png"))).unwrap();
        let covered = map
            .into_luma8()
            .pixels()
            .filter(|pixel| pixel.0 == [5])
            .count();
        assert_eq!(covered as u64, found.area(), "frame {at}");
    }
    assert_eq!(
        report["objects"],
        json!([{"object": 5, "first": 0, "last": 6, "frames": 7}])
    );

    // The map of a frame is a hint again.
    let words = [
        "frames",
        "--hint",
        "2:map:maps/00002.png",
        "--from",
        "2",
        "--json",
        "-",
    ];
    let again = track(&folder, &words).succeeded().json();
    assert_eq!(masks(&again, 0), masks(&report, 2));
}

#[test]
fn objects_are_removed_where_it_is_said_and_frames_are_chosen() {
    let folder = film(9);
    let [red, blue] = places(0);
    let said = |object: u64, bbox: BBox| {
        format!(
            "0:{object}:box:{},{},{},{}",
            bbox.x, bbox.y, bbox.width, bbox.height
        )
    };
    let (red, blue) = (said(1, red), said(2, blue));
    let words = [
        "frames",
        "--every",
        "2",
        "--to",
        "6",
        "--hint",
        &red,
        "--hint",
        &blue,
        "--hint",
        "4:1:remove",
    ];
    let report = track(&folder, &words).succeeded().json();
    let frames = report["frames"].as_array().unwrap();
    let told: Vec<(u64, usize)> = frames
        .iter()
        .map(|frame| {
            let objects = frame["objects"].as_array().unwrap().len();
            (frame["index"].as_u64().unwrap(), objects)
        })
        .collect();
    assert_eq!(told, [(0, 2), (2, 2), (4, 1), (6, 1)]);
    assert_eq!(report["video"]["frames"], 9);
}

#[test]
fn an_animation_is_a_video_in_and_out() {
    let folder = Folder::new();
    let mut bytes = Vec::new();
    {
        let mut encoder = GifEncoder::new_with_speed(&mut bytes, 10);
        for index in 0..5 {
            let picture = image::DynamicImage::from(picture(index)).into_rgba8();
            let delay = Delay::from_numer_denom_ms(100, 1);
            encoder
                .encode_frame(Frame::from_parts(picture, 0, 0, delay))
                .unwrap();
        }
    }
    folder.write("clip.gif", bytes);
    let words = [
        "clip.gif",
        "-o",
        "marked.gif",
        "--json",
        "out.json",
        "--set",
        "level=3",
    ];
    track(&folder, &words).succeeded();
    let report = folder.json("out.json");
    assert_follows_the_schema(&report);
    assert_eq!(
        (
            report["video"]["rate"].as_f64(),
            report["video"]["frames"].as_u64()
        ),
        (Some(10.0), Some(5))
    );
    assert!(report["frames"][0].get("path").is_none());
    let again = track(&folder, &["marked.gif", "--json", "-"])
        .succeeded()
        .json();
    assert_eq!(again["frames"].as_array().unwrap().len(), 5);
}

#[test]
fn a_video_that_goes_wrong_keeps_what_there_is_of_it() {
    let folder = film(4);
    let other = RgbImage::from_pixel(64, 64, GROUND);
    other.save(folder.path("frames/frame2.png")).unwrap();
    let ran = track(&folder, &["frames", "--json", "out.json"]);
    assert_eq!(ran.code, 2);
    let told = "frames/frame2.png: frame 2 is 64x64, but the video's first was 192x128";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    let report = folder.json("out.json");
    assert_follows_the_schema(&report);
    assert_eq!(report["frames"].as_array().unwrap().len(), 2);
    assert!(
        report["error"]
            .as_str()
            .unwrap()
            .contains("frame 2 is 64x64")
    );
}

#[test]
fn each_frame_has_a_file_of_its_own_and_none_is_written_over() {
    let folder = Folder::new();
    for (index, name) in ["frame.0001.png", "frame.0002.png", "00000.png"]
        .into_iter()
        .enumerate()
    {
        let path = folder.path(name);
        picture(index as u32).save(path).unwrap();
    }
    track(&folder, &["frame.*.png", "-o", "marked", "-q"]).succeeded();
    let marked: Vec<String> = folder
        .files()
        .into_iter()
        .filter(|name| name.starts_with("marked/"))
        .collect();
    assert_eq!(marked, ["marked/frame.0001.png", "marked/frame.0002.png"]);
    for words in [
        &["frame.*.png", "-o", "."][..],
        &["0000*.png", "--masks", ".", "--hint", "0:1:point:30,30"],
    ] {
        let before: Vec<Vec<u8>> = ["frame.0001.png", "00000.png"]
            .map(|name| folder.read(name))
            .into();
        let ran = track(&folder, words);
        assert_eq!(ran.code, 2, "{words:?}: {}", ran.stderr);
        assert!(
            ran.stderr
                .contains("is an image to read, and would be written over"),
            "{words:?}: {}",
            ran.stderr
        );
        let after: Vec<Vec<u8>> = ["frame.0001.png", "00000.png"]
            .map(|name| folder.read(name))
            .into();
        assert_eq!(before, after, "{words:?}");
    }
}

#[test]
fn mistakes_are_named_with_their_fix() {
    let folder = film(2);
    folder.write("none/readme.txt", "");
    folder.write("clip.mp4", [0; 4096]);
    for (words, code, told) in [
        (
            &["frames", "--tracker", "nobody"][..],
            2,
            "tracker \"nobody\" does not exist",
        ),
        (
            &["frames", "--hint", "7:1:point:3,3"],
            2,
            "--hint 7:…: this frame is not among",
        ),
        (
            &["frames", "--hint", "0:1:point:300,3"],
            2,
            "lies outside the image of 192x128",
        ),
        (
            &["frames", "--hint", "0:point:3,3"],
            2,
            "write it as FRAME:OBJECT:HINT",
        ),
        (&["frames", "--hint", "0:1:text:cup"], 3, "takes no text"),
        (
            &["frames", "--set", "reach=3"],
            2,
            "--set reach: nothing takes this key",
        ),
        (
            &["frames", "--from", "2"],
            2,
            "there is no frame from 2 on (it has 2, counted from 0)",
        ),
        (&["none"], 2, "the folder holds no image"),
        (&["-"], 2, "a video cannot come from stdin"),
        (&["clip.mp4"], 4, "ffmpeg, which is not installed"),
    ] {
        let mut command = folder.command(&[&["track"], words].concat());
        // No program is found there.
        command.env("PATH", folder.path("none"));
        let ran = Ran::of(&mut command);
        assert_eq!(ran.code, code, "{words:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(told), "{words:?}: {}", ran.stderr);
    }
}
