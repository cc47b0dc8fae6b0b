//! Names beside bare numbers, where no form says that these are marks: `1. cup`, `cup: 1`,
//! "The cup is 1".

use std::ops::Range;

use super::{
    grounded::Named, label::label_in, said::names_behind_tie, spoken::Spoken,
    subject::last_sentence,
};
use crate::ground::{Role, Setting, enumerators, list_at, words};

/// Marks, and the name they are given.
type Called = (Named, String);

/// `1. cup`, `2) plate`, `**3**. spoon`: names in a numbered list, if it numbers nothing but marks
/// that were asked for.
pub(super) fn enumerated(spoken: &Spoken<'_>, targets: &[u32]) -> Vec<Called> {
    let mut labels = Vec::new();
    let text = spoken.get(spoken.part.clone());
    let items: Vec<(String, Range<usize>)> = match enumerators(text) {
        items if items.len() > 1 => items
            .into_iter()
            .map(|item| (item.number.to_string(), item.inside))
            .collect(),
        _ => lines(text),
    };
    for (number, inside) in items {
        let Some((reading, _)) = list_at(&number, 0, spoken.names, Setting::Enclosed) else {
            continue;
        };
        let mention = reading.mention(0..number.len());
        if !mention.marks.iter().all(|id| targets.contains(id)) || mention.marks.is_empty() {
            return Vec::new();
        }
        let inside = text.get(inside).unwrap_or("");
        let label = label_in(inside.split('\n').next().unwrap_or(""));
        labels.extend(Named::by([&mention]).map(|named| (named, label)));
    }
    labels.retain(|(_, label)| !label.is_empty());
    labels
}

/// `Cup: 1`, `saucer – 2`: lines that end with the number of what they name, and nothing else.
pub(super) fn numbered_behind(spoken: &Spoken<'_>, targets: &[u32]) -> Vec<Called> {
    let text = spoken.get(spoken.part.clone());
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let labels = lines.map(|line| {
        let (name, number) = [": ", " – ", " - ", " = ", " → "]
            .iter()
            .find_map(|tie| line.rsplit_once(tie))?;
        let number = number.trim_matches([' ', '*', '.', '`']);
        let (reading, end) = list_at(number, 0, spoken.names, Setting::Enclosed)?;
        let mention = reading.mention(0..end);
        let known =
            !mention.marks.is_empty() && mention.marks.iter().all(|id| targets.contains(id));
        let named = Named::by([&mention]).filter(|_| known && end == number.len())?;
        let text = label_in(name);
        (!text.is_empty()).then_some((named, text))
    });
    labels.collect::<Option<Vec<Called>>>().unwrap_or_default()
}

/// "The cup is 1, the saucer is 2": names before a verb and numbers behind it.
pub(super) fn behind_verbs(spoken: &Spoken<'_>, targets: &[u32]) -> Vec<Called> {
    let mut labels = Vec::new();
    let mut from = spoken.part.start;
    for verb in spoken.cues.all(spoken.part.clone(), Role::Is) {
        let Some(named) = names_behind_tie(&spoken.part(verb.start..spoken.part.end)) else {
            continue;
        };
        let before = spoken.get(from..verb.start);
        from = verb.end;
        let name = before.trim_start_matches(|c: char| !c.is_alphabetic());
        let name = words::at(name, 0, Role::Joins).map_or(name, |end| &name[end..]);
        let text = label_in(last_sentence(name));
        if named.marks.iter().all(|id| targets.contains(id)) && !text.is_empty() {
            labels.push((named, text));
        }
    }
    labels
}

/// "1 spoons 2 cup 3 the teddy bear", "1 is a bird, 2 branch, 3 nest": every mark that is asked for, in
/// order, each with its name behind it, and no other number.
pub(super) fn counted_off(spoken: &Spoken<'_>, targets: &[u32]) -> Vec<Called> {
    let text = spoken.get(spoken.part.clone());
    let mut items: Vec<(usize, usize)> = Vec::new();
    let mut from = 0;
    while let Some(found) = text[from..].find(|c: char| c.is_ascii_digit()) {
        let start = from + found;
        let digits = text[start..].bytes().take_while(u8::is_ascii_digit).count();
        from = start + digits;
        items.push((start, from));
        if items.len() > targets.len() {
            return Vec::new();
        }
    }
    let begins = |(start, end): &(usize, usize)| {
        let before = text[..*start].trim_end_matches(['(', '[', '*', '#']);
        let apart = before.is_empty() || before.ends_with([' ', '\n', ',', ';']);
        apart && text[*end..].starts_with([' ', ':', ')', '.', '-', '=', ']', '*', '–'])
    };
    let leads = items
        .first()
        .is_some_and(|(start, _)| !text[..*start].contains(char::is_alphanumeric));
    if items.len() != targets.len() || !leads || !items.iter().all(begins) {
        return Vec::new();
    }
    let ends = items.iter().skip(1).map(|(start, _)| *start);
    let ends = ends.chain([text.len()]);
    let each = items.iter().zip(ends).zip(targets);
    let called = each.map(|(((start, end), next), target)| {
        let (reading, _) = list_at(&text[*start..*end], 0, spoken.names, Setting::Enclosed)?;
        let mention = reading.mention(0..1);
        let named = Named::by([&mention]).filter(|_| mention.marks == [*target])?;
        let said = &text[*end..next];
        Some((named, label_in(said.split('\n').next().unwrap_or(said))))
    });
    let called: Option<Vec<Called>> = called.collect();
    called
        .unwrap_or_default()
        .into_iter()
        .filter(|(_, label)| label.contains(char::is_alphabetic))
        .collect()
}

/// Lines that begin with a number, in any order.
fn lines(text: &str) -> Vec<(String, Range<usize>)> {
    let mut items = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let inner = line.trim_start_matches([' ', '\t', '-', '*', '•', '(']);
        let digits = inner.bytes().take_while(u8::is_ascii_digit).count();
        let (number, rest) = inner.split_at(digits);
        let rest = rest.trim_start_matches('*');
        if let Some(rest) = rest.strip_prefix(['.', ')', ' '])
            && digits > 0
        {
            let end = start + line.len();
            items.push((number.to_owned(), end - rest.len()..end));
        }
        start += line.len();
    }
    items
}
