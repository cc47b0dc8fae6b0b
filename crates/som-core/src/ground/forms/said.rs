//! What a clause about marks says of them in words of its own: "the mark on the cup is 3", "la marca
//! que busca es la 6", "mark number three", `A: 3`.

use super::{Found, Reader, starts_with_digit};
use crate::ground::{
    names::{Names, Reading, Setting, behind_article, is_quantity, list_at, skip},
    words::{self, Role},
};

/// "The mark on the cup is 3", "la respuesta correcta es la 6": the names that a clause about marks
/// ends with. Where an article stands before them, they are no figure.
pub(super) fn predicated(reader: &Reader<'_>, word: &str) -> Option<Found> {
    /// Such a clause is not longer, in bytes.
    const LONGEST: usize = 60;
    let &Reader {
        text, at, names, ..
    } = reader;
    // "The region number is 31"
    let number = text[at + word.len()..].trim_start();
    let counted = words::at(number, 0, Role::Announces)
        .is_some_and(|end| words::at(&number[..end], 0, Role::Answers).is_none())
        && words::at(word, 0, Role::Answers).is_none();
    let is_mark = words::at(word, 0, Role::Mark) == Some(word.len()) || counted;
    let is_answer = words::at(word, 0, Role::Answers) == Some(word.len());
    let mut from = at + word.len();
    while from < text.len().min(at + LONGEST) {
        let next = words::words(&text[from..]).next()?;
        let between = &text[from..from + next.start];
        if between.contains(['.', ',', '\n', ';', ':', '[', '(', '|', '"', '{']) {
            return None;
        }
        let start = from + next.start;
        // "The mark number of the cup is 10" counts no marks.
        let itself = counted && between.trim().is_empty() && from == at + word.len();
        if words::at(text, start, Role::Measures).is_some() && !itself {
            return None;
        }
        let verb =
            words::at(text, start, Role::Is).or_else(|| words::at(text, start, Role::Copula));
        if let Some(end) = verb {
            let start = skip(text, end, |c| matches!(c, ' ' | '*' | '"' | ':'));
            let behind = behind_article(text, start);
            let near = is_answer && is_near(&text[at + word.len()..from]);
            if behind.is_some() || (is_mark || near) && starts_with_digit(text, start) {
                return names_at(text, behind.unwrap_or(start), names);
            }
            from = end;
        } else {
            from += next.end;
        }
    }
    None
}

/// True if no more than an adjective stands behind the answer: "Đáp án đúng là 6".
fn is_near(between: &str) -> bool {
    words::words(between).take(2).count() < 2
}

/// The names at `start`, if they end their clause.
fn names_at(text: &str, start: usize, names: &Names) -> Option<Found> {
    let start = skip(text, start, |c| matches!(c, ' ' | '*' | '"'));
    let (reading, end) = list_at(text, start, names, Setting::Open)?;
    let written = text[start..end].trim_end_matches(['*', '"', ' ']);
    let after = &text[end..];
    let ends = after.is_empty() || after.starts_with(['.', ',', '\n', '!', ';', '(', '"']);
    let known = reading.resolves() && reading.misses() == 0 && !is_quantity(text, end);
    let span = start..start + written.len();
    (ends && known).then(|| Found::Mention(reading.mention(span)))
}

/// "Mark number three", "marks two to five", "标记三": numbers in words behind a word that nothing but
/// marks are called by, at the end of what is said of them.
pub(super) fn spelled(reader: &Reader<'_>, start: usize) -> Option<Found> {
    /// More of them are something else.
    const MOST: usize = 12;
    let &Reader {
        text, at, names, ..
    } = reader;
    if !ends_with_noun(&text[at..start]) {
        return None;
    }
    let mut digits = String::new();
    let (mut from, mut end) = (start, start);
    for _ in 0..MOST {
        let Some((number, number_end)) = words::number_at(text, from) else {
            break;
        };
        digits.push_str(&number.to_string());
        end = number_end;
        let next = skip(text, end, |c| c == ' ');
        let range = words::at(text, next, Role::Ranges);
        let joins = words::at(text, next, Role::Joins);
        let comma = text[next..].starts_with(", ").then(|| next + 1);
        let Some(separated) = range.or(joins).or(comma) else {
            break;
        };
        let and = skip(text, separated, |c| c == ' ');
        let and = words::at(text, and, Role::Joins).filter(|_| comma.is_some());
        from = skip(text, and.unwrap_or(separated), |c| c == ' ');
        if words::number_at(text, from).is_none() {
            break;
        }
        digits.push_str(if range.is_some() { "-" } else { ", " });
    }
    let (reading, _) = list_at(&digits, 0, names, Setting::Enclosed)?;
    let known = reading.resolves() && reading.misses() == 0;
    (known && ends_names(text, end) && !is_quantity(text, end))
        .then(|| Found::Mention(reading.mention(start..end)))
}

/// True if the last word of `said` is one for marks.
fn ends_with_noun(said: &str) -> bool {
    let said = said.trim_end_matches([' ', ':', '"', '*']);
    let last = words::words(said).filter(|word| {
        let ends = |role| words::at(said, word.start, role) == Some(said.len());
        ends(Role::Mark) || ends(Role::Announces) && !ends(Role::Answers)
    });
    last.last().is_some()
}

/// True if what follows a number in words does not go on to count something.
fn ends_names(text: &str, end: usize) -> bool {
    const ROLES: [Role; 7] = [
        Role::Is,
        Role::Copula,
        Role::Joins,
        Role::Because,
        Role::Contrasts,
        Role::Counts,
        Role::Denies,
    ];
    let rest = text[end..].trim_start_matches(['*', '"', '\'']);
    let next = text.len() - rest.trim_start_matches(' ').len();
    rest.is_empty()
        || rest.starts_with(['.', ',', '!', '?', ';', '\n', ')', ':'])
        || ROLES
            .iter()
            .any(|role| words::at(text, next, *role).is_some())
}

/// `A: 3`, `My pick: C`: the names behind a word for the answer that begins its line.
pub(super) fn reply(reader: &Reader<'_>) -> Option<Found> {
    let &Reader {
        text, at, names, ..
    } = reader;
    let end = words::at(text, at, Role::Replies)
        .or_else(|| {
            let figure = words::at(text, at, Role::Measures).is_some();
            words::at(text, at, Role::Answers).filter(|_| !figure)
        })
        .filter(|_| reader.starts_line())?;
    let after = text[end..].trim_start_matches('*').strip_prefix(':')?;
    let start = text.len() - after.trim_start_matches([' ', '*']).len();
    let name = text[start..].trim_end_matches(['.', '*', ' ', '\n']);
    let letter = name.len() == 1 && name.starts_with(|c: char| c.is_ascii_uppercase());
    if !names.get(&text[at..end]).is_empty() || !letter && !starts_with_digit(text, start) {
        return None;
    }
    let (reading, end): (Reading, usize) = list_at(text, start, names, Setting::Open)
        .filter(|&(_, end)| !text[start..end].contains('/'))?;
    let written = text[start..end].trim_end_matches(['*', '"', '`', ' ', ',']);
    let rest = text[end..].trim_start_matches(' ');
    let ends = rest.is_empty() || rest.starts_with(['.', ',', ';', '\n', '(', '—', '–', '!']);
    (ends && reading.resolves() && !is_quantity(text, end))
        .then(|| Found::Mention(reading.mention(start..start + written.len())))
}
