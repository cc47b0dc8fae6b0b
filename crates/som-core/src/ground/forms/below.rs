//! Names in the lines below a keyword: `Answer:` and then `3`, `Marks:` and then `- 3`, `- 5`,
//! `**Answer**` and then `3`.

use super::{Found, Reader, starts_with_digit};
use crate::ground::{
    Mention,
    names::{Names, Setting, list_at, skip},
};

/// The names in the lines below a keyword that ended at `at`, if a colon and nothing else of its
/// line follows it, and they are all that these lines hold.
pub(super) fn below(reader: &Reader<'_>, at: usize) -> Option<Found> {
    let text = reader.text;
    let colon = skip(text, at, |c| matches!(c, ' ' | '*' | '_'));
    let heads = || {
        let before = reader.indent()?.trim_start();
        (before.starts_with(['*', '#', '_'])).then_some(&text[colon..])
    };
    let after = text[colon..].strip_prefix(':').or_else(heads)?;
    let after = after.trim_start_matches([' ', '*', '_', '\r']);
    let mut line = text.len() - after.strip_prefix('\n')?.len();
    if text[line..].starts_with('\n') {
        line += 1;
    }
    let mut mentions = Vec::new();
    let mut end = line;
    while let Some((mention, next)) = line_of_names(text, reader.names, line) {
        mentions.push(mention);
        end = next;
        match text[next..].strip_prefix('\n') {
            Some(rest) => line = text.len() - rest.len(),
            None => break,
        }
    }
    (!mentions.is_empty()).then_some(Found::Mentions(mentions, end))
}

/// The names that the line at `line` consists of, and where it ends.
pub(super) fn line_of_names(text: &str, names: &Names, line: usize) -> Option<(Mention, usize)> {
    let start = skip(text, line, |c| {
        matches!(c, ' ' | '\t' | '-' | '*' | '•' | '+' | '"' | '`')
    });
    let line_end = start + text[start..].split('\n').next().unwrap_or("").len();
    let (reading, end) = list_at(&text[..line_end], start, names, Setting::Open)?;
    let rest = text[end..].trim_start_matches([' ', '*', '"', '`', '.', '\r']);
    let known = reading.resolves() || starts_with_digit(text, start);
    let written = text[start..end].trim_end_matches(|c: char| !c.is_alphanumeric());
    let ends = known && (rest.is_empty() || rest.starts_with('\n'));
    ends.then(|| {
        let mention = reading.mention(start..start + written.len());
        (mention, text.len() - rest.len())
    })
}
