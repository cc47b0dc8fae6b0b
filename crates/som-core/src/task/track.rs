//! `track`: where are the objects of the first image in the others?

use super::{
    grounded::{Finding, Named},
    json,
};
use crate::{
    Scene,
    ground::{Mention, Names, Status},
};

/// The marks that are looked for: those chosen, or all of the first image.
pub(super) fn targets(chosen: &[u32], scene: &Scene<'_>) -> Vec<u32> {
    if chosen.is_empty() {
        scene.on_image(0).map(|mark| mark.id).collect()
    } else {
        chosen.to_vec()
    }
}

/// The marks of all further images.
pub(super) fn elsewhere(scene: &Scene<'_>) -> Vec<u32> {
    let marks = scene.marks.iter().filter(|mark| mark.image > 0);
    marks.map(|mark| mark.id).collect()
}

/// One finding for each mark that was looked for.
pub(super) fn read(
    answer: &str,
    mentions: &[Mention],
    chosen: &[u32],
    scene: &Scene<'_>,
) -> Vec<Finding> {
    let elsewhere = elsewhere(scene);
    let targets = targets(chosen, scene);
    let mut found: Vec<(u32, Named)> = Vec::new();
    if let Some(value) = json::value_in(answer) {
        for pair in json::pairs(&value, &Names::new(scene)) {
            found.extend(pair.of.marks.iter().map(|&of| (of, pair.found.clone())));
        }
    }
    if found.is_empty() {
        found = written(answer, mentions, &targets);
    }
    targets
        .into_iter()
        .map(|of| {
            let named = found.iter().find(|(id, _)| *id == of);
            let mut named = named.map_or(Named::MISSING, |(_, named)| named.clone());
            let all = named.marks.len();
            named.marks.retain(|id| elsewhere.contains(id));
            if named.marks.len() < all {
                // A mark of the first image is not where the object went.
                named.status = named.status.max(Status::Unknown);
            }
            Finding {
                of: Some(of),
                ..Finding::new("", named)
            }
        })
        .collect()
}

/// `[1]: [9]`, `mark 1 is mark 9 in image 2`, `[1] → none`: in each line, a mark that is looked
/// for opens an entry, and other marks fill it.
fn written(answer: &str, mentions: &[Mention], targets: &[u32]) -> Vec<(u32, Named)> {
    let mut found: Vec<(u32, Named)> = Vec::new();
    let mut start = 0;
    for line in answer.split_inclusive('\n') {
        let range = start..start + line.len();
        start = range.end;
        let inside = mentions
            .iter()
            .filter(|mention| mention.span.start >= range.start && mention.span.end <= range.end);
        let mut open: Vec<(u32, Named)> = Vec::new();
        // "[9] is the same as [1]": found before it is said what.
        let mut early = Named::NONE;
        for mention in inside {
            let (of, there): (Vec<u32>, Vec<u32>) =
                mention.marks.iter().partition(|id| targets.contains(id));
            for of in of {
                open.push((of, std::mem::replace(&mut early, Named::NONE)));
            }
            let into = open.last_mut().map_or(&mut early, |(_, named)| named);
            into.status = into.status.max(mention.status);
            into.marks.extend(there);
        }
        found.extend(open);
    }
    found
}
