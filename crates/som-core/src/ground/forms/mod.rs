//! The forms in which answers name marks, tried in this order at each place:
//!
//! - brackets: `[3]`, `[1, 2]`, `[1–4]`, `[1]-[4]`, `\[3\]`, `【3】`, `［3］`, `\boxed{3}`;
//! - JSON: a value under a key that names marks (`"mark": 3`), or a key that is a mark;
//! - tags: `<mark>3</mark>`, `<3>`;
//! - emphasis: `**3**`, `` `3` ``, and `the cup (3)`;
//! - lines and tables: `3: the cup`, a cell of a column headed "mark";
//! - keywords: `mark 3`, `regions 1, 2 and 4`, `#3`, `the answer is 3`, `标记3`, names in the lines
//!   below `Marks:`;
//! - an answer that is nothing but names.
//!
//! Boxes and points come in brackets, JSON and tags: see `coordinates`.

mod bracket;
mod json;
mod keyword;
mod below;
pub(super) mod line;
mod wrapped;

use super::{Mention, names::Names, reader::Reader};

pub(super) enum Found {
    Mention(Mention),
    /// Several mentions, and where to go on.
    Mentions(Vec<Mention>, usize),
    /// What lies before this place is no mention, whatever it looks like.
    Skip(usize),
    Nothing,
}

/// What the text at the reader's place names, if a form starts there.
pub(super) fn mention_at(reader: &Reader<'_>) -> Found {
    let Some(first) = reader.rest().chars().next() else {
        return Found::Nothing;
    };
    if reader.at == 0
        && let Some(found) = line::only_names(reader)
    {
        return found;
    }
    match first {
        '\\' if reader.rest().starts_with("\\boxed{") => bracket::boxed(reader),
        '[' | '【' | '［' | '\\' => bracket::bracket(reader),
        '"' => json::key(reader),
        '#' => keyword::hash(reader),
        '<' => wrapped::tag(reader),
        '*' | '`' => wrapped::emphasis(reader),
        '(' | '（' => wrapped::parenthesis(reader),
        '|' => line::cell(reader),
        _ if let Some(found) = line::first_cell(reader) => found,
        _ if reader.starts_line()
            && let Some(found) = line::labelled(reader) =>
        {
            found
        }
        _ if first.is_alphabetic() && reader.starts_word() => keyword::keyword(reader),
        _ => Found::Nothing,
    }
}

fn starts_with_digit(text: &str, at: usize) -> bool {
    text[at..].starts_with(|c: char| c.is_ascii_digit())
}

fn is_lower_letter(inside: &str) -> bool {
    inside.bytes().all(|byte| byte.is_ascii_lowercase())
}
