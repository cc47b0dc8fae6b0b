//! What som leaves out, or does otherwise than one may think, is told; and nothing is under `-q`.

use std::fs;

use image::{GrayImage, Rgb, RgbImage, Rgba, RgbaImage};

use crate::{
    model::Model,
    som::{Folder, png},
};

#[test]
fn marks_that_are_left_out_are_told() {
    let folder = Folder::with_photos(&["coffee.png"]);
    for (words, line) in [
        (
            &[
                "mark",
                "coffee.png",
                "--max-marks",
                "3",
                "--set",
                "max_regions=9",
            ][..],
            "som: coffee.png: 9 regions, as many as max_regions allows: there may be more\n\
             som: coffee.png: 6 regions unmarked: 6 beyond max_marks\n",
        ),
        (
            &[
                "segment",
                "coffee.png",
                "--set",
                "max_regions=4",
                "--json",
                "x.json",
            ],
            "som: coffee.png: 4 regions, as many as max_regions allows: there may be more\n",
        ),
        (
            &[
                "ask",
                "coffee.png",
                "what is red?",
                "--max-marks",
                "3",
                "--set",
                "max_regions=9",
            ],
            "som: coffee.png: 6 regions unmarked: 6 beyond max_marks\n",
        ),
        (
            &[
                "mark",
                ".",
                "-o",
                "out",
                "--max-marks",
                "3",
                "--set",
                "max_regions=9",
            ],
            "som: ./coffee.png: 6 regions unmarked: 6 beyond max_marks\n",
        ),
    ] {
        let ran = folder.som(words).succeeded();
        assert!(ran.stderr.contains(line), "{words:?}: {}", ran.stderr);
        let quiet = folder.som(&[words, &["-q"]].concat()).succeeded();
        assert_eq!(quiet.stderr, "", "{words:?}");
    }
    let json = [
        "ask",
        "coffee.png",
        "what is red?",
        "--max-marks",
        "3",
        "--json",
    ];
    let report = folder.som(&json).succeeded().json();
    assert_eq!(report["images"][0]["unmarked"][0]["reason"], "over_limit");
}

/// A photograph has more to show than a level of the usual segmenter does; a drawing is shown whole.
#[test]
fn a_cap_that_nobody_set_is_told() {
    // More patches than level 1 has regions, with the noise that tells a photograph from a drawing.
    let mosaic = RgbImage::from_fn(480, 360, |x, y| {
        let patch = x / 60 + y / 60 * 8;
        let noise = (x.wrapping_mul(2_654_435_761).wrapping_add(y * 40_503) >> 13) % 13;
        Rgb([67, 111, 181].map(|step| (patch * step % 220 + 12 + noise) as u8))
    });
    let folder = Folder::new();
    folder.write("mosaic.png", png(&mosaic));
    let told = " regions, as many as level allows: there may be more\n";
    for words in [
        &["mark", "mosaic.png", "--level", "1"][..],
        &["segment", "mosaic.png", "--level", "1", "--json", "x.json"],
        &["ask", "mosaic.png", "what is red?", "--level", "1"],
    ] {
        let ran = folder.som(words).succeeded();
        assert!(ran.stderr.contains(told), "{words:?}: {}", ran.stderr);
        let quiet = folder.som(&[words, &["-q"]].concat()).succeeded();
        assert_eq!(quiet.stderr, "", "{words:?}");
    }
    let drawing = RgbImage::from_fn(300, 200, |x, y| match x % 100 < 80 && y % 100 < 80 {
        true => Rgb([20, 90, 200]),
        false => Rgb([255; 3]),
    });
    folder.write("drawing.png", png(&drawing));
    let ran = folder.som(&["mark", "drawing.png"]).succeeded();
    assert!(!ran.stderr.contains("allows"), "{}", ran.stderr);
}

#[test]
fn flags_that_fight_are_refused() {
    let folder = Folder::with_photos(&["coffee.png"]);
    folder.write("boxes.csv", "x,y,width,height\n5,5,50,50\n");
    for (line, why) in [
        (
            "mark coffee.png --level 4 --set level=2",
            "--set level=2: --level says the same (leave out one of them)",
        ),
        (
            "segment coffee.png --hint point:1,1 --set hints={}",
            "--set hints={}: --hint says the same",
        ),
        (
            "compare coffee.png what? --row level=2,level=3",
            "level is given twice",
        ),
        ("mark coffee.png -q -v", "cannot be used with"),
        (
            "mark coffee.png --regions boxes.csv --keep-ids --start 4",
            "cannot be used with",
        ),
        (
            "ask coffee.png what? -o x.png --highlight x.png",
            "x.png: cannot hold two outputs",
        ),
        (
            "ask coffee.png what? --highlight coffee.png",
            "coffee.png: is an image to read, and would be written over",
        ),
        (
            "compare coffee.png what? --row level=2 --html coffee.png",
            "coffee.png: is an image to read",
        ),
    ] {
        let ran = folder.som(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(ran.code, 2, "{line}");
        assert!(ran.stderr.contains(why), "{line}: {}", ran.stderr);
    }
    assert_eq!(folder.files(), ["boxes.csv", "coffee.png"]);
}

#[test]
fn transparency_and_further_frames_are_told() {
    let folder = Folder::new();
    let glass = RgbaImage::from_fn(60, 40, |x, _| {
        Rgba([200, 10, 10, if x < 30 { 255 } else { 90 }])
    });
    glass.save(folder.path("glass.png")).unwrap();
    let mut film = Vec::new();
    let mut encoder = image::codecs::gif::GifEncoder::new(&mut film);
    for _ in 0..3 {
        encoder
            .encode_frame(image::Frame::new(glass.clone()))
            .unwrap();
    }
    drop(encoder);
    folder.write("film.gif", film);
    let ran = folder
        .som(&["mark", "glass.png", "--json", "x.json"])
        .succeeded();
    let told = "transparent parts are shown on white (images.background chooses)";
    assert!(
        ran.stderr.starts_with(&format!("som: glass.png: {told}\n")),
        "{}",
        ran.stderr
    );
    let notes = &folder.json("x.json")["image"]["notes"];
    assert_eq!(notes[0]["kind"], "transparency");
    assert_eq!(notes[0]["text"], told);
    let ran = folder
        .som(&["segment", "film.gif", "--json", "x.json"])
        .succeeded();
    let told = "som: film.gif: only the first of 3 frames is read\n";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
}

/// What a camera says of its colours, and a scanner of its size, goes into the marked image; a model
/// takes colours to be those of sRGB, and is shown such.
#[test]
fn profiles_and_density_are_kept_and_colours_converted_for_the_model() {
    use som_core::{
        decode::{DecodeOptions, Density, Tags, decode_with},
        encode::{Encoding, encode_with},
    };
    let folder = Folder::new();
    let profile = moxcms::ColorProfile::new_display_p3().encode().unwrap();
    let tags = Tags {
        profile: Some(profile.into()),
        density: Some(Density {
            across: 11_811,
            down: 11_811,
        }),
    };
    let green = RgbImage::from_pixel(120, 80, Rgb([100, 180, 100]));
    let read = |bytes: &[u8]| decode_with(bytes, &DecodeOptions::default()).unwrap();
    let model = Model::saying(&["[1]"]);
    model.set_in(&folder, "");
    folder.write("boxes.csv", "x,y,width,height\n10,10,30,30\n");
    for (name, encoding) in [("a.png", Encoding::Png), ("a.jpg", Encoding::Jpeg)] {
        folder.write(name, encode_with(&green, encoding, &tags).unwrap());
        let out = format!("marked-{name}");
        let words = ["mark", name, "--regions", "boxes.csv", "-o", &out];
        folder.som(&words).succeeded();
        let marked = read(&folder.read(&out));
        assert_eq!(marked.tags.profile, tags.profile, "{name}");
        let density = marked.tags.density.unwrap().per_inch();
        assert!((density.0 - 300.0).abs() < 0.5, "{name}: {density:?}");
        // Far from the mark the pixels are as they were.
        let Rgb([red, ..]) = *marked.pixels.get_pixel(110, 70);
        assert!(red.abs_diff(100) <= 4, "{name}: {red}");

        let words = [
            "ask",
            name,
            "which?",
            "--regions",
            "boxes.csv",
            "--highlight",
            "lit.png",
        ];
        folder.som(&words).succeeded();
        assert_eq!(read(&folder.read("lit.png")).tags.profile, tags.profile);
        let request = model.requests().pop().unwrap().to_string();
        let start = request.find(";base64,").unwrap() + 8;
        let sent = request[start..].split('"').next().unwrap();
        let sent = read(&base64(sent));
        assert_eq!(sent.tags.profile, None);
        let Rgb([red, green, _]) = *sent.pixels.get_pixel(110, 70);
        assert!(red < 90 && green > 178, "{name}: {red} {green}");
    }
}

fn base64(text: &str) -> Vec<u8> {
    use ::base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.decode(text).unwrap()
}

#[cfg(unix)]
#[test]
fn broken_links_are_told() {
    use std::os::unix::fs::symlink;
    let folder = Folder::with_photos(&["coffee.png"]);
    fs::create_dir(folder.path("in")).unwrap();
    fs::copy(folder.path("coffee.png"), folder.path("in/a.png")).unwrap();
    symlink("nowhere.png", folder.path("in/b.png")).unwrap();
    let told = "som: 1 image: 1 done; 1 file passed over: broken link\n";
    for images in ["in", "in/*.png"] {
        let ran = folder
            .som(&["segment", images, "--json", "out"])
            .succeeded();
        assert_eq!(ran.stderr, told);
    }
    folder
        .som(&["mark", "in/b.png"])
        .failed(2, "in/b.png: is a link to nothing");
    folder
        .som(&["mark", "in/b*"])
        .failed(2, "there is no image: 1 file passed over: broken link");
    let ran = folder.som(&["ask", "in", "what is large?"]).succeeded();
    assert!(
        ran.stderr
            .starts_with("som: 1 file passed over: broken link\n"),
        "{}",
        ran.stderr
    );
}

#[test]
fn images_of_one_name_are_told_apart_by_their_endings() {
    let folder = Folder::with_photos(&["coffee.png"]);
    fs::create_dir(folder.path("in")).unwrap();
    for name in ["a.png", "a.jpg"] {
        fs::copy(folder.path("coffee.png"), folder.path(format!("in/{name}"))).unwrap();
    }
    folder.som(&["mark", "in", "-o", "out"]).failed(
        2,
        "out/a.marked.png: would be written for both in/a.jpg and in/a.png (--keep-endings tells \
         them apart)",
    );
    let words = ["mark", "in", "-o", "out", "--json", "out", "--keep-endings"];
    folder.som(&words).succeeded();
    let out: Vec<String> = folder
        .files()
        .into_iter()
        .filter(|name| name.starts_with("out/"))
        .collect();
    let expected = [
        "out/a.jpg.json",
        "out/a.jpg.marked.png",
        "out/a.png.json",
        "out/a.png.marked.png",
    ];
    assert_eq!(out, expected);
    // And back.
    let words = [
        "mark",
        "in",
        "--regions",
        "out",
        "-o",
        "again",
        "--keep-endings",
    ];
    folder.som(&words).succeeded();
    assert!(folder.path("again/a.jpg.marked.png").exists());
}

#[test]
fn an_image_without_marks_has_a_status_of_its_own() {
    let folder = Folder::with_photos(&["coffee.png"]);
    GrayImage::new(1, 1).save(folder.path("dot.png")).unwrap();
    folder.som(&["mark", "dot.png"]).succeeded();
    let ran = folder.som(&["mark", "dot.png", "--fail-empty"]);
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    let ran = folder.som(&["mark", ".", "-o", "out", "--fail-empty"]);
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("som: ./dot.png: no marks\n"),
        "{}",
        ran.stderr
    );
    // A failure says more.
    folder.write("bad.png", "no image");
    let ran = folder.som(&["mark", ".", "-o", "out", "--fail-empty"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    folder
        .som(&["mark", "coffee.png", "--fail-empty"])
        .succeeded();
}

#[test]
fn nothing_but_errors_is_told_under_quiet() {
    let folder = Folder::new();
    let glass = RgbaImage::from_pixel(60, 40, Rgba([200, 10, 10, 90]));
    glass.save(folder.path("glass.png")).unwrap();
    folder.write(
        "plain.png",
        png(&RgbImage::from_pixel(60, 40, Rgb([9, 9, 9]))),
    );
    let model = Model::saying(&["It is [99]."]);
    model.set_in(&folder, "");
    folder.write("more.avif", "an image");
    for words in [
        &["mark", ".", "-o", "out", "-q"][..],
        &["ask", "glass.png", "which?", "-q"],
        &["compare", "glass.png", "which?", "--row", "level=2", "-q"],
        &["config", "init", "new.toml", "-q"],
    ] {
        let ran = folder.som(words);
        assert_eq!(ran.stderr, "", "{words:?}");
    }
    let ran = folder.som(&["mark", "nowhere.png", "-q"]);
    assert_eq!(ran.stderr.lines().count(), 1);
}
