//! How prompts speak of marks.

use crate::{Scene, scene::SceneMark};

/// "1 to 8", or "A, B and D" where the texts do not count on.
pub(crate) fn names_on<'a, 'b: 'a>(marks: impl Iterator<Item = &'a SceneMark<'b>>) -> String {
    let mut texts: Vec<&str> = marks.map(|mark| mark.text).collect();
    let numbers: Option<Vec<u64>> = texts.iter().map(|text| text.parse().ok()).collect();
    if let Some(mut numbers) = numbers.filter(|numbers| !numbers.is_empty()) {
        numbers.sort_unstable();
        let (first, last) = (numbers[0], numbers[numbers.len() - 1]);
        if numbers.len() > 2 && last - first + 1 == numbers.len() as u64 {
            return format!("{first} to {last}");
        }
        texts.sort_by_key(|text| text.parse::<u64>().unwrap_or(u64::MAX));
    }
    listed(&texts)
}

/// "[3]", "[3] and [7]", "[3], [7] and [9]".
pub(crate) fn in_brackets<'a>(texts: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<String> = texts.into_iter().map(|text| format!("[{text}]")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    listed(&names)
}

/// A label of `scene` in brackets, as an example.
pub(crate) fn example_on(scene: &Scene<'_>) -> String {
    let named = scene.marks.iter().find(|mark| !mark.text.is_empty());
    in_brackets([named.map_or("1", |mark| mark.text)])
}

fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Which images there are and which labels each carries, in a sentence or two.
pub(super) fn explained(scene: &Scene<'_>) -> String {
    if !scene.has_names() {
        return if scene.marks.is_empty() {
            "No region is labelled.".to_owned()
        } else {
            "Regions are outlined.".to_owned()
        };
    }
    if let [_] = scene.images.as_slice() {
        return format!(
            "Regions of the image carry the labels {}.",
            names_on(scene.marks.iter())
        );
    }
    let images = (0..scene.images.len()).map(|index| {
        let number = index + 1;
        match names_on(scene.on_image(index)) {
            names if names.is_empty() => format!("Image {number} carries no label."),
            names => format!("Image {number} carries the labels {names}."),
        }
    });
    images.collect::<Vec<_>>().join(" ")
}
