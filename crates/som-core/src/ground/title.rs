//! What the title of a column says of its cells.

use super::{
    json::Key,
    words::{self, Role},
};

/// What the title of a column says of its cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Title {
    /// They name marks.
    Marks,
    /// They name marks if they are numbers: an "object" or "label" column may hold class names.
    Numbers,
    /// Neither.
    Other,
}

impl Title {
    /// The titles in a header, whose cells `separator` parts.
    pub(super) fn of_header(line: &str, separator: char) -> Vec<Self> {
        let mut titles: Vec<Self> = line.split(separator).map(Self::of).collect();
        // "#" counts the rows where another column names the marks.
        let counts =
            |title: &str| matches!(title.trim_matches([' ', '*']), "#" | "№" | "Nr." | "No.");
        let named = line.split(separator).zip(&titles);
        if named
            .filter(|(title, of)| **of != Self::Other && !counts(title))
            .any(|(title, _)| {
                let title = title.trim_matches([' ', '*']);
                let found = title.to_ascii_lowercase();
                // "# | Match": the other column is what each mark became.
                let became = found.starts_with("match") || found.starts_with("found");
                !became && !matches!(Key::of(title), Key::MarksOrText | Key::Text | Key::To)
            })
        {
            for (title, of) in line.split(separator).zip(&mut titles) {
                if counts(title) {
                    *of = Self::Other;
                }
            }
        }
        titles
    }

    pub(super) fn of(title: &str) -> Self {
        let title = title.trim_matches([' ', '*', '"', '\'', '`', '\r', '\n', ':']);
        let first = title.split([' ', '_', '(', '/']).next().unwrap_or("");
        let last = title.rsplit([' ', '_']).next().unwrap_or("");
        let marks = |word: &str| matches!(Key::of(word), Key::Marks | Key::From | Key::To);
        if matches!(title, "#" | "№" | "Nr." | "No.") || [title, first].into_iter().any(marks) {
            return Self::Marks;
        }
        let weak = words::at(first, 0, Role::Weak) == Some(first.len());
        let announced = words::at(title, 0, Role::Announces).is_some() && !weak
            || matches!(Key::of(last), Key::Marks)
            || Key::of(first) == Key::MarksOrText;
        if announced {
            Self::Numbers
        } else {
            Self::Other
        }
    }

    /// True for a title that says what its column holds.
    pub(super) fn is_known(title: &str) -> bool {
        let plain = title.trim_matches([' ', '"', '\'', '*', '\r']);
        !plain.is_empty() && (Key::of(plain) != Key::Other || plain == "#")
    }
}
