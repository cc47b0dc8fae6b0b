//! `mark 3`, `regions 1, 2 and 4`, `the answer is 3`, `#3`.

use super::{Found, Reader, below::below, starts_with_digit};
use crate::ground::names::{Setting, is_measure, is_quantity, is_wrapping, list_at, skip};

/// Words that announce names.
pub(super) const KEYWORDS: [&str; 36] = [
    "nummer",
    "nummern",
    "markierung",
    "markierungen",
    "marque",
    "marques",
    "marca",
    "marcas",
    "mark",
    "marks",
    "marker",
    "markers",
    "marked",
    "region",
    "regions",
    "label",
    "labels",
    "labeled",
    "labelled",
    "number",
    "numbers",
    "numbered",
    "object",
    "objects",
    "segment",
    "segments",
    "id",
    "ids",
    "tag",
    "tags",
    "mask",
    "masks",
    "answer",
    "answers",
    "no",
    "area",
];

/// What may stand between a keyword and its names.
const FILLERS: [&str; 15] = [
    "is:",
    "are:",
    "ist ",
    "est ",
    "is ",
    "are ",
    "id ",
    "ids ",
    "number ",
    "numbers ",
    "numbered ",
    "no. ",
    "No. ",
    "with ",
    "as ",
];

pub(super) fn keyword(reader: &Reader<'_>) -> Found {
    let &Reader {
        text, at, names, ..
    } = reader;
    let Some((word, start)) = keyword_end(text, at).or_else(|| unspaced(text, at)) else {
        // Skip the word at once: a keyword does not start in the middle of one.
        return Found::Skip(skip(text, at, char::is_alphanumeric));
    };
    if !names_marks(word, &text[..at], &text[start..]) {
        return Found::Skip(start);
    }
    if let Some(found) = below(reader, skip(text, at, char::is_alphabetic)) {
        return found;
    }
    let start = skip(text, start, |c| c == '#');
    if text[start..].starts_with('{') {
        return braced(reader, start + 1);
    }
    let first = names.name_at(text, skip(text, start, is_wrapping));
    if let Some(end) = first.map(|name| name.end)
        && counts(word, text, end)
    {
        return Found::Skip(end);
    }
    match list_at(text, start, names, Setting::Open) {
        Some((reading, end)) if reading.resolves() || starts_with_digit(text, start) => {
            let written = text[start..end].trim_end_matches(['*', '`', '"', '\'', '”']);
            Found::Mention(reading.mention(start..start + written.len()))
        }
        _ => Found::Skip(skip(text, at, char::is_alphabetic)),
    }
}

/// `{1, 3}` behind a keyword.
fn braced(reader: &Reader<'_>, start: usize) -> Found {
    let list = list_at(reader.text, start, reader.names, Setting::Enclosed);
    match list.filter(|&(_, end)| reader.text[end..].starts_with('}')) {
        Some((reading, end)) => Found::Mention(reading.mention(start..end)),
        None => Found::Skip(start),
    }
}

/// True if the number that ends at `end` is a quantity, not a name: "the region 5 km away", "the
/// answer is 3 people". Behind a mark, a word in s may be a verb: "mark 3 covers the table".
fn counts(word: &str, text: &str, end: usize) -> bool {
    let answers = word.to_ascii_lowercase().starts_with("answer");
    is_measure(text, end) || answers && is_quantity(text, end)
}

/// True if `word` announces names of marks between `before` and `after`: an area and a number may
/// be anything unless the words before speak of marks, or a number is all that is said.
fn names_marks(word: &str, before: &str, after: &str) -> bool {
    const NEAR: usize = 48;
    const MARKS: [&str; 18] = [
        "mark", "marks", "marked", "marker", "region", "regions", "label", "labels", "labeled",
        "labelled", "object", "objects", "segment", "segments", "mask", "masks", "tag", "tags",
    ];
    let word = word.to_ascii_lowercase();
    if !matches!(word.as_str(), "area" | "number") {
        return true;
    }
    let mut start = before.len().saturating_sub(NEAR);
    while !before.is_char_boundary(start) {
        start += 1;
    }
    let near = before[start..]
        .rsplit(['.', '\n', ','])
        .next()
        .unwrap_or("");
    let near = near.to_ascii_lowercase();
    let words = near.rsplit(|c: char| !c.is_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).take(4).collect();
    if words.iter().any(|word| MARKS.contains(word)) {
        return true;
    }
    let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
    let alone = words.is_empty() && (after.is_empty() || after.starts_with(['.', ':', '\n']));
    let says = words
        .first()
        .is_some_and(|last| matches!(*last, "is" | "are" | "was" | "be"));
    word == "number" && (alone || says)
}

/// A keyword of a language without spaces at the end of the letters that start at `at`, and where
/// names may follow: `标记3`, `编号为3`.
fn unspaced(text: &str, at: usize) -> Option<(&str, usize)> {
    const KEYWORDS: [&str; 7] = ["标记", "標記", "编号", "編號", "标号", "番号", "マーク"];
    let end = skip(text, at, char::is_alphabetic);
    let word = text[at..end].trim_end_matches(['为', '為', '是', 'は']);
    let keyword = KEYWORDS.iter().find(|keyword| word.ends_with(**keyword))?;
    let names = skip(text, end, |c| matches!(c, ' ' | ':' | '：' | '*'));
    Some((keyword, names))
}

fn is_keyword(word: &str) -> bool {
    KEYWORDS.contains(&word.to_lowercase().as_str())
}

/// If a keyword starts at `at`: the word, and where names may follow.
pub(super) fn keyword_end(text: &str, at: usize) -> Option<(&str, usize)> {
    let rest = text.get(at..)?;
    let length = rest
        .find(|c: char| !c.is_alphabetic())
        .unwrap_or(rest.len());
    let word = &rest[..length];
    if !is_keyword(word) {
        return None;
    }
    let mut end = at + length;
    let gap =
        |c: char| c == ' ' || matches!(c, ':' | '：' | '=' | '*' | '`' | '"' | '\'' | '_' | '“');
    loop {
        let next = skip(text, end, gap);
        let rest = &text[next..];
        match FILLERS.iter().find(|filler| rest.starts_with(**filler)) {
            Some(filler) => end = next + filler.len(),
            None if word.eq_ignore_ascii_case("no") => {
                // "No. 3" names; "no 3" does not.
                return rest
                    .strip_prefix(". ")
                    .map(|after| (word, text.len() - after.len()));
            }
            None => return (next > at + length).then_some((word, next)),
        }
    }
}

pub(super) fn hash(reader: &Reader<'_>) -> Found {
    let &Reader {
        text, at, names, ..
    } = reader;
    let Some(name) = names.name_at(text, at + 1) else {
        return Found::Nothing;
    };
    let inside_word = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '&');
    if inside_word || names.get(&text[name.clone()]).is_empty() && matches!(name.len(), 3 | 6) {
        return Found::Skip(name.end); // An entity or a colour.
    }
    match list_at(&text[..name.end], name.start, names, Setting::Open) {
        Some((reading, end)) => Found::Mention(reading.mention(at..end)),
        None => Found::Nothing,
    }
}
