//! `som models` against servers of every kind, and the names of checkpoints as weights.

mod server;

use std::fs;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use self::server::{Manners, Server};
use crate::som::{Folder, Ran};

/// What a checkpoint is here: bytes, none like its neighbour.
fn weights() -> Vec<u8> {
    (0..300_000_u32)
        .flat_map(|n| (n.wrapping_mul(2_654_435_761)).to_le_bytes())
        .collect()
}

/// A folder whose settings have the checkpoint `tiny` at `server`.
fn folder(server: &Server, entries: &str) -> Folder {
    let folder = Folder::new();
    let url = &server.url;
    folder.write(
        "som.toml",
        format!(
            "[models]\nfolder = \"cache\"\n[models.checkpoint.tiny]\nsegmenter = \"sam\"\nurl = \"{url}\"\n{entries}"
        ),
    );
    folder
}

fn digest_of(bytes: &[u8]) -> String {
    let digits: String = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256 = \"{digits}\"\n")
}

fn pull(folder: &Folder) -> Ran {
    folder.som(&["models", "pull", "tiny"])
}

/// The partial file of an interrupted run.
const PART: &str = "cache/tiny.pth.part";
/// The settings, and the file under its name.
const DONE: [&str; 2] = ["cache/tiny.pth", "som.toml"];

#[test]
fn a_checkpoint_is_fetched_once_and_verified() {
    let server = Server::start(&weights(), Manners::default());
    let folder = folder(&server, &digest_of(&weights()));
    for _ in 0..2 {
        let ran = pull(&folder).succeeded();
        assert_eq!(ran.text(), "cache/tiny.pth\n");
    }
    assert_eq!(server.ranges(), [""], "one request, for the whole file");
    assert_eq!(folder.read("cache/tiny.pth"), weights());
    assert_eq!(folder.files(), DONE);
    let verified = folder.som(&["models", "verify"]).succeeded();
    assert_eq!(verified.text(), "tiny: exact\n");

    let mut spoilt = weights();
    spoilt[7] ^= 1;
    folder.write("cache/tiny.pth", spoilt);
    let ran = folder.som(&["models", "verify", "sam_vit_b", "tiny"]);
    assert_eq!(ran.code, 2);
    let [absent, wrong] = ran.stderr.lines().collect::<Vec<_>>()[..] else {
        panic!("{}", ran.stderr)
    };
    assert_eq!(
        absent,
        "som: checkpoint \"sam_vit_b\": is not on this machine (fetch it: som models pull sam_vit_b)"
    );
    assert!(wrong.contains("cache/tiny.pth has SHA-256"), "{wrong}");
}

#[test]
fn an_interrupted_run_goes_on_where_it_stopped() {
    let server = Server::start(&weights(), Manners::default());
    let folder = folder(&server, &digest_of(&weights()));
    folder.write(PART, &weights()[..500_000]);
    pull(&folder).succeeded();
    assert_eq!(server.ranges(), ["bytes=500000-"]);
    assert_eq!(folder.read("cache/tiny.pth"), weights());
    assert_eq!(folder.files(), DONE);
}

#[test]
fn a_cut_connection_is_taken_up_again() {
    let manners = Manners {
        hangs_up: Some((400_000, 2)),
        ..Manners::default()
    };
    let server = Server::start(&weights(), manners);
    let folder = folder(&server, &digest_of(&weights()));
    pull(&folder).succeeded();
    assert_eq!(server.ranges(), ["", "bytes=400000-", "bytes=800000-"]);
    assert_eq!(folder.read("cache/tiny.pth"), weights());
}

#[test]
fn a_server_that_always_breaks_off_is_given_up() {
    let manners = Manners {
        hangs_up: Some((0, usize::MAX)),
        ..Manners::default()
    };
    let server = Server::start(&weights(), manners);
    let folder = folder(&server, &digest_of(&weights()));
    folder.write(PART, &weights()[..1_000]);
    let ran = pull(&folder);
    assert_eq!(ran.code, 4, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("the download broke off"),
        "{}",
        ran.stderr
    );
    assert_eq!(server.ranges(), ["bytes=1000-"; 5]);
    assert_eq!(
        folder.read(PART),
        &weights()[..1_000],
        "what was there stays"
    );
}

#[test]
fn a_server_without_ranges_begins_again() {
    let manners = Manners {
        ignores_ranges: true,
        hangs_up: Some((400_000, 1)),
        ..Manners::default()
    };
    let server = Server::start(&weights(), manners);
    let folder = folder(&server, &digest_of(&weights()));
    pull(&folder).succeeded();
    assert_eq!(server.ranges(), ["", "bytes=400000-"]);
    assert_eq!(folder.read("cache/tiny.pth"), weights());
}

/// Two halves without a digest could be of two files.
#[test]
fn without_a_digest_nothing_is_pieced_together() {
    let server = Server::start(&weights(), Manners::default());
    let folder = folder(&server, "");
    folder.write(PART, "of another file");
    pull(&folder).succeeded();
    assert_eq!(server.ranges(), [""]);
    assert_eq!(folder.read("cache/tiny.pth"), weights());
    let verified = folder.som(&["models", "verify", "tiny"]).succeeded();
    assert_eq!(
        verified.text(),
        "tiny: unknown (the catalogue has no digest)\n"
    );
}

#[test]
fn another_file_never_gets_the_name() {
    // A partial file longer than the server's is not a beginning of it.
    let server = Server::start(&weights(), Manners::default());
    let longer = folder(&server, &digest_of(&weights()));
    longer.write(PART, [weights(), weights()].concat());
    pull(&longer).succeeded();
    assert_eq!(longer.read("cache/tiny.pth"), weights());

    // A beginning of another file.
    let other = folder(&server, &digest_of(&weights()));
    other.write(PART, [0; 1_000]);
    let ran = pull(&other);
    assert_eq!(ran.code, 4);
    assert!(ran.stderr.contains("expected"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("it was thrown away (try again)"),
        "{}",
        ran.stderr
    );
    assert_eq!(other.files(), ["som.toml"]);
    pull(&other).succeeded();

    // Another size is seen before a byte is fetched.
    let size = folder(&server, "size = 12\n");
    let line = format!(
        "checkpoint \"tiny\": {} is a file of 1200000 bytes, expected 12 (another file is there now)",
        server.url
    );
    pull(&size).failed(2, &line);
}

#[test]
fn what_a_server_refuses_is_told() {
    for (status, code, words) in [
        (
            "404 Not Found",
            2,
            "the server does not have it (404 Not Found)",
        ),
        ("403 Forbidden", 2, "the server refuses it (403 Forbidden)"),
        (
            "503 Service Unavailable",
            4,
            "the server answered 503 Service Unavailable",
        ),
    ] {
        let manners = Manners {
            refuses: Some(status),
            ..Manners::default()
        };
        let server = Server::start(&weights(), manners);
        let folder = folder(&server, "");
        let line = format!("checkpoint \"tiny\": {}: {words}", server.url);
        pull(&folder).failed(code, &line);
        assert!(!folder.path("cache/tiny.pth").exists());
    }
}

#[test]
fn a_file_that_does_not_fit_is_refused_before_it_is_fetched() {
    let manners = Manners {
        claims: Some(1 << 60),
        ..Manners::default()
    };
    let server = Server::start(&weights(), manners);
    let folder = folder(&server, "");
    let ran = pull(&folder);
    assert_eq!(ran.code, 5, "{}", ran.stderr);
    assert!(
        ran.stderr
            .contains("1152921504606846976 bytes are missing, but cache has room for")
    );
    assert_eq!(folder.read(PART), b"");
}

/// No file may grow beyond 1024 blocks of 512 bytes: as on a disk that fills up on the way.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fills_up_is_told_and_the_next_run_goes_on() {
    let server = Server::start(&weights(), Manners::default());
    let folder = folder(&server, &digest_of(&weights()));
    let som = folder.command(&["models", "pull", "tiny"]);
    let mut limited = std::process::Command::new("sh");
    limited.current_dir(folder.path("")).args([
        "-c",
        "trap '' 25; ulimit -f 1024; exec \"$@\"",
        "sh",
    ]);
    limited.arg(som.get_program()).args(som.get_args());
    Ran::of(&mut limited).failed(
        5,
        "checkpoint \"tiny\": no room is left for cache/tiny.pth.part (free some, or set models.folder)",
    );
    assert_eq!(folder.read(PART), &weights()[..1024 * 512]);
    pull(&folder).succeeded();
    assert_eq!(server.ranges(), ["", "bytes=524288-"]);
    assert_eq!(folder.files(), DONE);
}

#[test]
fn the_catalogue_is_complete() {
    let folder = Folder::new();
    let home = folder.path("home");
    let som = |arguments: &[&str]| {
        let mut command = folder.command(arguments);
        Ran::of(command.env("XDG_CACHE_HOME", &home)).succeeded()
    };
    insta::assert_snapshot!(som(&["models", "list"]).text());
    for row in som(&["models", "list", "--json"])
        .json()
        .as_array()
        .unwrap()
    {
        for key in ["name", "segmenter", "about", "licence", "url"] {
            assert!(
                row[key].as_str().is_some_and(|text| !text.is_empty()),
                "{key} of {row}"
            );
        }
        assert!(
            row["url"].as_str().unwrap().starts_with("https://"),
            "{row}"
        );
        assert_eq!(row["path"], Value::Null, "{row}");
    }
    let file = home.join("som/models/sam_vit_b.pth");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, "").unwrap();
    let list = som(&["models", "list", "--json"]).json();
    let row = list.as_array().unwrap().iter();
    let mut row = row.filter(|row| row["name"] == "sam_vit_b");
    assert_eq!(row.next().unwrap()["path"], file.to_str().unwrap());
}

#[test]
fn mistakes_in_names_and_settings_are_named() {
    let folder = Folder::new();
    let ran = folder.som(&["models", "pull", "sam_vit_bb"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    let told = "unknown checkpoint \"sam_vit_bb\" (did you mean \"sam_vit_b\"? known: glip_l, ";
    assert!(ran.stderr.contains(told), "{}", ran.stderr);
    for (entry, line) in [
        (
            "x]\nsegmenter = \"sam\"\nurl = \"ftp://x\"",
            "models.checkpoint.x: url is \"ftp://x\", but must begin with https:// or http://",
        ),
        (
            "\"../x\"]\nsegmenter = \"sam\"\nurl = \"http://x\"",
            "models.checkpoint.../x: the name must be one or more of A-Z, a-z, 0-9, ., _ and -, and not begin with a dot",
        ),
        (
            "x]\nsegmenter = \"sam\"\nurl = \"http://x\"\nsha256 = \"01ec64\"",
            "models.checkpoint.x: sha256 must be 64 hexadecimal digits in lower case",
        ),
    ] {
        folder.write("som.toml", format!("[models.checkpoint.{entry}\n"));
        folder
            .som(&["models", "list"])
            .failed(2, &format!("settings: {line}"));
    }
}
