//! Lists of names: `1, 2 and 5`, `1–4`, "la 3 y la 5".

use std::ops::Range;

use super::{Names, Reading, is_quantity, is_wrapping, skip};
use crate::ground::words::{self, Role};

/// How strictly a list is read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setting {
    /// Between square brackets: `|` separates, too.
    Bracketed,
    /// Between brackets: every separator, any letter case.
    Enclosed,
    /// In running text: letters in upper case only, and what follows a further name must not make
    /// it a quantity ("marks 3, 2 people").
    Open,
}

/// Where a number begins behind an article at `at`, or a letter in upper case that ends its clause:
/// "la 6", "la E".
pub(in crate::ground) fn behind_article(text: &str, at: usize) -> Option<usize> {
    let end = words::at(text, at, Role::Article)?;
    let name = text[end..]
        .strip_prefix(' ')?
        .trim_start_matches([' ', '*', '"']);
    let letter = name.starts_with(|c: char| c.is_ascii_uppercase()) && {
        let rest = &name[1..];
        rest.is_empty() || rest.starts_with(['.', ',', '\n', '!', ';', '*', '"'])
    };
    let lower = text[at..end].chars().all(|c| !c.is_uppercase());
    (lower && (letter || name.starts_with(|c: char| c.is_ascii_digit())))
        .then(|| text.len() - name.len())
}

/// True if an article ends right before `at`: then those that follow may have one, too.
fn follows_article(text: &str, at: usize) -> bool {
    /// Articles are not longer, in bytes.
    const LONGEST: usize = 12;
    let near = &text[text.ceil_char_boundary(at.saturating_sub(LONGEST))..at];
    let Some(near) = near.strip_suffix(' ') else {
        return false;
    };
    let word = near
        .rsplit(|c: char| !words::is_word(c))
        .next()
        .unwrap_or("");
    !word.is_empty() && words::at(word, 0, Role::Article) == Some(word.len())
}

/// The longest list of names that starts at `at`, and where it ends.
pub(crate) fn list_at(
    text: &str,
    at: usize,
    names: &Names,
    setting: Setting,
) -> Option<(Reading, usize)> {
    let mut reading = Reading::default();
    let mut end = at;
    let mut next = at;
    // "La 3, la 5 y la 7"
    let articled = setting == Setting::Open && follows_article(text, at);
    loop {
        let start = match behind_article(text, next).filter(|_| articled && next > at) {
            Some(name) => name,
            None => skip(text, next, is_wrapping),
        };
        let Some(name) = names.name_at(text, start) else {
            break;
        };
        let word = &text[name.clone()];
        if setting == Setting::Open
            && (word.bytes().any(|byte| byte.is_ascii_lowercase())
                || end > at && is_quantity(text, name.end))
        {
            break;
        }
        let after = skip(text, name.end, is_wrapping);
        if let Some(last) = range_end(text, after, names, articled, setting) {
            names.add_range(&mut reading, word, &text[last.clone()]);
            end = skip(text, last.end, is_wrapping);
        } else {
            names.add(&mut reading, word);
            end = after;
        }
        let Some(separated) = separator_end(text, end, setting) else {
            break;
        };
        next = separated;
    }
    // Emphasis that the list did not open itself belongs to the text around it.
    (reading.names > 0).then_some((reading, end))
}

/// The name that closes a range whose first name ended at `at`: `-4`, ` – 4`, ` to 4`.
fn range_end(
    text: &str,
    at: usize,
    names: &Names,
    articled: bool,
    setting: Setting,
) -> Option<Range<usize>> {
    // A dash in the next line begins an item of a list.
    let start = skip(text, at, |c| c.is_whitespace() && c != '\n');
    // 2番から5番
    let start = words::at(text, start, Role::Counts)
        .filter(|&end| text[..end].ends_with(words::is_unspaced))
        .filter(|&end| words::at(text, end, Role::Ranges).is_some())
        .unwrap_or(start);
    let rest = text.get(start..)?;
    let dash = ["-", "–", "—", "~", "..", "…"]
        .iter()
        .find(|dash| rest.starts_with(**dash));
    let end = match dash {
        Some(dash) => start + dash.len(),
        None => words::at(text, start, Role::Ranges)?,
    };
    let start = skip(text, end, |c| {
        c.is_whitespace() && c != '\n' || is_wrapping(c)
    });
    // "The 7 – the 3 is its shadow" is no range.
    let behind = behind_article(text, start).filter(|_| articled && dash.is_none());
    // "Mark D — a kettle"
    let is_word = |name: &Range<usize>| {
        setting == Setting::Open && text[name.clone()].starts_with(|c: char| c.is_ascii_lowercase())
    };
    names
        .name_at(text, behind.unwrap_or(start))
        .filter(|name| !is_word(name))
}

/// Where the next name may begin, if what stands at `at` parts two names of a list.
fn separator_end(text: &str, at: usize, setting: Setting) -> Option<usize> {
    let start = skip(text, at, char::is_whitespace);
    let mut end = start;
    for mark in [",", ";", "/", "&", "+", "|"] {
        let separates = mark != "|" || setting == Setting::Bracketed;
        if separates && text[end..].starts_with(mark) {
            end += mark.len();
            break;
        }
    }
    end = skip(text, end, char::is_whitespace);
    // "C, E" is no "C, and".
    let letter = |word: &usize| {
        let rest = text[*word..].trim_start_matches(' ');
        let ends = rest.is_empty() || rest.starts_with([',', ';', '.', ')', ']', '\n', '*']);
        let upper = text[end..*word]
            .bytes()
            .all(|byte| byte.is_ascii_uppercase());
        upper && ends && *word == end + 1
    };
    if end > at
        && let Some(word) = words::at(text, end, Role::Joins).filter(|word| !letter(word))
    {
        end = skip(text, word, char::is_whitespace);
        // 3 ו-4
        if let Some(rest) = text[end..].strip_prefix('-')
            && rest.starts_with(|c: char| c.is_ascii_digit())
        {
            end += 1;
        }
    } else if end > at
        && let Some(rest) = text[end..].strip_prefix('و')
        && rest.starts_with(|c: char| c.is_ascii_digit())
    {
        // 3 و4
        end = text.len() - rest.len();
    } else if end == at
        && text[at..].starts_with(words::is_unspaced)
        && let Some(word) = words::at(text, at, Role::Joins)
    {
        // 3和5
        end = skip(text, word, char::is_whitespace);
    }
    let words_only = end > at && text[at..end].trim().is_empty();
    (end > at && (setting != Setting::Open || !words_only)).then_some(end)
}
