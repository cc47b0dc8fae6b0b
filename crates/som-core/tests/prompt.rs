//! Templates, interleaved texts, tables, and prompts put together.

use som_core::{
    BBox, ErrorKind, Scene, SceneMark, Size,
    prompt::{
        BoxReference, Field, Fields, Interleaved, Layout, Piece, Renaming, Template, WORDINGS,
        compose, repair, table,
    },
    task::Task,
};

use crate::ground::World;

/// More than any prompt here has.
const MAX_BYTES: usize = 100_000;

/// Two marks on a first image, one on a second.
fn two_images() -> World {
    let mut world = World::default();
    world.add_image(Size::new(640, 480), Size::new(320, 240));
    world.add_box(1, BBox::new(64, 48, 320, 240));
    world.add_box(2, BBox::new(96, 72, 64, 48));
    world.add_image(Size::new(300, 200), Size::new(300, 200));
    world.add_box(3, BBox::new(100, 50, 150, 100));
    world
}

#[test]
fn every_built_in_template_reads() {
    let braces = ("braces", "{{{question}}} }}\n---\n{{{{ {question}");
    for (name, words) in WORDINGS.into_iter().chain([braces]) {
        let template = Template::parse(words).unwrap();
        let written = template.to_string();
        assert_eq!(Template::parse(&written).unwrap(), template, "{name}");
    }
    Template::named("reason").unwrap();
    let error = Template::named("som-bench-refering").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error
            .message()
            .contains("did you mean \"som-bench-referring\"?")
    );
}

#[test]
fn a_template_with_mistakes_says_which() {
    let message = |text| Template::parse(text).unwrap_err().to_string();
    let unknown = message("Where is {qestion}?");
    assert!(unknown.starts_with("template: unknown field \"qestion\" (did you mean \"question\"?"));
    assert!(unknown.contains("vocabulary"), "{unknown}");
    // An example in JSON.
    let example = message("Answer in JSON: {\"mark\": 1}\n{question}");
    assert!(example.contains("written twice: {{ or }}"), "{example}");
    for single in ["a { b", "a } b", "{question", "{a{b}}"] {
        assert!(message(single).contains("single"), "{single}");
    }
    assert_eq!(message(" \n"), "the template is empty");
    assert_eq!(message("system\n---\n"), "the template is empty");

    let marked = Template::parse("\u{feff}Why?").unwrap();
    let nothing = Fields::default();
    assert_eq!(
        marked.fill(&nothing, MAX_BYTES).unwrap(),
        (None, "Why?".into())
    );

    let template = Template::parse("{{{question}}} {table}").unwrap();
    let fields = Fields::default().with(Field::Question, "why {not}?");
    assert_eq!(
        template.fill(&fields, MAX_BYTES).unwrap(),
        (None, "{why {not}?}".into())
    );
    let missing = Template::parse("{vocabulary}").unwrap();
    let missing = missing.fill(&fields, MAX_BYTES);
    assert_eq!(
        missing.unwrap_err().to_string(),
        "template: nothing was given for the field {vocabulary}"
    );
}

#[test]
fn a_template_is_not_filled_beyond_its_limit() {
    let template = Template::parse(&format!(
        "s {{question}}\n---\n{}",
        "{question}".repeat(4000)
    ));
    let template = template.unwrap();
    let fields = |bytes| Fields::default().with(Field::Question, "x".repeat(bytes));
    assert!(template.fill(&fields(20), MAX_BYTES).is_ok());
    // Four gigabytes, were they written.
    let error = template.fill(&fields(1 << 20), MAX_BYTES).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Exhausted);
    let (told, limit) = ("has 4195352578 bytes", "limits.prompt_bytes");
    assert!(
        error.message().contains(told) && error.message().contains(limit),
        "{error}"
    );
}

#[test]
fn the_prompts_of_som_bench_are_word_for_word() {
    let world = World::numbered(3);
    let filled = |name: &str, task: Task| {
        let scene = world.scene();
        let template = Template::named(name).unwrap();
        let composed = compose(
            &template,
            task.fields(&scene, false),
            &scene,
            Layout::default(),
            MAX_BYTES,
        );
        let composed = composed.unwrap();
        let system = "- For any marks mentioned in your answer, please highlight them with [].";
        assert_eq!(composed.system.as_deref(), Some(system));
        assert_eq!(composed.images, []);
        composed.words
    };
    let expressions = ["The laptop behind the beer bottle", "Laptop turned on"];
    assert_eq!(
        filled(
            "som-bench-referring",
            Task::Refer {
                expressions: expressions.map(str::to_owned).to_vec()
            }
        ),
        "I have labeled a bright numeric ID at the center for each visual object in the image. \
         Please tell me the IDs for: The laptop behind the beer bottle; Laptop turned on."
    );
    assert_eq!(
        filled(
            "som-bench-grounding",
            Task::Phrases {
                sentence: "a man in glasses holding a piece of paper".into(),
                phrases: vec!["a man in glasses".into(), "a piece of paper".into()],
            }
        ),
        "I have labeled a bright numeric ID at the center for each visual object in the image. \
         Given the image showing a man in glasses holding a piece of paper, find the \
         corresponding regions for a man in glasses, a piece of paper."
    );
    assert_eq!(
        filled(
            "som-bench-labelling",
            Task::Describe {
                marks: Vec::new(),
                vocabulary: vec!["person".into(), "bicycle".into()],
            }
        ),
        "I have labeled a bright numeric ID at the center for each visual object in the image. \
         Please enumerate their names. You must answer by selecting from the following names: \
         person, bicycle"
    );
}

fn ask(question: &str) -> Task {
    Task::Ask {
        question: question.into(),
    }
}

#[test]
fn words_and_images_stand_in_order() {
    let world = two_images();
    let scene = world.scene();
    let template = ask("").template().unwrap();
    let fields = ask("What is [1]?").fields(&scene, false);
    let layout = Layout {
        clean: true,
        table: true,
    };
    let composed = compose(&template, fields, &scene, layout, MAX_BYTES).unwrap();
    let system = composed.system.unwrap();
    assert!(
        system.contains("Image 1 carries the labels 1 and 2. Image 2 carries the labels 3."),
        "{system}"
    );
    let text = |text: &str| Piece::Text(text.into());
    let table = "\
The regions, as [label] image x,y,width,height area, in pixels:
[1] 1 32,24,160,120 19200
[2] 1 48,36,32,24 768
[3] 2 100,50,150,100 15000

What is [1]?";
    let expected = [
        text("Image 1 without labels:"),
        Piece::Clean { image: 0 },
        text("Image 1 with labels:"),
        Piece::Marked { image: 0, page: 1 },
        text("Image 2 without labels:"),
        Piece::Clean { image: 1 },
        text("Image 2 with labels:"),
        Piece::Marked { image: 1, page: 1 },
    ];
    assert_eq!(composed.images, expected);
    assert_eq!(composed.words, table);
}

#[test]
fn one_image_needs_no_heading_and_pages_have_theirs() {
    let mut world = World::numbered(9);
    world.add_image(Size::new(10, 10), Size::new(10, 10));
    let mut scene = world.scene();
    let template = Template::parse("{marks} {question}").unwrap();
    let images = |scene: &Scene<'_>| {
        let fields = ask("Why?").fields(scene, false);
        let composed = compose(&template, fields, scene, Layout::default(), MAX_BYTES).unwrap();
        let words = "Regions of the image carry the labels 1 to 9. Why?";
        assert_eq!(composed.words, words);
        composed.images
    };
    let marked = |page| Piece::Marked { image: 0, page };
    assert_eq!(images(&scene), [marked(1)]);
    scene.images[0].pages = 2;
    scene.marks[6..].iter_mut().for_each(|mark| mark.page = 2);
    let heading = |page: u32, labels: &str| {
        let text = format!("The image, copy {page} of 2, which carries the labels {labels}:");
        Piece::Text(text)
    };
    let expected = [
        heading(1, "1 to 6"),
        marked(1),
        heading(2, "7 to 9"),
        marked(2),
    ];
    assert_eq!(images(&scene), expected);
}

#[test]
fn a_table_has_classes_if_there_are_some() {
    let mut world = World::default();
    assert_eq!(table(&world.scene()), "");
    world.add_image(Size::new(100, 100), Size::new(100, 100));
    world.add_box(1, BBox::new(1, 2, 30, 40));
    world.add_box(2, BBox::new(0, 0, 1, 1));
    let mut scene = world.scene();
    let mut cup = scene.marks[0].region.unwrap().clone();
    cup.label = Some("cup".into());
    scene.marks[0].region = Some(&cup);
    let expected = "\
The regions, as [label] class x,y,width,height area, in pixels:
[1] cup 1,2,30,40 1200
[2] - 0,0,1,1 1
";
    assert_eq!(table(&scene), expected);
}

/// The marks 1, 2 and 3 drawn as 3, 1 and 2.
const DRAWN: [(u32, &str); 3] = [(1, "3"), (2, "1"), (3, "2")];
const KNOWN: [(u32, &str); 3] = [(1, "1"), (2, "2"), (3, "3")];

fn named(names: [(u32, &'static str); 3]) -> Scene<'static> {
    let marks = names.map(|(id, text)| SceneMark {
        id,
        text,
        image: 0,
        page: 1,
        region: None,
    });
    Scene {
        images: Vec::new(),
        marks: marks.to_vec(),
    }
}

fn rendered(text: &str, drawn: [(u32, &'static str); 3]) -> String {
    let (known, drawn) = (named(KNOWN), named(drawn));
    let renaming = Renaming {
        known: &known,
        drawn: &drawn,
        boxes: &[3, 2],
    };
    let text = Interleaved::parse(text).unwrap();
    text.render(&renaming)
        .unwrap_or_else(|error| error.to_string())
}

#[test]
fn questions_speak_of_marks_and_boxes() {
    let question = "What is {mark:1} next to {box:10,20,30,40}, and {box:1,1,2,2@2}? {\"a\": 1}";
    assert_eq!(
        rendered(question, KNOWN),
        "What is [1] next to [3], and [2]? {\"a\": 1}"
    );
    let boxes: Vec<BoxReference> = Interleaved::parse(question).unwrap().boxes().collect();
    let reference = |image, bbox| BoxReference { image, bbox };
    let expected = [
        reference(0, BBox::new(10, 20, 30, 40)),
        reference(1, BBox::new(1, 1, 2, 2)),
    ];
    assert_eq!(boxes, expected);
    assert_eq!(
        rendered("{mark:9}?", KNOWN),
        "{mark:9}: there is no such mark (the marks are 1 to 3)"
    );
}

#[test]
fn braces_without_a_reference_stay() {
    let text = "{".repeat(1_500_000) + "{mark:1}{mark:{mark:2}";
    let expected = "{".repeat(1_500_000) + "[1]{mark:[2]";
    assert!(rendered(&text, KNOWN) == expected);
}

#[test]
fn questions_follow_marks_to_their_drawn_names() {
    let cases = [
        ("what is [3] next to [2]?", "what is [2] next to [1]?"),
        ("are [1, 3] alike?", "are [3, 2] alike?"),
        (
            "is mark 2 left of marks 1 and 3?",
            "is mark 1 left of marks 3 and 2?",
        ),
        (
            "is {mark:1} one of 3 cups in [7]?",
            "is [3] one of 3 cups in [7]?",
        ),
    ];
    for (question, expected) in cases {
        assert_eq!(rendered(question, DRAWN), expected);
        assert_eq!(
            rendered(question, KNOWN),
            question.replace("{mark:1}", "[1]")
        );
    }
}

#[test]
fn boxes_must_lie_in_their_image() {
    let sizes = [Size::new(100, 80), Size::new(10, 10)];
    let message = |text: &str| {
        let checked = Interleaved::parse(text).and_then(|text| text.check(&sizes));
        checked.map_or_else(|error| error.to_string(), |()| String::new())
    };
    assert_eq!(message("{box:0,0,100,80} {box:0,0,10,10@2} {boxes} {"), "");
    assert!(message("{box:50,50,60,10}").contains("does not lie in the image of 100x80 pixels"));
    assert!(message("{box:0,0,5,5@3}").contains("there is no image 3 (there are 2)"));
    assert!(message("{box:0,0,5,0}").contains("no area"));
    for malformed in [
        "{box:1,2,3}",
        "{box:a,b,c,d}",
        "{box:-1,2,3,4}",
        "{box:1,2,3,4@0}",
    ] {
        assert!(
            message(malformed).contains("{box:X,Y,WIDTH,HEIGHT}"),
            "{malformed}"
        );
    }
}

#[test]
fn missing_marks_are_asked_for_once_more() {
    let world = World::numbered(4);
    let scene = world.scene();
    let task = Task::named("ask", Some("Which?")).unwrap();
    let asked = |answer: &str| repair(&task, &task.read(answer, &scene), &scene);
    assert_eq!(asked("It is [3], in 2023."), None);
    assert_eq!(asked("I do not know."), None);
    let repaired = asked("It is [7] or [9], next to [7] and [2].").unwrap();
    assert!(
        repaired.starts_with("There is no region labelled [7] and [9]. The labels are 1 to 4."),
        "{repaired}"
    );
}

/// And the request says exactly what is missing.
#[test]
fn what_is_left_open_is_asked_for_once_more() {
    let world = World::numbered(4);
    let scene = world.scene();
    let asked = |task: &Task, answer: &str| repair(task, &task.read(answer, &scene), &scene);
    let end = " Look at the image again, and give your whole answer anew.";
    let refer = Task::named("refer", Some("the cup; the spoon; the plate")).unwrap();
    let matches = |spoon: &str| {
        format!(
            r#"{{"matches": [{{"expression": "the cup", "marks": ["1"]}}, {spoon}{{"expression": "the plate", "marks": []}}]}}"#
        )
    };
    let spoon = r#"{"expression": "the spoon", "marks": ["2"]}, "#;
    assert_eq!(asked(&refer, &matches(spoon)), None, "none is an answer");
    let told = format!("Your answer says nothing of \"the spoon\".{end}");
    assert_eq!(asked(&refer, &matches("")), Some(told));
    let one = Task::named("refer", Some("the cup")).unwrap();
    let told = format!(
        "It leaves open which of [1] and [2] is meant by \"the cup\", or whether all are.{end}"
    );
    assert_eq!(asked(&one, "It is either [1] or [2]."), Some(told));
    assert_eq!(asked(&one, "The cup: [1], [2]"), None, "both are meant");
    let named = |task: &Task| asked(task, "[1]: mug\n[2]: spoon\n");
    let describe = Task::named("describe", None).unwrap();
    assert_eq!(
        named(&describe),
        Some(format!("Your answer says nothing of 3 and 4.{end}"))
    );
    let closed = Task::Describe {
        marks: vec![1, 2],
        vocabulary: vec!["cup of tea".into(), "spoon".into()],
    };
    assert_eq!(
        named(&closed),
        Some(format!(
            "The name that it gives 1 is not exactly one of these: cup of tea, spoon.{end}"
        ))
    );
    // What the model chose itself it did not leave out.
    let phrases = Task::named("phrases", Some("a cup and a spoon")).unwrap();
    assert_eq!(asked(&phrases, "a cup: [1]"), None);
}
