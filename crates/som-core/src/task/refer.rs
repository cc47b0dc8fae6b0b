//! `refer`: which regions do expressions mean?

use super::{
    grounded::{Finding, Named},
    json,
    nearby::marks_of_each,
    said::{list_length, says_none},
};
use crate::{
    Scene,
    ground::{Mention, Names},
};

/// One finding for each expression, in their order.
pub(super) fn read(
    answer: &str,
    mentions: &[Mention],
    expressions: &[String],
    scene: &Scene<'_>,
) -> Vec<Finding> {
    let names = Names::new(scene);
    let given = structured(answer, expressions, &names)
        .or_else(|| marks_of_each(answer, mentions, expressions, &names))
        .or_else(|| by_line(answer, mentions, expressions))
        .or_else(|| only_one(answer, mentions, expressions));
    let given = given.unwrap_or_else(|| vec![None; expressions.len()]);
    expressions
        .iter()
        .zip(given)
        .map(|(expression, named)| Finding::new(expression, named.unwrap_or(Named::MISSING)))
        .collect()
}

/// What the answer says of each expression, if it is JSON that says something of one.
fn structured(answer: &str, expressions: &[String], names: &Names) -> Option<Vec<Option<Named>>> {
    let entries = json::entries(&json::value_in(answer)?, names);
    let given = expressions.iter().map(|expression| {
        let same = |text: &str| text.trim().to_lowercase() == expression.to_lowercase();
        let entry = entries.iter().find(|entry| same(&entry.text))?;
        Some(entry.named.clone())
    });
    some(given.collect())
}

/// The lines with mentions, if there is one for each expression.
fn by_line(
    answer: &str,
    mentions: &[Mention],
    expressions: &[String],
) -> Option<Vec<Option<Named>>> {
    let mut lines = Vec::new();
    let mut rest = mentions;
    let mut end = 0;
    for line in answer.split_inclusive('\n') {
        end += line.len();
        let (inside, later) = rest.split_at(rest.partition_point(|m| m.span.start < end));
        rest = later;
        lines.extend(Named::by(inside).map(Some));
    }
    (expressions.len() > 1 && lines.len() == expressions.len()).then_some(lines)
}

/// All that an answer names, if only one expression was given: what follows its last "answer"
/// goes before, and several marks in running text are ambiguous.
fn only_one(
    answer: &str,
    mentions: &[Mention],
    expressions: &[String],
) -> Option<Vec<Option<Named>>> {
    let [_] = expressions else { return None };
    let verdict = answer.to_ascii_lowercase().rfind("answer");
    let last = mentions
        .iter()
        .filter(|mention| verdict.is_some_and(|verdict| mention.span.start >= verdict));
    if let Some(named) = Named::by(last) {
        return Some(vec![Some(named)]);
    }
    let said = verdict
        .and_then(|verdict| answer.get(verdict..))
        .unwrap_or(answer);
    if says_none(said) && (mentions.is_empty() || verdict.is_some()) {
        return Some(vec![Some(Named::NONE)]);
    }
    let mut named = Named::by(mentions)?;
    let located = mentions.iter().all(|mention| mention.location.is_some());
    if !located && list_length(answer, mentions) < mentions.len() {
        named.status = named.status.max(crate::ground::Status::Ambiguous);
    }
    Some(vec![Some(named)])
}

/// `given`, unless nothing was.
fn some(given: Vec<Option<Named>>) -> Option<Vec<Option<Named>>> {
    given.iter().any(Option::is_some).then_some(given)
}
