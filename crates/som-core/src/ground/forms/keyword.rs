//! `mark 3`, `regions 1, 2 and 4`, `the answer is 3`, `标记3`, `3番`.

use super::{
    Found, Reader,
    all::all,
    all_but::all_but,
    announced::keyword_end,
    arrow::is_at_arrow,
    below::below,
    ends,
    letters::{letter_at, small_letter},
    said::{predicated, reply, spelled},
    series, starts_with_digit, weak,
};
use crate::ground::{
    names::{Setting, behind_article, is_measure, is_quantity, is_wrapping, list_at, skip},
    words::{self, Role},
};

pub(super) fn keyword(reader: &Reader<'_>) -> Found {
    let &Reader {
        text, at, names, ..
    } = reader;
    let led = all_but(reader)
        .or_else(|| all(reader))
        .or_else(|| excepted(reader))
        .or_else(|| reply(reader))
        .or_else(|| ends::between(reader));
    if let Some(found) = led {
        return found;
    }
    if let Some(name) = names
        .name_at(text, at)
        .filter(|name| series::goes_on(reader, name))
    {
        let list = list_at(&text[..name.end], at, names, Setting::Open);
        if let Some((reading, _)) = list {
            return Found::Mention(reading.mention(name));
        }
    }
    if let Some(found) = ordinal(reader).or_else(|| letter_at(reader)) {
        return found;
    }
    let Some((word, start)) = keyword_end(text, at) else {
        return Found::Skip(next_word(text, at));
    };
    if !weak::names_marks(reader, word, start) {
        return Found::Skip(at + word.len());
    }
    if let Some(found) = below(reader, at + word.len()) {
        return found;
    }
    let start = skip(text, start, |c| matches!(c, '#' | '№'));
    if text[start..].starts_with('{') {
        return braced(reader, start + 1);
    }
    // "Las marcas de la 5 a la 7"
    let start = behind_article(text, start)
        .filter(|&name| is_named(text, name))
        .unwrap_or(start);
    let first = names.name_at(text, skip(text, start, is_wrapping));
    if let Some(end) = first.map(|name| name.end)
        && counts(word, text, end)
    {
        return Found::Skip(end);
    }
    match list_at(text, start, names, Setting::Open) {
        // "Answer 2: [7]" counts the answers.
        Some((_, end)) if is_counted_answer(reader, word, start, end) => Found::Skip(end),
        Some((reading, end)) if reading.resolves() || starts_with_digit(text, start) => {
            if let Some(found) = ends::up_to(reader, start, end) {
                return found;
            }
            let written = text[start..end].trim_end_matches(['*', '`', '"', '\'']);
            Found::Mention(reading.mention(start..start + written.len()))
        }
        _ => spelled(reader, start)
            .or_else(|| predicated(reader, word))
            .or_else(|| behind_colon(reader, word))
            .or_else(|| small_letter(reader, start))
            .unwrap_or(Found::Skip(next_word(text, at))),
    }
}

/// True if the number at `at` is not one of things that follow: "the answer is the 3 cups".
fn is_named(text: &str, at: usize) -> bool {
    let end = skip(text, at, |c| c.is_ascii_digit());
    end > at && !is_quantity(text, end)
}

/// True for the number of "Answer 2: …".
fn is_counted_answer(reader: &Reader<'_>, word: &str, start: usize, end: usize) -> bool {
    let text = reader.text;
    let between = &text[reader.at + word.len()..start];
    let said = text[end..].strip_prefix(':');
    let says = said.is_some_and(|said| {
        let line = said.split('\n').next().unwrap_or(said);
        line.contains(char::is_alphanumeric)
    });
    says && between.trim().is_empty() && words::at(word, 0, Role::Answers) == Some(word.len())
}

/// "Two marks apply: 6 and 7": names behind the colon that ends a short clause about marks.
fn behind_colon(reader: &Reader<'_>, word: &str) -> Option<Found> {
    /// Such a clause is not longer, in bytes.
    const LONGEST: usize = 48;
    let &Reader {
        text, at, names, ..
    } = reader;
    let from = at + word.len();
    let near = text[from..].bytes().take(LONGEST);
    let colon = near
        .into_iter()
        .position(|byte| !byte.is_ascii_alphabetic() && byte != b' ' && byte < 128)?;
    let after = text[from + colon..].strip_prefix(':')?;
    let start = text.len() - after.trim_start_matches([' ', '*']).len();
    if !starts_with_digit(text, start) {
        return None;
    }
    let (reading, end) = list_at(text, start, names, Setting::Open)?;
    let written = text[start..end].trim_end_matches(['*', '`', '"', '\'', ' ']);
    let end = start + written.len();
    let rest = &text[end..];
    let ends = rest.is_empty() || rest.starts_with(['.', '\n', ';', ',', '*']);
    (ends && reading.resolves() && reading.misses() == 0)
        .then(|| Found::Mention(reading.mention(start..end)))
}

/// "第5个标记".
fn ordinal(reader: &Reader<'_>) -> Option<Found> {
    let &Reader {
        text, at, names, ..
    } = reader;
    let inside = text[at..].strip_prefix('第')?;
    let name = names.name_at(text, text.len() - inside.len())?;
    let after = skip(text, name.end, |c| {
        matches!(c, '个' | '個' | '号' | '號' | ' ')
    });
    words::at(text, after, Role::Announces)?;
    let (reading, _) = list_at(&text[..name.end], name.start, names, Setting::Open)?;
    Some(Found::Mention(reading.mention(name)))
}

/// "Except 5", "excepto la 5": numbers behind a word that takes them out of others.
fn excepted(reader: &Reader<'_>) -> Option<Found> {
    let &Reader {
        text, at, names, ..
    } = reader;
    let end = words::at(text, at, Role::Excepts).or_else(|| words::at(text, at, Role::Without))?;
    let mut start = skip(text, end, |c| matches!(c, ' ' | ':'));
    if let Some(article) = words::at(text, start, Role::Article) {
        start = skip(text, article, |c| c == ' ');
    }
    let name = names
        .name_at(text, start)
        .filter(|_| starts_with_digit(text, start))?;
    if is_quantity(text, name.end) {
        return None;
    }
    let (reading, end) = list_at(text, start, names, Setting::Open)?;
    let written = text[start..end].trim_end_matches(['*', '`', '"', '\'']);
    reading
        .resolves()
        .then(|| Found::Mention(reading.mention(start..start + written.len())))
}

/// Where the next word may begin: a keyword does not start in the middle of one.
fn next_word(text: &str, at: usize) -> usize {
    let first = text[at..].chars().next();
    match first {
        Some(c) if words::is_unspaced(c) => at + c.len_utf8(),
        _ => skip(text, at, |c| words::is_word(c) && !words::is_unspaced(c)).max(at + 1),
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
    let answers = words::at(word, 0, Role::Answers).is_some();
    is_measure(text, end) || answers && is_quantity(text, end)
}

/// `3番`, `3, 5番`, `3 numaralı`, `第3号`: numbers before a word that says they are names.
pub(super) fn counted(reader: &Reader<'_>) -> Found {
    /// More names are a list of something else.
    const MOST: usize = 8;
    let &Reader {
        text, at, names, ..
    } = reader;
    let digits = skip(text, at, |c| c.is_ascii_digit());
    let before = text[..at].chars().next_back();
    let inside = before.is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':'));
    let Some(name) = names.name_at(text, at).filter(|_| !inside) else {
        return Found::Skip(digits);
    };
    let near = text.floor_char_boundary(at + 64);
    // "1 and 2 became 5 and 6"
    if let Some((list, end)) = list_at(&text[..near], at, names, Setting::Open)
        && list.names > 1
        && list.misses() == 0
        && text[at..end].contains(char::is_alphabetic)
        && words::at(text, end, Role::Becomes)
            .or_else(|| words::at(text, skip(text, end, |c| c == ' '), Role::Becomes))
            .is_some()
    {
        let written = text[at..end].trim_end();
        return Found::Mention(list.mention(at..at + written.len()));
    }
    // "(The seat is number 4,) next to 7"
    let ended = text[name.end..].is_empty() || text[name.end..].starts_with(['.', ',', '\n']);
    if ended && series::stands_by(reader, at) && !names.get(&text[name.clone()]).is_empty() {
        return match list_at(&text[..name.end], at, names, Setting::Open) {
            Some((reading, _)) => Found::Mention(reading.mention(name)),
            None => Found::Skip(digits),
        };
    }
    if series::goes_on(reader, &name) || is_at_arrow(reader, &name) {
        // "→ 1, 2"
        let list = list_at(&text[..near], at, names, Setting::Open).filter(|(list, end)| {
            // "1→5; 2→4": what has an arrow of its own begins anew.
            let rest = text[*end..].trim_start_matches(' ');
            let begins = [Role::Becomes, Role::None, Role::Is]
                .iter()
                .any(|role| words::at(rest, 0, *role).is_some());
            let sentence = text[..at].trim_end().ends_with(['.', ';']);
            let joined = sentence && !text[at..*end].contains(',');
            let apart = !joined
                && (text[at..*end].contains([';', '\n'])
                    || rest.starts_with(['→', '-', '=', '⟶'])
                    || list.names > 1 && (begins || series::is_gone(text, *end)));
            list.misses() == 0 && !apart
        });
        // "1 and 2 became 5 and 6, and 3 has left": without the last one.
        let list = list.or_else(|| {
            let (_, end) = list_at(&text[..near], at, names, Setting::Open)?;
            let last = text[at..end]
                .trim_end()
                .rfind(|c: char| !c.is_ascii_digit())?;
            let before = text[at..at + last].trim_end_matches(|c: char| !c.is_ascii_digit());
            let shorter = list_at(&text[..at + before.len()], at, names, Setting::Open)?;
            let listed = series::follows_list(reader, shorter.0.names);
            (listed && shorter.0.misses() == 0).then_some(shorter)
        });
        let one = || list_at(&text[..name.end], at, names, Setting::Open);
        return list
            .or_else(one)
            .map_or(Found::Skip(digits), |(reading, end)| {
                let written = text[at..end].trim_end_matches(['*', '`', '"', ' ']);
                Found::Mention(reading.mention(at..at + written.len()))
            });
    }
    // 2番から5番
    if words::at(text, name.end, Role::Counts).is_some()
        && let Some((range, end)) = list_at(&text[..near], at, names, Setting::Open)
        && (range.names, range.misses()) == (2, 0)
        && let written = text[at..end].trim_end()
        && written.contains(words::is_unspaced)
    {
        return Found::Mention(range.mention(at..at + written.len()));
    }
    let mut end = name.end;
    for _ in 0..MOST {
        let next = skip(text, end, |c| c == ' ' || c == '\'');
        let behind = words::at(text, next, Role::Counts)
            .or_else(|| words::at(text, next, Role::ExceptsBehind));
        if let Some(behind) = behind.filter(|&behind| announces_behind(text, behind)) {
            let list = list_at(&text[..end], at, names, Setting::Open);
            return match list {
                Some((reading, _)) => Found::Mention(reading.mention(at..end)),
                None => Found::Skip(behind),
            };
        }
        let separator = [", ", ",", "/"]
            .iter()
            .find(|separator| text[end..].starts_with(**separator))
            .map(|separator| end + separator.len())
            .or_else(|| {
                let word = words::at(text, skip(text, end, |c| c == ' '), Role::Joins)?;
                Some(skip(text, word, |c| c == ' '))
            });
        match separator.and_then(|separator| names.name_at(text, separator)) {
            Some(name) => end = name.end,
            None => break,
        }
    }
    Found::Skip(digits)
}

/// False where the word behind a number makes it a part of another one: "号" of "号楼".
fn announces_behind(text: &str, end: usize) -> bool {
    !text[end..].starts_with(['楼', '线', '棟', '線', '车', '버', '출'])
}
