//! `som ask` and `som compare` here and at a server: the same bytes; and files that are read side by
//! side.

use crate::som::{Folder, Ran, Served};

/// What is printed, without what differs from run to run: `"timings_ms":{…}`, and seconds.
fn stable(text: &[u8]) -> String {
    let text = std::str::from_utf8(text).unwrap();
    let line = |line: &str| {
        let mut rest = line;
        let mut stable = String::new();
        while let Some((before, after)) = rest.split_once("\"timings_ms\":{") {
            stable.push_str(before);
            rest = after.split_once('}').unwrap().1;
        }
        stable.push_str(rest);
        let words = stable.split(' ').filter(|word| !word.is_empty());
        let words: Vec<&str> = words.collect();
        let is_time = |word: &str| word.parse::<f64>().is_ok() && word.contains('.');
        let of_time = |index: usize| is_time(words[index]) && words.get(index + 1) == Some(&"s");
        let kept = (0..words.len()).filter(|&index| !of_time(index));
        kept.map(|index| words[index]).collect::<Vec<_>>().join(" ")
    };
    text.lines().map(|text| line(text) + "\n").collect()
}

/// Runs a line here and at the server, and stops the test unless both say the same; what is below
/// `out/` has to be the same, too.
#[track_caller]
fn same(folder: &Folder, url: &str, words: &[&str], stdin: &str) -> Ran {
    let run = |words: &[&str]| {
        let ran = folder.som_reading(words, stdin.as_bytes());
        let files = folder.files();
        let written = files.iter().filter(|file| file.starts_with("out/"));
        let written: Vec<_> = written
            .map(|file| {
                let bytes = folder.read(file);
                std::fs::remove_file(folder.path(file)).unwrap();
                match file.ends_with(".html") {
                    true => (file.clone(), stable_page(&bytes).into_bytes()),
                    false => (file.clone(), bytes),
                }
            })
            .collect();
        (ran, written)
    };
    let (here, files_here) = run(words);
    let (there, files_there) = run(&[words, &["--server", url]].concat());
    assert_eq!(
        there.stderr.replace(&format!("{url}: "), ""),
        here.stderr,
        "{words:?}"
    );
    assert_eq!(stable(&there.stdout), stable(&here.stdout), "{words:?}");
    assert_eq!(there.code, here.code, "{words:?}");
    let names = |files: &[(String, Vec<u8>)]| -> Vec<String> {
        files.iter().map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(names(&files_there), names(&files_here), "{words:?}");
    assert!(files_there == files_here, "{words:?}: other bytes");
    here
}

/// A page without its seconds.
fn stable_page(page: &[u8]) -> String {
    let page = std::str::from_utf8(page).unwrap();
    let is_time = |cell: &&str| cell.trim_end_matches("</tr>\n").ends_with(" s");
    let cells = page.split("<td>").filter(|cell| !is_time(cell));
    cells.collect::<Vec<_>>().join("<td>")
}

#[test]
fn a_server_answers_as_this_process_does() {
    let folder = Folder::with_photos(&["coffee.png", "chelsea.png"]);
    folder.write("words.txt", "Be brief.\n---\n{question}\n{table}");
    let server = Served::start(&folder, &["serve"], &[]);
    let url = server.url();
    for words in [
        &["which is the largest region?"][..],
        &["what is red?", "--quiet"],
        &["what is [2] beside {box:20,30,60,50}?", "--json"],
        &[
            "what is large?",
            "-o",
            "out/m.png",
            "--highlight",
            "out/l.jpg",
        ],
        &[
            "what is large?",
            "-o",
            "out/m.webp",
            "--page-size",
            "3",
            "--json",
        ],
        &[
            "chelsea.png",
            "what is large?",
            "--json",
            "--table",
            "--clean",
        ],
        &["chelsea.png", "--task", "track", "--json"],
        &["--task", "describe", "--marks", "2,1"],
        &["--task", "describe", "--vocabulary", "cup,spoon", "--json"],
        &[
            "--task",
            "refer",
            "the largest region; a red region",
            "--votes",
            "3",
        ],
        &[
            "--task",
            "refer",
            "the largest region",
            "--votes",
            "3",
            "--json",
        ],
        &[
            "--task",
            "phrases",
            "a red region",
            "--phrase",
            "red region",
            "--json",
        ],
        &[
            "what is blue?",
            "--votes",
            "2",
            "--max-tokens",
            "100",
            "--json",
        ],
        &[
            "what is blue?",
            "--max-rounds",
            "1",
            "--template",
            "reason",
            "--json",
        ],
        &["what is blue?", "--prompt-file", "words.txt"],
        &[
            "what is large?",
            "--max-marks",
            "4",
            "--font-size",
            "30",
            "--json",
            "-o",
            "out/m.png",
        ],
        &[
            "what is large?",
            "--level",
            "2",
            "--styles",
            "contour,alphabet",
            "--set",
            "contour.thickness=3",
            "--json",
        ],
        &["what is large?", "--hint", "point:300.5,200.5", "--json"],
        &["what is large?", "--granularity", "1.2", "--json"],
        &[
            "what is large?",
            "--lmm",
            "attributes",
            "--set",
            "max_regions=3",
            "--json",
        ],
    ] {
        let words = [&["ask", "coffee.png"], words].concat();
        let ran = same(&folder, &url, &words, "");
        assert_eq!(ran.code, 0, "{words:?}: {}", ran.stderr);
        assert!(!ran.stdout.is_empty(), "{words:?}");
    }
    // A chat, in which one question makes no sense.
    let chat = "\nand what is [2]?\nwhat is {mark:999}?\nand in {box:1,2,30,40}?\n";
    for words in [
        &["what is in {box:20,30,60,50}?", "--json"][..],
        &["what is red?", "--highlight", "out/lit.png"],
    ] {
        let words = [&["ask", "coffee.png", "--chat"], words].concat();
        let ran = same(&folder, &url, &words, chat);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(
            ran.stderr.contains("there is no such mark"),
            "{}",
            ran.stderr
        );
    }
}

#[test]
fn a_server_compares_as_this_process_does() {
    let folder = Folder::with_photos(&["coffee.png"]);
    let server = Served::start(&folder, &["serve"], &[]);
    let url = server.url();
    // One row after the other is done, so that they are printed in this order.
    let row = |row| {
        [
            "compare",
            "coffee.png",
            "what is large?",
            "--html",
            "out/r.html",
            "--row",
            row,
        ]
    };
    for (text, code) in [
        ("level=1", 0),
        ("granularity=1.2", 0),
        ("granularity=3,max_regions=4,styles=number", 0),
        ("granularity=2,segmenter=classic", 2),
        ("granularity=7", 2),
        ("level=2,styles=contour+number", 0),
        ("segmenter=classic,lmm=attributes", 0),
        ("template=reason,clean=true", 0),
        ("votes=2,table=true", 0),
        ("template=som-bench", 2),
        ("lmm=nobody", 2),
        ("styles=ink", 2),
        ("level=99", 2),
        ("segmenter=clasic", 2),
    ] {
        let ran = same(&folder, &url, &row(text), "");
        assert_eq!(ran.code, code, "{text}: {}", ran.stderr);
    }
    let words = [
        &row("level=1")[..],
        &["--row", "level=5,lmm=attributes", "--max-marks", "3"],
    ]
    .concat();
    let both = [&words[..], &["--server", &url]].concat();
    let ran = folder.som(&both).succeeded();
    let rows = ran.text().lines().take_while(|line| !line.is_empty());
    let rows: Vec<&str> = rows.collect();
    assert_eq!(rows.len(), 2, "{}", ran.text());
    assert!(
        rows.iter().all(|line| line.contains("   3 marks")),
        "{}",
        ran.text()
    );
    let page = String::from_utf8(folder.read("out/r.html")).unwrap();
    assert_eq!(
        page.matches("<img src=\"data:image/jpeg;base64,").count(),
        2
    );
}

#[test]
fn a_server_compares_trials_as_this_process_does() {
    let folder = Folder::with_photos(&["coffee.png", "chelsea.png"]);
    let server = Served::start(&folder, &["serve"], &[]);
    let url = server.url();
    let words = ["compare", "coffee.png", "chelsea.png"];
    let rows = [
        "--row",
        "level=1",
        "--row",
        "level=2,votes=2",
        "--row",
        "lmm=nobody",
    ];
    let told = ["--json", "--no-timings"];
    for (question, more) in [
        (&["what is large?"][..], &["--trials"][..]),
        (&["what is large?"], &[]),
        (
            &["the largest region; a red one", "--task", "refer"],
            &["--trials"],
        ),
    ] {
        let words = [&words[..], question, &rows, &told, more].concat();
        let ran = same(&folder, &url, &words, "");
        assert_eq!(ran.code, 2, "{words:?}: {}", ran.stderr);
        assert_eq!(ran.json()["rows"].as_array().unwrap().len(), 3);
    }
}

#[test]
fn mistakes_are_the_same_at_a_server() {
    let folder = Folder::with_photos(&["coffee.png"]);
    folder.write("text.png", "These are words, not pixels.\n");
    let server = Served::start(&folder, &["serve"], &[]);
    let url = server.url();
    let photo = "coffee.png";
    for (words, why) in [
        (
            &["ask", photo, "what?", "--lmm", "atributes"][..],
            "unknown lmm \"atributes\" (did you mean \"attributes\"?",
        ),
        (
            &["ask", photo, "what?", "--segmenter", "clasic"],
            "segmenter \"clasic\" does not exist",
        ),
        (
            &["ask", photo, "what?", "--styles", "nmber"],
            "mark style \"nmber\" does not exist",
        ),
        (
            &["ask", photo, "what?", "--set", "minarea=3"],
            "--set minarea: nothing takes this key",
        ),
        (
            &["ask", photo, "what?", "--font-size", "0.5"],
            "font_size is 0.5",
        ),
        (
            &["ask", photo, "what?", "--min-glyph", "-1"],
            "min_glyph is -1",
        ),
        (
            &["ask", photo, "what is {mark:999}?"],
            "there is no such mark",
        ),
        (&["ask", photo, "--task", "track"], "at least two images"),
        (
            &["ask", "text.png", "what?"],
            "text.png: the bytes are no image",
        ),
        (&["ask", photo, "what?", "--highlight", "x.gif"], "x.gif"),
        (
            &["ask", photo, "what?", "--max-cost", "0"],
            "write a number above 0",
        ),
        (
            &["ask", photo, "what?", "--max-tokens", "0"],
            "0 is not in 1..",
        ),
        (
            &["ask", photo, "what?", "--hint", "stroke:text.png"],
            "text.png: the bytes are no image",
        ),
    ] {
        let ran = same(&folder, &url, words, "");
        assert_eq!(ran.code, 2, "{words:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(why), "{words:?}: {}", ran.stderr);
        assert!(ran.stdout.is_empty(), "{words:?}");
    }
    drop(server);
    for words in [
        &["ask", photo, "what?", "--server", &url][..],
        &[
            "compare", photo, "what?", "--row", "level=1", "--server", &url,
        ],
    ] {
        let ran = folder.som(words);
        assert_eq!(ran.code, 4, "{words:?}: {}", ran.stderr);
        assert!(
            ran.stderr.starts_with(&format!("som: {url}: ")),
            "{}",
            ran.stderr
        );
    }
}

/// Each of two named pipes is fed once the other one is being read, too: a run that reads one after
/// the other would wait for ever.
#[cfg(unix)]
#[test]
fn files_are_read_side_by_side() {
    use std::{
        fs::OpenOptions,
        io::Write as _,
        process::{Command, Stdio},
        sync::mpsc,
        thread,
        time::Duration,
    };

    let folder = Folder::with_photos(&["coffee.png"]);
    let photo = folder.read("coffee.png");
    let server = Served::start(&folder, &["serve"], &[]);
    let url = server.url();
    for server in [&["--server", url.as_str()][..], &[]] {
        for name in ["a.png", "b.png"] {
            let _ = std::fs::remove_file(folder.path(name));
            let made = Command::new("mkfifo").arg(folder.path(name)).status();
            assert!(made.unwrap().success());
        }
        let line = [
            "segment", "a.png", "b.png", "--level", "1", "--jobs", "2", "--json", "out",
        ];
        let mut command = folder.command(&[&line[..], server].concat());
        let mut run = command
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();

        // Opening a pipe to write waits for whoever reads it.
        let (opened, both_open) = mpsc::channel();
        let pipes = ["b.png", "a.png"].map(|name| folder.path(name));
        let photo = photo.clone();
        let feeder = thread::spawn(move || {
            let pipes = pipes.map(|pipe| OpenOptions::new().write(true).open(pipe).unwrap());
            opened.send(()).unwrap();
            // The first one that was asked for comes last.
            for mut pipe in pipes {
                pipe.write_all(&photo).unwrap();
            }
        });
        let is_open = both_open.recv_timeout(Duration::from_secs(60));
        if is_open.is_err() {
            run.kill().unwrap();
        }
        assert!(
            is_open.is_ok(),
            "{server:?}: one file is read after the other"
        );
        feeder.join().unwrap();
        let ran = Ran::from(run.wait_with_output().unwrap()).succeeded();
        assert!(ran.stderr.contains("2 images: 2 done"), "{}", ran.stderr);
        let (a, b) = (folder.json("out/a.json"), folder.json("out/b.json"));
        assert_eq!(a["regions"], b["regions"]);
    }
}
