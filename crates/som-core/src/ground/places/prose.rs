//! Coordinates in running text.

use std::{
    cell::OnceCell,
    ops::{Deref, Range},
};

use super::{
    axes::spans,
    fit::mention,
    numbers::{is_space_or_comma, numbers_at},
    shape::{Form, Place, Unit, Written, XYXY},
};
use crate::{
    ground::{
        json::Key,
        reader::{Found, Reader},
        words::{self, Role},
    },
    scene::{AxisOrder, BoxOrder},
};

/// Most corners of a polygon.
const MOST: usize = 4096;

const ANY_BOX: &[BoxOrder] = &[BoxOrder::Xyxy, BoxOrder::Xywh];
const XY: &[AxisOrder] = &[AxisOrder::Xy];

/// Brackets or parentheses that hold a place, not marks: after a word that says so, or numbers
/// most of which are no marks. Without images to look at they name nothing.
pub(in crate::ground) fn plain(reader: &Reader<'_>) -> Option<Found> {
    let rest = reader.rest();
    let words = Words::before(reader);
    let (numbers, length, form) = nested(reader, &words)
        .or_else(|| from_to(rest, &words))
        .or_else(|| assigned(reader, &words))
        .or_else(|| single(reader, &words))?;
    let end = reader.at + length;
    if reader.scene.images.is_empty() {
        return Some(Found::Skip(end));
    }
    let written = Written {
        numbers: &numbers,
        form,
        units: in_percent(&rest[..length]),
        image: None,
    };
    let mention = mention(&written, reader.at..end, reader.scene);
    Some(Found::Mention(mention))
}

fn in_percent(text: &str) -> Option<&'static [Unit]> {
    text.contains('%').then_some(&[Unit::Parts(100)])
}

/// `[[10, 20], [30, 40]]`: two corners of a box; of more a polygon; `[[1, 2, 3, 4]]`: a box.
fn nested(reader: &Reader<'_>, words: &Words<'_>) -> Option<Place> {
    let rest = reader.rest();
    let mut at = rest.len() - rest.strip_prefix('[')?.trim_start().len();
    let mut numbers: Vec<f64> = Vec::new();
    let mut lists = 0;
    let mut each = 0;
    while numbers.len() < MOST {
        let Some(open) = rest[at..].chars().next().filter(|c| matches!(c, '[' | '(')) else {
            break;
        };
        let inside = &rest[at + 1..];
        let (list, length) = numbers_at(inside, MOST, is_space_or_comma);
        let close = if open == '[' { ']' } else { ')' };
        let tail = inside[length..].trim_start().strip_prefix(close)?;
        if list.is_empty() || lists > 0 && list.len() != each {
            return None;
        }
        each = list.len();
        lists += 1;
        numbers.extend(list);
        at = rest.len() - tail.trim_start_matches(is_space_or_comma).len();
    }
    let after = rest[at..].strip_prefix(']')?;
    let length = rest.len() - after.len();
    let is_box = announces(words, Role::Box);
    let is_polygon = announces(words, Role::Polygon);
    let strange = unnamed(&numbers, reader) * 2 >= numbers.len();
    let form = match (lists, each) {
        (1, 4) if is_box || strange => Form::Box(ANY_BOX, false),
        (2, 2) if is_box || strange && !is_polygon => Form::Box(XYXY, false),
        (1, 2) if announces(words, Role::Point) || unnamed(&numbers, reader) == 2 => {
            Form::Point(XY, false)
        }
        (3.., 2) if is_polygon || is_box || strange => Form::Polygon(XY, false),
        (1, 6..) if each % 2 == 0 && (is_polygon || strange) => Form::Polygon(XY, false),
        _ => return None,
    };
    Some((numbers, length, form))
}

/// `(20, 20) to (121, 111)`, `(20, 20), (121, 111)` behind a word for boxes or "from",
/// `top-left (20, 20), bottom-right (121, 111)`.
fn from_to(rest: &str, words: &Words<'_>) -> Option<Place> {
    /// What stands between two corners is not longer.
    const BETWEEN: usize = 40;
    const FROM: [Role; 3] = [Role::Fills, Role::Between, Role::Spans];
    let (first, after) = pair(rest)?;
    let near = after.bytes().take(BETWEEN);
    let gap = near
        .into_iter()
        .position(|byte| matches!(byte, b'(' | b'['))?;
    let between = &after[..gap];
    let lines = between.contains('\n') && !between.to_lowercase().contains("bottom");
    if between.contains(|c: char| c.is_ascii_digit()) || lines {
        return None;
    }
    let (second, after) = pair(&after[gap..])?;
    let joined = between.contains(char::is_alphabetic) || between.contains(['-', '–', '→']);
    let begins = words
        .last()
        .is_some_and(|last| FROM.iter().any(|role| words.says(last, *role)));
    let is_box = announces(words, Role::Box) || joined && (begins || is_top(words));
    is_box.then(|| {
        let numbers = [first, second].concat();
        (numbers, rest.len() - after.len(), Form::Box(XYXY, false))
    })
}

fn is_top(words: &Words<'_>) -> bool {
    words.iter().any(|word| words.get(word).contains("top"))
}

/// `(20, 20)` or `[20, 20]` at the start of `text`, and what follows it.
fn pair(text: &str) -> Option<(Vec<f64>, &str)> {
    let close = match text.chars().next()? {
        '(' => ')',
        '[' => ']',
        _ => return None,
    };
    let (numbers, length) = numbers_at(&text[1..], 3, is_space_or_comma);
    let after = text[1 + length..].trim_start().strip_prefix(close)?;
    (numbers.len() == 2).then_some((numbers, after))
}

/// `(x=20, y=20)`, `[x1: 20, y1: 20, x2: 121, y2: 111]`.
fn assigned(reader: &Reader<'_>, _: &Words<'_>) -> Option<Place> {
    let rest = reader.rest();
    let inside = rest.strip_prefix(['(', '['])?;
    let (numbers, length, form) = assignments(inside)?;
    let after = inside[length..].trim_start().strip_prefix([')', ']'])?;
    Some((numbers, rest.len() - after.len(), form))
}

/// `x1=20, y1=20, x2=121, y2=111` in running text, `x=150, y=150`, `x: 20–121, y: 20–111`, with nothing
/// around it.
pub(in crate::ground) fn bare(reader: &Reader<'_>) -> Option<Found> {
    let (numbers, length, form) = assignments(reader.rest()).or_else(|| spans(reader.rest()))?;
    let end = reader.at + length;
    if reader.scene.images.is_empty() {
        return Some(Found::Skip(end));
    }
    let written = Written {
        numbers: &numbers,
        form,
        units: in_percent(&reader.rest()[..length]),
        image: None,
    };
    Some(Found::Mention(mention(
        &written,
        reader.at..end,
        reader.scene,
    )))
}

/// The values of `x…= y…=`, once or twice, or with width and height, at the start of `text`, and
/// the length they take.
fn assignments(text: &str) -> Option<Place> {
    const XYWH: &[BoxOrder] = &[BoxOrder::Xywh];
    let mut numbers = Vec::new();
    let mut end = 0;
    let mut sized = false;
    for axis in [&['x'][..], &['y'], &['x', 'w'], &['y', 'h']] {
        let start = text.len()
            - text[end..]
                .trim_start_matches([' ', ',', ';', '\'', '"'])
                .len();
        let rest = &text[start..];
        let name = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            .count();
        let name_of = rest[..name].to_ascii_lowercase();
        let is_axis = name <= 6 && name_of.starts_with(axis);
        sized |= is_axis && name_of.starts_with(['w', 'h']);
        let after = rest[name..].trim_start_matches(['"', '\'', ' ']);
        let value = after.strip_prefix(['=', ':']).filter(|_| is_axis);
        let Some(value) = value else { break };
        let value = value.trim_start_matches([' ', '"', '\'', '=']);
        let (number, length) = numbers_at(value, 1, |_| false);
        let Some(number) = number.first() else { break };
        numbers.push(*number);
        end = text.len() - value.len() + length;
    }
    let form = match numbers.len() {
        2 => Form::Point(XY, true),
        4 if sized => Form::Box(XYWH, true),
        4 => Form::Box(XYXY, true),
        _ => return None,
    };
    Some((numbers, end, form))
}

/// `[1, 2, 3, 4]`, `(5, 6)`, `(x1, y1, x2, y2) = (1, 2, 3, 4)`.
fn single(reader: &Reader<'_>, words: &Words<'_>) -> Option<Place> {
    let rest = reader.rest();
    let (open, close) = if rest.starts_with('[') {
        ('[', ']')
    } else {
        ('(', ')')
    };
    let inside = rest.strip_prefix(open)?;
    let (mut numbers, length) = numbers_at(inside, 6, is_space_or_comma);
    let after = inside[length..].trim_start();
    let after = after.strip_prefix("\\right").unwrap_or(after);
    let after = after.strip_prefix(close)?;
    if let [.., score] = numbers[..]
        && numbers.len() == 5
        && (0.0..=1.0).contains(&score)
    {
        numbers.pop();
    }
    let strange = unnamed(&numbers, reader);
    let ratios = numbers.iter().all(|number| (0.0..=1.0).contains(number))
        && numbers.iter().any(|number| number.fract() > 0.0);
    let is_box = announces(words, Role::Box) || names_sides(words);
    // What stands in parentheses is where something is, and nothing that is called so.
    let is_there = || says_at(words) || announces(words, Role::Point) || is_all(reader, after);
    let form = match numbers.len() {
        4 if is_box || ratios || close == ']' && strange >= 2 => Form::Box(ANY_BOX, false),
        4 if strange >= 2 && is_there() || strange == 4 && ends_with_verb(words) => {
            Form::Box(ANY_BOX, false)
        }
        // A call of a tool: `click(500, 400)`.
        2 if announces(words, Role::Point) || ratios && strange == 2 => Form::Point(XY, false),
        2 if strange == 2 && close == ')' && (says_at(words) || is_all(reader, after)) => {
            Form::Point(XY, false)
        }
        _ => return None,
    };
    Some((numbers, rest.len() - after.len(), form))
}

/// True if nothing else is said.
fn is_all(reader: &Reader<'_>, after: &str) -> bool {
    let around = |text: &str| text.trim_matches([' ', '\n', '.', '*', '`']).is_empty();
    after.len() < 8 && reader.at < 8 && around(after) && around(&reader.text[..reader.at])
}

fn ends_with_verb(words: &Words<'_>) -> bool {
    words.last().is_some_and(|last| words.says(last, Role::Is))
}

/// "At", behind which stands no more than that it is about there.
fn says_at(words: &Words<'_>) -> bool {
    // "Around (1063, 666)", and nothing before it.
    if !words.is_empty() && words.iter().all(|word| words.says(word, Role::About)) {
        return true;
    }
    let about = |word: &&Range<usize>| words.says(word, Role::About);
    let mut last = words.iter().rev().skip_while(about);
    last.next().is_some_and(|word| words.says(word, Role::At))
}

/// True if one of the last words announces what `role` does: "the box is", "click at about".
fn announces(words: &Words<'_>, role: Role) -> bool {
    const LEADS: [Role; 5] = [
        Role::Is,
        Role::Article,
        Role::Pronoun,
        Role::At,
        Role::About,
    ];
    let mut passed = words.len();
    for (index, word) in words.iter().enumerate().rev() {
        if index >= passed {
            continue;
        }
        let key = words.get(word);
        let keyed = key.contains('_') && matches!(Key::of(key), Key::Place(_));
        // "Toạ độ"
        let begun = index.checked_sub(1).map(|last| &words[last]);
        let two = begun.is_some_and(|begun| words.at(begun.start, role) == Some(word.end));
        if words.says(word, role) || keyed || two {
            return true;
        }
        let leads = LEADS
            .iter()
            .any(|lead| words.at(word.start, *lead) == Some(word.end));
        if !leads && !names_side(key) && key != "as" {
            // "The centre of the red box is": whose it is does not matter.
            match genitive(words, index) {
                Some(of) => passed = of,
                None => return false,
            }
        }
    }
    false
}

/// Where "of" stands before a few words that end with number `index`, and an article behind it.
fn genitive(words: &Words<'_>, index: usize) -> Option<usize> {
    /// A thing has no more words, its article counted.
    const MOST: usize = 4;
    let of = (index.saturating_sub(MOST)..index)
        .rev()
        .find(|&of| words.says(&words[of], Role::Of))?;
    words.says(&words[of + 1], Role::Article).then_some(of)
}

/// True if the words are nothing but the sides of a box: "(x_min, y_min, x_max, y_max) =".
fn names_sides(words: &Words<'_>) -> bool {
    const LEAST: usize = 4;
    let sides = words
        .iter()
        .rev()
        .take_while(|word| names_side(words.get(word)));
    sides.count() >= LEAST
}

/// True for what says which number is which: "(x1, y1, x2, y2): …".
fn names_side(word: &str) -> bool {
    const SIDES: [&str; 14] = [
        "left", "top", "right", "bottom", "width", "height", "xmin", "ymin", "xmax", "ymax", "min",
        "max", "text", "mathrm",
    ];
    let axis = word.len() <= 2 || word.contains('_') && word.len() <= 6;
    SIDES.contains(&word) || axis && word.starts_with(['x', 'y', 'w', 'h'])
}

/// How many of the numbers are no marks.
fn unnamed(numbers: &[f64], reader: &Reader<'_>) -> usize {
    let is_mark = |number: &&f64| !reader.names.get(&number.to_string()).is_empty();
    numbers.len() - numbers.iter().filter(is_mark).count()
}

/// The words before a place, found when they are asked for.
struct Words<'a> {
    text: &'a str,
    found: OnceCell<Line>,
}

/// The end of a line in lower case, and its words.
struct Line {
    text: String,
    words: Vec<Range<usize>>,
}

impl<'a> Words<'a> {
    fn before(reader: &Reader<'a>) -> Self {
        Self {
            text: &reader.text[..reader.at],
            found: OnceCell::new(),
        }
    }

    fn line(&self) -> &Line {
        self.found.get_or_init(|| Line::before(self.text))
    }

    fn get(&self, word: &Range<usize>) -> &str {
        &self.line().text[word.clone()]
    }

    /// Where the words of `role` end that begin at `at`.
    fn at(&self, at: usize, role: Role) -> Option<usize> {
        words::at(&self.line().text, at, role)
    }

    /// True if a word does what `role` says; of scripts without spaces, if a part of it does.
    fn says(&self, word: &Range<usize>, role: Role) -> bool {
        let text = self.get(word);
        let mut parts = words::words(text).map(|part| word.start + part.start);
        match text.contains(words::is_unspaced) {
            true => parts.any(|part| self.at(part, role).is_some()),
            false => self.at(word.start, role).is_some(),
        }
    }
}

impl Deref for Words<'_> {
    type Target = [Range<usize>];

    fn deref(&self) -> &[Range<usize>] {
        &self.line().words
    }
}

impl Line {
    /// The end of the last line of `text`.
    fn before(text: &str) -> Self {
        /// A word that announces brackets is not far from them.
        const NEAR: usize = 64;
        let near = &text[text.ceil_char_boundary(text.len().saturating_sub(NEAR))..];
        let text = words::lowered(near.rsplit('\n').next().unwrap_or(""));
        let mut words: Vec<Range<usize>> = Vec::new();
        for (at, c) in text
            .char_indices()
            .filter(|(_, c)| words::is_word(*c) || *c == '_')
        {
            match words.last_mut().filter(|word| word.end == at) {
                Some(word) => word.end += c.len_utf8(),
                None => words.push(at..at + c.len_utf8()),
            }
        }
        Self { text, words }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_are_pairs() {
        let of = |text: &str| assignments(text).map(|(numbers, length, _)| (numbers, length));
        assert_eq!(of("x=1, y=2"), Some((vec![1.0, 2.0], 8)));
        let four = of("x1=20, y1=20, x2=121, y2=111.");
        assert_eq!(four, Some((vec![20.0, 20.0, 121.0, 111.0], 28)));
        assert_eq!(of("x=1"), None);
        assert_eq!(of("x = a"), None);
    }
}
