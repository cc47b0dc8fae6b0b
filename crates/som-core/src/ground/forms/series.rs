//! Names that go on as the one before did: "1 is a cup, 2 is a saucer", `1: bus, 2: car`,
//! "1 (surfboard), 2 (umbrella)", "the dog is marked 3, the cat 7".

use std::ops::Range;

use super::{
    Reader,
    captions::begins,
    tie::{LONGEST, Tie},
};
use crate::ground::{
    names::{Setting, is_quantity, list_at},
    words::{self, Role},
};

/// True if the name at `name` goes on as the last one did, or begins a series of captions.
pub(super) fn goes_on(reader: &Reader<'_>, name: &Range<usize>) -> bool {
    let &Reader { text, names, .. } = reader;
    if names.get(&text[name.clone()]).is_empty() {
        return false;
    }
    let Some(last) = reader.last().filter(|last| last.end + LONGEST > name.start) else {
        return begins(reader, name);
    };
    let between = &text[last.end..name.start];
    let Some((separator, before)) = separated(between) else {
        return false;
    };
    if between.contains('\n') {
        return begins(reader, name);
    }
    // "…, and the doors 9 to 10"
    let near = text.floor_char_boundary(name.end + LONGEST / 4);
    let list = list_at(&text[..near], name.start, names, Setting::Open)
        .filter(|(list, _)| list.misses() == 0);
    let list = list.map_or(name.clone(), |(_, end)| {
        name.start..text[..end].trim_end().len()
    });
    is_same_tie(reader, &last, name, separator)
        || as_line(reader, name)
        || separator != Separator::Sentence
            && [name, &list]
                .iter()
                .any(|name| is_gapped(reader, &last, before, name))
        || separator != Separator::Sentence
            && between[before..].trim().is_empty()
            && !is_quantity(text, name.end)
            && is_gone(text, name.end)
}

/// "1 is now 4, 2 is now 6, and 3 is gone": the line begins with a name that is tied alike.
fn as_line(reader: &Reader<'_>, name: &Range<usize>) -> bool {
    const NEAR: usize = 12;
    let &Reader { text, names, .. } = reader;
    let line = reader.line_so_far(NEAR);
    let begun = line.head.trim_start_matches([' ', '*', '-']);
    let first = names
        .name_at(begun, 0)
        .filter(|first| !names.get(&begun[first.clone()]).is_empty());
    let is_verb = |text: &str, at: usize| matches!(Tie::at(text, at), Some((Tie::Verb, _)));
    let begins = first
        .is_some_and(|first| is_verb(begun, first.end) && !super::is_lower_letter(&begun[first]));
    let apart = [", ", "; ", "and ", ". "]
        .iter()
        .any(|end| line.tail.ends_with(end));
    // "1 is now 6. 2 and 3 are gone."
    let near = text.floor_char_boundary(name.end + LONGEST / 4);
    let list = list_at(&text[..near], name.start, names, Setting::Open);
    let list_end = list.map_or(name.end, |(_, end)| text[..end].trim_end().len());
    begins && apart && (is_verb(text, name.end) || is_verb(text, list_end))
}

/// True if the last mention listed as many names as `count`: "1 and 2 (became 5 and 6)".
pub(super) fn follows_list(reader: &Reader<'_>, count: usize) -> bool {
    let Some(last) = reader.last() else {
        return false;
    };
    let listed = list_at(
        &reader.text[..last.end],
        last.start,
        reader.names,
        Setting::Open,
    );
    count > 1 && listed.is_some_and(|(list, _)| list.names == count)
}

/// "(The cup is number 6,) next to 7": the clause before names a mark, and words for a place, more than
/// one, lead to what stands at `at`.
pub(super) fn stands_by(reader: &Reader<'_>, at: usize) -> bool {
    let text = reader.text;
    let Some(last) = reader.last().filter(|last| last.end + LONGEST / 2 > at) else {
        return false;
    };
    let between = text[last.end.min(at)..at].trim_end();
    let place = between.strip_prefix(',').map(str::trim_start);
    place.is_some_and(|place| {
        words::at(place, 0, Role::Beside) == Some(place.len()) && place.contains(' ')
    })
}

/// True if the name before is tied as this one is to what is said of it.
fn is_same_tie(
    reader: &Reader<'_>,
    last: &Range<usize>,
    name: &Range<usize>,
    by: Separator,
) -> bool {
    let text = reader.text;
    // "Marks 1-3 (the apples) and 10-12 (the oranges)"
    let near = text.floor_char_boundary(name.end + LONGEST / 4);
    let list = list_at(&text[..near], name.start, reader.names, Setting::Open);
    let name_end = list.map_or(name.end, |(_, end)| text[..end].trim_end().len());
    let (Some((tie, _)), Some((other, end))) = (Tie::at(text, name_end), Tie::at(text, last.end))
    else {
        return false;
    };
    let between = &text[last.end..name.start];
    let closed = || {
        let caption = &text[end..name.start];
        let close = caption.find([')', '）']);
        close.is_some_and(|close| {
            !caption[close + 1..].contains(char::is_alphanumeric) || {
                let rest = caption[close..].trim_start_matches([')', '）', ',', ' ']);
                words::at(rest, 0, Role::Joins).is_some_and(|end| rest[end..].trim().is_empty())
            }
        })
    };
    let direct = {
        // Nothing but a separator stands right before the name.
        let end = between.trim_end_matches([' ', '*', '[', '`']);
        end.ends_with([',', ';', '.', '，', '；', '、', ')', '）', '|', '/'])
            || last_word(end).is_some_and(|word| {
                words::at(&end[word.clone()], 0, Role::Joins) == Some(word.len())
            })
    };
    let one = by != Separator::Sentence || matches!(tie, Tie::Verb | Tie::Equals);
    tie == other && direct && one && (tie != Tie::Caption || closed())
}

/// How what is said of one name ends before the next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Separator {
    Comma,
    Word,
    Sentence,
}

/// What parts two names, and where what follows it begins.
fn separated(between: &str) -> Option<(Separator, usize)> {
    let signs = [", ", "; ", "，", "；", ",", " | ", " / "];
    let comma = signs
        .iter()
        .filter_map(|sign| Some(between.rfind(sign)? + sign.len()))
        .max();
    let stop = [". ", "。"]
        .iter()
        .filter_map(|sign| Some(between.rfind(sign)? + sign.len()))
        .max();
    let word = words::words(between)
        .filter(|word| words::at(between, word.start, Role::Joins).is_some())
        .last();
    let word = word.and_then(|word| words::at(between, word.start, Role::Joins));
    [
        (Separator::Comma, comma),
        (Separator::Word, word),
        (Separator::Sentence, stop),
    ]
    .into_iter()
    .filter_map(|(kind, end)| Some((kind, end?)))
    .max_by_key(|(_, end)| *end)
}

/// "…, the cat 7", "…, die Katze mit 7": the verb of the clause before is left out.
fn is_gapped(reader: &Reader<'_>, last: &Range<usize>, before: usize, name: &Range<usize>) -> bool {
    /// What is named has no more words.
    const MOST: usize = 4;
    let &Reader { text, .. } = reader;
    let clause = text[last.end + before..name.start].trim_matches([' ', '"', '*']);
    let rest = text[name.end..].trim_start_matches(['*', '"', ']']);
    let ends = rest.is_empty()
        || rest.starts_with(['.', ',', ';', '\n', '!'])
        || rest.starts_with(' ') && words::at(rest, 1, Role::Joins).is_some();
    let numbered = text[last.clone()].starts_with(|c: char| c.is_ascii_digit());
    let digit = text[name.clone()].starts_with(|c: char| c.is_ascii_digit());
    let figure = rest
        .get(1..)
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    const OTHERS: [Role; 4] = [
        Role::Measures,
        Role::Denies,
        Role::Compares,
        Role::Announces,
    ];
    let plain = words::words(clause).all(|word| {
        let says = |role: &Role| words::at(clause, word.start, *role).is_some();
        !OTHERS.iter().any(says)
    });
    let article = words::at(clause, 0, Role::Article)
        .is_some_and(|end| clause[end..].starts_with(' ') && clause.len() > end + 1);
    let count = words::words(clause).take(MOST + 1).count();
    numbered
        && digit
        && ends
        && !figure
        && plain
        && article
        && (2..=MOST).contains(&count)
        && !is_quantity(text, name.end)
        && !clause.contains(['(', '[', ':', '"'])
        && is_parallel(&text[..last.start], clause)
}

/// True if the clause before names its mark by the word that this one ends with, or by a verb or a
/// word for marks where this one ends with what is named.
fn is_parallel(before: &str, clause: &str) -> bool {
    let before = before.trim_end_matches([' ', '*', '"', '[']);
    let word = |text: &str| last_word(text).map(|word| text[word].to_lowercase());
    let (Some(other), Some(own)) = (word(before), word(clause)) else {
        return false;
    };
    let says = |word: &str, role: Role| words::at(word, 0, role) == Some(word.len());
    // "the knife 7, and the plate 9"
    let bare = |text: &str| {
        let noun = last_word(text).map_or(0, |word| word.start);
        let before = text[..noun].trim_end();
        last_word(before)
            .is_some_and(|word| words::at(before, word.start, Role::Article) == Some(word.end))
    };
    other == own
        || bare(before) && bare(clause)
        || [Role::Is, Role::Announces]
            .iter()
            .any(|role| says(&other, *role))
            && ![Role::Beside, Role::Is, Role::Fills]
                .iter()
                .any(|role| says(&own, *role))
}

fn last_word(text: &str) -> Option<Range<usize>> {
    let end = text.trim_end_matches(|c: char| !c.is_alphanumeric()).len();
    let start = text[..end]
        .char_indices()
        .rev()
        .take_while(|(_, c)| words::is_word(*c))
        .last()
        .map(|(at, _)| at);
    start.map(|start| start..end)
}

/// "…，3在第二张图中消失了": what the clause says of it is that it is gone.
pub(super) fn is_gone(text: &str, name: usize) -> bool {
    let near = text.floor_char_boundary(name + LONGEST / 2);
    let rest = &text[name..near];
    let end = rest
        .find(['.', ',', '\n', ';', '，', '。'])
        .unwrap_or(rest.len());
    let clause = &rest[..end];
    (clause.starts_with(' ') || clause.starts_with(words::is_unspaced))
        && words::words(clause).any(|word| words::at(clause, word.start, Role::None).is_some())
}
