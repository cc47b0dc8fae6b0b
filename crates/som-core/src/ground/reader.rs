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

/// The table that the line belongs to.
struct Table {
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
        if !line.starts_with('|') {
            self.table = None;
            return;
        }
        match &mut self.table {
            Some(table) => table.passed = 0,
            None => {
                self.table = Some(Table {
                    titles: Title::of_header(line),
                    passed: 0,
                });
            }
        }
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

    /// True if no word goes on here.
    pub(super) fn starts_word(&self) -> bool {
        !self.text[..self.at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
    }

    /// The title of the column whose cell begins with the `|` at this place.
    pub(super) fn column(&self) -> Option<Title> {
        let table = self.table.as_ref()?;
        table.titles.get(table.passed + 1).copied()
    }
}
