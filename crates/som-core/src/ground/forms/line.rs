//! Lines and tables: `3: the cup`, a cell of a column headed "mark", nothing but names.

use super::{
    Found, Reader, is_lower_letter, json::MARK_KEYS, keyword::KEYWORDS, starts_with_digit,
};
use crate::ground::names::{Setting, list_at, skip};

/// `3: the cup`, `3 – the cup`, `A = the cup`; not `1. first item`, `12:30` or `1) first`.
pub(super) fn labelled(reader: &Reader<'_>) -> Option<Found> {
    let &Reader {
        text, at, names, ..
    } = reader;
    let name = names.name_at(text, at)?;
    let word = &text[name.clone()];
    if names.get(word).is_empty() || is_lower_letter(word) {
        return None;
    }
    let rest = &text[name.end..];
    let ties = [
        ": ", " : ", " - ", " – ", " — ", " = ", " -> ", " → ", "：", ":\n",
    ];
    let tied = ties.iter().any(|tie| rest.starts_with(tie)) || rest == ":";
    let (reading, _) = list_at(&text[..name.end], at, names, Setting::Open)?;
    tied.then(|| Found::Mention(reading.mention(name)))
}

/// What the title of a column says of its cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ground) enum Title {
    /// They name marks.
    Marks,
    /// They name marks if they are numbers: an "object" or "label" column may hold class names.
    Numbers,
    /// Neither.
    Other,
}

impl Title {
    /// The titles in the header `line`, which begins with `|`; the one before it counts, too.
    pub(in crate::ground) fn of_header(line: &str) -> Vec<Self> {
        let header = line.split('\n').next().unwrap_or("");
        header.split('|').map(Self::of).collect()
    }

    fn of(title: &str) -> Self {
        let title = title.trim().trim_matches('*').to_lowercase();
        let first = title.split([' ', '_']).next().unwrap_or("");
        if title == "#" || MARK_KEYS.contains(&first) {
            Self::Marks
        } else if KEYWORDS.contains(&first) {
            Self::Numbers
        } else {
            Self::Other
        }
    }
}

/// A cell of a markdown table whose column is headed by a keyword.
pub(super) fn cell(reader: &Reader<'_>) -> Found {
    let at = reader.at;
    match reader.column() {
        Some(title) => in_column(reader, title, at + 1).unwrap_or(Found::Nothing),
        None => Found::Nothing,
    }
}

/// The first cell of a line that does not begin with `|`.
pub(super) fn first_cell(reader: &Reader<'_>) -> Option<Found> {
    in_column(reader, reader.first_column()?, reader.at)
}

/// The names in the cell that begins at `at`.
fn in_column(reader: &Reader<'_>, title: Title, at: usize) -> Option<Found> {
    let &Reader { text, names, .. } = reader;
    let start = skip(text, at, |c| c == ' ');
    let names_marks = match title {
        Title::Marks => true,
        Title::Numbers => starts_with_digit(text, start),
        Title::Other => false,
    };
    if !names_marks {
        return None;
    }
    let cell = text[start..]
        .split(['|', '\n'])
        .next()
        .unwrap_or("")
        .trim_end();
    let (reading, end) = list_at(&text[..start + cell.len()], start, names, Setting::Enclosed)?;
    let ends = end == start + cell.len();
    ends.then(|| Found::Mention(reading.mention(start..end)))
}

/// An answer that is a list of names and nothing else: `3`, `2, 5.`, `"C"`.
pub(super) fn only_names(reader: &Reader<'_>) -> Option<Found> {
    let &Reader { text, names, .. } = reader;
    let start = skip(text, 0, |c| {
        c.is_whitespace() || matches!(c, '"' | '\'' | '*' | '`' | '(')
    });
    let (reading, end) = list_at(text, start, names, Setting::Enclosed)?;
    let rest = text[end..].trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '.' | '"' | '\'' | '*' | '`' | ')')
    });
    let known = reading.resolves() || starts_with_digit(text, start);
    (rest.is_empty() && known).then(|| {
        let written = text[start..end].trim_end_matches(|c: char| !c.is_alphanumeric());
        Found::Mention(reading.mention(start..start + written.len()))
    })
}
