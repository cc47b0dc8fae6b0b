//! Boxes told axis by axis: `x: 20–121, y: 20–111`, "x from 20 to 121 and y from 20 to 111", "between
//! x=20 and x=121".

use super::{
    numbers::numbers_at,
    prose::{Place, XYXY},
    shape::Form,
};
use crate::ground::words::{self, Role};

/// What stands between the two axes is not longer, in bytes.
const BETWEEN: usize = 40;

/// The two ends of `x` and those of `y` at the start of `text`, and the length they take.
pub(super) fn spans(text: &str) -> Option<Place> {
    let (left, right, end) = span(text, 'x')?;
    let rest = &text[end..];
    let near = &rest[..rest.floor_char_boundary(BETWEEN)];
    let gap = near.char_indices().find(|&(at, c)| {
        let apart = !near[..at].ends_with(char::is_alphanumeric);
        c.eq_ignore_ascii_case(&'y') && apart && span(&rest[at..], 'y').is_some()
    });
    let (gap, _) = gap.filter(|(gap, _)| !near[..*gap].contains(|c: char| c.is_ascii_digit()))?;
    let (top, bottom, length) = span(&rest[gap..], 'y')?;
    let numbers = vec![left, top, right, bottom];
    Some((numbers, end + gap + length, Form::Box(XYXY, true)))
}

/// The two ends of `axis` at the start of `text`, and where the second one ends.
fn span(text: &str, axis: char) -> Option<(f64, f64, usize)> {
    let start = behind_axis(text, axis)?;
    let (first, length) = number(&text[start..])?;
    let mut at = start + length;
    let sign = text[at..].trim_start_matches(' ');
    let rest = sign.trim_start_matches(['-', '–', '—', ',', '.', '…', '~', '→']);
    if rest.len() < sign.len() {
        at = text.len() - rest.len();
    } else {
        let joined = text.len() - sign.len();
        at = words::at(text, joined, Role::Ranges)
            .or_else(|| words::at(text, joined, Role::Joins))?;
    }
    let at = text.len() - text[at..].trim_start_matches(' ').len();
    // "Between x=20 and x=121"
    let at = behind_axis(&text[at..], axis).map_or(at, |again| at + again);
    let (second, length) = number(&text[at..])?;
    let close = text[at + length..].starts_with([']', ')']);
    Some((first, second, at + length + usize::from(close)))
}

/// Where the first number begins behind the name of an axis: `x: `, `x ∈ [`, "x ranges from ".
fn behind_axis(text: &str, axis: char) -> Option<usize> {
    /// More words are something else.
    const MOST: usize = 3;
    const SIGNS: [char; 9] = [' ', ':', '=', '*', '∈', '[', '(', '`', '≈'];
    const ROLES: [Role; 6] = [
        Role::Fills,
        Role::Between,
        Role::Spans,
        Role::Is,
        Role::At,
        Role::About,
    ];
    let name = text.chars().next()?;
    if !name.eq_ignore_ascii_case(&axis) {
        return None;
    }
    let mut at = name.len_utf8();
    for _ in 0..=MOST {
        at = text.len() - text[at..].trim_start_matches(SIGNS).len();
        let says = |role: &Role| words::at(text, at, *role);
        let word = ROLES.iter().filter_map(says).max();
        let range = ["ranges", "range", "coordinates", "values", "axis"]
            .iter()
            .find(|word| text[at..].starts_with(**word));
        match word.or(range.map(|word| at + word.len())) {
            Some(end) => at = end,
            None => break,
        }
    }
    text[at..]
        .starts_with(|c: char| c.is_ascii_digit())
        .then_some(at)
}

/// The number at the start of `text`, which holds no sign, and where it and its unit end.
fn number(text: &str) -> Option<(f64, usize)> {
    let digits = text
        .bytes()
        .take_while(|byte| byte.is_ascii_digit() || *byte == b'.')
        .count();
    let written = text[..digits].trim_end_matches('.');
    let (numbers, _) = numbers_at(written, 1, |_| false);
    let mut end = written.len();
    for unit in ["px", " px", "%", " pixels"] {
        if text[end..].starts_with(unit) {
            end += unit.len();
        }
    }
    Some((*numbers.first()?, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_axis_has_two_ends() {
        let of = |text: &str| spans(text).map(|(numbers, length, _)| (numbers, length));
        let four = Some(vec![1.0, 3.0, 2.0, 4.0]);
        for text in [
            "x: 1–2, y: 3–4",
            "x 1-2, y 3-4",
            "x from 1 to 2 and y from 3 to 4",
            "x ∈ [1, 2], y ∈ [3, 4]",
            "x=1 and x=2 and between y=3 and y=4",
            "X range: 1px to 2px; Y range: 3px to 4px",
        ] {
            assert_eq!(
                of(text),
                four.clone().map(|four| (four, text.len())),
                "{text}"
            );
        }
        assert_eq!(of("x: 1–2"), None);
        assert_eq!(of("x: 1, y: 3"), None);
    }
}
