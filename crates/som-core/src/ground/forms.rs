//! The forms in which answers name marks, tried in this order at each place:
//!
//! - brackets: `[3]`, `[1, 2]`, `[1–4]`, `[1]-[4]`, `\[3\]`, `【3】`;
//! - JSON: a value under a key that names marks (`"mark": 3`), or a key that is a mark;
//! - keywords: `mark 3`, `regions 1, 2 and 4`, `#3`, `the answer is 3`;
//! - tags: `<mark>3</mark>`, `<3>`;
//! - emphasis: `**3**`, `` `3` ``, and `the cup (3)`;
//! - lines and tables: `3: the cup`, a cell of a column headed "mark";
//! - an answer that is nothing but names.

use super::{
    Mention,
    names::{Names, Reading, Setting, is_quantity, list_at, skip},
};

pub(super) enum Found {
    Mention(Mention),
    /// What lies before this place is no mention, whatever it looks like.
    Skip(usize),
    Nothing,
}

/// What the text at `at` names, if a form starts there.
pub(super) fn mention_at(text: &str, at: usize, names: &Names) -> Found {
    let rest = &text[at..];
    let Some(first) = rest.chars().next() else {
        return Found::Nothing;
    };
    if at == 0
        && let Some(found) = only_names(text, names)
    {
        return found;
    }
    match first {
        '[' | '【' | '\\' => bracket(text, at, names),
        '"' => json_key(text, at, names),
        '#' => hash(text, at, names),
        '<' => tag(text, at, names),
        '*' | '`' => emphasis(text, at, names),
        '(' | '（' => parenthesis(text, at, names),
        '|' => cell(text, at, names),
        _ if starts_line(text, at)
            && let Some(found) = labelled_line(text, at, names) =>
        {
            found
        }
        _ if first.is_alphabetic() && starts_word(text, at) => keyword(text, at, names),
        _ => Found::Nothing,
    }
}

// Brackets.

const OPENING: [(&str, &str); 3] = [("[", "]"), ("\\[", "\\]"), ("【", "】")];

fn bracket(text: &str, at: usize, names: &Names) -> Found {
    let Some((reading, end)) = bracketed(text, at, names) else {
        return if text[at..].starts_with("\\\\") {
            Found::Skip(at + 2)
        } else {
            Found::Nothing
        };
    };
    if is_coordinates(text, at, &reading) || is_checkbox(text, at, end) || is_link(text, end) {
        return Found::Skip(end);
    }
    // [1]-[4] and [1] through [4] are ranges, read as if written [1-4].
    let mut close = end;
    if reading.names == 1 {
        let next = skip(text, end, |c| c == ' ');
        for dash in ["-", "–", "—", "~", "through ", "thru "] {
            let Some(after) = text[next..].strip_prefix(dash) else {
                continue;
            };
            let second = text.len() - after.trim_start_matches(' ').len();
            if let Some((last, last_end)) = bracketed(text, second, names)
                && last.names == 1
            {
                close = last_end;
            }
            break;
        }
    }
    if close > end {
        let inner: String = text[at..close]
            .chars()
            .filter(|c| !matches!(c, '[' | ']' | '【' | '】' | '\\'))
            .collect();
        if let Some((range, _)) = list_at(&inner, 0, names, Setting::Enclosed) {
            return Found::Mention(range.mention(at..close));
        }
    }
    Found::Mention(reading.mention(at..end))
}

/// The list between the brackets that open at `at`, and the place behind the closing one.
fn bracketed(text: &str, at: usize, names: &Names) -> Option<(Reading, usize)> {
    let (open, close) = OPENING
        .into_iter()
        .find(|(open, _)| text[at..].starts_with(open))?;
    let mut start = skip(text, at + open.len(), char::is_whitespace);
    // [mark 3], [id: 3], [#3]
    if let Some((_, after)) = keyword_end(text, start) {
        start = after;
    }
    let (reading, end) = list_at(text, start, names, Setting::Enclosed)?;
    let end = skip(text, end, char::is_whitespace);
    text[end..]
        .starts_with(close)
        .then(|| (reading, end + close.len()))
}

/// Boxes and points are not lists of marks.
fn is_coordinates(text: &str, at: usize, reading: &Reading) -> bool {
    const WORDS: [&str; 12] = [
        "box",
        "bbox",
        "boxes",
        "bounding",
        "coordinates",
        "coordinate",
        "coords",
        "point",
        "points",
        "box_2d",
        "bbox_2d",
        "point_2d",
    ];
    let before = text[..at].trim_end_matches(|c: char| !c.is_alphanumeric() && c != '\n');
    let mut words = before.rsplit(|c: char| !c.is_alphanumeric() && c != '_');
    let word = words
        .find(|word| !matches!(*word, "is" | "are" | "at"))
        .unwrap_or("")
        .to_lowercase();
    let named = WORDS.contains(&&*word) && reading.names >= 2;
    named || reading.names == 4 && reading.misses() >= 2
}

fn is_checkbox(text: &str, at: usize, end: usize) -> bool {
    let line = text[..at].rsplit('\n').next().unwrap_or("").trim_start();
    matches!(line, "- " | "* " | "+ ") && text[at..end].eq_ignore_ascii_case("[x]")
}

fn is_link(text: &str, end: usize) -> bool {
    text[end..].starts_with("(http") || text[end..].starts_with(": http")
}

// JSON.

/// Keys whose values name marks.
const MARK_KEYS: [&str; 24] = [
    "mark",
    "marks",
    "mark_id",
    "mark_ids",
    "id",
    "ids",
    "region",
    "regions",
    "region_id",
    "region_ids",
    "number",
    "numbers",
    "object_id",
    "object_ids",
    "segment",
    "segments",
    "segment_id",
    "index",
    "answer",
    "answers",
    "target",
    "targets",
    "selected",
    "tag",
];

fn json_key(text: &str, at: usize, names: &Names) -> Found {
    let Some(length) = text[at + 1..].find(['"', '\n']) else {
        return Found::Nothing;
    };
    let key = &text[at + 1..at + 1 + length];
    let close = at + 1 + length + 1;
    let colon = skip(text, close.min(text.len()), char::is_whitespace);
    if !text[colon..].starts_with(':') {
        return Found::Nothing;
    }
    if let Some((reading, end)) = list_at(key, 0, names, Setting::Enclosed)
        && end == key.len()
        && reading.resolves()
    {
        return Found::Mention(reading.mention(at + 1..at + 1 + length));
    }
    let value = skip(text, colon + 1, char::is_whitespace);
    if MARK_KEYS.contains(&key.to_lowercase().as_str()) {
        if text[value..].starts_with('[') {
            return match bracketed(text, value, names) {
                Some((reading, end)) => Found::Mention(reading.mention(value..end)),
                None => Found::Skip(value + 1),
            };
        }
        let start = skip(text, value, |c| c == '"');
        return match list_at(text, start, names, Setting::Enclosed) {
            // The value of "id" may be anything: what leads nowhere and is no number is not a name.
            Some((reading, end))
                if reading.resolves()
                    || text[start..].starts_with(|c: char| c.is_ascii_digit()) =>
            {
                let span = start
                    ..start
                        + text[start..end]
                            .trim_end_matches(['"', ',', ' ', '\n'])
                            .len();
                Found::Mention(reading.mention(span))
            }
            _ => Found::Skip(value),
        };
    }
    // An array under another key (a box, a colour) names nothing; its objects may.
    if text[value..].starts_with('[') && bracketed(text, value, names).is_some() {
        let end = text[value..]
            .find(']')
            .map_or(text.len(), |end| value + end + 1);
        return Found::Skip(end);
    }
    Found::Skip(value.max(at + 1))
}

// Keywords.

/// Words that announce names.
const KEYWORDS: [&str; 28] = [
    "mark", "marks", "marker", "markers", "marked", "region", "regions", "label", "labels",
    "labeled", "labelled", "number", "numbers", "numbered", "object", "objects", "segment",
    "segments", "id", "ids", "tag", "tags", "mask", "masks", "answer", "answers", "no", "area",
];

/// If a keyword starts at `at`: its length, and where names may follow.
fn keyword_end(text: &str, at: usize) -> Option<(&str, usize)> {
    let rest = text.get(at..)?;
    let length = rest
        .find(|c: char| !c.is_alphabetic())
        .unwrap_or(rest.len());
    let word = &rest[..length];
    if !KEYWORDS.contains(&word.to_lowercase().as_str()) {
        return None;
    }
    let mut end = at + length;
    let gap = |c: char| c == ' ' || matches!(c, ':' | '=' | '*' | '`' | '"' | '\'' | '_' | '“');
    loop {
        let next = skip(text, end, gap);
        let rest = &text[next..];
        let filler = [
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
        match filler.iter().find(|filler| rest.starts_with(**filler)) {
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

fn keyword(text: &str, at: usize, names: &Names) -> Found {
    let Some((word, start)) = keyword_end(text, at) else {
        // Skip the word at once: a keyword does not start in the middle of one.
        return Found::Skip(skip(text, at, char::is_alphanumeric));
    };
    let start = skip(text, start, |c| c == '#');
    match list_at(text, start, names, Setting::Open) {
        Some((reading, end)) if reading.resolves() || starts_with_digit(text, start) => {
            let end = start
                + text[start..end]
                    .trim_end_matches(['*', '`', '"', '\'', '”'])
                    .len();
            Found::Mention(reading.mention(start..end))
        }
        _ => Found::Skip(at + word.len()),
    }
}

fn starts_with_digit(text: &str, at: usize) -> bool {
    text[at..].starts_with(|c: char| c.is_ascii_digit())
}

fn hash(text: &str, at: usize, names: &Names) -> Found {
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

// Tags, emphasis, parentheses.

fn tag(text: &str, at: usize, names: &Names) -> Found {
    let Some(length) = text[at..].find('>') else {
        return Found::Nothing;
    };
    let inside = &text[at + 1..at + length];
    let close = at + length + 1;
    if let Some((reading, end)) = list_at(inside, 0, names, Setting::Enclosed)
        && end == inside.len()
        && reading.resolves()
    {
        return Found::Mention(reading.mention(at..close));
    }
    let word = inside.split([' ', '=']).next().unwrap_or("").to_lowercase();
    if MARK_KEYS.contains(&word.as_str())
        && let Some((reading, end)) = list_at(text, close, names, Setting::Enclosed)
        && text[end..].starts_with("</")
    {
        return Found::Mention(reading.mention(close..end));
    }
    Found::Nothing
}

fn emphasis(text: &str, at: usize, names: &Names) -> Found {
    let fence: &str = ["**", "*", "`"]
        .into_iter()
        .find(|fence| text[at..].starts_with(fence))
        .unwrap_or("*");
    let start = at + fence.len();
    let Some(length) = text[start..].find(fence) else {
        return Found::Nothing;
    };
    let inside = &text[start..start + length];
    let end = start + length + fence.len();
    let list = list_at(inside, 0, names, Setting::Enclosed);
    match list {
        Some((reading, list_end))
            if list_end == inside.len()
                && reading.resolves()
                && reading.misses() == 0
                && !is_lower_letter(inside)
                && !is_quantity(text, end) =>
        {
            Found::Mention(reading.mention(start..start + length))
        }
        _ => Found::Skip(start),
    }
}

fn is_lower_letter(inside: &str) -> bool {
    inside.bytes().all(|byte| byte.is_ascii_lowercase())
}

fn parenthesis(text: &str, at: usize, names: &Names) -> Found {
    let (open, close) = if text[at..].starts_with('(') {
        ("(", ")")
    } else {
        ("（", "）")
    };
    let start = at + open.len();
    let Some((reading, end)) = list_at(text, start, names, Setting::Enclosed) else {
        return Found::Nothing;
    };
    if !text[end..].starts_with(close) {
        return Found::Nothing;
    }
    let end = end + close.len();
    // "the cup (3)" names a mark; "(1) first, (2) second" enumerates.
    let before = text[..at].trim_end_matches(' ');
    let follows_word =
        before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '*' | '"' | '”' | '`'));
    let spaced = before.len() < at || open == "（";
    if follows_word
        && spaced
        && reading.resolves()
        && reading.misses() == 0
        && !is_lower_letter(&text[start..end - close.len()])
    {
        Found::Mention(reading.mention(at..end))
    } else {
        Found::Skip(end)
    }
}

// Lines and tables.

fn starts_line(text: &str, at: usize) -> bool {
    let line = text[..at].rsplit('\n').next().unwrap_or("");
    line.trim_start().is_empty() || matches!(line.trim_start(), "- " | "* " | "+ " | "• ")
}

fn starts_word(text: &str, at: usize) -> bool {
    !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_')
}

/// `3: the cup`, `3 – the cup`, `A = the cup`; not `1. first item`, `12:30` or `1) first`.
fn labelled_line(text: &str, at: usize, names: &Names) -> Option<Found> {
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

/// A cell of a markdown table whose column is headed by a keyword.
fn cell(text: &str, at: usize, names: &Names) -> Found {
    let start = skip(text, at + 1, |c| c == ' ');
    let Some((reading, end)) = list_at(text, start, names, Setting::Enclosed) else {
        return Found::Nothing;
    };
    let after = skip(text, end, |c| c == ' ');
    if !text[after..].starts_with('|')
        || !column_names_marks(text, at, starts_with_digit(text, start))
    {
        return Found::Nothing;
    }
    let end = start + text[start..end].trim_end().len();
    Found::Mention(reading.mention(start..end))
}

/// An "object" or "label" column holds class names, unless its cells are numbers.
fn column_names_marks(text: &str, at: usize, number: bool) -> bool {
    let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let column = text[line_start..=at].matches('|').count();
    // The header is the first of the unbroken table lines above.
    let header = text[..line_start]
        .lines()
        .rev()
        .take_while(|line| line.trim_start().starts_with('|'))
        .last();
    let title = header
        .and_then(|header| header.trim_start().split('|').nth(column))
        .unwrap_or("");
    let title = title.trim().trim_matches('*').to_lowercase();
    let first = title.split([' ', '_']).next().unwrap_or("");
    title == "#" || MARK_KEYS.contains(&first) || number && KEYWORDS.contains(&first)
}

/// An answer that is a list of names and nothing else: `3`, `2, 5.`, `"C"`.
fn only_names(text: &str, names: &Names) -> Option<Found> {
    let start = skip(text, 0, |c| {
        c.is_whitespace() || matches!(c, '"' | '\'' | '*' | '`' | '(')
    });
    let (reading, end) = list_at(text, start, names, Setting::Enclosed)?;
    let rest = text[end..].trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '.' | '"' | '\'' | '*' | '`' | ')')
    });
    let known = reading.resolves() || starts_with_digit(text, start);
    (rest.is_empty() && known).then(|| {
        let end = start
            + text[start..end]
                .trim_end_matches(|c: char| !c.is_alphanumeric())
                .len();
        Found::Mention(reading.mention(start..end))
    })
}
