//! `phrases`: which regions do the noun phrases of a sentence mean?

use std::{collections::HashSet, ops::Range};

use super::{
    grounded::{Finding, Named},
    json,
    nearby::marks_of_each,
    refer,
    spoken::Spoken,
};
use crate::ground::{Role, words};

/// One finding for each phrase: those given, in their order, or those that the answer chose.
pub(super) fn read(spoken: &Spoken<'_>, sentence: &str, phrases: &[String]) -> Vec<Finding> {
    let lower = words::lowered(sentence);
    let mut findings = if phrases.is_empty() {
        let mut chosen = structured(spoken, &lower);
        if chosen.is_empty() {
            chosen = by_line(spoken, &lower);
        }
        if chosen.is_empty() {
            chosen = inline(spoken, &lower);
        }
        chosen
    } else {
        refer::read(spoken, phrases)
    };
    let mut from = 0;
    for finding in &mut findings {
        finding.span = place(&lower, &finding.text, from);
        if let Some(span) = &finding.span {
            from = span.end;
            finding.text = sentence[span.clone()].to_owned();
        }
    }
    findings
}

/// Where `phrase` stands in `sentence`, which is in lower case, if possible from `from` on.
fn place(sentence: &str, phrase: &str, from: usize) -> Option<Range<usize>> {
    let phrase = words::lowered(phrase.trim());
    if phrase.is_empty() {
        return None;
    }
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
fn structured(spoken: &Spoken<'_>, sentence: &str) -> Vec<Finding> {
    json::pairs(spoken)
        .into_iter()
        .filter(|pair| place(sentence, &pair.text, 0).is_some())
        .map(|pair| Finding::new(pair.text, pair.named))
        .collect()
}

/// `a man: [3]`, `| a man | 3 |`, `**A man** – [3]`: a line for each phrase.
fn by_line(spoken: &Spoken<'_>, sentence: &str) -> Vec<Finding> {
    /// More are not the phrases of a sentence.
    const MOST: usize = 256;
    let mut seen = HashSet::new();
    let phrases: Vec<String> = spoken
        .text
        .lines()
        .filter_map(|line| phrase_of(line).filter(|phrase| phrase.len() <= sentence.len()))
        .filter(|phrase| seen.insert(*phrase) && place(sentence, phrase, 0).is_some())
        .map(str::to_owned)
        .take(MOST)
        .collect();
    let given = marks_of_each(spoken, &phrases).unwrap_or_default();
    phrases
        .into_iter()
        .zip(given)
        .map(|(phrase, named)| Finding::new(phrase, named.unwrap_or(Named::MISSING)))
        .collect()
}

/// What a line says marks of: what stands before its colon, dash or next cell.
fn phrase_of(line: &str) -> Option<&str> {
    let line = line.trim_start_matches(|c: char| !c.is_alphabetic());
    let (phrase, _) = line
        .split_once([':', '→', '|', '–', '—'])
        .or_else(|| line.split_once(" - "))?;
    Some(phrase.trim_end_matches(|c: char| !c.is_alphanumeric()))
}

/// `A man [3] holds a cup [5]`: the words before each mention, as far as they stand in the
/// sentence; from the last article on, if they have one. `[3] a man`: the words behind a mention
/// that begins its line.
fn inline(spoken: &Spoken<'_>, sentence: &str) -> Vec<Finding> {
    let answer = spoken.text;
    let mut findings = Vec::new();
    let mut from = 0;
    for mention in spoken.mentions {
        let before = near_end(spoken.get(from..mention.span.start), sentence.len());
        let before = before.rsplit('\n').next().unwrap_or(before);
        from = mention.span.end;
        let before = before.trim_end_matches([' ', '(', '*', '"', ',']);
        let begins = !before.contains(char::is_alphabetic);
        let phrase = word_starts(before)
            .map(|start| &before[start..])
            .find(|phrase| place(sentence, phrase, 0).is_some())
            .map(from_article)
            .or_else(|| phrase_behind(&answer[from..], sentence).filter(|_| begins));
        if let (Some(phrase), Some(named)) = (phrase, Named::by([mention])) {
            findings.push(Finding::new(phrase, named));
        }
    }
    findings
}

/// What the line at the start of `text` holds, if it is a phrase of the sentence.
fn phrase_behind<'a>(text: &'a str, sentence: &str) -> Option<&'a str> {
    let length = text
        .bytes()
        .take(sentence.len() + 16)
        .position(|byte| byte == b'\n');
    let line = match length {
        Some(length) => &text[..length],
        None if text.len() <= sentence.len() + 16 => text,
        None => return None,
    };
    let phrase = line.trim_matches(|c: char| !c.is_alphanumeric());
    place(sentence, phrase, 0).map(|_| phrase)
}

/// The end of `text`, no longer than a phrase of a sentence of this length.
fn near_end(text: &str, sentence: usize) -> &str {
    const LONGEST: usize = 256;
    let mut start = text.len().saturating_sub(sentence.min(LONGEST) + 1);
    while !text.is_char_boundary(start) {
        start += 1;
    }
    &text[start..]
}

/// `phrase` from its last article on: "lies on a saucer" is about "a saucer", but "a piece of the
/// cake" begins with its first.
fn from_article(phrase: &str) -> &str {
    let is_article = |start: &usize| {
        let word = phrase[*start..]
            .split(|c: char| !c.is_alphanumeric())
            .next();
        let word = word.unwrap_or("");
        let article = [Role::Article, Role::Determiner]
            .iter()
            .any(|role| words::at(word, 0, *role) == Some(word.len()));
        article && !word.is_empty() && !phrase[..*start].ends_with(" of ")
    };
    let last = word_starts(phrase).filter(is_article).last();
    &phrase[last.unwrap_or(0)..]
}

fn word_starts(text: &str) -> impl Iterator<Item = usize> {
    let starts = |start: usize| !text[..start].ends_with(|c: char| c.is_alphanumeric());
    text.char_indices()
        .filter(move |&(start, c)| c.is_alphanumeric() && starts(start))
        .map(|(start, _)| start)
}
