//! The answer while it is read from left to right, and what is known of the place reached.

use super::{forms::line::Title, names::Names};
use crate::scene::Scene;

/// Text, place, line and table.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) names: &'a Names,
    pub(super) scene: &'a Scene<'a>,
    /// The place reached, in bytes.
    pub(super) at: usize,
    /// Where its line begins.
    line: usize,
    table: Option<Table>,
}

/// The ends of a line up to the place reached.
pub(super) struct Line<'a> {
    pub(super) head: &'a str,
    pub(super) tail: &'a str,
}

/// The table that the line belongs to.
struct Table {
    /// True if its lines do not begin with `|`.
    open: bool,
    /// Its header, column by column.
    titles: Vec<Title>,
    /// How many `|` of the line were passed.
    passed: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str, names: &'a Names, scene: &'a Scene<'a>) -> Self {
        let mut reader = Self {
            text,
            names,
            scene,
            at: 0,
            line: 0,
            table: None,
        };
        reader.begin_line(0);
        reader
    }

    /// What is left to read.
    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn advance_char(&mut self) {
        let length = self.rest().chars().next().map_or(0, char::len_utf8);
        self.advance(self.at + length);
    }

    /// Goes on at `end`, a later place.
    pub(super) fn advance(&mut self, end: usize) {
        let passed = &self.text.as_bytes()[self.at..end];
        for (place, byte) in (self.at..).zip(passed) {
            match (byte, &mut self.table) {
                (b'\n', _) => self.begin_line(place + 1),
                (b'|', Some(table)) => table.passed += 1,
                _ => {}
            }
        }
        self.at = end;
    }

    fn begin_line(&mut self, start: usize) {
        self.line = start;
        let line = self.text[start..].trim_start_matches([' ', '\t']);
        let open = !line.starts_with('|');
        match &mut self.table {
            Some(table) if table.open == open && (!open || first_line(line).contains('|')) => {
                table.passed = 0;
            }
            _ if open && !heads_table(line) => self.table = None,
            _ => {
                self.table = Some(Table {
                    open,
                    titles: Title::of_header(line),
                    passed: 0,
                });
            }
        }
    }

    /// The line up to here, and no more than `most` bytes of each of its ends.
    pub(super) fn line_so_far(&self, most: usize) -> Line<'a> {
        let line = &self.text[self.line..self.at];
        let (mut head, mut tail) = (line.len().min(most), line.len().saturating_sub(most));
        while !line.is_char_boundary(head) {
            head -= 1;
        }
        while !line.is_char_boundary(tail) {
            tail += 1;
        }
        Line {
            head: &line[..head],
            tail: &line[tail..],
        }
    }

    /// The title of the first column, at the start of a line of a table whose lines do not begin
    /// with `|`.
    pub(super) fn first_column(&self) -> Option<Title> {
        let table = self.table.as_ref().filter(|table| table.open)?;
        let starts = self.at == self.line;
        table.titles.first().copied().filter(|_| starts)
    }

    /// What precedes the place in its line, if that is short.
    pub(super) fn indent(&self) -> Option<&'a str> {
        const SHORT: usize = 64;
        (self.at - self.line <= SHORT).then(|| &self.text[self.line..self.at])
    }

    /// True at the first word of a line or of an item of a list.
    pub(super) fn starts_line(&self) -> bool {
        self.indent()
            .is_some_and(|indent| matches!(indent.trim_start(), "" | "- " | "* " | "+ " | "• "))
    }

    /// True if no word goes on here. Scripts without spaces go on right behind a number.
    pub(super) fn starts_word(&self) -> bool {
        let before = &self.text[..self.at];
        !before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
            || before.ends_with(|c: char| c.is_ascii_digit())
                && !self.rest().starts_with(|c: char| c.is_ascii())
    }

    /// The title of the column whose cell begins with the `|` at this place.
    pub(super) fn column(&self) -> Option<Title> {
        let table = self.table.as_ref()?;
        table.titles.get(table.passed + 1).copied()
    }
}

fn first_line(text: &str) -> &str {
    text.split('\n').next().unwrap_or(text)
}

/// True if `text` begins with the header of a table: cells, and `---|---` below them.
fn heads_table(text: &str) -> bool {
    let header = first_line(text);
    let below = text.get(header.len() + 1..).map(first_line);
    let is_rule = |line: &str| {
        line.contains('|') && line.contains("---") && !line.contains(char::is_alphanumeric)
    };
    header.contains('|') && below.is_some_and(is_rule)
}
