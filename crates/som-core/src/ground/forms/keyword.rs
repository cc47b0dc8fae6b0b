//! `mark 3`, `regions 1, 2 and 4`, `the answer is 3`, `#3`, `标记3`, `3番`.

use super::{
    Found, Reader,
    all_but::all_but,
    announced::keyword_end,
    below::below,
    said::{between, predicated, reply, spelled},
    series, starts_with_digit,
};
use crate::ground::{
    names::{
        Reading, Setting, behind_article, is_measure, is_quantity, is_wrapping, list_at, skip,
    },
    title::WEAK,
    words::{self, Role},
};

pub(super) fn keyword(reader: &Reader<'_>) -> Found {
    let &Reader {
        text, at, names, ..
    } = reader;
    let led = all_but(reader)
        .or_else(|| excepted(reader))
        .or_else(|| reply(reader));
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
    if let Some(found) = ordinal(reader) {
        return found;
    }
    let Some((word, start)) = keyword_end(text, at) else {
        return Found::Skip(next_word(text, at));
    };
    if !names_marks(word, &text[..at], &text[start..]) {
        return Found::Skip(start.max(at + word.len()));
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
            if let Some(found) = up_to(reader, word, start, end) {
                return found;
            }
            let written = text[start..end].trim_end_matches(['*', '`', '"', '\'']);
            Found::Mention(reading.mention(start..start + written.len()))
        }
        _ => spelled(reader, start)
            .or_else(|| between(reader, start))
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

/// "The chair is region e.": a letter in lower case that ends its clause.
fn small_letter(reader: &Reader<'_>, start: usize) -> Option<Found> {
    let &Reader { text, names, .. } = reader;
    let name = names.name_at(text, start).filter(|name| name.len() == 1)?;
    let rest = &text[name.end..];
    let ends = rest.is_empty()
        || rest.starts_with(['.', ',', ';', '\n', '!'])
        || rest.starts_with(' ') && words::at(rest, 1, Role::Copula).is_some();
    let (reading, end) = list_at(&text[..name.end], start, names, Setting::Enclosed)?;
    (ends && reading.resolves()).then(|| Found::Mention(reading.mention(start..end)))
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

/// "From mark 2 to mark 5", "mark 2 up to mark 5": a range whose last name is announced again.
fn up_to(reader: &Reader<'_>, word: &str, start: usize, end: usize) -> Option<Found> {
    let &Reader {
        text, at, names, ..
    } = reader;
    let next = skip(text, end, |c| c == ' ');
    let range = words::at(text, next, Role::Ranges)?;
    let plain = matches!(
        &text[next..range],
        "up to" | "through" | "thru" | "until" | "bis"
    );
    let before = text[..at].trim_end();
    let begins = before.ends_with("from") || before.ends_with("From");
    if !plain && !begins {
        return None;
    }
    let again = skip(text, range, |c| c == ' ');
    let (_, last) = keyword_end(text, again).filter(|(other, _)| *other == word)?;
    let last = names.name_at(text, last)?;
    let both = format!("{}-{}", text[start..end].trim_end(), &text[last.clone()]);
    let (reading, _) = list_at(&both, 0, names, Setting::Open)?;
    (reading.names == 2 && reading.misses() == 0)
        .then(|| Found::Mention(reading.mention(start..last.end)))
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
    let end = words::at(text, at, Role::Excepts)?;
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

/// True if `word` announces names of marks between `before` and `after`: an area and a number may
/// be anything unless the words before speak of marks, or a number is all that is said.
fn names_marks(word: &str, before: &str, after: &str) -> bool {
    const NEAR: usize = 48;
    const MARKS: [&str; 14] = [
        "mark", "marks", "marked", "marker", "region", "regions", "label", "labels", "labeled",
        "labelled", "mask", "masks", "tag", "tags",
    ];
    const MORE: [&str; 4] = ["object", "objects", "segment", "segments"];
    let word = word.to_lowercase();
    if !WEAK.contains(&word.as_str()) {
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
    if words
        .iter()
        .any(|word| MARKS.contains(word) || MORE.contains(word))
    {
        return true;
    }
    let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
    let alone = words.is_empty() && (after.is_empty() || after.starts_with(['.', ':', '\n', '-']));
    let says = words
        .first()
        .is_some_and(|last| matches!(*last, "is" | "are" | "was" | "be" | "s" | "as" | "to"));
    // "Indicated by the number 3", "assigned the number 3"
    const BEARS: [&str; 12] = [
        "by", "with", "under", "bears", "has", "assigned", "given", "carries", "bearing", "got",
        "gets", "wears",
    ];
    let by = matches!(words[..], ["the", before, ..] if BEARS.contains(&before));
    match word.as_str() {
        "number" => alone || says || by || words.is_empty() && after.starts_with(" is "),
        "area" => false,
        _ => alone,
    }
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
    if series::goes_on(reader, &name) || is_at_arrow(reader, &name) {
        // "→ 1, 2"
        let near = text.floor_char_boundary(at + 64);
        let list = list_at(&text[..near], at, names, Setting::Open).filter(|(list, end)| {
            // "1→5; 2→4": what has an arrow of its own begins anew.
            let rest = text[*end..].trim_start_matches(' ');
            let begins = [Role::Becomes, Role::None, Role::Is]
                .iter()
                .any(|role| words::at(rest, 0, *role).is_some());
            let apart = text[at..*end].contains([';', '\n'])
                || rest.starts_with(['→', '-', '=', '⟶'])
                || list.names > 1 && (begins || series::is_gone(text, *end));
            list.misses() == 0 && !apart
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
    let near = text.floor_char_boundary(at + 64);
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

/// "1→5; 2→4": a number before or behind an arrow.
fn is_at_arrow(reader: &Reader<'_>, name: &std::ops::Range<usize>) -> bool {
    const ARROWS: [&str; 4] = ["→", "->", "=>", "⟶"];
    let &Reader { text, names, .. } = reader;
    let after = text[name.end..].trim_start_matches(' ');
    let before = text[..name.start].trim_end_matches(' ');
    let leads = ARROWS.iter().any(|arrow| after.starts_with(arrow))
        || words::at(after, 0, Role::Becomes).is_some() && !is_of_another(before);
    let follows = (ARROWS.iter().any(|arrow| before.ends_with(arrow)) || became(before))
        && !is_quantity(text, name.end);
    if is_equated(reader, name) {
        return true;
    }
    (leads || follows) && !names.get(&text[name.clone()]).is_empty()
}

/// "1=5, 2 = 7": a mark on either side of a sign, and no calculation.
fn is_equated(reader: &Reader<'_>, name: &std::ops::Range<usize>) -> bool {
    const SIGNS: [char; 8] = ['+', '-', '*', '/', '×', '÷', '=', '^'];
    let &Reader { text, names, .. } = reader;
    let known =
        |name: &str| name.starts_with(|c: char| c.is_ascii_digit()) && !names.get(name).is_empty();
    let (before, after) = (text[..name.start].trim_end_matches(' '), &text[name.end..]);
    let rest = after.trim_start_matches(' ');
    if let Some(value) = rest.strip_prefix('=') {
        let value = value.trim_start_matches(' ');
        let digits = skip(value, 0, |c| c.is_ascii_digit());
        let ends = value[digits..].trim_start_matches(' ');
        return known(&value[..digits]) && !before.ends_with(SIGNS) && !ends.starts_with(SIGNS);
    }
    let Some(of) = before.strip_suffix('=').map(|of| of.trim_end_matches(' ')) else {
        return false;
    };
    let digits = of.len() - of.bytes().rev().take_while(u8::is_ascii_digit).count();
    let ends = of[..digits].trim_end_matches(' ');
    known(&of[digits..])
        && !ends.ends_with(SIGNS)
        && !ends.ends_with(char::is_alphabetic)
        && !rest.starts_with(SIGNS)
        && !is_quantity(text, name.end)
}

/// True if `before` ends with a word whose number follows, and which is none for marks: "in image 1".
fn is_of_another(before: &str) -> bool {
    const LEADS: [Role; 5] = [
        Role::Joins,
        Role::Announces,
        Role::Article,
        Role::Contrasts,
        Role::Fills,
    ];
    let start = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| words::is_word(*c) && !words::is_unspaced(*c))
        .last()
        .map(|(at, _)| at);
    start.is_some_and(|start| {
        let leads = |role: &Role| words::at(before, start, *role) == Some(before.len());
        !LEADS.iter().any(leads)
    })
}

/// True if `before` ends with what says that something became what follows: "has moved to",
/// "对应第二张图中的".
fn became(before: &str) -> bool {
    /// Such words, and where what follows is, are not longer, in bytes.
    const LONGEST: usize = 48;
    let near = &before[before.ceil_char_boundary(before.len().saturating_sub(LONGEST))..];
    words::words(near).any(|word| {
        words::at(near, word.start, Role::Becomes).is_some_and(|end| {
            let rest = &near[end..];
            rest.is_empty() || rest.ends_with('的') && !rest.contains(['，', '。', ',', '.'])
        })
    })
}

/// False where the word behind a number makes it a part of another one: "号" of "号楼".
fn announces_behind(text: &str, end: usize) -> bool {
    !text[end..].starts_with(['楼', '线', '棟', '線', '车', '버', '출'])
}

pub(super) fn hash(reader: &Reader<'_>) -> Found {
    let &Reader {
        text, at, names, ..
    } = reader;
    let sign = text[at..].chars().next().map_or(1, char::len_utf8);
    let start = skip(text, at + sign, |c| c == ' ');
    let spaced = start > at + sign;
    let Some(name) = names.name_at(text, start).filter(|_| !spaced || sign > 1) else {
        // A heading.
        return Found::Skip(at + sign);
    };
    let inside_word = text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '&');
    if inside_word || names.get(&text[name.clone()]).is_empty() && matches!(name.len(), 3 | 6) {
        return Found::Skip(name.end); // An entity or a colour.
    }
    let list: Option<(Reading, usize)> =
        list_at(&text[..name.end], name.start, names, Setting::Open);
    match list {
        Some((reading, end)) => Found::Mention(reading.mention(at..end)),
        None => Found::Skip(at + sign),
    }
}
