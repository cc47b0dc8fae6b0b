//! Questions that speak of marks and boxes, and templates of prompts.

#![no_main]

use libfuzzer_sys::fuzz_target;
use som_core::{
    Scene, SceneMark, Size,
    prompt::{Fields, Interleaved, Renaming, Template},
};

fuzz_target!(|text: &str| {
    let mark = |(id, text)| SceneMark {
        id,
        text,
        image: 0,
        page: 1,
        region: None,
    };
    let scene = |texts: [&'static str; 3]| Scene {
        images: Vec::new(),
        marks: (1..).zip(texts).map(mark).collect(),
    };
    if let Ok(question) = Interleaved::parse(text) {
        let _ = question.check(&[Size::new(600, 400), Size::new(1, 1)]);
        let renaming = Renaming {
            known: &scene(["1", "2", "3"]),
            drawn: &scene(["3", "B", "1"]),
            boxes: &vec![3; question.boxes().count()],
        };
        let _ = question.render(&renaming);
        let _ = renaming.renamed(text);
    }
    if let Ok(template) = Template::parse(text) {
        let _ = template.fill(&Fields::default(), 1 << 20);
    }
});
