//! Bare numbers in lists: under a heading or behind a colon.

use std::ops::Range;

use super::below::line_of_names;
use crate::ground::{
    Mention,
    names::Names,
    words::{Cues, Role},
};

/// Lists under or behind headings, `**Chairs**` and then `- 2`, `Bicycles: 2, 4`, if one of them
/// has several names: a single number behind a colon may count.
pub(super) fn listed(text: &str, names: &Names, cues: &Cues) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut several = false;
    // True below a heading.
    let mut headed = text.trim_start().starts_with(['-', '*', '•']);
    let mut count = 0;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        let begin = std::mem::replace(&mut start, end);
        if line.trim().is_empty() {
            continue;
        }
        let inside = heading(text, cues, begin..end).and_then(|heading| {
            let rest = &text[heading..end];
            headed = !rest.contains(char::is_alphanumeric);
            count = 0;
            (!headed).then_some(heading)
        });
        let list = inside.or(headed.then_some(begin)).and_then(|from| {
            let (mention, next) = line_of_names(text, names, from)?;
            (next <= end).then_some(mention)
        });
        match list {
            Some(mention) if mention.unresolved.is_empty() => {
                count += mention.marks.len();
                several |= count > 1;
                found.push(mention);
            }
            _ => {
                headed &=
                    inside.is_none() && !line.contains(|c: char| c.is_ascii_digit()) && count == 0;
            }
        }
    }
    if several { found } else { Vec::new() }
}

/// Where a heading ends that begins the line `line`: words behind which a colon stands, or that
/// Markdown makes one.
fn heading(text: &str, cues: &Cues, line: Range<usize>) -> Option<usize> {
    /// A longer one, in bytes, is none.
    const LONGEST: usize = 96;
    let written = text[line.clone()].trim_end();
    let words = match written.split_once([':', '：']) {
        Some((words, _)) => words,
        None if written.starts_with(['#', '*', '_']) && written.ends_with(['#', '*', '_']) => {
            written
        }
        None if written.starts_with('#') => written,
        None => return None,
    };
    let end = line.start + words.len();
    let plain = words.contains(char::is_alphabetic)
        && !words.contains(|c: char| c.is_ascii_digit() || matches!(c, '|' | '{' | '<'))
        && words.len() < LONGEST
        && !cues.any(line.start..end, Role::Measures);
    let colon = text[end..]
        .chars()
        .next()
        .filter(|c| matches!(c, ':' | '：'));
    plain.then(|| end + colon.map_or(0, char::len_utf8))
}
