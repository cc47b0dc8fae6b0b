//! The answer while it is read from left to right, and what is known of the place reached.

use std::ops::Range;

use super::{
    Mention,
    json::Node,
    names::Names,
    title::Title,
    words::{self, Role},
};
use crate::scene::Scene;

/// What a form finds at a place.
pub(super) enum Found {
    Mention(Mention),
    /// Several mentions, and where to go on.
    Mentions(Vec<Mention>, usize),
    /// JSON, and the mentions in it.
    Document(Node, Vec<Mention>),
    /// What lies before this place is no mention, whatever it looks like.
    Skip(usize),
    Nothing,
}

/// Text, place, line and table.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) names: &'a Names,
    pub(super) scene: &'a Scene<'a>,
    /// Where reading began.
    begin: usize,
    /// The place reached, in bytes.
    pub(super) at: usize,
    /// Where its line begins.
    line: usize,
    table: Option<Table>,
    /// What the first cell of the line says of the others, if that is all it says.
    row: Option<Title>,
    /// Where the last mention stands.
    last: Option<Range<usize>>,
}

/// The ends of a line up to the place reached.
pub(super) struct Line<'a> {
    pub(super) head: &'a str,
    pub(super) tail: &'a str,
}

/// The table that the line belongs to.
struct Table {
    /// What parts its cells: `|`, or a comma or tab.
    separator: char,
    /// True if its lines do not begin with the separator.
    open: bool,
    /// Its header, column by column.
    titles: Vec<Title>,
    /// How many separators of the line were passed.
    passed: usize,
}

impl<'a> Reader<'a> {
    /// Of the part of `text` that begins at `at`.
    pub(super) fn new(text: &'a str, at: usize, names: &'a Names, scene: &'a Scene<'a>) -> Self {
        let mut reader = Self {
            text,
            names,
            scene,
            begin: at,
            at,
            line: at,
            table: None,
            row: None,
            last: None,
        };
        reader.begin_line(at);
        reader
    }

    /// Keeps in mind that `mention` was the last one.
    pub(super) fn remember(&mut self, mention: &Mention) {
        self.last = Some(mention.span.clone());
    }

    /// Where the last mention stands.
    pub(super) fn last(&self) -> Option<Range<usize>> {
        self.last.clone()
    }

    /// True at the first place that is read.
    pub(super) fn begins(&self) -> bool {
        self.at == self.begin
    }

    /// The same at another place, outside of tables.
    pub(super) fn moved(&self, at: usize) -> Self {
        Self {
            at,
            table: None,
            last: self.last.clone(),
            ..*self
        }
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
                (&byte, Some(table)) if table.separator == char::from(byte) => table.passed += 1,
                _ => {}
            }
        }
        self.at = end;
    }

    fn begin_line(&mut self, start: usize) {
        self.line = start;
        let line = self.text[start..].trim_start_matches([' ', '\t']);
        self.row = heads_row(line).then_some(Title::Numbers);
        let open = !line.starts_with('|');
        match &mut self.table {
            Some(table)
                if table.open == open && (!open || first_line(line).contains(table.separator)) =>
            {
                table.passed = 0;
            }
            _ if !open || heads_table(line) => self.begin_table(line, '|', open),
            _ => match separated(first_line(line)) {
                Some(separator) => self.begin_table(line, separator, true),
                None => self.table = None,
            },
        }
    }

    fn begin_table(&mut self, line: &str, separator: char, open: bool) {
        self.table = Some(Table {
            separator,
            open,
            titles: Title::of_header(first_line(line), separator),
            passed: 0,
        });
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

    /// True behind words that take back what was said, and begin the line: "Correction: 2 is a knife".
    pub(super) fn follows_correction(&self) -> bool {
        self.indent().is_some_and(is_correction)
    }

    /// True at the first word of a line or of an item of a list.
    pub(super) fn starts_line(&self) -> bool {
        self.indent().is_some_and(|indent| {
            indent.chars().all(|c| {
                matches!(
                    c,
                    ' ' | '\t' | '-' | '*' | '+' | '•' | '·' | '>' | '–' | '►' | '▪' | '#'
                )
            })
        })
    }

    /// True if no word goes on here. Scripts without spaces go on right behind a number, and each
    /// of their characters may begin a word.
    pub(super) fn starts_word(&self) -> bool {
        let rest = self.rest();
        let before = self.text[..self.at].chars().next_back();
        before.is_none_or(|c| {
            !words::is_word(c) && c != '_'
                || words::is_unspaced(c)
                || rest.starts_with(words::is_unspaced)
                || c.is_ascii_digit() && !rest.starts_with(|c: char| c.is_ascii())
        })
    }

    /// What the first cell of the line says of the others.
    pub(super) fn row(&self) -> Option<Title> {
        self.row
    }

    /// What parts the cells of the table that the line belongs to.
    pub(super) fn separator(&self) -> Option<char> {
        Some(self.table.as_ref()?.separator)
    }

    /// The title of the column whose cell begins behind the separator at this place.
    pub(super) fn column(&self) -> Option<Title> {
        let table = self.table.as_ref()?;
        table.titles.get(table.passed + 1).copied()
    }
}

/// True for `| Mark | 2 | 9 |`: a word for marks, and nothing but numbers behind it.
fn heads_row(line: &str) -> bool {
    /// A longer row, in bytes, is read by its columns alone.
    const LONGEST: usize = 400;
    let Some(cells) = line.strip_prefix('|') else {
        return false;
    };
    let near = &cells[..cells.floor_char_boundary(LONGEST)];
    let mut cells = first_line(near).trim_end().trim_end_matches('|').split('|');
    let title = cells
        .next()
        .is_some_and(|title| Title::of(title) == Title::Marks);
    let mut count = 0;
    title
        && cells.all(|cell| {
            count += 1;
            let cell = cell.trim_matches([' ', '*', '[', ']']);
            !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit())
        })
        && count > 1
}

fn first_line(text: &str) -> &str {
    text.split('\n').next().unwrap_or(text)
}

/// What parts the cells of `line`, if it is the header of comma- or tab-separated values: a few
/// words, each of which says what its column holds.
fn separated(line: &str) -> Option<char> {
    /// A longer header, in bytes, is none.
    const LONGEST: usize = 120;
    let line = line.trim();
    let separator = [',', '\t', ';'].into_iter().find(|&c| line.contains(c))?;
    let known = |cell: &str| Title::is_known(cell) && cell.trim().len() < 24;
    let cells = || line.split(separator);
    (line.len() <= LONGEST
        && cells().all(known)
        && cells().any(|cell| Title::of(cell) != Title::Other))
    .then_some(separator)
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

/// True if `lead` is nothing but words that take back what was said.
pub(super) fn is_correction(lead: &str) -> bool {
    const SIGNS: [char; 10] = [':', ',', ' ', '—', '–', '-', '.', '!', '*', '…'];
    let mut rest = lead.trim_start_matches(SIGNS);
    let mut corrects = false;
    while let Some(end) = words::at(rest, 0, Role::Corrects) {
        corrects = true;
        rest = rest[end..].trim_start_matches(SIGNS);
    }
    corrects && rest.is_empty()
}
