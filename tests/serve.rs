//! `som serve` and `som backend`, and the commands against a server.

use std::{
    process::Stdio,
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::som::{Folder, Ran, Served};

const TOKEN: &str = "SOM_TEST_TOKEN";
const SECRET: &str = "a-secret-of-24-characters";

/// The JSON without what differs from run to run, and from place to place. On the wire there is one
/// kind of number: 300.0 comes back as 300.
fn stable(mut json: Value) -> Value {
    json["timings_ms"] = json!({});
    json["pages"] = json!([]);
    floating(&mut json);
    json
}

fn floating(json: &mut Value) {
    match json {
        Value::Number(number) => *json = json!(number.as_f64()),
        Value::Array(items) => items.iter_mut().for_each(floating),
        Value::Object(fields) => fields.values_mut().for_each(floating),
        _ => {}
    }
}

#[test]
fn a_server_marks_as_this_process_does() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let server = Served::start(&folder, &["serve"], &[]);
    let url = server.url();
    let line = [
        "mark",
        "coffee.png",
        "--level",
        "2",
        "--styles",
        "contour,number",
        "--set",
        "contour.thickness=3",
        "--page-size",
        "8",
    ];
    let mut here = line.to_vec();
    here.extend([
        "-o",
        "here.png",
        "--json",
        "here.json",
        "--prompt",
        "here.txt",
    ]);
    folder.som(&here).succeeded();
    let mut there = line.to_vec();
    there.extend([
        "-o",
        "there.png",
        "--json",
        "there.json",
        "--prompt",
        "there.txt",
    ]);
    there.extend(["--server", &url]);
    let ran = folder.som(&there).succeeded();

    assert!(
        ran.stderr.starts_with("som: there.png, there.2.png"),
        "{}",
        ran.stderr
    );
    for page in ["", ".2"] {
        let page = |stem| folder.read(&format!("{stem}{page}.png"));
        assert!(page("here") == page("there"), "the same bytes");
    }
    assert_eq!(folder.read("here.txt"), folder.read("there.txt"));
    let (here, there) = (folder.json("here.json"), folder.json("there.json"));
    assert!(there["timings_ms"]["segment"].as_f64().unwrap() > 0.0);
    assert_eq!(
        there["pages"].as_array().unwrap().len(),
        here["pages"].as_array().unwrap().len()
    );
    assert_eq!(stable(here), stable(there));
    assert_eq!(server.end().0, 0);
}

#[test]
fn a_server_cuts_as_this_process_does() {
    let folder = Folder::with_photos(&["coffee.png", "rocket.jpg"]);
    let server = Served::start(&folder, &["serve"], &[]);
    let url = server.url();
    for (line, file) in [
        (
            "segment coffee.png --hint point:300,200 --hint box:200,100,200,200",
            "a.json",
        ),
        (
            "segment coffee.png --set max_regions=5 --set level=3",
            "b.json",
        ),
        (
            "segment coffee.png rocket.jpg --level 1 --format coco",
            "c.json",
        ),
    ] {
        let words: Vec<&str> = line.split(' ').chain(["--json", file]).collect();
        folder.som(&words).succeeded();
        let here = folder.json(file);
        let words: Vec<&str> = words.into_iter().chain(["--server", &url]).collect();
        folder.som(&words).succeeded();
        let there = folder.json(file);
        assert_eq!(stable(here), stable(there), "{line}");
    }
}

#[test]
fn mistakes_against_a_server_are_named_with_their_fix() {
    let folder = Folder::with_photos(&["coffee.png"]);
    folder.write("text.png", "These are words, not pixels.\n");
    let settings = format!("[server.token.tester]\nenv = \"{TOKEN}\"\n");
    let config = folder.write("server.toml", settings);
    let config = ["serve", "--config", config.to_str().unwrap()];
    let server = Served::start(&folder, &config, &[(TOKEN, SECRET)]);
    let url = server.url();
    let with = |line: &str, token: &str| {
        let words: Vec<&str> = line.split(' ').chain(["--server", &url]).collect();
        Ran::of(
            folder
                .command(&words)
                .env(TOKEN, token)
                .stdin(Stdio::null()),
        )
    };
    let at = |rest: &str| format!("{url}: {rest}");
    let right = format!("segment coffee.png --level 1 --json a.json --token-env {TOKEN}");
    with(&right, SECRET).succeeded();
    with(&right, "b-secret-of-24-characters").failed(2, &at("the bearer token is wrong"));
    with("segment coffee.png", SECRET).failed(
        2,
        &at("a bearer token is needed (metadata \"authorization: Bearer TOKEN\")"),
    );
    let right = |line: &str| with(&format!("{line} --token-env {TOKEN}"), SECRET);
    right("segment text.png").failed(
        2,
        &format!(
            "text.png: {url}: the bytes are no image that som reads: PNG, JPEG, WebP, BMP, GIF or TIFF"
        ),
    );
    right("segment coffee.png --segmenter clasic").failed(
        2,
        "segmenter \"clasic\" does not exist (there are: classic)",
    );
    right("mark coffee.png --styles nmber").failed(
        2,
        "mark style \"nmber\" does not exist (there are: alphabet, box, contour, mask, number)",
    );
    right("segment coffee.png --level 9").failed(
        2,
        "segmenter \"classic\": parameter \"level\" is 9, but must be at most 6",
    );
    right("segment coffee.png --hint point:600,10").failed(
        2,
        &format!(
            "coffee.png: {url}: hint: the point 600,10 lies outside the image of 600x400 pixels"
        ),
    );
    with("segment coffee.png --token-env SOM_TEST_NO_SUCH", SECRET).failed(
        2,
        "the token's environment variable SOM_TEST_NO_SUCH is not set",
    );
    drop(server);

    let gone = folder.som(&["segment", "coffee.png", "--server", &url]);
    assert_eq!(gone.code, 4);
    assert!(
        gone.stderr.starts_with(&format!("som: {url}: ")),
        "{}",
        gone.stderr
    );
    let other = folder.som(&["segment", "coffee.png", "--server", "localhost:50051"]);
    assert_eq!(other.code, 2);
    assert!(
        other.stderr.contains("not an endpoint like"),
        "{}",
        other.stderr
    );
}

#[test]
fn a_unix_socket_serves_as_well() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let socket = format!("unix:{}", folder.path("som.sock").display());
    let server = Served::start(&folder, &["serve", "--listen", &socket], &[]);
    assert_eq!(server.address, socket);
    let line = ["segment", "coffee.png", "--level", "1", "--server", &socket];
    let ran = folder.som(&line).succeeded();
    assert!(!ran.json()["regions"].as_array().unwrap().is_empty());
    assert_eq!(server.end().0, 0);
    assert!(!folder.path("som.sock").exists());
}

#[test]
fn an_address_that_cannot_be_bound_is_named() {
    let folder = Folder::new();
    let server = Served::start(&folder, &["serve"], &[]);
    let ran = folder.som(&["serve", "--listen", &server.address]);
    assert_eq!(ran.code, 4);
    let why = format!("server.listen \"{}\": the port is in use", server.address);
    assert!(ran.stderr.contains(&why), "{}", ran.stderr);
    folder.som(&["backend", "--segmenter", "clasic"]).failed(
        2,
        "segmenter \"clasic\" does not exist (there are: classic)",
    );
}

#[test]
fn a_signal_lets_calls_finish_and_a_second_one_does_not() {
    let folder = Folder::with_photos(&["coffee.png"]);
    for (second, code) in [(None, 0), (Some("INT"), 130), (Some("TERM"), 143)] {
        let server = Served::start(&folder, &["serve"], &[]);
        // Speaks, but does not end: what a drain waits for.
        let url = server.url();
        let words = [
            "segment",
            "coffee.png",
            "--json",
            "a.json",
            "--level",
            "6",
            "--server",
            &url,
        ];
        let mut call = folder
            .command(&words)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        if let Some(second) = second {
            // A peer that says nothing holds the drain up.
            let silent = std::net::TcpStream::connect(&server.address).unwrap();
            sleep(Duration::from_millis(200));
            server.signal("TERM");
            sleep(Duration::from_millis(200));
            let start = Instant::now();
            server.signal(second);
            let (ended, log) = server.ended();
            assert_eq!(ended, code, "{log}");
            assert!(
                start.elapsed() < Duration::from_secs(5),
                "not after server.drain_ms"
            );
            drop(silent);
            let _ = call.wait();
        } else {
            sleep(Duration::from_millis(200));
            let (ended, log) = server.end();
            assert_eq!(ended, code, "{log}");
            assert!(log.contains("every call was finished"), "{log}");
            let _ = call.wait();
        }
    }
}

#[test]
fn a_segmenter_behind_a_backend_is_one_like_others() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let backend = Served::start(&folder, &["backend", "--segmenter", "classic"], &[]);
    let table = format!(
        "[segmenter.far]\nremote = [\"{}\"]\npatience_ms = 0\n",
        backend.url()
    );
    folder.write("som.toml", table);
    let line = |id| ["segment", "coffee.png", "--level", "2", "--segmenter", id];
    let (here, there) = (folder.som(&line("classic")), folder.som(&line("far")));
    let (here, there) = (here.succeeded().json(), there.succeeded().json());
    assert_eq!(here["regions"], there["regions"]);
    assert_eq!(there["segmenter"]["id"], "far");

    // Without it, everything but `far` works, and `far` says why it does not.
    let url = backend.url();
    drop(backend);
    folder.som(&line("classic")).succeeded();
    let far = folder.som(&line("far"));
    assert_eq!(far.code, 4);
    for part in [
        "segmenter \"far\"",
        &url,
        "som backend",
        "segmenter.far.remote",
    ] {
        assert!(far.stderr.contains(part), "{}", far.stderr);
    }
    let list = folder.som(&["plugin", "list"]).succeeded();
    let row = list.text().lines().find(|line| line.contains(" far "));
    assert!(
        row.is_some_and(|row| row.contains("no endpoint can be used")),
        "{row:?}"
    );
    let list = folder.som(&["plugin", "list", "--json"]).succeeded().json();
    let rows = list.as_array().unwrap();
    let far = rows.iter().find(|row| row["id"] == "far").unwrap();
    assert!(far["unavailable"].as_str().unwrap().contains(&url));
    let server = Served::start(&folder, &["serve"], &[]);
    let url = server.url();
    let line = ["segment", "coffee.png", "--level", "1", "--server", &url];
    folder.som(&line).succeeded();
}
