//! The one further turn that an answer gets which names marks that are not there, or leaves open what
//! was asked.

use super::names::{in_brackets, names_on};
use crate::{
    Scene,
    ground::{Mention, Status},
    task::{Finding, Grounded, Task},
};

/// As many as one can take in.
const MOST: usize = 8;

/// What to say about an answer to `task`; `None` if every name that it uses is there, and nothing is
/// left open. Boxes and points that fit no region are no reason to ask again, nor is what the answer
/// denies, nor that it finds nothing.
pub fn repair(task: &Task, answer: &Grounded, scene: &Scene<'_>) -> Option<String> {
    if !scene.has_names() {
        return None;
    }
    if let Some(missing) = not_there(&answer.mentions) {
        let labels = names_on(scene.marks.iter());
        return Some(format!(
            "There is no region labelled {missing}. The labels are {labels}. Look at the image \
             again, and give your whole answer anew with labels that are there."
        ));
    }
    let open = match task {
        Task::Ask { .. } => return None,
        // What the model chose is not left out.
        Task::Phrases { phrases, .. } if phrases.is_empty() => ambiguous(&answer.findings, scene),
        Task::Refer { .. } | Task::Phrases { .. } => {
            let left_out = expressions_left_out(&answer.findings);
            [left_out, ambiguous(&answer.findings, scene)].concat()
        }
        Task::Describe { vocabulary, .. } => {
            let left_out = marks_left_out(&answer.findings, scene, |finding| {
                let mark = finding.marks.first().copied();
                mark.filter(|_| finding.text.is_empty())
            });
            let misnamed = match vocabulary.as_slice() {
                [] => Vec::new(),
                _ => misnamed(&answer.findings, vocabulary, scene),
            };
            [left_out, misnamed].concat()
        }
        Task::Track { .. } => marks_left_out(&answer.findings, scene, |finding| {
            finding.of.filter(|_| finding.marks.is_empty())
        }),
    };
    (!open.is_empty()).then(|| {
        let open = open.join(" ");
        format!("{open} Look at the image again, and give your whole answer anew.")
    })
}

/// The labels that the answer names and that are not there, in words.
fn not_there(mentions: &[Mention]) -> Option<String> {
    let mut missing: Vec<&str> = Vec::new();
    for mention in mentions.iter().filter(|mention| mention.is_meant()) {
        if matches!(mention.status, Status::Unknown | Status::OutOfRange) {
            for name in mention.unresolved.iter().map(String::as_str) {
                if !missing.contains(&name) {
                    missing.push(name);
                }
            }
        }
    }
    missing.truncate(MOST);
    (!missing.is_empty()).then(|| in_brackets(missing))
}

/// A sentence about the expressions of which the answer says nothing.
fn expressions_left_out(findings: &[Finding]) -> Vec<String> {
    let left_out = findings.iter();
    let left_out =
        left_out.filter(|finding| finding.status == Status::Unknown && finding.marks.is_empty());
    let left_out: Vec<String> = left_out
        .map(|finding| format!("{:?}", finding.text))
        .take(MOST)
        .collect();
    said_nothing(&left_out.join(", "))
}

/// A sentence about the marks of which the answer says nothing: `of` a finding that is left out, its
/// mark.
fn marks_left_out(
    findings: &[Finding],
    scene: &Scene<'_>,
    of: impl Fn(&Finding) -> Option<u32>,
) -> Vec<String> {
    let unknown = findings.iter();
    let unknown = unknown.filter(|finding| finding.status == Status::Unknown);
    let left_out = unknown.filter_map(of);
    said_nothing(&names_on(left_out.filter_map(|id| scene.mark(id))))
}

fn said_nothing(of: &str) -> Vec<String> {
    match of {
        "" => Vec::new(),
        of => vec![format!("Your answer says nothing of {of}.")],
    }
}

/// A sentence about each expression for which the answer names several marks without saying that all
/// of them are meant.
fn ambiguous(findings: &[Finding], scene: &Scene<'_>) -> Vec<String> {
    let open = findings.iter();
    let open =
        open.filter(|finding| finding.status == Status::Ambiguous && finding.marks.len() > 1);
    let sentence = |finding: &Finding| {
        let marks = finding.marks.iter().filter_map(|&id| scene.mark(id));
        let marks = in_brackets(marks.map(|mark| mark.text));
        format!(
            "It leaves open which of {marks} is meant by {:?}, or whether all are.",
            finding.text
        )
    };
    open.take(MOST).map(sentence).collect()
}

/// A sentence about the marks that have a name which is not, or not surely, among those to choose from.
fn misnamed(findings: &[Finding], vocabulary: &[String], scene: &Scene<'_>) -> Vec<String> {
    let open = findings.iter();
    let open =
        open.filter(|finding| finding.status != Status::Resolved && !finding.text.is_empty());
    let marks = open.flat_map(|finding| &finding.marks);
    let marks = names_on(marks.filter_map(|&id| scene.mark(id)));
    match marks.as_str() {
        "" => Vec::new(),
        marks => vec![format!(
            "The name that it gives {marks} is not exactly one of these: {}.",
            vocabulary.join(", ")
        )],
    }
}
