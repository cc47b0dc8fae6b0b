//! `som mark` and `som segment` on photographs: inputs, outputs, parameters, hints, many images.

use std::{fs, time::Duration};

use image::RgbImage;
use serde_json::{Value, json};
use som_core::{BBox, Mask, Rle};

use crate::som::{Folder, Ran, photo, png};

const PHOTOS: [&str; 4] = ["astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg"];

#[test]
fn every_photograph_gets_its_marks() {
    let folder = Folder::with_photos(&PHOTOS);
    for photo in PHOTOS {
        let stem = photo.split_once('.').unwrap().0;
        let (marked, json) = (format!("{stem}.marked.png"), format!("{stem}.json"));
        let ran = folder.som(&["mark", photo, "--json", &json]).succeeded();
        assert!(ran.stdout.is_empty(), "nothing was asked for on stdout");

        let (before, after) = (folder.image(photo), folder.image(&marked));
        assert_eq!(before.dimensions(), after.dimensions());
        let report = folder.json(&json);
        let marks = report["marks"].as_array().unwrap();
        assert_eq!(
            ran.stderr,
            format!("som: {marked}: {} marks\n", marks.len())
        );
        assert!(
            (5..=100).contains(&marks.len()),
            "{photo}: {} marks",
            marks.len()
        );
        assert_eq!(report["pages"], json!([marked]));
        for mark in marks {
            let label = bbox(&mark["label_box"]);
            assert!(
                region_pixels(&before, label) != region_pixels(&after, label),
                "{photo}: nothing is drawn at mark {}",
                mark["id"]
            );
        }
    }
}

#[test]
fn the_same_request_gives_the_same_bytes() {
    let folder = Folder::with_photos(&["coffee.png", "rocket.jpg"]);
    let marked = |jobs: &str, out: &str| {
        folder
            .som(&["mark", ".", "-o", out, "--json", out, "--jobs", jobs, "-q"])
            .succeeded();
        ["coffee", "rocket"].map(|stem| {
            let mut report = folder.json(&format!("{out}/{stem}.json"));
            for key in ["timings_ms", "pages"] {
                report.as_object_mut().unwrap().remove(key);
            }
            (folder.read(&format!("{out}/{stem}.marked.png")), report)
        })
    };
    assert!(marked("1", "a/") == marked("2", "b/"), "two runs differ");
}

#[test]
fn the_endings_of_the_output_name_its_format() {
    let folder = Folder::with_photos(&["coffee.png"]);
    for (name, format) in [
        ("a/new/folder/x.png", image::ImageFormat::Png),
        ("x.jpg", image::ImageFormat::Jpeg),
        ("x.webp", image::ImageFormat::WebP),
    ] {
        folder.som(&["mark", "coffee.png", "-o", name]).succeeded();
        assert_eq!(image::guess_format(&folder.read(name)).unwrap(), format);
    }
    assert_eq!(folder.image("a/new/folder/x.png"), folder.image("x.webp"));
    folder.som(&["mark", "coffee.png", "-o", "a"]).succeeded();
    assert_eq!(folder.image("a/coffee.marked.png"), folder.image("x.webp"));
}

#[test]
fn stdin_is_read_and_stdout_is_written() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let coffee = folder.read("coffee.png");
    folder.som(&["mark", "coffee.png"]).succeeded();

    let ran = folder.som_reading(&["mark", "-"], &coffee).succeeded();
    assert_eq!(ran.stdout, folder.read("coffee.marked.png"));
    let ran = folder.som(&["mark", "coffee.png", "-o", "-"]).succeeded();
    assert_eq!(ran.stdout, folder.read("coffee.marked.png"));

    let ran = folder
        .som_reading(&["mark", "-", "-o", "out/", "--json", "-"], &coffee)
        .succeeded();
    assert_eq!(ran.json()["image"]["path"], "-");
    assert_eq!(ran.json()["pages"], json!(["out/stdin.marked.png"]));
    assert_eq!(
        folder.read("out/stdin.marked.png"),
        folder.read("coffee.marked.png")
    );
}

#[test]
fn more_marks_than_a_page_holds_go_to_further_pages() {
    let folder = Folder::with_photos(&["coffee.png"]);
    folder
        .som(&["mark", "coffee.png", "--page-size", "4", "--json", "x.json"])
        .succeeded();
    let report = folder.json("x.json");
    let marks = report["marks"].as_array().unwrap();
    let pages = report["pages"].as_array().unwrap();
    assert!(pages.len() >= 2 && pages.len() >= marks.len().div_ceil(4));
    assert_eq!(pages[0], "coffee.marked.png");
    assert_eq!(pages[1], "coffee.marked.2.png");
    for (page, number) in pages.iter().zip(1..) {
        let on_page = marks.iter().filter(|mark| mark["page"] == number).count();
        assert!(
            (1..=4).contains(&on_page),
            "{on_page} marks on page {number}"
        );
        assert_eq!(
            folder.image(page.as_str().unwrap()).dimensions(),
            (600, 400)
        );
    }
}

#[test]
fn the_prompt_names_the_marks() {
    let folder = Folder::with_photos(&["coffee.png"]);
    folder
        .som(&[
            "mark",
            "coffee.png",
            "--prompt",
            "p.txt",
            "--json",
            "x.json",
        ])
        .succeeded();
    let prompt = String::from_utf8(folder.read("p.txt")).unwrap();
    let report = folder.json("x.json");
    let last = report["marks"].as_array().unwrap().last().unwrap()["text"]
        .as_str()
        .unwrap();
    assert!(
        prompt.contains(last),
        "{prompt:?} does not speak of mark {last}"
    );
}

#[test]
fn parameters_reach_segmenter_and_styles() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let count = |arguments: &[&str]| {
        let ran = folder
            .som(&[&["segment", "coffee.png"], arguments].concat())
            .succeeded();
        ran.json()["regions"].as_array().unwrap().len()
    };
    assert!(count(&["--level", "1"]) < count(&["--level", "6"]));
    assert_eq!(count(&["--level", "2"]), count(&["--set", "level=2"]));
    assert_eq!(count(&["--set", "max_regions=3"]), 3);

    let marked = |arguments: &[&str]| {
        folder
            .som(&[&["mark", "coffee.png", "-o", "-"], arguments].concat())
            .succeeded()
            .stdout
    };
    let default = marked(&[]);
    assert_ne!(marked(&["--set", "mask.opacity=0.9"]), default);
    assert_ne!(marked(&["--styles", "box,alphabet"]), default);
    assert_eq!(marked(&["--styles", "mask,contour,number"]), default);
}

#[test]
fn hints_choose_what_is_cut() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let regions = |hint: &str| {
        let report = folder
            .som(&["segment", "coffee.png", "--hint", hint])
            .succeeded()
            .json();
        masks(&report["regions"])
    };
    // A point in the coffee.
    let point = som_core::Point::new(290, 160);
    let of_point = regions("point:290,160");
    assert!(!of_point.is_empty());
    assert!(of_point.iter().all(|mask| mask.contains(point)));

    let stroke = RgbImage::from_fn(600, 400, |x, y| {
        let inside = (270..310).contains(&x) && (150..170).contains(&y);
        image::Rgb([if inside { 255 } else { 0 }; 3])
    });
    folder.write("stroke.png", png(&stroke));
    assert!(
        regions("stroke:stroke.png")
            .iter()
            .all(|mask| mask.contains(point))
    );

    let wanted = BBox::new(120, 20, 350, 290);
    let of_box = regions("box:120,20,350,290");
    let best = of_box
        .iter()
        .map(|mask| mask.bbox().iou(wanted))
        .fold(0.0, f64::max);
    assert!(best > 0.5, "the best region of the box has IoU {best}");
}

#[test]
fn masks_are_those_of_the_json() {
    let folder = Folder::with_photos(&["coffee.png"]);
    folder
        .som(&["segment", "coffee.png", "--masks", "m", "--json", "x.json"])
        .succeeded();
    let masks = masks(&folder.json("x.json")["regions"]);
    assert_eq!(folder.files().len(), masks.len() + 2);
    for (index, mask) in masks.iter().enumerate() {
        let file = image::load_from_memory(&folder.read(&format!("m/coffee.{index}.png"))).unwrap();
        let mut pixels = mask.to_dense(mask.size().bbox());
        pixels.iter_mut().for_each(|pixel| *pixel *= 255);
        assert_eq!(file.into_luma8().into_raw(), pixels);
    }
    // Nothing else was asked for.
    let ran = folder
        .som(&["segment", "coffee.png", "--masks", "m"])
        .succeeded();
    assert!(ran.stdout.is_empty());
}

#[test]
fn a_folder_is_searched_and_its_outputs_keep_its_shape() {
    let folder = Folder::with_photos(&["coffee.png"]);
    fs::create_dir_all(folder.path("photos/deep/er")).unwrap();
    for place in [
        "photos/a.png",
        "photos/deep/er/b.PNG",
        "photos/.hidden.png",
        "photos/c.marked.2.png",
    ] {
        fs::copy(folder.path("coffee.png"), folder.path(place)).unwrap();
    }
    folder.write("photos/notes.txt", "no image");
    let ran = folder
        .som(&["mark", "photos", "-o", "out", "--json", "out"])
        .succeeded();
    assert_eq!(ran.stderr, "som: 2 images: 2 done\n");
    let below: Vec<String> = folder
        .files()
        .into_iter()
        .filter(|name| name.starts_with("out"))
        .collect();
    let expected = [
        "out/a.json",
        "out/a.marked.png",
        "out/deep/er/b.json",
        "out/deep/er/b.marked.png",
    ];
    assert_eq!(below, expected);
    assert_eq!(
        folder.json("out/deep/er/b.json")["image"]["path"],
        "photos/deep/er/b.PNG"
    );
}

/// What som cannot read is told, so that nobody misses it later.
#[test]
fn images_of_other_formats_are_counted_and_named() {
    let folder = Folder::with_photos(&["coffee.png"]);
    folder.write("c.avif", "an image");
    folder.write("more/d.HEIC", "another");
    let ran = folder.som(&["mark", ".", "-o", "out"]).succeeded();
    assert_eq!(
        ran.stderr,
        "som: 1 image: 1 done; 2 files passed over: 1 AVIF, 1 HEIC\n"
    );
    let ran = folder.som(&["mark", "more", "-o", "out"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr
            .ends_with(".tiff; 1 file passed over: HEIC: convert them)\n"),
        "{}",
        ran.stderr
    );
}

/// What is odd about a file stands in the JSON and on stderr, and a setting does something about it.
#[test]
fn what_is_odd_about_a_file_is_told() {
    let folder = Folder::new();
    let deep = image::ImageBuffer::from_fn(96, 64, |x, _| image::Luma([x as u16 * 40]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::ImageLuma16(deep)
        .write_to(&mut bytes, image::ImageFormat::Png)
        .unwrap();
    folder.write("deep.png", bytes.into_inner());
    let arguments = ["segment", "deep.png", "--json", "deep.json"];
    let ran = folder.som(&arguments).succeeded();
    let text = "values up to 3,800 of 65,535 are used";
    assert!(
        ran.stderr.starts_with(&format!("som: deep.png: {text}")),
        "{}",
        ran.stderr
    );
    let note = folder.json("deep.json")["image"]["notes"][0].clone();
    assert_eq!(note["kind"], "narrow_range");
    assert!(note["text"].as_str().unwrap().starts_with(text));
    folder.write("som.toml", "[images]\nstretch = true\n");
    folder.som(&arguments).succeeded();
    let note = folder.json("deep.json")["image"]["notes"][0].clone();
    assert_eq!(note["kind"], "stretched");
    folder.write("som.toml", "[images]\nbackground = \"none\"\n");
    let ran = folder.som(&arguments);
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("is no background"), "{}", ran.stderr);
}

#[test]
fn a_pattern_is_expanded_where_the_shell_did_not() {
    let folder = Folder::with_photos(&PHOTOS);
    let ran = folder
        .som(&["segment", "*.png", "--json", "out/"])
        .succeeded();
    assert_eq!(ran.stderr, "som: 3 images: 3 done\n");
    assert!(folder.path("out/coffee.json").exists() && !folder.path("out/rocket.json").exists());
}

#[test]
fn many_images_on_stdout_are_lines_in_order() {
    let folder = Folder::with_photos(&PHOTOS);
    let ran = folder
        .som(&["segment", ".", "--quiet", "--jobs", "4"])
        .succeeded();
    let reports: Vec<Value> = ran
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let paths: Vec<&str> = reports
        .iter()
        .map(|report| report["image"]["path"].as_str().unwrap())
        .collect();
    assert_eq!(paths, PHOTOS.map(|photo| format!("./{photo}")));
    assert_eq!(ran.stderr, "");
}

/// However many images are in work, and however short the segmenter's queue.
#[test]
fn no_image_of_a_run_is_refused_for_want_of_room() {
    let folder = Folder::new();
    folder.write("som.toml", "[segmenter.classic]\nqueue = 1\n");
    for index in 0..48 {
        let gray = image::Rgb([index; 3]);
        folder.write(
            &format!("in/{index}.png"),
            png(&RgbImage::from_pixel(96, 64, gray)),
        );
    }
    let ran = folder
        .som(&["segment", "in", "--json", "out", "--jobs", "48"])
        .succeeded();
    assert_eq!(ran.stderr, "som: 48 images: 48 done\n");
}

#[test]
fn a_run_is_resumed_where_it_stopped() {
    let folder = Folder::with_photos(&["coffee.png", "rocket.jpg"]);
    let arguments = ["mark", ".", "-o", "out", "--json", "out", "--skip-existing"];
    folder.som(&arguments).succeeded();
    folder.write("out/coffee.marked.png", "as it was");
    fs::remove_file(folder.path("out/rocket.json")).unwrap();
    let ran = folder.som(&arguments).succeeded();
    assert_eq!(ran.stderr, "som: 2 images: 1 done, 1 skipped\n");
    assert_eq!(folder.read("out/coffee.marked.png"), b"as it was");
    assert!(folder.path("out/rocket.json").exists());
}

#[test]
fn one_bad_image_does_not_stop_the_others() {
    let folder = Folder::with_photos(&["coffee.png"]);
    folder.write("bad.png", "no image");
    let ran = folder.som(&["mark", ".", "-o", "out"]);
    assert_eq!(ran.code, 2);
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert!(lines[0].starts_with("som: ./bad.png: "), "{lines:?}");
    assert_eq!(lines[1..], ["som: 2 images: 1 done, 1 failed"]);
    assert!(folder.path("out/coffee.marked.png").exists());
}

/// Ctrl-C in the middle of a run: what is there is whole, and the run can be resumed.
#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_whole_files() {
    let folder = Folder::new();
    for index in 0..40 {
        fs::copy(photo("coffee.png"), folder.path(format!("{index:02}.png"))).unwrap();
    }
    let mut command = folder.command(&["mark", ".", "-o", "out", "--json", "out"]);
    command.stderr(std::process::Stdio::piped());
    let child = command.spawn().unwrap();
    while !folder.path("out/00.json").exists() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let id = child.id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-INT", &id])
            .status()
            .unwrap()
            .success()
    );
    let ran = Ran::from(child.wait_with_output().unwrap());
    ran.failed(130, "interrupted");

    let outputs: Vec<String> = folder
        .files()
        .into_iter()
        .filter(|name| name.starts_with("out/"))
        .collect();
    assert!(outputs.len() < 80, "it was not interrupted in time");
    for name in outputs {
        match name.rsplit_once('.').unwrap().1 {
            "png" => assert_eq!(folder.image(&name).dimensions(), (600, 400)),
            "json" => assert!(folder.json(&name)["marks"].is_array()),
            _ => panic!("{name} was left behind"),
        }
    }
}

/// The reader of stdout went away: nothing to complain about.
#[test]
fn a_closed_pipe_is_no_error() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let mut command = folder.command(&["segment", "coffee.png"]);
    command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    let mut child = command.spawn().unwrap();
    drop(child.stdout.take());
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

/// A box as JSON has it.
fn bbox(value: &Value) -> BBox {
    serde_json::from_value(value.clone()).unwrap()
}

fn masks(regions: &Value) -> Vec<Mask> {
    let regions = regions.as_array().unwrap().iter();
    regions
        .map(|region| {
            let rle: Rle = serde_json::from_value(region["segmentation"].clone()).unwrap();
            Mask::from_rle(&rle).unwrap()
        })
        .collect()
}

fn region_pixels(image: &RgbImage, bbox: BBox) -> Vec<u8> {
    let view = image::imageops::crop_imm(image, bbox.x, bbox.y, bbox.width, bbox.height);
    view.to_image().into_raw()
}
