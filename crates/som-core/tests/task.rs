//! Tasks: written and structured answers become the same grounded regions.

use proptest::prelude::*;
use serde_json::json;
use som_core::{
    BBox, Schema, Size,
    ground::Status,
    prompt::Field,
    task::{Finding, Grounded, Task, merge},
};

use crate::ground::World;

/// Findings in short: text, marks, and the status if it is not resolved.
fn short(findings: &[Finding]) -> Vec<String> {
    let one = |finding: &Finding| {
        let mut parts: Vec<String> = finding.of.iter().map(|of| format!("of {of}")).collect();
        if !finding.text.is_empty() {
            parts.push(finding.text.clone());
        }
        let marks: Vec<String> = finding.marks.iter().map(u32::to_string).collect();
        parts.push(marks.join(" "));
        if finding.status != Status::Resolved {
            parts.push(finding.status.name().to_owned());
        }
        parts.join(" | ")
    };
    findings.iter().map(one).collect()
}

/// Reads every one of `answers`, and expects the same of all.
fn all_read(task: &Task, world: &World, answers: &[&str], expected: &[&str]) {
    for answer in answers {
        let grounded = task.read(answer, &world.scene());
        assert_eq!(short(&grounded.findings), expected, "{answer}");
    }
}

#[test]
fn describe_reads_labels() {
    let task = Task::Describe {
        marks: Vec::new(),
        vocabulary: Vec::new(),
    };
    let answers = [
        "[1]: white cup\n[2]: saucer\n[3]: spoon",
        "- **[1]**: a white cup.\n- **[2]**: a saucer.\n- **[3]**: the spoon.",
        "1: white cup\n2: saucer\n3: spoon",
        "Mark 1 is a white cup, mark 2 is a saucer and mark 3 is a spoon.",
        "[1] is a white cup. It is full. [2] is a saucer; [3] shows a spoon.",
        "| Mark | Object |\n|---|---|\n| 1 | white cup |\n| 2 | saucer |\n| 3 | spoon |",
        "The white cup [1], the saucer [2] and the spoon [3]",
        r#"{"regions": [{"mark": "1", "label": "white cup"}, {"mark": "2", "label": "saucer"}, {"mark": "3", "label": "spoon"}]}"#,
        r#"[{"id": 1, "name": "white cup"}, {"id": 2, "name": "saucer"}, {"id": 3, "name": "spoon"}]"#,
        "Sure:\n```json\n{\"1\": \"white cup\", \"2\": \"saucer\", \"3\": \"spoon\"}\n```",
    ];
    let expected = ["white cup | 1", "saucer | 2", "spoon | 3"];
    all_read(&task, &World::numbered(3), &answers, &expected);
}

#[test]
fn describe_keeps_to_what_was_asked() {
    let task = Task::Describe {
        marks: vec![3, 1],
        vocabulary: vec!["Cup".into(), "Fork".into()],
    };
    let answers = [
        "[1]: cup\n[2]: fork\n[3]: spoon",
        r#"{"regions": [{"mark": "1", "label": "CUP"}, {"mark": "3", "label": "spoon"}]}"#,
    ];
    all_read(
        &task,
        &World::numbered(3),
        &answers,
        &["spoon | 3 | unknown", "Cup | 1"],
    );
    all_read(
        &task,
        &World::numbered(3),
        &["[1]: fork"],
        &["3 | unknown", "Fork | 1"],
    );
}

fn refer(expressions: &[&str]) -> Task {
    let expressions = expressions.iter().map(|text| (*text).to_owned()).collect();
    Task::Refer { expressions }
}

#[test]
fn refer_reads_one_expression_after_another() {
    let task = refer(&["The laptop behind the beer bottle", "Laptop turned on"]);
    let answers = [
        // As the paper shows it.
        "The IDs for the items you've mentioned: The laptop behind the beer bottle: 6 Laptop turned on: 2",
        "The laptop behind the beer bottle: [6]\nLaptop turned on: [2]",
        "- **The laptop behind the beer bottle**: 6\n- **Laptop turned on**: 2",
        "\"the laptop behind the beer bottle\" is [6], and \"laptop turned on\" is [2].",
        "1. [6]\n2. [2]",
        "| Expression | Mark |\n|---|---|\n| The laptop behind the beer bottle | 6 |\n| Laptop turned on | 2 |",
        r#"{"matches": [{"expression": "Laptop turned on", "marks": ["2"]}, {"expression": "The laptop behind the beer bottle", "marks": ["6"]}]}"#,
        r#"{"The laptop behind the beer bottle": 6, "Laptop turned on": [2]}"#,
    ];
    let expected = [
        "The laptop behind the beer bottle | 6",
        "Laptop turned on | 2",
    ];
    all_read(&task, &World::numbered(7), &answers, &expected);
    let answers = ["The laptop behind the beer bottle: none\nLaptop turned on: [9]"];
    let expected = [
        "The laptop behind the beer bottle | ",
        "Laptop turned on |  | out_of_range",
    ];
    all_read(&task, &World::numbered(7), &answers, &expected);
    let expected = [
        "The laptop behind the beer bottle |  | unknown",
        "Laptop turned on |  | unknown",
    ];
    all_read(&task, &World::numbered(7), &["I cannot tell."], &expected);
}

#[test]
fn refer_reads_a_single_expression() {
    let task = refer(&["the cup"]);
    let world = World::numbered(7);
    let one = [
        "3",
        "[3]",
        "It is mark 3.",
        "The cup: [3]",
        "**the cup**: 3",
        "Mark 2 is a plate.\nAnswer: [3]",
    ];
    all_read(&task, &world, &one, &["the cup | 3"]);
    all_read(
        &task,
        &world,
        &["[3] and [5]", "the cup: 3, 5", "[3, 5]"],
        &["the cup | 3 5"],
    );
    let helped = ["It could be [3], to the left of [5]."];
    all_read(&task, &world, &helped, &["the cup | 3"]);
    let vague = ["It could be [3] or [5].", "I see [3]. I see [5]."];
    all_read(&task, &world, &vague, &["the cup | 3 5 | ambiguous"]);
}

#[test]
fn refer_reads_boxes() {
    let mut world = World::default();
    world.add_image(Size::new(640, 480), Size::new(640, 480));
    world.add_box(1, BBox::new(64, 48, 320, 240));
    world.add_box(2, BBox::new(400, 300, 200, 150));
    let answers = [
        "<ref>the cups</ref><box>(100,100),(600,600)</box><box>(625,625),(938,938)</box>",
        "```json\n[{\"bbox_2d\": [64, 48, 384, 288], \"label\": \"the cups\"}, {\"bbox_2d\": [400, 300, 600, 450], \"label\": \"the cups\"}]\n```",
        "<loc0102><loc0102><loc0614><loc0614> the cups ; <loc0640><loc0640><loc0960><loc0960> the cups",
    ];
    for answer in answers {
        let grounded = refer(&["the cups"]).read(answer, &world.scene());
        assert!(!grounded.findings[0].marks.is_empty(), "{answer}");
        let all: Vec<u32> = grounded
            .mentions
            .iter()
            .flat_map(|m| m.marks.clone())
            .collect();
        assert_eq!(all, [1, 2], "{answer}");
    }
}

#[test]
fn phrases_are_spans_of_the_sentence() {
    let sentence = "A man in glasses holding a piece of paper";
    let given = Task::Phrases {
        sentence: sentence.into(),
        phrases: vec!["a man in glasses".into(), "a piece of paper".into()],
    };
    let chosen = Task::Phrases {
        sentence: sentence.into(),
        phrases: Vec::new(),
    };
    let answers = [
        "a man in glasses: [3]\na piece of paper: [5]",
        "- A man in glasses → 3\n- a piece of paper → 5",
        "A man in glasses [3] holding a piece of paper [5]",
        r#"{"phrases": [{"phrase": "a man in glasses", "marks": ["3"]}, {"phrase": "a piece of paper", "marks": ["5"]}]}"#,
    ];
    let world = World::numbered(6);
    for answer in answers {
        for task in [&given, &chosen] {
            let findings = task.read(answer, &world.scene()).findings;
            let marks: Vec<_> = findings.iter().map(|finding| &finding.marks[..]).collect();
            assert_eq!(marks, [[3], [5]], "{answer}");
            let last = findings[1].span.clone().unwrap();
            assert!(sentence[last].ends_with("a piece of paper"), "{answer}");
            assert!(findings[0].span.as_ref().unwrap().start == 0, "{answer}");
        }
    }
    let elsewhere = chosen.read("a dog: [2]", &world.scene());
    assert_eq!(elsewhere.findings, []);
}

#[test]
fn track_finds_marks_of_other_images() {
    let mut world = World::default();
    for first in [1, 4] {
        world.add_image(Size::new(100, 100), Size::new(100, 100));
        for id in first..first + 3 {
            world.add_box(id, BBox::new(id * 10, 0, 8, 8));
        }
    }
    let task = Task::Track { marks: Vec::new() };
    task.check(&world.scene()).unwrap();
    let answers = [
        "[1]: [5]\n[2]: [4]\n[3]: none",
        "Mark 1 is mark 5 in image 2.\nMark 4 is the same as mark 2.\nMark 3 is gone.",
        "[1] → [5]\n[2] → [4]\n[3] → none",
        r#"{"objects": [{"mark": "1", "found": ["5"]}, {"mark": "2", "found": ["4"]}, {"mark": "3", "found": []}]}"#,
        r#"{"1": "5", "2": [4], "3": null}"#,
    ];
    all_read(
        &task,
        &world,
        &answers,
        &["of 1 | 5", "of 2 | 4", "of 3 | "],
    );
    all_read(
        &Task::Track { marks: vec![2] },
        &world,
        &["[1]: [5]\n[2]: [3]"],
        &["of 2 |  | unknown"],
    );
    assert!(
        Task::Track { marks: vec![4] }
            .check(&world.scene())
            .is_err()
    );
    assert!(task.check(&World::numbered(3).scene()).is_err());
}

#[test]
fn schemas_take_the_marks_there_are() {
    let mut world = World::default();
    for first in [1, 3] {
        world.add_image(Size::new(100, 100), Size::new(100, 100));
        for id in first..first + 2 {
            world.add_box(id, BBox::new(id * 10, 0, 8, 8));
        }
    }
    let answers = |mark: &str| {
        [
            (
                Task::named("ask", Some("why?")).unwrap(),
                json!({"answer": "[1]", "evidence": "red", "marks": [mark]}),
            ),
            (
                Task::Describe {
                    marks: vec![1],
                    vocabulary: vec!["cup".into()],
                },
                json!({"regions": [{"mark": mark, "evidence": "a handle", "label": "cup"}]}),
            ),
            (
                refer(&["the cup"]),
                json!({"matches": [{"expression": "the cup", "evidence": "", "marks": [mark]}]}),
            ),
            (
                Task::named("phrases", Some("a cup")).unwrap(),
                json!({"phrases": [{"phrase": "a cup", "evidence": "", "marks": [mark]}]}),
            ),
            (
                Task::Track { marks: Vec::new() },
                json!({"objects": [{"mark": mark, "evidence": "red", "found": ["3"]}]}),
            ),
        ]
    };
    let fits = |task: &Task, answer: &serde_json::Value| {
        let schema = task.schema(&world.scene()).unwrap();
        assert_eq!(schema.name, task.name());
        let schema = Schema::compile(&schema.schema).unwrap();
        schema
            .resolve("answer", answer.as_object().unwrap())
            .is_ok()
    };
    for (task, answer) in answers("1") {
        assert!(fits(&task, &answer), "{answer}");
    }
    for (task, answer) in answers("9") {
        assert!(!fits(&task, &answer), "{answer}");
    }
    // What is chosen is written before what is said of it, and behind what it rests on; the words say
    // so, too.
    let described = &answers("1")[1].0;
    let schema = described.schema(&world.scene()).unwrap().schema;
    let entry = &schema["properties"]["regions"]["items"];
    assert_eq!(entry["required"], json!(["mark", "evidence", "label"]));
    let form = |task: &Task, structured| {
        let fields = task.fields(&world.scene(), structured);
        fields.get(Field::Form).unwrap_or_default().to_owned()
    };
    for (task, answer) in answers("1") {
        let (lines, json) = (form(&task, false), form(&task, true));
        assert!(
            !lines.contains("JSON") && json.contains("JSON"),
            "{lines} {json}"
        );
        let (key, entries) = answer.as_object().unwrap().iter().next_back().unwrap();
        let keys = entries[0].as_object().into_iter().flatten();
        for key in keys.map(|(key, _)| key).chain([key]) {
            assert!(json.contains(&format!("\"{key}\"")), "{key}: {json}");
        }
    }
    let track = form(&answers("1")[4].0, false);
    assert!(track.contains("\"[1]: [3]\""), "{track}");
    assert!(
        refer(&["the cup"])
            .schema(&World::default().scene())
            .is_none()
    );
}

#[test]
fn tasks_by_name() {
    let message = |name, text| Task::named(name, text).unwrap_err().to_string();
    assert_eq!(message("ask", None), "task ask: the question is missing");
    assert!(message("describe", Some("why")).contains("takes no question"));
    assert!(message("ground", None).starts_with("unknown task \"ground\" (known: ask, describe"));
    let expressions = Task::named("refer", Some("the cup; the saucer.")).unwrap();
    assert_eq!(expressions, refer(&["the cup", "the saucer"]));
}

#[test]
fn votes_find_the_answer_that_most_agree_with() {
    let world = World::numbered(9);
    let read = |answers: [&str; 3], task: &Task| -> Vec<Grounded> {
        let scene = world.scene();
        answers
            .iter()
            .map(|answer| task.read(answer, &scene))
            .collect()
    };
    let ask = Task::named("ask", Some("where?")).unwrap();
    let consensus = merge(&read(["[2]", "[3]", "[3]"], &ask), false).unwrap();
    assert_eq!(consensus.best, 1);
    let regions: Vec<_> = consensus
        .regions
        .iter()
        .map(|r| (r.mark, r.votes))
        .collect();
    assert_eq!(regions, [(3, 2), (2, 1)]);
    assert!((consensus.regions[0].share - 2.0 / 3.0).abs() < 1e-9);

    let task = refer(&["the cup", "the saucer"]);
    let answers = [
        "the cup: [1]\nthe saucer: [4]",
        "the cup: [1]\nthe saucer: [2]",
        "the cup: [1]\nthe saucer: [2]",
    ];
    let consensus = merge(&read(answers, &task), false).unwrap();
    assert_eq!(consensus.best, 1);
    assert!((consensus.findings[0] - 1.0).abs() < 1e-9);
    assert!((consensus.findings[1] - 2.0 / 3.0).abs() < 1e-9);

    let task = Task::Describe {
        marks: vec![1],
        vocabulary: Vec::new(),
    };
    let consensus = merge(&read(["[1]: mug", "[1]: cup", "[1]: Cup"], &task), true).unwrap();
    assert_eq!((consensus.best, consensus.findings.len()), (1, 1));
    assert!(merge(&[], false).is_none());
}

/// Two images with marks 1 to 3 and 4 to 6.
fn two_images() -> World {
    let mut world = World::default();
    for first in [1, 4] {
        world.add_image(Size::new(100, 100), Size::new(100, 100));
        for id in first..first + 3 {
            world.add_box(id, BBox::new(id * 10, 0, 8, 8));
        }
    }
    world
}

#[test]
fn track_reads_bare_names_and_says_none_only_if_the_answer_does() {
    let track = |answer: &str| {
        let task = Task::Track { marks: vec![1, 2] };
        short(&task.read(answer, &two_images().scene()).findings)
    };
    let found = ["of 1 | 4", "of 2 | 5"];
    for answer in [
        "[1]: 4\n[2]: 5",
        "[1] → 4\n[2] → 5",
        "1: 4\n2: 5",
        "**[1]** | 4\n**[2]** | 5",
        "[1] → **4**\n[2] → **5**",
        "Mark 1: 4.\nMark 2: 5.",
        "Mark 5 is the same as mark 2. Mark 4 is the same as mark 1.",
        "Mark 1 moved. It is mark 4 now. Mark 2 is mark 5.",
    ] {
        assert_eq!(track(answer), found, "{answer}");
    }
    for answer in [
        "Mark 1 is still at the same place.\nMark 2 has moved to the left.",
        "[1]: [1]\n[2]: [2]",
        "[1]: 4 people\n[2]: the cup",
        r#"{"objects": [{"mark": "1", "fou"#,
    ] {
        let unknown = ["of 1 |  | unknown", "of 2 |  | unknown"];
        assert_eq!(track(answer), unknown, "{answer}");
    }
    for answer in [
        "[1]: none\n[2]: None.",
        "Mark 1 is not visible in image 2.\nMark 2 is gone.",
        "[1] and [2] are not visible any more.",
        "[1, 2]: not found",
        "[1] → no match\n[2]: (none)",
    ] {
        assert_eq!(track(answer), ["of 1 | ", "of 2 | "], "{answer}");
    }
}

#[test]
fn refer_reads_marks_ahead_of_expressions() {
    let world = World::numbered(7);
    let answers = [
        "Mark 3 is the spoon. Mark 5 is the saucer.",
        "[3] is the spoon and [5] is the saucer.",
        "[3] the spoon, [5] the saucer",
        "[3]: the spoon\n[5]: the saucer",
        "[3] – the spoon; [5] – the saucer",
        "1. [3] is the spoon.\n2. [5] is the saucer.",
        "| Mark | Object |\n|---|---|\n| 3 | the spoon |\n| 5 | the saucer |",
        "Mark 3 is a spoon, and mark 5 is a saucer.",
        "The spoon is [3] and [5] is the saucer.",
        "[3] is the spoon, and the saucer is [5].",
        "The spoon lies on the saucer. The spoon is mark 3. The saucer is mark 5.",
        "The saucer [5] is under the cup [1]; the spoon [3] lies beside it.",
        "1. The spoon is No. 3.\n2. The saucer is No. 5.",
        "The spoon is small. It is mark 3. The saucer is mark 5.",
        "The spoon and the saucer are [3] and [5].",
    ];
    let expected = ["the spoon | 3", "the saucer | 5"];
    all_read(
        &refer(&["the spoon", "the saucer"]),
        &world,
        &answers,
        &expected,
    );
    let answers = [
        "There is no spoon, but the saucer is [5].",
        "The spoon: none\nThe saucer: 5",
        "The spoon is not visible. [5] is the saucer.",
    ];
    let expected = ["the spoon | ", "the saucer | 5"];
    all_read(
        &refer(&["the spoon", "the saucer"]),
        &world,
        &answers,
        &expected,
    );
}

#[test]
fn refer_says_that_there_is_none() {
    let answers = [
        "none",
        "None of the marks.",
        "There is no unicorn in the image.",
        "the unicorn: not present",
        "I cannot find the unicorn.",
        "I don't see a unicorn.",
        "[3] is a horse. Answer: none",
    ];
    all_read(
        &refer(&["the unicorn"]),
        &World::numbered(7),
        &answers,
        &["the unicorn | "],
    );
    let answers = [
        "It is the white one.",
        "the unicorn: yes",
        "I'm sorry, but I can't see the image.",
    ];
    let unknown = ["the unicorn |  | unknown"];
    all_read(
        &refer(&["the unicorn"]),
        &World::numbered(7),
        &answers,
        &unknown,
    );
}

#[test]
fn describe_reads_what_models_really_write() {
    let task = Task::Describe {
        marks: Vec::new(),
        vocabulary: Vec::new(),
    };
    let answers = [
        "[1] is the white cup, [2] is the plate, and [3] the spoon.",
        "1. white cup\n2. plate\n3. spoon",
    ];
    let world = World::numbered(3);
    all_read(
        &task,
        &world,
        &answers,
        &["white cup | 1", "plate | 2", "spoon | 3"],
    );
    let two = World::numbered(2);
    let answers = [
        "1) white cup\n2) plate",
        "**1**. white cup\n**2**. plate",
        "| Object | Mark |\n|---|---|\n| white cup | 1 |\n| plate | 2 |",
        "| Object | State | Mark |\n|---|---|---|\n| white cup | full | 1 |\n| plate | old | 2 |",
        "Mark | Object\n---|---\n1 | white cup\n2 | plate",
        "In [1] there is a white cup.\nIn [2] there is a plate.",
        "The region labeled 1 is a white cup, the region labeled 2 is a plate.",
        "1. [1] white cup\n2. [2] plate",
        "The white cup is [1], and the plate is [2].",
        "Region 1 contains a white cup.\nRegion 2 depicts the plate.",
        "{\"mark\": 1, \"label\": \"white cup\"}\n{\"mark\": 2, \"label\": \"plate\"}",
        r#"{"regions":[{"mark":"1","label":"white cup"},{"mark":"2","label":"plate"},{"mark":"3","label":"spoo"#,
        "```json\n[{\"mark\": 1, \"label\": \"white cup\"}, {\"mark\": 2, \"label\": \"plate\"}, {\"ma",
        r#"{"1": "white cup", "2": "plate", "3": "spo"#,
    ];
    all_read(&task, &two, &answers, &["white cup | 1", "plate | 2"]);
    let one = World::numbered(1);
    let answers = ["**[1]** – *white cup*, seen from above"];
    all_read(&task, &one, &answers, &["white cup, seen from above | 1"]);
    let answers = [
        r#"{"regions":[{"mark":"1","label":"cu"#,
        "{",
        "```json\n[{\"mark\": 1",
    ];
    all_read(&task, &one, &answers, &["1 | unknown"]);
    let answers = ["1. look\n2. think\n3. answer"];
    all_read(&task, &two, &answers, &["1 | unknown", "2 | unknown"]);
}

#[test]
fn phrases_begin_at_their_article() {
    let sentence = "A spoon lies on a saucer beside a cup.";
    let task = Task::Phrases {
        sentence: sentence.into(),
        phrases: Vec::new(),
    };
    let answers = [
        "A spoon [3] lies on a saucer [5] beside a cup [1].",
        "| a spoon | 3 |\n| a saucer | 5 |\n| a cup | 1 |",
        "**A spoon** – [3]\n**a saucer** – [5]\n**a cup** – [1]",
        "- A spoon — 3\n- a saucer — 5\n- a cup — 1",
        "[3] A spoon\n[5] a saucer\n[1] a cup",
    ];
    let expected = ["A spoon | 3", "a saucer | 5", "a cup | 1"];
    all_read(&task, &World::numbered(6), &answers, &expected);
}

/// What a choice rests on may name other marks, which are not chosen.
#[test]
fn evidence_chooses_nothing() {
    let world = World::numbered(4);
    let answer = r#"{"matches": [{"expression": "the cup", "evidence": "white, left of [2]", "marks": ["3"]}]}"#;
    let grounded = refer(&["the cup"]).read(answer, &world.scene());
    assert_eq!(grounded.findings[0].marks, [3]);
    let meant: Vec<u32> = grounded.meant().collect();
    assert!(!meant.contains(&2), "{meant:?}");
    let task = Task::named("ask", Some("which?")).unwrap();
    let answer = r#"{"evidence": "[1] is blue, [3] is red", "marks": ["3"], "answer": "The cup."}"#;
    let meant: Vec<u32> = task.read(answer, &world.scene()).meant().collect();
    assert!(meant.contains(&3) && !meant.contains(&1), "{meant:?}");
}

#[test]
fn schemas_name_each_text_once() {
    let world = World::named(["1", "2", "1", ""].map(str::to_owned));
    let enums = |task: &Task| {
        let schema = task.schema(&world.scene()).unwrap().schema;
        Schema::compile(&schema).unwrap();
        let mut enums = Vec::new();
        let mut rest = vec![&schema];
        while let Some(value) = rest.pop() {
            enums.extend(value.get("enum").cloned());
            rest.extend(
                value
                    .as_object()
                    .into_iter()
                    .flat_map(|object| object.values()),
            );
        }
        enums
    };
    let texts = enums(&refer(&["the cup", "the cup", ""]));
    assert!(texts.contains(&json!(["the cup"])) && texts.contains(&json!(["1", "2"])));
    assert_eq!(texts.len(), 2);
    let track = Task::Track { marks: Vec::new() };
    let none = World::numbered(2);
    let schema = track.schema(&none.scene()).unwrap().schema.to_string();
    assert!(!schema.contains("[]"), "{schema}");
    let missing = Task::named("refer", Some(" ; ")).unwrap_err().to_string();
    assert_eq!(missing, "task refer: the expression is missing");
}

/// Long answers that a careless reader goes through again and again.
#[test]
fn long_answers_come_back() {
    const LENGTH: usize = 60_000;
    let sentence = "A spoon lies on a saucer beside a cup";
    let phrases = |phrases: &[&str]| Task::Phrases {
        sentence: sentence.into(),
        phrases: phrases.iter().map(|phrase| (*phrase).to_owned()).collect(),
    };
    let tasks = [
        Task::named("ask", Some("why?")).unwrap(),
        Task::named("describe", None).unwrap(),
        refer(&["a", "b"]),
        refer(&["the spoon", "the saucer"]),
        refer(&["the spoon"]),
        phrases(&[]),
        phrases(&["a spoon", "a cup"]),
        Task::Track { marks: Vec::new() },
    ];
    let units = [
        "[1]\n",
        "[1]",
        "[1] ",
        "[1] and ",
        "[1] a ",
        "word ",
        "a ",
        "a b ",
        "a. ",
        "a spoon: x\n",
        "a spoon [4] ",
        "a spoon ",
        "1: 4\n",
        "1. cup\n",
        "| 1 ",
        "{",
        "{\"",
        "[{",
        "{\"mark\": 1, ",
        "<think>",
        "</think>",
        "(1) ",
        "Marks:\n",
        "- 1\n",
        "none ",
        "é",
        "number 1 ",
    ];
    let world = two_images();
    for unit in units {
        let answer = unit.repeat(LENGTH / unit.len());
        for answer in [format!("{answer}[1]"), answer] {
            for task in &tasks {
                task.read(&answer, &world.scene());
            }
        }
    }
}

proptest! {
    /// Whatever a model writes, every task finds marks that there are.
    #[test]
    fn any_text_is_read(
        pieces in proptest::collection::vec(
            prop_oneof![
                "[\\[\\]0-9 ,\\-–|#*(){}\":\\\\\nmark é【】.;]{0,12}",
                proptest::sample::select(vec![
                    "a spoon", "the saucer", "[1]", "[4]", " is ", ": ", "none", " → ", "\n", ". ", "; ",
                    "Answer:\n", "Marks:\n- ", "```json\n", "{\"mark\": \"1\", \"label\": \"", "标记3", "编号为",
                    "\\boxed{", "<|begin_of_box|>", "</think>", "| Mark | Object |\n", "Mark | Object\n---|---\n",
                    "the bounding box is [[1, 2], [3, 4]]", "\"bbox\": {\"x\": 1, \"y\": 2, ", "no ", " 5 km", "（2）",
                ]).prop_map(str::to_owned),
            ],
            0..16,
        )
    ) {
        let answer = pieces.concat();
        let world = two_images();
        let phrases = Task::Phrases {
            sentence: "A spoon lies on the saucer, é".into(),
            phrases: Vec::new(),
        };
        let tasks = [
            Task::named("describe", None).unwrap(),
            refer(&["a spoon", "the saucer"]),
            refer(&["é"]),
            phrases,
            Task::Track { marks: Vec::new() },
        ];
        for task in tasks {
            let grounded = task.read(&answer, &world.scene());
            for mention in &grounded.mentions {
                prop_assert!(answer.get(mention.span.clone()).is_some());
            }
            let mut marks = grounded.findings.iter().flat_map(|finding| &finding.marks);
            prop_assert!(marks.all(|id| (1..=6).contains(id)));
        }
    }
}
