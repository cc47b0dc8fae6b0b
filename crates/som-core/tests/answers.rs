//! The corpus of answers in `answers/`, a file for each kind: marks, and findings of tasks.
//!
//! ```text
//! marks FIRST-LAST | A B C | none     the marks of the following answers: numbers up to LAST, whose
//!                                     ids are the numbers, or texts, whose ids count from 1
//! scene, image, region, coordinates, orders   or images with regions; see `set_scene`
//! task refer A; B                     what is asked: ask (the default), describe [NAMES],
//!                                     refer, phrases SENTENCE | PHRASES, track
//! style NAME                          in whose style the following answers are written
//! > line of the answer
//! = span | ids | status, polarity     every mention, in order; what is usual is left out
//! @ ids | status                      or all marks that are meant; "none", or "-" with a status
//! ~ ids | status                      or each finding of the task; of `describe` the name
//! ! broke off                         the answer broke off in thought
//! ```

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::PathBuf,
    rc::Rc,
    time::{Duration, Instant},
};

use som_core::{
    ground::{Mention, Polarity, Status, ground},
    task::{Finding, Task},
};

use crate::ground::{World, set_scene};

/// At least so many of a hundred answers are read rightly.
const LEAST: f64 = 97.0;

/// An answer and how it is to be read.
struct Case {
    kind: String,
    /// Its number among those of its kind, from 0.
    index: usize,
    line: usize,
    style: String,
    world: Rc<World>,
    task: Task,
    answer: String,
    expected: Vec<String>,
}

/// How many answers of a kind there are, and how many are read rightly.
#[derive(Clone, Copy, Default)]
struct Score {
    all: usize,
    right: usize,
    findings: usize,
}

/// Where the answers are: beside the tests, or another corpus in `SOM_ANSWERS_IN`.
fn folder() -> PathBuf {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/answers");
    std::env::var_os("SOM_ANSWERS_IN").map_or_else(beside, PathBuf::from)
}

fn task_of(text: &str) -> Task {
    let list = |text: &str, separator: char| -> Vec<String> {
        let items = text.split(separator).map(str::trim);
        items
            .filter(|item| !item.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let (name, rest) = text.split_once(' ').unwrap_or((text, ""));
    match name {
        "describe" => Task::Describe {
            marks: Vec::new(),
            vocabulary: list(rest, ','),
        },
        "refer" => Task::Refer {
            expressions: list(rest, ';'),
        },
        "phrases" => {
            let (sentence, phrases) = rest.split_once(" | ").unwrap_or((rest, ""));
            Task::Phrases {
                sentence: sentence.to_owned(),
                phrases: list(phrases, ';'),
            }
        }
        "track" => Task::Track { marks: Vec::new() },
        _ => Task::Ask {
            question: "?".to_owned(),
        },
    }
}

fn ids(marks: &[u32]) -> String {
    let marks: Vec<String> = marks.iter().map(u32::to_string).collect();
    marks.join(" ")
}

fn mention(answer: &str, mention: &Mention) -> String {
    let mut shown = format!(
        "= {} | {}",
        &answer[mention.span.clone()],
        ids(&mention.marks)
    );
    if mention.status != Status::Resolved {
        let _ = write!(shown, " | {}", mention.status.name());
    }
    if mention.polarity != Polarity::Asserted {
        let _ = write!(shown, " | {}", mention.polarity.name());
    }
    shown
}

/// All that is meant, and the worst status.
fn meant(mentions: &[Mention]) -> String {
    let mut marks: Vec<u32> = Vec::new();
    let mut status = Status::Resolved;
    let meant: Vec<&Mention> = mentions
        .iter()
        .filter(|mention| mention.is_meant())
        .collect();
    for mention in &meant {
        marks.extend(
            mention
                .marks
                .iter()
                .filter(|id| !marks.contains(id))
                .collect::<Vec<_>>(),
        );
        status = status.max(mention.status);
    }
    with_status("@", &marks, meant.is_empty(), status)
}

fn with_status(sign: &str, marks: &[u32], none: bool, status: Status) -> String {
    let shown = match (marks, none) {
        (_, true) => "none".to_owned(),
        ([], false) => "-".to_owned(),
        (marks, false) => ids(marks),
    };
    match status {
        Status::Resolved => format!("{sign} {shown}"),
        status => format!("{sign} {shown} | {}", status.name()),
    }
}

fn finding(task: &Task, finding: &Finding, matched: bool) -> String {
    if let Task::Describe { .. } = task {
        let mut shown = format!("~ {}", finding.text);
        if finding.status != Status::Resolved {
            let _ = write!(shown, " | {}", finding.status.name());
        }
        if let Some(found) = finding.matched.filter(|_| matched) {
            let _ = write!(shown, " | {}", found.name());
        }
        return shown.replace("  ", " ");
    }
    match (&finding.marks[..], finding.status) {
        ([], Status::Unknown) => "~ unknown".to_owned(),
        (marks, status) => with_status(
            "~",
            marks,
            marks.is_empty() && status == Status::Resolved,
            status,
        ),
    }
}

/// What is read of an answer, in the form of `expected`.
fn read(answer: &str, task: &Task, world: &World, expected: &[String]) -> Vec<String> {
    let scene = world.scene();
    let grounded = task.read(answer, &scene);
    assert_eq!(grounded.mentions, ground(answer, &scene));
    let has = |sign: &str| expected.iter().any(|line| line.starts_with(sign));
    let mut shown = Vec::new();
    if has("~") {
        let findings = grounded.findings.iter().enumerate();
        shown.extend(findings.map(|(index, found)| {
            let wanted = expected.get(index).map_or("", String::as_str);
            let matched = ["exact", "normalised", "synonym"]
                .iter()
                .any(|name| wanted.ends_with(name));
            finding(task, found, matched)
        }));
    } else if has("@") {
        shown.push(meant(&grounded.mentions));
    } else {
        shown.extend(grounded.mentions.iter().map(|found| mention(answer, found)));
    }
    if grounded.broke_off_in_thought() {
        shown.push("! broke off".to_owned());
    }
    shown
}

/// True if a mark is told as resolved that is not meant: worse than to say nothing.
fn misleads(expected: &[String], shown: &[String]) -> bool {
    let marks = |lines: &[String]| -> Vec<(usize, String)> {
        let lines = lines.iter().enumerate().filter(|(_, line)| {
            let denied = ["denied", "replaced", "compared", "excepted"];
            !line.starts_with('!') && !denied.iter().any(|word| line.ends_with(word))
        });
        let parts = lines.flat_map(|(index, line)| {
            let ids = match line.strip_prefix("= ") {
                Some(line) => line.split(" | ").nth(1).unwrap_or(""),
                None => line[1..].split(" | ").next().unwrap_or(""),
            };
            let place = if line.starts_with('~') { index } else { 0 };
            let words: Vec<(usize, String)> = ids
                .split_whitespace()
                .map(|id| (place, id.to_owned()))
                .collect();
            words
        });
        parts
            .filter(|(_, id)| id.bytes().all(|byte| byte.is_ascii_digit()))
            .collect()
    };
    let wanted = marks(expected);
    let vague = shown
        .iter()
        .any(|line| line.contains(" | ambiguous") || line.contains(" | unknown"));
    !vague && marks(shown).iter().any(|mark| !wanted.contains(mark))
}

/// Every fourth answer, with `SOM_ANSWERS=seen` left out and with `SOM_ANSWERS=unseen` alone.
fn is_chosen(index: usize) -> bool {
    match std::env::var("SOM_ANSWERS").as_deref() {
        Ok("seen") => index % 4 != 3,
        Ok("unseen") => index % 4 == 3,
        _ => true,
    }
}

/// The whole corpus.
fn corpus() -> Vec<Case> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "txt"))
        .collect();
    files.sort();
    files.iter().flat_map(cases).collect()
}

/// The answers of one file.
fn cases(path: &PathBuf) -> Vec<Case> {
    let kind = path
        .file_stem()
        .unwrap()
        .to_string_lossy()
        .replace('_', " ");
    let text = fs::read_to_string(path).unwrap();
    let mut cases: Vec<Case> = Vec::new();
    let (mut world, mut task, mut style) = (World::default(), task_of("ask"), String::new());
    let (mut begun, mut answer, mut expected) = (0, Vec::new(), Vec::new());
    // The last line closes the last answer.
    for (number, line) in text.split('\n').chain(["style end"]).enumerate() {
        let goes_on = line.starts_with(['=', '@', '~', '!'])
            || line.starts_with('>') && expected.is_empty() && !answer.is_empty();
        if !goes_on && !answer.is_empty() {
            cases.push(Case {
                kind: kind.clone(),
                index: cases.len(),
                line: begun,
                style: style.clone(),
                world: Rc::new(world.clone()),
                task: task.clone(),
                answer: std::mem::take(&mut answer).join("\n"),
                expected: std::mem::take(&mut expected),
            });
        }
        if let Some(said) = line.strip_prefix('>') {
            if answer.is_empty() {
                begun = number + 1;
            }
            answer.push(said.strip_prefix(' ').unwrap_or(said).to_owned());
        } else if goes_on {
            expected.push(line.to_owned());
        } else if let Some(name) = line.strip_prefix("style ") {
            style = name.to_owned();
        } else if let Some(text) = line.strip_prefix("task ") {
            task = task_of(text);
        } else {
            let known = set_scene(line, &mut world) || line.is_empty() || line.starts_with('#');
            assert!(known, "{}:{}: {line}", path.display(), number + 1);
        }
    }
    cases
}

#[test]
fn answers_are_read_as_a_person_reads_them() {
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let (mut wrong, mut misleading) = (String::new(), String::new());
    for case in corpus().iter().filter(|case| is_chosen(case.index)) {
        let Case {
            kind,
            line,
            style,
            answer,
            expected,
            ..
        } = case;
        let shown = read(answer, &case.task, &case.world, expected);
        let score = scores.entry(kind.clone()).or_default();
        score.all += 1;
        score.right += usize::from(shown == *expected);
        score.findings += usize::from(expected.iter().any(|line| line.starts_with('~')));
        if shown != *expected {
            let report = format!(
                "{kind}:{line} ({style}): {answer}\n  expected {expected:?}\n  read     {shown:?}\n"
            );
            if misleads(expected, &shown) {
                misleading.push_str(&report);
            }
            wrong.push_str(&report);
        }
    }
    let table = table(&scores);
    println!("{table}\n{wrong}");
    let all: usize = scores.values().map(|score| score.all).sum();
    let right: usize = scores.values().map(|score| score.right).sum();
    assert!(
        misleading.is_empty(),
        "wrong, and told as resolved:\n{misleading}"
    );
    assert!(
        right as f64 / all as f64 * 100.0 >= LEAST,
        "{right} of {all}:\n{wrong}"
    );
    if std::env::var_os("SOM_ANSWERS").is_some() || std::env::var_os("SOM_ANSWERS_IN").is_some() {
        return;
    }
    assert!(all >= 800, "only {all} answers");
    let kept = folder().join("README.md");
    if std::env::var("UPDATE").is_ok() {
        fs::write(&kept, &table).unwrap();
    }
    assert_eq!(
        fs::read_to_string(&kept).unwrap_or_default(),
        table,
        "the table of {} is not that of the answers; write it anew with UPDATE=1",
        kept.display()
    );
}

/// What an answer means: its findings, and the marks that are meant.
fn meaning(case: &Case, answer: &str) -> (Vec<Finding>, String) {
    let grounded = case.task.read(answer, &case.world.scene());
    (grounded.findings, meant(&grounded.mentions))
}

#[test]
fn a_thought_changes_nothing() {
    let thoughts = [
        "<think>Is it [1], [2] or mark 3?</think>\n",
        "It may be [1], or mark 2.\n</think>\n\n",
        "<thinking>\n[2]\n\n[3]</thinking>",
        "◁think▷[1]◁/think▷",
        "[THINK][1] and [2][/THINK]",
    ];
    for case in corpus()
        .iter()
        .filter(|case| !case.kind.starts_with("thoughts"))
    {
        // What agents and gpt-oss begin with is a thought by itself.
        if ["Thought:", "analysis", "<|channel|>"]
            .iter()
            .any(|start| case.answer.starts_with(start))
            || case.answer.contains("think")
        {
            continue;
        }
        let plain = meaning(case, &case.answer);
        for thought in thoughts {
            let answer = format!("{thought}{}", case.answer);
            assert_eq!(meaning(case, &answer), plain, "{answer}");
        }
    }
}

#[test]
fn the_script_of_digits_changes_nothing() {
    for case in corpus() {
        // Numbers with a place of their own, as in colours, tokens and keys, are ASCII.
        if case.answer.contains(['<', '{', '\\', '\u{20e3}', '&']) || case.answer.contains("0x") {
            continue;
        }
        let plain = meaning(&case, &case.answer);
        for zero in ['０', '٠', '۰', '०'] {
            let other = |c: char| match c.to_digit(10).filter(|_| c.is_ascii()) {
                Some(digit) => char::from_u32(u32::from(zero) + digit).unwrap(),
                None => c,
            };
            let answer: String = case.answer.chars().map(other).collect();
            let (mut findings, meant) = meaning(&case, &answer);
            for (finding, plain) in findings.iter_mut().zip(&plain.0) {
                finding.text.clone_from(&plain.text);
            }
            assert_eq!((findings, meant), plain, "{answer}");
        }
    }
}

#[test]
fn what_is_denied_behind_an_answer_changes_nothing() {
    for case in corpus() {
        // A mark that is denied there may be the one that is described, or looked for.
        if !matches!(case.task, Task::Refer { .. } | Task::Ask { .. }) {
            continue;
        }
        // Numbers alone are marks only where nothing else is said.
        let is_terse = case.answer.len() < 40 && !case.answer.contains(['[', '\n']);
        if !case.answer.contains(char::is_alphabetic) || is_terse {
            continue;
        }
        let plain = meaning(&case, &case.answer);
        let named = |id: &u32| {
            let id = id.to_string();
            case.answer.contains(&id) || plain.1.split(' ').any(|meant| meant == id)
        };
        let other = (1..=9).find(|id| !named(id));
        let Some(other) = other.filter(|_| {
            case.world
                .scene()
                .mark(1)
                .is_some_and(|mark| mark.text == "1")
        }) else {
            continue;
        };
        for denial in [
            format!("\n\nIt is not [{other}]."),
            format!("\nNot [{other}]."),
        ] {
            let answer = format!("{}{denial}", case.answer);
            let (findings, meant) = meaning(&case, &answer);
            assert_eq!(meant, plain.1, "{answer}");
            // More was said: what the end of the answer decided may be open now, and is then not
            // told as resolved.
            for (finding, plain) in findings.iter().zip(&plain.0) {
                let is_none = plain.status == Status::Resolved && plain.marks.is_empty();
                let is_open = finding.status == Status::Ambiguous
                    || is_none && finding.status == Status::Unknown;
                assert!(finding == plain || is_open, "{answer}: {finding:?}");
            }
        }
    }
}

/// The table of accuracy by kind.
fn table(scores: &BTreeMap<String, Score>) -> String {
    let mut table = "# Answers\n\nHow many answers of each kind are read as a person reads them. Written by the test \
                     `answers_are_read_as_a_person_reads_them`.\n\n\
                     | kind | answers | of these findings | right | share |\n|---|---:|---:|---:|---:|\n"
        .to_owned();
    let mut all = Score::default();
    let mut row = |kind: &str, score: Score| {
        let share = score.right as f64 / score.all as f64 * 100.0;
        let Score {
            all,
            right,
            findings,
        } = score;
        let _ = writeln!(
            table,
            "| {kind} | {all} | {findings} | {right} | {share:.1} % |"
        );
    };
    for (kind, &score) in scores {
        all.all += score.all;
        all.right += score.right;
        all.findings += score.findings;
        row(kind, score);
    }
    row("all", all);
    table
}

/// Shapes of which answers may be made in any length.
const SHAPES: [&str; 45] = [
    "not [3], ",
    "word ",
    "杯",
    "杯子是[3]。",
    "[",
    "[3],",
    "3, ",
    "3-5, ",
    "mark 3 ",
    "{\"mark\": 3, ",
    "{\"mark\": 3}, ",
    "{\"a\":",
    "</think>",
    "<|channel|>analysis<|message|>",
    "| 3 ",
    "| mark | x |\n",
    "3番",
    "[3]? ",
    "wait, [3] ",
    "1. [3]\n",
    "[1] → [5], ",
    "The cup is [3]. ",
    "the cup is 3 and ",
    "polygon [[1,2],",
    "\u{202b}[3]\u{202c} ",
    "it is 3. ",
    "the cat is a 3 ",
    "not 2, but 5. ",
    "while [3] is, [4] isn't. ",
    "1 (cat), 2 (dog), ",
    "Answer: [3]. ",
    "Answer: [3]\n",
    "none of them, including [3], ",
    "1=5, ",
    "la 3, la 5 y ",
    "all marks between 3 and 6, ",
    "mark three and ",
    "which leaves [7] ",
    "it can't be [5] because [5] is, ",
    "neither 1 nor 2 is: 1 is and ",
    "wait, 2 is ",
    "<loc_200><loc_300>",
    "<loc_200><loc_750><loc_300><loc_850>",
    "{\"3\": false, \"reason\": \"[2]\"}, ",
    "the box is (0.1, 0.2, 0.3, 0.4) ",
];

/// Every task that reads in a way of its own.
fn tasks() -> Vec<Task> {
    let tasks = ["refer the cup; the spoon", "describe cup, spoon", "track"];
    tasks.map(task_of).to_vec()
}

/// What is read again for each of its parts would take sixteen times as long at four times the
/// length.
#[test]
fn the_time_to_read_grows_with_the_length() {
    const LENGTH: usize = 1 << 13;
    let world = World::numbered(9);
    let scene = world.scene();
    let time = |shape: &str, length: usize, task: &Task| {
        let answer = shape.repeat(length / shape.len());
        let start = Instant::now();
        task.read(&answer, &scene);
        start.elapsed()
    };
    for (shape, task) in SHAPES
        .iter()
        .flat_map(|shape| tasks().into_iter().map(move |task| (shape, task)))
    {
        // What else the machine does may disturb one of them, not all.
        let grows = || {
            let short = time(shape, LENGTH, &task).max(Duration::from_millis(5));
            time(shape, LENGTH * 4, &task) < short * 9
        };
        assert!((0..5).any(|_| grows()), "{shape:?}, {}", task.name());
    }
}

/// Ten megabytes in one line come back.
#[test]
fn answers_of_ten_megabytes_come_back() {
    let world = World::numbered(9);
    let scene = world.scene();
    let refer = task_of("refer the cup");
    for (shape, length) in [
        ("word ", 10 << 20),
        ("\u{202e}x", 10 << 20),
        ("<|im_sta", 1 << 20),
        ("{\"a\": \"\\ud83d", 1 << 20),
    ] {
        let grounded = refer.read(&shape.repeat(length / shape.len()), &scene);
        assert!(grounded.mentions.is_empty(), "{shape}");
    }
}

#[test]
fn bad_answers_have_the_right_status() {
    let world = World::numbered(9);
    let scene = world.scene();
    let refer = task_of("refer the cup");
    let denials = "It is not [4]. ".repeat(100_000);
    for (answer, expected) in [
        (format!("{denials}It is [3]."), "~ 3"),
        (denials, "~ unknown"),
        ("{\"mark\": \"\\ud800\", \"marks\": [3]}".to_owned(), "~ 3"),
        ("{\"mark\": 3, \"label\": \"\\ud83d".to_owned(), "~ 3"),
        ("\u{202e}]3[\u{202c}".to_owned(), "~ unknown"),
        ("\u{202b}الكوب هو [3]\u{202c} not [4]".to_owned(), "~ 3"),
        ("<|im_sta".to_owned(), "~ unknown"),
        ("<|channel|>fin".to_owned(), "~ unknown"),
        ("[".repeat(100_000), "~ unknown"),
        ("{\"a\":".repeat(100_000), "~ unknown"),
        (String::new(), "~ unknown"),
    ] {
        let grounded = refer.read(&answer, &scene);
        let shown = finding(&refer, &grounded.findings[0], false);
        let start: String = answer.chars().take(60).collect();
        assert_eq!(shown, expected, "{start}");
    }
}
