//! Marks and what they became, written with signs alone: `1 → 5`, `2: 4; 3: none`, `(1, 5)`.

use std::{collections::HashSet, ops::Range};

use super::{grounded::Named, spoken::Spoken};
use crate::ground::{Role, Setting, Status, list_at, words};

/// Every mark of `first` that the answer maps, if it is nothing but such a mapping; words may
/// stand in lines of their own, and between parentheses behind what a mark became.
pub(super) fn read(spoken: &Spoken<'_>, first: &HashSet<u32>) -> Option<Vec<(u32, Named)>> {
    let mut found: Vec<(u32, Named)> = Vec::new();
    for piece in pieces(spoken) {
        let piece = without_correction(spoken, piece);
        let text = spoken.get(piece.clone());
        // "…, since 4 is a different bag": a reason maps nothing.
        if !found.is_empty() && words::at(text.trim_start(), 0, Role::Because).is_some() {
            continue;
        }
        let Some(start) = name_start(spoken, text) else {
            // A line of words may introduce the mapping, but not add to it.
            let says = text.contains(|c: char| c.is_ascii_digit()) || spoken.says_none(piece);
            if says {
                return None;
            }
            continue;
        };
        let name = name_at(spoken, &text[start..])?;
        let of = named(spoken, &text[start..][..name])?;
        let rest = text[start + name..].trim_start_matches(is_around);
        let rest = without_caption(rest);
        let Some(value) = behind_sign(rest, text) else {
            // "1 → 5, 6"
            let (_, last) = found.last_mut()?;
            let more = rest.is_empty() && !of.marks.iter().any(|id| first.contains(id));
            *last = more.then(|| last.clone().and(of))?;
            continue;
        };
        let value = piece.end - value.len()..piece.end;
        let became = became(spoken, value)?;
        match of.marks[..] {
            [of] if first.contains(&of) => found.push((of, became)),
            _ => return None,
        }
    }
    (!found.is_empty()).then_some(found)
}

/// `1, 2, 3 → 5, 4, none`, `first image: 1, 2`, `second image: 5, none`: two lists, the first of marks
/// of `first`, and the second of what each became.
pub(super) fn in_lists(spoken: &Spoken<'_>, first: &HashSet<u32>) -> Option<Vec<(u32, Named)>> {
    let all = spoken.get(spoken.part.clone()).trim_end();
    let text = all.trim_start();
    let sign = ["→", "->", "=>", "⇒", "↔"]
        .iter()
        .find_map(|sign| text.split_once(sign));
    let (of, to) = sign.or_else(|| text.split_once('\n'))?;
    let end = spoken.part.start + all.len();
    let of = end - text.len()..end - text.len() + of.len();
    let to = end - to.len()..end;
    let items = |list: Range<usize>| -> Option<Vec<Named>> {
        let text = spoken.get(list.clone());
        let text = text.rsplit(':').next().unwrap_or(text);
        let mut at = list.end - text.len();
        let mut items = Vec::new();
        for piece in text.split(',').take(first.len() + 1) {
            items.push(became(spoken, at..at + piece.len())?);
            at += piece.len() + 1;
        }
        Some(items)
    };
    let (of, to) = (items(of)?, items(to)?);
    let is_target = |named: &Named| matches!(named.marks[..], [id] if first.contains(&id));
    if of.len() < 2 || of.len() != to.len() || !of.iter().all(is_target) {
        return None;
    }
    let each = of.into_iter().zip(to);
    Some(each.map(|(of, to)| (of.marks[0], to)).collect())
}

/// The lines of the answer, parted at semicolons, and at commas outside of brackets.
fn pieces(spoken: &Spoken<'_>) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut start = spoken.part.start;
    let mut open = 0_usize;
    for (at, c) in spoken.get(spoken.part.clone()).char_indices() {
        let at = spoken.part.start + at;
        match c {
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            '\n' => open = 0,
            _ => {}
        }
        if matches!(c, '\n' | ';') || c == ',' && open == 0 {
            pieces.push(start..at);
            start = at + 1;
        }
    }
    pieces.push(start..spoken.part.end);
    let filled = |piece: &Range<usize>| spoken.get(piece.clone()).contains(char::is_alphanumeric);
    pieces.retain(filled);
    pieces
}

/// `piece` behind a word that takes back what was said: "Wait: 3 is 7".
fn without_correction(spoken: &Spoken<'_>, piece: Range<usize>) -> Range<usize> {
    let text = spoken.get(piece.clone());
    let inside = text.trim_start();
    let end = words::at(inside, 0, Role::Corrects).unwrap_or(0);
    let rest = inside[end..].trim_start_matches([' ', ',', ':', '—', '–', '-', '.', '!']);
    if end > 0 {
        piece.end - rest.len()..piece.end
    } else {
        piece
    }
}

/// Where the name begins with which a piece does, behind bullets and a word that announces it.
fn name_start(spoken: &Spoken<'_>, text: &str) -> Option<usize> {
    let bullet = |c: char| is_around(c) || matches!(c, '-' | '•' | '>' | '#' | '(' | '[' | '{');
    let mut start = text.len() - text.trim_start_matches(bullet).len();
    if let Some(end) = words::at(text, start, Role::Announces) {
        start = text.len() - text[end..].trim_start_matches(bullet).len();
    }
    name_at(spoken, &text[start..]).map(|_| start)
}

/// The length of the number or letter that `text` begins with.
fn name_at(spoken: &Spoken<'_>, text: &str) -> Option<usize> {
    let length = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
    let name = text.get(..length)?;
    let digits = name.bytes().all(|byte| byte.is_ascii_digit());
    let letters = name.bytes().all(|byte| byte.is_ascii_uppercase());
    let known = length > 0 && (digits || letters) && named(spoken, name).is_some();
    known.then_some(length)
}

fn named(spoken: &Spoken<'_>, name: &str) -> Option<Named> {
    let (reading, end) = list_at(name, 0, spoken.names, Setting::Enclosed)?;
    let mention = reading.mention(0..end);
    (end == name.len() && !mention.marks.is_empty()).then_some(Named {
        marks: mention.marks,
        status: mention.status,
    })
}

fn is_around(c: char) -> bool {
    matches!(c, ' ' | '\t' | '*' | '_' | '`' | '"' | '\'' | ']' | ')')
}

/// `rest` behind what stands in parentheses at its start.
fn without_caption(rest: &str) -> &str {
    let after = rest.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    after.map_or(rest, |(_, after)| after.trim_start_matches(is_around))
}

/// What stands behind the sign that `rest` begins with; in `(1, 5)` a comma is one, too.
fn behind_sign<'a>(rest: &'a str, piece: &str) -> Option<&'a str> {
    const SIGNS: [&str; 13] = [
        "<->", "->", "=>", "→", "↔", "⇒", "⟶", ":", "=", "–", "—", "-", "to ",
    ];
    let sign = SIGNS.iter().find_map(|sign| rest.strip_prefix(sign));
    // "3 should be 7"
    let verb = || {
        let end = words::at(rest, 0, Role::Becomes).or_else(|| words::at(rest, 0, Role::Copula))?;
        rest[end..].strip_prefix(' ')
    };
    let sign = sign.or_else(verb);
    let paired = piece.trim_start_matches([' ', '{', '[', '(']).len() < piece.trim_start().len();
    sign.or_else(|| rest.strip_prefix(',').filter(|_| paired))
}

/// What a mark became: marks, or none, with a remark in parentheses behind them as it may be.
fn became(spoken: &Spoken<'_>, value: Range<usize>) -> Option<Named> {
    const NOTHING: [&str; 9] = ["", "-", "–", "—", "×", "∅", "✗", "❌", "/"];
    let open = |c: char| is_around(c) || matches!(c, '(' | '[');
    let text = spoken.get(value.clone());
    let inside = text.trim_start_matches(open);
    let inside = words::at(inside, 0, Role::Announces)
        .filter(|end| inside[*end..].starts_with([' ', '[']))
        .map_or(inside, |end| inside[end..].trim_start_matches(open));
    let closes = |c: char| is_around(c) || matches!(c, '.' | '}');
    let said = inside.split(" (").next().unwrap_or(inside);
    let said = said.trim_end_matches(closes);
    if NOTHING.contains(&said) {
        return Some(Named::NONE);
    }
    if let Some((reading, end)) = list_at(said, 0, spoken.names, Setting::Enclosed)
        && said[end..].trim_matches(closes).is_empty()
        && said.starts_with(|c: char| c.is_ascii_digit() || c.is_ascii_uppercase())
    {
        let mention = reading.mention(0..end);
        let wavers = mention.marks.len() > 1 && spoken.cues.any(value, Role::Hedges);
        let status = if wavers {
            mention.status.max(Status::Ambiguous)
        } else {
            mention.status
        };
        let known = !mention.marks.is_empty() || status == Status::OutOfRange;
        return known.then_some(Named {
            marks: mention.marks,
            status,
        });
    }
    let start = value.end - inside.len();
    let gone =
        spoken.says_none(start..value.end) || spoken.cues.any(start..value.end, Role::Leaves);
    (gone && !said.contains(|c: char| c.is_ascii_digit())).then_some(Named::NONE)
}
