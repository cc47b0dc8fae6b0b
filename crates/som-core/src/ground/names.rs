//! Names and lists of names: `3`, `C`, `B2`, `1, 2 and 5`, `1–4`.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use super::{
    Mention, Polarity, Status,
    words::{self, Role},
};
use crate::scene::Scene;

/// The marks that can be named, by upper-case text.
pub(crate) struct Names {
    ids: HashMap<String, Vec<u32>>,
    numbers: Vec<(u64, u32)>,
    letters: bool,
    /// Cells of a grid: `B2`.
    cells: bool,
}

/// What a list of names leads to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reading {
    marks: Vec<u32>,
    known: HashSet<u32>,
    unresolved: Vec<String>,
    misses: usize,
    worst: Option<Status>,
    /// Names read, the two ends of a range counted apart.
    pub(super) names: usize,
}

impl Names {
    pub(crate) fn new(scene: &Scene<'_>) -> Self {
        let mut ids: HashMap<String, Vec<u32>> = HashMap::new();
        for mark in scene.marks.iter().filter(|mark| !mark.text.is_empty()) {
            let same = ids.entry(mark.text.to_uppercase()).or_default();
            if !same.contains(&mark.id) {
                same.push(mark.id);
            }
        }
        let mut numbers: Vec<(u64, u32)> = scene
            .marks
            .iter()
            .filter_map(|mark| Some((mark.text.parse().ok()?, mark.id)))
            .collect();
        numbers.sort_unstable();
        let letters = scene
            .marks
            .iter()
            .any(|mark| mark.text.starts_with(|c: char| c.is_ascii_alphabetic()));
        Self {
            ids,
            numbers,
            letters,
            cells: scene.marks.iter().any(|mark| is_cell(mark.text)),
        }
    }

    /// The marks called `name`.
    pub(super) fn get(&self, name: &str) -> &[u32] {
        let name = name.trim_start_matches('0');
        // "0" itself may be a mark's text.
        let name = if name.is_empty() { "0" } else { name };
        self.ids
            .get(&name.to_uppercase())
            .map_or(&[], Vec::as_slice)
    }

    /// All marks that have a name.
    pub(super) fn every(&self) -> Reading {
        let mut marks: Vec<u32> = self.ids.values().flatten().copied().collect();
        marks.sort_unstable();
        marks.dedup();
        let mut reading = Reading {
            names: 1,
            worst: Some(Status::Resolved),
            ..Reading::default()
        };
        marks.into_iter().for_each(|id| reading.find(id));
        reading
    }

    /// The name that starts at `at`: digits, or up to three letters, or a cell, if marks have such texts.
    pub(super) fn name_at(&self, text: &str, at: usize) -> Option<Range<usize>> {
        let rest = text.get(at..)?;
        if self.cells {
            let len = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
            let goes_on = |c: char| (words::is_word(c) || c == '_') && !words::is_unspaced(c);
            if is_cell(&rest[..len]) && !rest[len..].starts_with(goes_on) {
                return Some(at..at + len);
            }
        }
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let len = if digits > 0 {
            let mut after = rest[digits..].chars();
            // 2.5, 1st, 3D, 50% and the like are quantities, not names.
            match (after.next(), after.next()) {
                (Some('.' | ':'), Some(next)) if next.is_ascii_digit() => return None,
                (Some(next), _) if next.is_alphanumeric() && next.is_ascii() => return None,
                (Some('%' | '°' | '_' | '$' | '€'), _) => return None,
                _ => digits,
            }
        } else if self.letters {
            let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
            let goes_on = |c: char| (words::is_word(c) || c == '_') && !words::is_unspaced(c);
            let ends = !rest[letters..].starts_with(goes_on);
            if (1..=3).contains(&letters) && ends {
                letters
            } else {
                return None;
            }
        } else {
            return None;
        };
        Some(at..at + len)
    }

    fn add(&self, reading: &mut Reading, name: &str) {
        reading.names += 1;
        let ids = self.get(name);
        let status = match ids {
            [_] => Status::Resolved,
            [] if name.starts_with(|c: char| c.is_ascii_digit()) => Status::OutOfRange,
            [] => Status::Unknown,
            _ => Status::Ambiguous,
        };
        if ids.is_empty() {
            reading.miss(name);
        }
        for &id in ids {
            reading.find(id);
        }
        reading.worst = reading.worst.max(Some(status));
    }

    fn add_range(&self, reading: &mut Reading, first: &str, last: &str) {
        let ends = (first.parse::<u64>(), last.parse::<u64>());
        self.add(reading, first);
        if let (Ok(first), Ok(last)) = ends
            && first < last
            && reading.known.len() < self.numbers.len()
        {
            // Only marks that are there: a range may claim millions.
            for &(number, id) in &self.numbers {
                if first < number && number < last {
                    reading.find(id);
                }
            }
        }
        // A–D
        if let (&[first], &[last]) = (first.as_bytes(), last.as_bytes())
            && first.is_ascii_alphabetic()
        {
            let (first, last) = (first.to_ascii_uppercase(), last.to_ascii_uppercase());
            for letter in first.saturating_add(1)..last {
                let ids = self.get(&char::from(letter).to_string());
                ids.iter().for_each(|&id| reading.find(id));
            }
        }
        if let (Some((row, first)), Some((other, last))) = (cell_of(first), cell_of(last)) {
            if !row.eq_ignore_ascii_case(other) {
                // What lies between two rows of a grid may be a line or a block.
                reading.worst = reading.worst.max(Some(Status::Ambiguous));
            } else if last.saturating_sub(first) as usize <= self.ids.len() {
                for number in first.saturating_add(1)..last {
                    let ids = self.get(&format!("{row}{number}"));
                    ids.iter().for_each(|&id| reading.find(id));
                }
            }
        }
        self.add(reading, last);
    }
}

/// True for `B2`.
fn is_cell(name: &str) -> bool {
    cell_of(name).is_some()
}

/// The row and the number of a cell of a grid: `B2`.
fn cell_of(name: &str) -> Option<(&str, u32)> {
    let row = name.bytes().take_while(u8::is_ascii_alphabetic).count();
    let (row, number) = name.split_at(row);
    let short = (1..=2).contains(&row.len()) && (1..=3).contains(&number.len());
    let number = number.parse().ok()?;
    short.then_some((row, number))
}

impl Reading {
    fn find(&mut self, id: u32) {
        if self.known.insert(id) {
            self.marks.push(id);
        }
    }

    fn miss(&mut self, name: &str) {
        /// Enough to say what is wrong.
        const MOST: usize = 64;
        self.misses += 1;
        if self.unresolved.len() < MOST && !self.unresolved.iter().any(|other| other == name) {
            self.unresolved.push(name.to_owned());
        }
    }

    /// What several lists lead to together.
    pub(super) fn all(readings: impl IntoIterator<Item = Self>) -> Self {
        readings
            .into_iter()
            .fold(Self::default(), |mut all, reading| {
                reading.marks.iter().for_each(|&id| all.find(id));
                reading.unresolved.iter().for_each(|name| all.miss(name));
                all.worst = all.worst.max(reading.worst);
                all.names += reading.names;
                all
            })
    }

    /// True if any name leads to a mark.
    pub(super) fn resolves(&self) -> bool {
        !self.marks.is_empty()
    }

    /// Number of names that lead to no mark.
    pub(super) fn misses(&self) -> usize {
        self.misses
    }

    pub(crate) fn mention(self, span: Range<usize>) -> Mention {
        Mention {
            span,
            status: self.worst.unwrap_or(Status::Unknown),
            polarity: Polarity::Asserted,
            marks: self.marks,
            unresolved: self.unresolved,
            location: None,
        }
    }
}

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
pub(super) fn behind_article(text: &str, at: usize) -> Option<usize> {
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
    if end > at
        && let Some(word) = words::at(text, end, Role::Joins)
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

/// True if the number that ends at `at` counts what follows: "5 people". A counted noun is in the
/// plural; a verb after several marks does not end in s.
pub(crate) fn is_quantity(text: &str, at: usize) -> bool {
    const PLURALS: [&str; 5] = ["people", "men", "women", "children", "feet"];
    const NO_PLURALS: [&str; 11] = [
        "is", "was", "has", "as", "this", "its", "does", "shows", "looks", "appears", "seems",
    ];
    if is_measure(text, at) {
        return true;
    }
    let Some(word) = text[at..].strip_prefix(' ') else {
        return false;
    };
    // "3 mais 5", "3 dans le coin"
    const LEADS: [Role; 6] = [
        Role::Contrasts,
        Role::Joins,
        Role::Ranges,
        Role::Denies,
        Role::Beside,
        Role::Article,
    ];
    if LEADS.iter().any(|role| words::at(word, 0, *role).is_some()) {
        return false;
    }
    let word: String = word.chars().take_while(|c| c.is_alphabetic()).collect();
    let word = word.to_lowercase();
    PLURALS.contains(&&*word) || word.ends_with('s') && !NO_PLURALS.contains(&&*word)
}

/// True if a unit follows the number that ends at `at`: "5 km", "3个".
pub(super) fn is_measure(text: &str, at: usize) -> bool {
    let rest = &text[at..];
    let after = rest.trim_start_matches(' ');
    if after.starts_with([
        '%', '°', '€', '个', '個', '只', '张', '辆', '件', '名', '本', '枚', '人', '匹', '개',
        '명', '마',
    ]) {
        return true;
    }
    after.len() < rest.len() && words::at(after, 0, Role::Unit).is_some()
}

/// Emphasis and quotes that may wrap a name.
pub(super) fn is_wrapping(c: char) -> bool {
    matches!(c, '*' | '`' | '"' | '\'' | '#' | '№')
}

/// The first place from `at` on whose character does not satisfy `skipped`.
pub(super) fn skip(text: &str, at: usize, skipped: impl Fn(char) -> bool) -> usize {
    let rest = text.get(at..).unwrap_or("");
    rest.find(|c| !skipped(c))
        .map_or(text.len(), |found| at + found)
}
