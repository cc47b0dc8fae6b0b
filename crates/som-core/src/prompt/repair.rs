//! The one further turn that an answer gets which names marks that are not there.

use super::names::{in_brackets, names_on};
use crate::{
    Scene,
    ground::{Mention, Status},
};

/// What to say about an answer with these `mentions`; `None` if every name it uses is there.
/// Boxes and points that fit no region are no reason to ask again, nor is what the answer denies.
pub fn repair(mentions: &[Mention], scene: &Scene<'_>) -> Option<String> {
    /// As many as one can take in.
    const MOST: usize = 8;
    let mut missing: Vec<&str> = Vec::new();
    for mention in mentions.iter().filter(|mention| mention.is_meant()) {
        if matches!(mention.status, Status::Unknown | Status::OutOfRange) {
            let new = mention.unresolved.iter().map(String::as_str);
            missing.extend(
                new.filter(|name| !missing.contains(name))
                    .collect::<Vec<_>>(),
            );
        }
    }
    if missing.is_empty() || !scene.has_names() {
        return None;
    }
    missing.truncate(MOST);
    Some(format!(
        "There is no region labelled {}. The labels are {}. Look at the image again, and give your \
         whole answer anew with labels that are there.",
        in_brackets(missing),
        names_on(scene.marks.iter())
    ))
}
