use std::{fs, io::Write as _, path::Path, process::Command};

use image::{ImageFormat, Rgb, RgbImage};
use serde_json::json;

use super::Sam;
use crate::{som::Ran, source::root};

/// Runs the segmenter on `image` with `weights` and hands back the run.
fn segment(sam: &Sam, image: &str, weights: &Path, arguments: &[&str]) -> Ran {
    let weights = format!("weights={}", weights.display());
    let sam_with = [
        "--segmenter",
        "sam",
        "--set",
        &weights,
        "--set",
        "device=cpu",
    ];
    let command = ["segment", image, "--json", "out.json"];
    sam.folder
        .som(&[&command[..], &sam_with, arguments].concat())
}

#[test]
fn checkpoints_that_are_none_are_refused_by_name() {
    let Some(sam) = Sam::open("shapes") else {
        return;
    };
    let image = sam.file("image.png");
    let whole = fs::read(sam.file("checkpoint.pth")).unwrap();
    let half = sam.folder.write("half.pth", &whole[..whole.len() / 2]);
    let text = sam
        .folder
        .write("text.pth", "these are no weights, just words");
    let checkpoints = root().join("crates/som-torch/tests/checkpoints");
    for (weights, code, reason) in [
        (half, 2, "truncated or damaged"),
        (text, 2, "not a PyTorch checkpoint"),
        (
            checkpoints.join("nested.pth"),
            2,
            "is no Segment Anything network: it has no tensor image_encoder.",
        ),
        (
            checkpoints.join("runs.pth"),
            2,
            "refused: it refers to Python's posix.system",
        ),
        (sam.folder.path("none.pth"), 4, "weights not found at"),
    ] {
        let ran = segment(&sam, &image, &weights, &[]);
        assert_eq!(ran.code, code, "{}", ran.stderr);
        let name = weights.file_name().unwrap().to_str().unwrap();
        for part in [name, reason] {
            assert!(ran.stderr.contains(part), "{}", ran.stderr);
        }
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        assert!(!sam.folder.path("out.json").exists(), "{name}");
    }
    assert!(!sam.folder.path("checkpoint-was-executed").exists());
}

#[test]
fn weights_and_devices_that_are_not_there_are_named_with_a_way_out() {
    let Some(sam) = Sam::open("shapes") else {
        return;
    };
    let image = sam.file("image.png");
    let ran = sam.folder.som(&["segment", &image, "--segmenter", "sam"]);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("no weights given"), "{}", ran.stderr);
    // No machine has this many.
    let ran = sam.run("segment", &["--set", "device=cuda:4095"]);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    let way_out = "(use device cpu or auto)";
    assert!(ran.stderr.contains(way_out), "{}", ran.stderr);
    let ran = sam.run("segment", &["--set", "device=gpu"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

#[test]
fn a_network_larger_than_the_memory_is_refused_before_it_is_read() {
    let Some(sam) = Sam::open("shapes") else {
        return;
    };
    let path = sam.folder.path("giant.safetensors");
    giant(&path);
    let ran = segment(&sam, &sam.file("image.png"), &path, &[]);
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    let reason = "giant.safetensors need 4194304 MiB";
    assert!(ran.stderr.contains(reason), "{}", ran.stderr);
}

/// A checkpoint of 4 TiB, in a file with holes that takes no space.
fn giant(path: &Path) {
    let bytes = 4_u64 << 40;
    let tensor = json!({"dtype": "F32", "shape": [bytes / 4], "data_offsets": [0, bytes]});
    let header = json!({"image_encoder.pos_embed": tensor}).to_string();
    let mut file = fs::File::create(path).unwrap();
    file.write_all(&(header.len() as u64).to_le_bytes())
        .unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.set_len(8 + header.len() as u64 + bytes).unwrap();
}

#[test]
fn tiny_and_huge_images_are_cut() {
    let Some(sam) = Sam::open("shapes") else {
        return;
    };
    let weights = sam.data.join("checkpoint.pth");
    for (width, height) in [(1, 1), (8000, 1), (1, 8000), (8000, 8000)] {
        let pixels = RgbImage::from_pixel(width, height, Rgb([90, 140, 30]));
        pixels
            .save_with_format(sam.folder.path("image.png"), ImageFormat::Png)
            .unwrap();
        let click = ["--hint", "point:0,0"];
        let ran = segment(&sam, "image.png", &weights, &click).succeeded();
        assert_eq!(ran.stderr, "");
        let report = sam.folder.json("out.json");
        assert_eq!(report["image"]["width"], width, "{report}");
        for region in report["regions"].as_array().unwrap() {
            let size = &region["segmentation"]["size"];
            assert_eq!(*size, json!([height, width]));
        }
        let one_point = ["--set", "points_per_side=1", "--set", "crop_n_layers=1"];
        segment(&sam, "image.png", &weights, &one_point).succeeded();
    }
}

#[test]
fn parameters_that_contradict_each_other_are_refused() {
    let Some(sam) = Sam::open("shapes") else {
        return;
    };
    for (settings, reason) in [
        (
            &["points_per_side=null"][..],
            "points_per_side or point_grids",
        ),
        (
            &["point_grids=[[[0.5,0.5]]]", "crop_n_layers=1"],
            "crop_n_layers 1 needs 2",
        ),
        (&["points_per_batch=0"], "points_per_batch"),
        (&["point_grids=[[[1.5,0.5]]]"], "point_grids"),
    ] {
        let settings: Vec<&str> = settings.iter().flat_map(|s| ["--set", s]).collect();
        let ran = sam.run("segment", &settings);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains(reason), "{}", ran.stderr);
    }
}

#[test]
fn sizes_beside_a_checkpoint_that_do_not_fit_it_are_named() {
    let Some(sam) = Sam::open("shapes") else {
        return;
    };
    let weights = sam.folder.path("checkpoint.pth");
    fs::copy(sam.file("checkpoint.pth"), &weights).unwrap();
    for (config, reason) in [
        (
            r#"{"decoder_num_heads": "4"}"#,
            r#"invalid type: string "4""#,
        ),
        (r#"{"decoder_num_heads": 4"#, "EOF while parsing"),
        (r#"{"decoder_num_heads": 5}"#, "5 heads do not share out"),
        (r#"{"image_size": 64}"#, "images of 64 pixels do not have"),
    ] {
        sam.folder.write("config.json", config);
        let ran = segment(&sam, &sam.file("image.png"), &weights, &[]);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        for part in [reason, "config.json"] {
            assert!(ran.stderr.contains(part), "{}", ran.stderr);
        }
    }
}

/// Where memory is too short for the threads or the network, that is an error, not the end of the
/// process. (Where libtorch itself hardly fits, nothing is promised.)
#[cfg(target_os = "linux")]
#[test]
fn too_little_memory_is_an_error_and_nothing_hangs() {
    let Some(sam) = Sam::open("shapes") else {
        return;
    };
    let (image, weights) = (sam.file("image.png"), sam.file("checkpoint.pth"));
    let within = |mebibytes: u64, command: &str| {
        let limited = format!(
            "ulimit -v {}; exec timeout -s KILL 60 \"$0\" {command}",
            mebibytes << 10
        );
        let som = sam.folder.command(&[]);
        let mut shell = Command::new("bash");
        shell.args(["-c", &limited]).arg(som.get_program());
        shell.current_dir(sam.folder.path("."));
        shell.envs(
            som.get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        Ran::of(&mut shell)
    };
    let (mut too_little, mut enough) = (100, 4096);
    while enough - too_little > 32 {
        let middle = (too_little + enough) / 2;
        let listed = within(middle, "plugin list");
        if listed.code == 0 && String::from_utf8_lossy(&listed.stdout).contains("segmenter   sam ")
        {
            enough = middle;
        } else {
            too_little = middle;
        }
    }
    let command = format!(
        "segment {image} --segmenter sam --set weights={weights} --set device=cpu --json out.json"
    );
    let mut codes = Vec::new();
    for room in (64..=1536).step_by(184) {
        let ran = within(enough + room, &command);
        assert!(
            [0, 5].contains(&ran.code),
            "{room} MiB more than it takes to load: {ran:?}"
        );
        if ran.code == 5 {
            assert!(ran.stderr.contains("too little memory"), "{}", ran.stderr);
        }
        codes.push(ran.code);
    }
    assert_eq!(
        (codes.first(), codes.last()),
        (Some(&5), Some(&0)),
        "{codes:?}"
    );
}
