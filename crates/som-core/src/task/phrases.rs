//! `phrases`: which regions do the noun phrases of a sentence mean?

use std::ops::Range;

use super::{
    grounded::{Finding, Named},
    json, refer,
};
use crate::{
    Scene,
    ground::{Mention, Names},
};

/// One finding for each phrase: those given, in their order, or those that the answer chose.
pub(super) fn read(
    answer: &str,
    mentions: &[Mention],
    sentence: &str,
    phrases: &[String],
    scene: &Scene<'_>,
) -> Vec<Finding> {
    let mut findings = if phrases.is_empty() {
        let names = Names::new(scene);
        let mut chosen = structured(answer, sentence, &names);
        if chosen.is_empty() {
            chosen = by_line(answer, mentions, sentence, &names);
        }
        if chosen.is_empty() {
            chosen = inline(answer, mentions, sentence);
        }
        chosen
    } else {
        refer::read(answer, mentions, phrases, scene)
    };
    let mut from = 0;
    for finding in &mut findings {
        finding.span = place(sentence, &finding.text, from);
        if let Some(span) = &finding.span {
            from = span.end;
            finding.text = sentence[span.clone()].to_owned();
        }
    }
    findings
}

/// Where `phrase` stands in `sentence`, if possible from `from` on, whatever the letter case.
fn place(sentence: &str, phrase: &str, from: usize) -> Option<Range<usize>> {
    let phrase = phrase.trim().to_ascii_lowercase();
    if phrase.is_empty() {
        return None;
    }
    let sentence = sentence.to_ascii_lowercase();
    let whole = |start: &usize| {
        let inside = |c: char| c.is_alphanumeric();
        !sentence[..*start].ends_with(inside)
            && !sentence[start + phrase.len()..].starts_with(inside)
    };
    let places = || sentence.match_indices(&phrase).map(|(start, _)| start);
    places()
        .filter(whole)
        .find(|&start| start >= from)
        .or_else(|| places().find(whole))
        .map(|start| start..start + phrase.len())
}

/// `{"phrase": "a man", "marks": ["3"]}`.
fn structured(answer: &str, sentence: &str, names: &Names) -> Vec<Finding> {
    let Some(value) = json::value_in(answer) else {
        return Vec::new();
    };
    json::entries(&value, names)
        .into_iter()
        .filter(|entry| place(sentence, &entry.text, 0).is_some())
        .map(|entry| Finding::new(entry.text, entry.named))
        .collect()
}

/// `a man: [3]`, a line for each phrase.
fn by_line(answer: &str, mentions: &[Mention], sentence: &str, names: &Names) -> Vec<Finding> {
    let phrases: Vec<String> = answer
        .lines()
        .filter_map(|line| {
            let (phrase, _) = line
                .split_once([':', '→', '|'])
                .or_else(|| line.split_once(" - "))?;
            let phrase = phrase.trim_matches(|c: char| !c.is_alphanumeric());
            place(sentence, phrase, 0)?;
            Some(phrase.to_owned())
        })
        .collect();
    let given = refer::by_expression(answer, mentions, &phrases, names).unwrap_or_default();
    phrases
        .into_iter()
        .zip(given)
        .map(|(phrase, named)| Finding::new(phrase, named.unwrap_or(Named::MISSING)))
        .collect()
}

/// `A man [3] holds a cup [5]`: the words before each mention, as far as they stand in the
/// sentence.
fn inline(answer: &str, mentions: &[Mention], sentence: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut from = 0;
    for mention in mentions {
        let before = answer[from..mention.span.start].trim_end_matches([' ', '(', '*', '"', ',']);
        from = mention.span.end;
        let phrase = before
            .char_indices()
            .filter(|&(start, c)| {
                c.is_alphanumeric() && !before[..start].ends_with(|c: char| c.is_alphanumeric())
            })
            .map(|(start, _)| &before[start..])
            .find(|phrase| place(sentence, phrase, 0).is_some());
        if let (Some(phrase), Some(named)) = (phrase, Named::by([mention])) {
            findings.push(Finding::new(phrase, named));
        }
    }
    findings
}
