//! Names and lists of names: `3`, `C`, `B2`, `1, 2 and 5`, `1–4`.

mod list;
mod quantity;
mod reading;

use std::{collections::HashMap, ops::Range};

pub(super) use self::{list::behind_article, quantity::is_measure};
pub(crate) use self::{
    list::{Setting, list_at},
    quantity::is_quantity,
    reading::Reading,
};
use super::{Status, words};
use crate::scene::Scene;

/// The marks that can be named, by upper-case text.
pub(crate) struct Names {
    ids: HashMap<String, Vec<u32>>,
    numbers: Vec<(u64, u32)>,
    letters: bool,
    /// Cells of a grid: `B2`.
    cells: bool,
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
        let mut reading = Reading::default();
        reading.names = 1;
        reading.worst = Some(Status::Resolved);
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
