//! Lines and tables: `3: the cup`, a cell of a column headed "mark", nothing but names.

use super::{Found, Reader, announced::keyword_end, is_lower_letter, starts_with_digit};
use crate::ground::{
    names::{Names, Setting, is_quantity, list_at, skip},
    title::Title,
    words::{self, Role},
};

/// `3: the cup`, `3 – the cup`, `A = the cup`, `3 is the cup`, `3 (the cup)`, `3, 5: cups`; not
/// `1. first item`, `12:30` or `1) first`.
pub(super) fn labelled(reader: &Reader<'_>) -> Option<Found> {
    /// Names before a colon: more are a list of something else.
    const MOST: usize = 12;
    const TIES: [&str; 15] = [
        " | ", ": ", " : ", " - ", " – ", " — ", " = ", " -> ", " → ", ":\n", "- ", "– ", "=", "→",
        ":**",
    ];
    let &Reader {
        text, at, names, ..
    } = reader;
    let name = names.name_at(text, at)?;
    let word = &text[name.clone()];
    if names.get(word).is_empty() || is_lower_letter(word) {
        return None;
    }
    let rest = &text[name.end..];
    // "1:犬", "1:cup"
    let glued = |rest: &str| {
        let behind = rest.strip_prefix(':');
        behind.is_some_and(|behind| behind.starts_with(char::is_alphabetic))
    };
    // "7 — sorry, 9"
    let taken_back = |rest: &str| {
        let said = rest.trim_start_matches([' ', '—', '–', '-']);
        said.len() < rest.len() && words::at(said, 0, Role::Corrects).is_some()
    };
    if taken_back(rest) {
        return None;
    }
    let tied =
        |rest: &str| TIES.iter().any(|tie| rest.starts_with(tie)) || rest == ":" || glued(rest);
    if tied(rest) {
        let (reading, _) = list_at(&text[..name.end], at, names, Setting::Open)?;
        // "3 - 5: stripes" is a range.
        let range = list_at(&text[..near_end(text, at)], at, names, Setting::Open);
        if let Some((range, end)) = range.filter(|(range, _)| range.names > 1)
            && range.misses() == 0
            && end - at < 64
            && !text[end..].trim_start().starts_with('=')
            && (tied(&text[end..]) || ends_line(text, end))
        {
            return Some(Found::Mention(range.mention(at..end)));
        }
        return Some(Found::Mention(reading.mention(name)));
    }
    // "B) The emergency brake", alone: one of the letters is chosen.
    let alone = || {
        let count = |sign: char| rest.matches(sign).count();
        reader.begins() && !rest.trim_end().contains('\n') && count(')') == count('(') + 1
    };
    if rest.starts_with(") ") && !starts_with_digit(text, at) && alone() {
        let (reading, _) = list_at(&text[..name.end], at, names, Setting::Open)?;
        return Some(Found::Mention(reading.mention(name)));
    }
    // "3 is the cup", "3 (the cup)", "3, the cup" of digits at the start of what is said.
    let numeric = word.contains(|c: char| c.is_ascii_digit());
    let near = near_end(text, at);
    let (reading, end) = list_at(&text[..near], at, names, Setting::Open)?;
    if reading.names > MOST || reading.misses() > 0 {
        return None;
    }
    let trimmed = text[at..end].trim_end_matches([' ', ',', ';', '/']);
    let (end, rest) = (at + trimmed.len(), &text[at + trimmed.len()..]);
    let plain = !trimmed.contains('+') && !rest.trim_start().starts_with('=');
    if reading.names > 1 && tied(rest) && plain {
        return Some(Found::Mention(reading.mention(at..end)));
    }
    if numeric && is_quantity(text, end) {
        return None;
    }
    let says = words::at(text, skip(text, end, |c| c == ' '), Role::Is);
    let is = says.is_some_and(|says| {
        (rest.starts_with(' ') || rest.starts_with(words::is_unspaced))
            && !text[says..].starts_with('-')
    });
    let comma = rest.strip_prefix(", ").is_some_and(|_| {
        let next = end + 2;
        let says = |role: &Role| words::at(text, next, *role).is_some();
        let told = [Role::Article, Role::Because, Role::Beside]
            .iter()
            .any(says);
        let alone = reader.begins() && is_remark(&text[next..]);
        (told || alone) && ![Role::Corrects, Role::Denies].iter().any(says)
    });
    let because = rest.starts_with(' ') && {
        let word = words::at(text, end + 1, Role::Because).map(|word| &text[end + 1..word]);
        // "As" means other things, too.
        word.is_some_and(|word| {
            words::at(word, 0, Role::Reason).is_some() && !word.eq_ignore_ascii_case("as")
        })
    };
    let caption = rest.starts_with(" (") && !rest.starts_with(" (1");
    let says = is
        || numeric && (comma || because)
        || reader.begins() && (caption || rest.starts_with(" has "));
    says.then(|| Found::Mention(reading.mention(at..end)))
}

/// "(9,) way taller than 8": a few words in lower case that end a short answer.
fn is_remark(rest: &str) -> bool {
    /// They are not longer, in bytes.
    const LONGEST: usize = 64;
    let measures = words::words(rest).any(|word| {
        [Role::Measures, Role::Unit]
            .iter()
            .any(|role| words::at(rest, word.start, *role).is_some())
    });
    let begins = rest.starts_with(|c: char| c.is_ascii_lowercase());
    let compares =
        words::words(rest).any(|word| words::at(rest, word.start, Role::Compares).is_some());
    begins && compares && rest.len() < LONGEST && !rest.trim_end().contains('\n') && !measures
}

/// No list before a colon is longer than up to here.
fn near_end(text: &str, at: usize) -> usize {
    const NEAR: usize = 96;
    let mut end = text.len().min(at + NEAR);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    end
}

fn ends_line(text: &str, at: usize) -> bool {
    let rest = text[at..].trim_start_matches([' ', '.']);
    rest.is_empty() || rest.starts_with('\n')
}

/// A cell of a table whose column or row is headed by a word for marks.
pub(super) fn cell(reader: &Reader<'_>) -> Found {
    let at = reader.at;
    let titles = [reader.column(), reader.row()];
    let mut found = titles
        .into_iter()
        .flatten()
        .filter_map(|title| in_column(reader, title, at + 1));
    found.next().unwrap_or(Found::Nothing)
}

/// The first cell of a line that does not begin with `|`.
pub(super) fn first_cell(reader: &Reader<'_>) -> Option<Found> {
    in_column(reader, reader.first_column()?, reader.at)
}

/// The names in the cell that begins at `at`.
fn in_column(reader: &Reader<'_>, title: Title, at: usize) -> Option<Found> {
    let &Reader { text, names, .. } = reader;
    let separator = reader.separator()?;
    let start = skip(text, at, |c| matches!(c, ' ' | '"' | '*' | '`'));
    let names_marks = match title {
        Title::Marks => true,
        Title::Numbers => starts_with_digit(text, start),
        Title::Other => false,
    };
    if !names_marks {
        return None;
    }
    let cell = text[start..]
        .split([separator, '\n'])
        .next()
        .unwrap_or("")
        .trim_end_matches([' ', '"', '*', '`', '\r']);
    let start = keyword_end(&text[..start + cell.len()], start).map_or(start, |(_, names)| names);
    let end =
        start + (cell.len() - (start - skip(text, at, |c| matches!(c, ' ' | '"' | '*' | '`'))));
    let (reading, list_end) = list_at(&text[..end], start, names, Setting::Enclosed)?;
    (list_end == end).then(|| Found::Mention(reading.mention(start..end)))
}

/// An answer that is a list of names and nothing else: `3`, `2, 5.`, `"C"`.
pub(super) fn only_names(reader: &Reader<'_>) -> Option<Found> {
    let &Reader { text, names, .. } = reader;
    let is_around = |c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '"' | '\'' | '*' | '`' | '(' | '$' | '_' | '-' | '•' | '#'
            )
    };
    let start = skip(text, behind_struck(text, reader.at), is_around);
    let (reading, end) = list_at(text, start, names, Setting::Enclosed)?;
    let place = text[..start].ends_with('(') && !reader.scene.images.is_empty();
    if reading.misses() > 0 && (!starts_with_digit(text, start) || place && reading.names > 1) {
        // Words, or a point.
        return None;
    }
    let rest = text[end..].trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '.' | '"' | '\'' | '*' | '`' | ')' | '!' | '$' | '_')
    });
    let known = reading.resolves() || starts_with_digit(text, start);
    // The first line says it, the others why.
    let first =
        (end_of_line(&text[end..]) || tells_of_another(&text[end..], names)) && reading.resolves();
    ((rest.is_empty() || first) && known).then(|| {
        let written = text[start..end].trim_end_matches(|c: char| !c.is_alphanumeric());
        Found::Mention(reading.mention(start..start + written.len()))
    })
}

/// Where the answer goes on behind what is struck through at its start: "~~5~~ 6".
fn behind_struck(text: &str, at: usize) -> usize {
    /// No name is longer, in bytes.
    const LONGEST: usize = 16;
    let inside = text[at..].strip_prefix("~~");
    let end = inside.and_then(|inside| inside.find("~~").filter(|end| *end < LONGEST));
    end.map_or(at, |end| at + end + 4)
}

/// "(5). 6 is a bowl": the next sentence says what another one is.
fn tells_of_another(rest: &str, names: &Names) -> bool {
    let Some(next) = rest.strip_prefix(". ") else {
        return false;
    };
    let line = next.split('\n').next().unwrap_or(next);
    let verb = names
        .name_at(line, 0)
        .filter(|name| !names.get(&line[name.clone()]).is_empty());
    let is = verb.is_some_and(|name| words::at(line, name.end + 1, Role::Copula).is_some());
    line.len() == next.len() && line.len() < 96 && starts_with_digit(line, 0) && is
}

/// True if the line ends here, and another one follows that is no item of the same list.
fn end_of_line(rest: &str) -> bool {
    let around = |c: char| matches!(c, ' ' | '.' | '"' | '\'' | '*' | '`' | ')' | '!');
    let next = rest.trim_start_matches(around).strip_prefix('\n');
    next.is_some_and(|next| next.trim_start().starts_with(char::is_alphabetic))
}
