//! `refer`: which regions do expressions mean?

use super::{
    grounded::{Finding, Named},
    json,
};
use crate::{
    Scene,
    ground::{Mention, Names, Setting, list_at},
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
        .or_else(|| by_expression(answer, mentions, expressions, &names))
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

/// What stands behind each expression, up to the next one: `the laptop: 6`.
pub(super) fn by_expression(
    answer: &str,
    mentions: &[Mention],
    expressions: &[String],
    names: &Names,
) -> Option<Vec<Option<Named>>> {
    // Of the same length in bytes, so that places are those of the answer.
    let lower = answer.to_ascii_lowercase();
    let mut places: Vec<(usize, usize)> = Vec::new();
    for expression in expressions {
        let expression = expression.to_ascii_lowercase();
        let found = lower.match_indices(&expression);
        places.extend(found.map(|(start, _)| (start, start + expression.len())));
    }
    places.sort_unstable_by_key(|&(start, end)| (start, std::cmp::Reverse(end)));
    // Where expressions overlap, the longer one stands there.
    places.dedup_by(|next, kept| next.0 < kept.1);
    let given = expressions.iter().map(|expression| {
        let own = places
            .iter()
            .enumerate()
            .filter(|(_, (start, end))| lower[*start..*end] == expression.to_ascii_lowercase());
        own.map(|(index, &(_, end))| {
            let next = places.get(index + 1).map_or(answer.len(), |next| next.0);
            after(answer, end..next, mentions, names)
        })
        .find(Option::is_some)
        .flatten()
    });
    some(given.collect())
}

/// The marks named in this part of the answer, which begins behind an expression: mentions in the
/// rest of its line, or names behind a colon.
fn after(
    answer: &str,
    part: std::ops::Range<usize>,
    mentions: &[Mention],
    names: &Names,
) -> Option<Named> {
    let line = answer[part.clone()].find('\n');
    let part = part.start..line.map_or(part.end, |end| part.start + end);
    let inside = mentions
        .iter()
        .filter(|mention| mention.span.start >= part.start && mention.span.end <= part.end);
    if let Some(named) = Named::by(inside) {
        return Some(named);
    }
    let closing = |c: char| c.is_whitespace() || matches!(c, '*' | '"' | '\'' | '`' | '”' | ')');
    let text = answer[part].trim_start_matches(closing);
    let tie = |c: char| matches!(c, ':' | '=' | '-' | '–' | '—' | '→' | '>' | '|') || closing(c);
    let list = text.trim_start_matches(tie);
    if list.len() == text.len() {
        return None;
    }
    if list.to_ascii_lowercase().starts_with("none") {
        return Some(Named::NONE);
    }
    let (reading, _) = list_at(list, 0, names, Setting::Enclosed)?;
    let mention = reading.mention(0..1);
    Named::by([&mention])
}

/// The lines with mentions, if there is one for each expression.
fn by_line(
    answer: &str,
    mentions: &[Mention],
    expressions: &[String],
) -> Option<Vec<Option<Named>>> {
    let mut lines = Vec::new();
    let mut start = 0;
    for line in answer.split_inclusive('\n') {
        let end = start + line.len();
        let inside = mentions
            .iter()
            .filter(|mention| mention.span.start >= start && mention.span.end <= end);
        lines.extend(Named::by(inside).map(Some));
        start = end;
    }
    (expressions.len() > 1 && lines.len() == expressions.len()).then_some(lines)
}

/// All that an answer names, if only one expression was given: its last line that begins with
/// "answer" goes before, and several marks in running text are ambiguous.
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
    let mut named = Named::by(mentions)?;
    let located = mentions.iter().all(|mention| mention.location.is_some());
    if mentions.len() > 1 && !located && !is_list(answer, mentions) {
        named.status = named.status.max(crate::ground::Status::Ambiguous);
    }
    Some(vec![Some(named)])
}

/// True if nothing but "and" stands between the mentions.
fn is_list(answer: &str, mentions: &[Mention]) -> bool {
    mentions.windows(2).all(|pair| {
        let between = &answer[pair[0].span.end..pair[1].span.start];
        between
            .split(|c: char| !c.is_alphanumeric())
            .all(|word| matches!(word, "" | "and" | "or"))
    })
}

/// `given`, unless nothing was.
fn some(given: Vec<Option<Named>>) -> Option<Vec<Option<Named>>> {
    given.iter().any(Option::is_some).then_some(given)
}
