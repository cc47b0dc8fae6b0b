//! Bad input: a line that names the thing and the fix, the right exit code, and nothing half-written.

use std::{fmt::Write as _, fs, io::Cursor};

use image::{GrayImage, ImageFormat, RgbImage};

use crate::som::{Folder, Ran, png};

/// A photograph and everything that is none.
fn bad_images() -> Folder {
    let folder = Folder::with_photos(&["coffee.png", "rocket.jpg"]);
    let (coffee, rocket) = (folder.read("coffee.png"), folder.read("rocket.jpg"));
    folder.write("empty.png", "");
    folder.write("cut-off.png", &coffee[..coffee.len() / 2]);
    folder.write("cut-off.jpg", &rocket[..rocket.len() / 2]);
    folder.write("header-only.png", &coffee[..40]);
    folder.write("text.png", "These are words, not pixels.\n");
    let mut damaged = coffee;
    damaged[200_000] ^= 0xff;
    folder.write("damaged.png", damaged);
    folder.write("small.png", png(&RgbImage::new(8, 8)));
    folder.write("same/a.png", "");
    folder.write("same/a.jpg", "");
    folder
}

/// The texts as a person sees them; each run must leave no file behind.
#[test]
fn every_mistake_is_named_with_its_fix() {
    let folder = bad_images();
    folder.write("som.toml", "");
    folder.write("bad.toml", "[mark]\nsegmenter = \n");
    folder.write("unknown-key.toml", "[mark]\ncolour = 1\n");
    folder.write("unknown-segmenter.toml", "[segmenter.clasic]\nlevels = 1\n");
    folder.write(
        "unknown-option.toml",
        "[segmenter.classic]\nweights = \"x\"\n",
    );
    fs::create_dir(folder.path("no-images")).unwrap();
    fs::create_dir(folder.path("folder.png")).unwrap();
    let before = folder.files();

    let mut texts = String::new();
    for line in [
        "mark nope.png",
        "mark no*.png",
        "mark a[.png",
        "mark no-images",
        "mark empty.png",
        "mark text.png",
        "mark header-only.png",
        "mark cut-off.png",
        "mark cut-off.jpg",
        "mark damaged.png",
        "segment coffee.png --segmenter clasic",
        "mark coffee.png --styles mask,nmber",
        "mark coffee.png --styles mask --set number.size=3",
        "mark coffee.png --set minarea=3",
        "mark coffee.png --set level=fine",
        "mark coffee.png --set level",
        "mark coffee.png --level 9",
        "mark coffee.png --granularity 4",
        "mark coffee.png --set max_regions=0",
        "mark coffee.png --set mask.opacity=2",
        "mark coffee.png --page-size -1",
        "mark coffee.png --hint circle:1,2,3",
        "mark coffee.png --hint point:600,10",
        "mark coffee.png --hint box:500,300,101,50",
        "mark coffee.png --hint stroke:small.png",
        "mark coffee.png --hint stroke:nope.png",
        "mark coffee.png --hint stroke:text.png",
        "mark coffee.png -o coffee.png",
        "mark coffee.png -o x.tga",
        "mark coffee.png -o text.png/x.png",
        "mark coffee.png -o x.png --json x.png",
        "mark coffee.png -o - --json -",
        "mark coffee.png rocket.jpg -o -",
        "mark same/a.png same/a.jpg",
        "mark coffee.png rocket.jpg -o som.toml",
        "segment coffee.png rocket.jpg --format coco --json no-images",
        "segment coffee.png --format coco --skip-existing",
        "segment coffee.png --json folder.png/../text.png/x",
        "segment coffee.png --masks text.png",
        "segment coffee.png --format voc",
        "segment coffee.png --jobs 0",
        "segment coffee.png --config nope.toml",
        "segment coffee.png --config bad.toml",
        "segment coffee.png --config unknown-key.toml",
        "segment coffee.png --config unknown-segmenter.toml",
        "segment coffee.png --config unknown-option.toml",
        "mark",
        "marc coffee.png",
    ] {
        let ran = folder.som(&line.split(' ').collect::<Vec<_>>());
        assert_ne!(ran.code, 0, "{line}");
        assert!(ran.stdout.is_empty(), "{line}");
        writeln!(texts, "$ som {line}\n{}-> {}\n", ran.stderr, ran.code).unwrap();
    }
    assert_eq!(folder.files(), before, "something was left behind");
    insta::assert_snapshot!(texts);
}

#[test]
fn an_image_too_large_is_refused_before_it_is_decoded() {
    let folder = Folder::new();
    let mut bomb = Cursor::new(Vec::new());
    GrayImage::new(10_001, 10_000)
        .write_to(&mut bomb, ImageFormat::Png)
        .unwrap();
    let bomb = bomb.into_inner();
    assert!(
        bomb.len() < 2 << 20,
        "a bomb is small: {} bytes",
        bomb.len()
    );
    folder.write("bomb.png", bomb);
    let ran = folder.som(&["mark", "bomb.png"]);
    assert_eq!(ran.code, 5);
    assert!(
        ran.stderr.contains("raise limits.image_pixels"),
        "{}",
        ran.stderr
    );

    folder.write("small.toml", "[limits]\nimage_bytes = 1000\n");
    let ran = folder.som(&["mark", "bomb.png", "--config", "small.toml"]);
    ran.failed(
        5,
        "bomb.png: the file is longer than 1000 bytes (raise limits.image_bytes)",
    );
    assert_eq!(folder.files(), ["bomb.png", "small.toml"]);
}

#[test]
fn odd_images_are_images() {
    let folder = Folder::with_photos(&["coffee.png"]);
    folder.write("one.png", png(&RgbImage::new(1, 1)));
    folder.write("wide.png", png(&RgbImage::new(300, 1)));
    folder.write(
        "plain.png",
        png(&RgbImage::from_pixel(300, 200, image::Rgb([40, 90, 200]))),
    );
    fs::rename(folder.path("coffee.png"), folder.path("really-a-png.jpg")).unwrap();
    for (name, size) in [
        ("one", (1, 1)),
        ("wide", (300, 1)),
        ("plain", (300, 200)),
        ("really-a-png", (600, 400)),
    ] {
        let file = folder
            .files()
            .into_iter()
            .find(|file| file.starts_with(name))
            .unwrap();
        folder.som(&["mark", &file, "--json", "x.json"]).succeeded();
        assert_eq!(
            folder.image(&format!("{name}.marked.png")).dimensions(),
            size
        );
        assert!(folder.json("x.json")["marks"].is_array());
    }
}

#[test]
fn a_folder_in_the_way_stays() {
    let folder = Folder::with_photos(&["coffee.png"]);
    folder.write("coffee.marked.png/keep", "me");
    let ran = folder.som(&["mark", "coffee.png"]);
    ran.failed(
        2,
        "coffee.png: coffee.marked.png: is a folder (name a file in it)",
    );
    assert_eq!(folder.files(), ["coffee.marked.png/keep", "coffee.png"]);
}

#[cfg(unix)]
#[test]
fn a_read_only_file_is_not_replaced() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::with_photos(&["coffee.png"]);
    let path = folder.write("coffee.marked.png", "as it was");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
    let ran = folder.som(&["mark", "coffee.png"]);
    ran.failed(
        2,
        "coffee.png: coffee.marked.png: may not be written (see its permissions, or choose another place)",
    );
    assert_eq!(folder.read("coffee.marked.png"), b"as it was");
    assert_eq!(folder.files().len(), 2);
}

/// Permissions, as someone who is not root.
#[cfg(unix)]
#[test]
fn folders_that_may_not_be_used_are_named() {
    use std::os::unix::{fs::PermissionsExt as _, process::CommandExt as _};
    let folder = Folder::with_photos(&["coffee.png"]);
    let mode = |name: &str, mode| {
        fs::set_permissions(folder.path(name), fs::Permissions::from_mode(mode)).unwrap();
    };
    fs::create_dir(folder.path("secret")).unwrap();
    fs::create_dir(folder.path("locked")).unwrap();
    mode("", 0o777);
    mode("secret", 0o000);
    mode("locked", 0o555);
    let som = |arguments: &[&str]| {
        let mut command = folder.command(arguments);
        if fs::read_dir(folder.path("secret")).is_ok() {
            // We are root, whom no permission stops.
            command.uid(65_534).gid(65_534);
        }
        match command.output() {
            Ok(output) => Some(Ran::from(output)),
            Err(error) => {
                eprintln!("skipped: som does not start as another user: {error}");
                None
            }
        }
    };
    if let Some(ran) = som(&["mark", "secret"]) {
        assert!(
            ran.stderr
                .starts_with("som: secret: the folder cannot be searched"),
            "{}",
            ran.stderr
        );
        assert_eq!(ran.code, 2);
    }
    if let Some(ran) = som(&["mark", "coffee.png", "-o", "locked/"]) {
        ran.failed(
            2,
            "coffee.png: locked/coffee.marked.png: may not be written (see its permissions, or choose another place)",
        );
    }
    mode("secret", 0o755);
    assert_eq!(folder.files(), ["coffee.png"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_nothing_half_written() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let no_room = "no room is left for it (free some, or choose another place)";

    // A device that is always full; it must survive.
    let ran = folder.som(&["segment", "coffee.png", "--json", "/dev/full"]);
    ran.failed(5, &format!("coffee.png: /dev/full: {no_room}"));
    use std::os::unix::fs::FileTypeExt as _;
    assert!(
        fs::metadata("/dev/full")
            .unwrap()
            .file_type()
            .is_char_device()
    );

    let full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let ran = Ran::of(
        folder
            .command(&["mark", "coffee.png", "-o", "-"])
            .stdout(full),
    );
    ran.failed(5, &format!("stdout: {no_room}"));

    // No file may grow beyond 32 blocks of 512 bytes: as on a disk that fills up on the way.
    let som = folder.command(&["mark", "coffee.png", "--json", "x.json"]);
    let mut limited = std::process::Command::new("sh");
    limited.current_dir(folder.path("")).args([
        "-c",
        "trap '' 25; ulimit -f 32; exec \"$@\"",
        "sh",
    ]);
    limited.arg(som.get_program()).args(som.get_args());
    let ran = Ran::of(&mut limited);
    ran.failed(5, &format!("coffee.png: coffee.marked.png: {no_room}"));
    assert_eq!(folder.files(), ["coffee.png"]);
}

/// A link is followed, not replaced; a loop of links is no endless folder.
#[cfg(unix)]
#[test]
fn links_are_followed() {
    use std::os::unix::fs::symlink;
    let folder = Folder::with_photos(&["coffee.png"]);
    fs::create_dir_all(folder.path("store/in")).unwrap();
    folder.write("store/marked.png", "old");
    symlink("store/marked.png", folder.path("coffee.marked.png")).unwrap();
    folder.som(&["mark", "coffee.png"]).succeeded();
    assert!(folder.path("coffee.marked.png").is_symlink());
    assert_eq!(folder.image("store/marked.png").dimensions(), (600, 400));

    symlink("../../coffee.png", folder.path("store/in/link.png")).unwrap();
    symlink("..", folder.path("store/in/loop")).unwrap();
    symlink("nowhere.png", folder.path("store/in/dangling.png")).unwrap();
    let ran = folder
        .som(&["segment", "store/in", "--json", "out"])
        .succeeded();
    assert!(folder.path("out/link.json").exists(), "{}", ran.stderr);
}
