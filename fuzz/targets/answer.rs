//! Answers of models, as every task reads them.
//!
//! Input: the texts of the marks in one line, with commas between them; then the answer.

#![no_main]

use libfuzzer_sys::fuzz_target;
use som_core::{
    BBox, Mask, Places, Region, Scene, SceneImage, SceneMark, Size, ground::ground, task::Task,
};

const SIZE: Size = Size::new(600, 400);

fuzz_target!(|text: &str| {
    let (names, answer) = text.split_once('\n').unwrap_or(("1,2,3,A,B,AA", text));
    // Each mark is on a box further to the right.
    let regions: Vec<Region> = (0..8)
        .map(|index| {
            Region::new(Mask::rect(
                SIZE,
                BBox::new(70 * index, 30 * index, 100, 100),
            ))
        })
        .collect();
    let marks = names.split(',').zip(1..).map(|(text, id)| SceneMark {
        id,
        text,
        image: 0,
        page: 1,
        region: regions.get(id as usize - 1),
    });
    let scene = Scene {
        images: vec![SceneImage {
            size: SIZE,
            seen: Size::new(300, 200),
            pages: 1,
            places: Places::default(),
        }],
        marks: marks.collect(),
    };
    let mut end = 0;
    for mention in ground(answer, &scene) {
        assert!(mention.span.start >= end && !mention.span.is_empty());
        assert!(answer.get(mention.span.clone()).is_some(), "{mention:?}");
        assert!(mention.marks.iter().all(|&id| scene.mark(id).is_some()));
        end = mention.span.end;
    }
    let tasks = [
        Task::named("describe", None),
        Task::named("refer", Some("the cup; a spoon")),
        Task::named("phrases", Some("A man holds a cup.")),
        Task::named("track", None),
    ];
    for task in tasks {
        for finding in task.unwrap().read(answer, &scene).findings {
            assert!(finding.marks.iter().all(|&id| scene.mark(id).is_some()));
        }
    }
});
