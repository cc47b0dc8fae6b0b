use std::{fs, io::Write as _, path::Path, process::Command};

use image::{ImageFormat, Rgb, RgbImage};
use serde_json::json;

use super::{
    PLUGINS,
    plugin::{Fixture, Plugin, Refused, RefusedConfig, Table},
};
use crate::{som::Ran, source::root};

impl Fixture {
    /// Runs the segmenter on `image` with these weights.
    fn segment(&self, image: &str, weights: &Path, arguments: &[String]) -> Ran {
        let weights = format!("weights={}", weights.display());
        let given = ["--set", &weights, "--json", "out.json"].map(str::to_owned);
        self.run_on(image, "segment", &[&given[..], arguments].concat())
    }
}

pub(super) fn checkpoints_that_are_none_are_refused_by_name(plugin: &Plugin) {
    let Some(fixture) = plugin.usual() else {
        return;
    };
    let image = fixture.file("image.png");
    let whole = fs::read(fixture.file("checkpoint.pth")).unwrap();
    let half = fixture.folder.write("half.pth", &whole[..whole.len() / 2]);
    let text = fixture
        .folder
        .write("text.pth", "these are no weights, just words");
    let checkpoints = root().join("crates/som-torch/tests/checkpoints");
    for (weights, code, reason) in [
        (half, 2, "truncated or damaged"),
        (text, 2, "not a PyTorch checkpoint"),
        (
            checkpoints.join("nested.pth"),
            2,
            &*format!("is no {} network: ", fixture.table.network),
        ),
        (
            checkpoints.join("runs.pth"),
            2,
            "refused: it refers to Python's posix.system",
        ),
        (fixture.folder.path("none.pth"), 4, "weights not found at"),
    ] {
        let ran = fixture.segment(&image, &weights, &[]);
        assert_eq!(ran.code, code, "{}", ran.stderr);
        let name = weights.file_name().unwrap().to_str().unwrap();
        for part in [name, reason] {
            assert!(ran.stderr.contains(part), "{}", ran.stderr);
        }
        assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        assert!(!fixture.folder.path("out.json").exists(), "{name}");
    }
    assert!(!fixture.folder.path("checkpoint-was-executed").exists());
}

/// Networks of other projects share many of their tensors.
pub(super) fn checkpoints_of_other_segmenters_are_named_as_what_they_are(plugin: &Plugin) {
    let Some(fixture) = plugin.usual() else {
        return;
    };
    let image = fixture.file("image.png");
    for other in PLUGINS.iter().filter(|other| other.folder != plugin.folder) {
        let table = other.table();
        let folder = other.fixtures().join(&table.tests.fixture);
        let ran = fixture.segment(&image, &folder.join("checkpoint.pth"), &[]);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        let Table {
            network, segmenter, ..
        } = table;
        let told = format!(
            "is no {} network: it is a {network} network, which the segmenter {segmenter} reads",
            fixture.table.network
        );
        assert!(ran.stderr.contains(&told), "{}", ran.stderr);
    }
}

pub(super) fn weights_and_devices_that_are_not_there_are_named_with_a_way_out(plugin: &Plugin) {
    let Some(fixture) = plugin.usual() else {
        return;
    };
    let image = fixture.file("image.png");
    let segmenter = &fixture.table.segmenter;
    let ran = fixture
        .folder
        .som(&["segment", &image, "--segmenter", segmenter]);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("no weights given"), "{}", ran.stderr);
    // No machine has this many.
    let ran = fixture.run("segment", &["--set", "device=cuda:4095"]);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    let way_out = "(use device cpu or auto)";
    assert!(ran.stderr.contains(way_out), "{}", ran.stderr);
    let ran = fixture.run("segment", &["--set", "device=gpu"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
}

pub(super) fn a_network_larger_than_the_memory_is_refused_before_it_is_read(plugin: &Plugin) {
    let Some(fixture) = plugin.usual() else {
        return;
    };
    let path = fixture.folder.path("giant.safetensors");
    giant(&path);
    let ran = fixture.segment(&fixture.file("image.png"), &path, &[]);
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    let reason = "giant.safetensors need 4194304 MiB";
    assert!(ran.stderr.contains(reason), "{}", ran.stderr);
}

/// A checkpoint of 4 TiB, in a file with holes that takes no space.
fn giant(path: &Path) {
    let bytes = 4_u64 << 40;
    let tensor = json!({"dtype": "F32", "shape": [bytes / 4], "data_offsets": [0, bytes]});
    let header = json!({"a.tensor": tensor}).to_string();
    let mut file = fs::File::create(path).unwrap();
    file.write_all(&(header.len() as u64).to_le_bytes())
        .unwrap();
    file.write_all(header.as_bytes()).unwrap();
    file.set_len(8 + header.len() as u64 + bytes).unwrap();
}

pub(super) fn tiny_and_huge_images_are_cut(plugin: &Plugin) {
    let Some(fixture) = plugin.usual() else {
        return;
    };
    for (width, height) in [(1, 1), (8000, 1), (1, 8000), (8000, 8000)] {
        let pixels = RgbImage::from_pixel(width, height, Rgb([90, 140, 30]));
        pixels
            .save_with_format(fixture.folder.path("image.png"), ImageFormat::Png)
            .unwrap();
        for arguments in &fixture.table.tests.any_image {
            let ran = fixture
                .run_on("image.png", "segment", arguments)
                .succeeded();
            let nothing = "som: image.png: no regions\n";
            assert!(["", nothing].contains(&&*ran.stderr), "{}", ran.stderr);
            let report = ran.json();
            assert_eq!(report["image"]["width"], width, "{report}");
            for region in report["regions"].as_array().unwrap() {
                let size = &region["segmentation"]["size"];
                assert_eq!(*size, json!([height, width]));
            }
        }
    }
}

pub(super) fn parameters_that_contradict_each_other_are_refused(plugin: &Plugin) {
    let Some(fixture) = plugin.usual() else {
        return;
    };
    for Refused { arguments, told } in &fixture.table.tests.refused {
        let ran = fixture.run("segment", arguments);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        assert!(ran.stderr.contains(told), "{}", ran.stderr);
    }
}

pub(super) fn what_the_config_says_wrong_is_named(plugin: &Plugin) {
    let Some(fixture) = plugin.usual() else {
        return;
    };
    let image = fixture.file("image.png");
    let weights = fixture.folder.path("checkpoint.pth");
    fs::copy(fixture.file("checkpoint.pth"), &weights).unwrap();
    for RefusedConfig { config, told } in &fixture.table.tests.refused_config {
        fixture.folder.write("config.json", config);
        let ran = fixture.segment(&image, &weights, &[]);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
        for part in [told, "config.json"] {
            assert!(ran.stderr.contains(part), "{}", ran.stderr);
        }
    }
    let given = ["--set", "config=other.json"].map(str::to_owned);
    let ran = fixture.segment(&image, &weights, &given);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("other.json"), "{}", ran.stderr);
    // Beside the checkpoint it may be missing, but not unreadable.
    fs::remove_file(fixture.folder.path("config.json")).unwrap();
    fs::create_dir(fixture.folder.path("config.json")).unwrap();
    let ran = fixture.segment(&image, &weights, &[]);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(ran.stderr.contains("config.json"), "{}", ran.stderr);
}

/// Where memory is too short for the threads or the network, that is an error, not the end of the
/// process. (Where libtorch itself hardly fits, nothing is promised.)
pub(super) fn too_little_memory_is_an_error_and_nothing_hangs(plugin: &Plugin) {
    if !cfg!(target_os = "linux") {
        return;
    }
    let Some(fixture) = plugin.usual() else {
        return;
    };
    let (image, weights) = (fixture.file("image.png"), fixture.file("checkpoint.pth"));
    let within = |mebibytes: u64, command: &str, arguments: &[String]| {
        let limited = format!(
            "ulimit -v {}; exec timeout -s KILL 60 \"$0\" {command} \"$@\"",
            mebibytes << 10
        );
        let som = fixture.folder.command(&[]);
        let mut shell = Command::new("bash");
        shell.args(["-c", &limited]).arg(som.get_program());
        shell.args(arguments);
        shell.current_dir(fixture.folder.path("."));
        shell.envs(
            som.get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        Ran::of(&mut shell)
    };
    let segmenter = &fixture.table.segmenter;
    let line = format!("segmenter   {segmenter} ");
    let (mut too_little, mut enough) = (100, 4096);
    while enough - too_little > 32 {
        let middle = (too_little + enough) / 2;
        let listed = within(middle, "plugin list", &[]);
        if listed.code == 0 && String::from_utf8_lossy(&listed.stdout).contains(&line) {
            enough = middle;
        } else {
            too_little = middle;
        }
    }
    let command = format!(
        "segment {image} --segmenter {segmenter} --set weights={weights} --set device=cpu --json out.json"
    );
    let mut codes = Vec::new();
    // Less room may go to what each thread of a busy machine reserves for its allocations.
    for room in (256..=1728).step_by(184) {
        let ran = within(enough + room, &command, &fixture.table.tests.needed);
        // The dynamic loader is the first to need memory, and gives no error but this.
        if ran.code == 4 && ran.stderr.contains("failed to map segment") {
            codes.push(5);
            continue;
        }
        assert!(
            [0, 5].contains(&ran.code),
            "{room} MiB more than it takes to load: {ran:?}"
        );
        if ran.code == 5 {
            let told = ["too little memory", "no thread could be started"];
            let is_told = told.iter().any(|told| ran.stderr.contains(told));
            assert!(is_told, "{}", ran.stderr);
        }
        codes.push(ran.code);
    }
    assert_eq!(
        (codes.first(), codes.last()),
        (Some(&5), Some(&0)),
        "{codes:?}"
    );
}
