//! marked image → prompt: the text that goes with it.
//!
//! The paper asks with a short explanation of the marks and lets the model name them (Yang et al.
//! 2023, section 3); naming them in brackets makes the answer traceable.

use std::fmt::Write;

use crate::Allocation;

/// A ready prompt for the marked image of `allocation`: what the marks are, how to name them, the
/// table of all marks, and the question (one that asks for everything if there is none).
///
/// Boxes are in pixels of the original image.
pub fn ready_prompt(allocation: &Allocation, question: Option<&str>) -> String {
    let marks = &allocation.marks;
    let mut text = String::new();
    match marks.as_slice() {
        [] => text.push_str("No region of the image is marked.\n"),
        [first, ..] if first.mark.text.is_empty() => {
            text.push_str("The regions of the image are outlined.\n");
        }
        [first, ..] => {
            let name = &first.mark.text;
            let _ = writeln!(
                text,
                "Regions of the image carry labels, such as {name}. A label stands on its region, \
                 or beside it with a line that leads to it. Whenever you speak of a region, name \
                 it by its label in brackets, such as [{name}]."
            );
            if allocation.pages > 1 {
                let pages = allocation.pages;
                let _ = writeln!(
                    text,
                    "The labels are spread over {pages} copies of the image."
                );
            }
            text.push_str("\nThe regions, as label: x, y, width, height in pixels:\n");
            for mark in marks {
                let bbox = mark.mark.region.bbox();
                let _ = write!(
                    text,
                    "[{}]: {}, {}, {}, {}",
                    mark.mark.text, bbox.x, bbox.y, bbox.width, bbox.height
                );
                if let Some(label) = &mark.mark.region.label {
                    let _ = write!(text, " ({label})");
                }
                text.push('\n');
            }
        }
    }
    text.push('\n');
    text.push_str(
        question.unwrap_or("What is in each marked region? Answer with one line for each label."),
    );
    text.push('\n');
    text
}
