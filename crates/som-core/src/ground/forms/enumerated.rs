//! Lists that are numbered one after another.

use std::ops::Range;

use crate::ground::names::skip;

/// An item of a numbered list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) number: u64,
    /// What it holds, behind its number.
    pub(crate) inside: Range<usize>,
}

/// The items of the lists in `text` that are numbered one after another: `1. …`, `2) …`, `(3) …`,
/// `**4.** …`, at starts of lines or, if they count from 1, within one.
pub(crate) fn enumerators(text: &str) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    let mut next = 1;
    let mut from = 0;
    while let Some(found) = text[from..].find(|c: char| c.is_ascii_digit()) {
        let at = from + found;
        let digits = skip(text, at, |c| c.is_ascii_digit());
        from = digits;
        let Ok(number) = text[at..digits].parse::<u64>() else {
            continue;
        };
        let before = &text[..at];
        let indent = |c: char| matches!(c, ' ' | '\t' | '*' | '-' | '(' | '•' | '#' | '>' | '_');
        let near = before.chars().rev().take(12).find(|&c| !indent(c));
        let starts_line = match near {
            Some(c) => c == '\n',
            None => before.len() <= 12,
        };
        let rest = &text[digits..];
        let arrow = rest.trim_start_matches([' ', '*']);
        let arrow = starts_line
            && ["→", "->", "–", "—", "- ", "="]
                .iter()
                .any(|tie| arrow.starts_with(tie));
        let marked = arrow
            || rest.starts_with(['.', ')', ':'])
            || rest.starts_with("**.")
            || rest.starts_with("**)");
        let spaced = rest
            .trim_start_matches(['.', ')', '*', ':'])
            .starts_with(|c: char| c.is_whitespace() || c == '[' || c == '*')
            || rest.trim_start_matches(['.', ')', '*', ':']).is_empty()
            || arrow;
        let apart = before.is_empty() || before.ends_with([' ', '(', '\n', '*', ',', ';']);
        let counts_on = number == next || number == 1;
        if !(marked && spaced && apart && counts_on) {
            continue;
        }
        // "1: 4, 2: 7"
        let goes_on = !items.is_empty() && before.trim_end().ends_with([',', ';']);
        if rest.starts_with(':') && !(starts_line || goes_on) {
            continue;
        }
        if number == 1 {
            items.clear();
        }
        if !starts_line && number > 1 && items.is_empty() {
            continue;
        }
        if let Some(last) = items.last_mut() {
            last.inside.end = at;
        }
        let start = digits + rest.len()
            - rest
                .trim_start_matches(['.', ')', '*', ':', ' ', '→', '-', '>', '–', '—', '='])
                .len();
        items.push(Item {
            number,
            inside: start..text.len(),
        });
        next = number + 1;
    }
    items
}
