//! Marks and what they became, written with signs alone, or with a verb between them: `1 → 5`, `2: 4;
//! 3: none`, `(1, 5)`, "la marca 1 es ahora la 4 y la 3 ha desaparecido".

use std::{collections::HashSet, ops::Range};

use super::{grounded::Named, spoken::Spoken};
use crate::ground::{Role, Setting, Status, list_at, words};

/// A longer clause, in bytes, is not parted.
const LONGEST: usize = 200;

/// Every mark of `first` that the answer maps, if it is nothing but such a mapping; words may
/// stand in lines of their own, and between parentheses behind what a mark became.
pub(super) fn read(spoken: &Spoken<'_>, first: &HashSet<u32>) -> Option<Vec<(u32, Named)>> {
    if let Some(found) = in_tokens(spoken, first) {
        return Some(found);
    }
    let mut found: Vec<(u32, Named)> = Vec::new();
    for piece in pieces(spoken) {
        let piece = without_correction(spoken, piece);
        let text = spoken.get(piece.clone());
        // "…, since 4 is a different bag": a reason maps nothing.
        if !found.is_empty() && words::at(text.trim_start(), 0, Role::Reason).is_some() {
            continue;
        }
        if let Some(of) = said_gone(spoken, piece.clone(), first).filter(|_| !found.is_empty()) {
            found.push((of, Named::NONE));
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
        let rest = without_caption(without_counter(rest));
        let sign = behind_sign(rest, text);
        // "3 has no counterpart"
        if let [of] = of.marks[..]
            && sign.is_none()
            && first.contains(&of)
            && is_gone(spoken, piece.end - rest.len()..piece.end)
        {
            found.push((of, Named::NONE));
            continue;
        }
        let sign = sign.or_else(|| gapped(rest).filter(|_| !found.is_empty()));
        let Some(value) = sign else {
            // "1 → 5, 6"
            let (_, last) = found.last_mut()?;
            let more = rest.is_empty() && !of.marks.iter().any(|id| first.contains(id));
            *last = more.then(|| last.clone().and(of))?;
            continue;
        };
        let value = piece.end - value.len()..piece.end;
        let became = became(spoken, value)?;
        match (&of.marks[..], &became.marks[..]) {
            ([of], _) if first.contains(of) => found.push((*of, became)),
            // "5 is 1": what became of it stands first.
            ([_], [target]) if first.contains(target) => found.push((*target, of)),
            _ => return None,
        }
    }
    (!found.is_empty()).then_some(found)
}

/// `1-4 2-6 3-5`: pairs with a sign within and a space between, and nothing else.
fn in_tokens(spoken: &Spoken<'_>, first: &HashSet<u32>) -> Option<Vec<(u32, Named)>> {
    let text = spoken.get(spoken.part.clone()).trim();
    let mut found = Vec::new();
    for token in text
        .split([' ', '\n', ',', ';'])
        .filter(|token| !token.is_empty())
    {
        let (of, to) = ["->", "=>", "-", "–", "→", "=", ">", ":"]
            .iter()
            .find_map(|sign| token.split_once(sign))?;
        let of = named(spoken, of)?;
        let to = named(spoken, to)?;
        match of.marks[..] {
            [of] if first.contains(&of) && !to.marks.iter().any(|id| first.contains(id)) => {
                found.push((of, to));
            }
            _ => return None,
        }
    }
    (found.len() > 1).then_some(found)
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

/// "Can't find 3": words for none, and the mark at the end.
fn said_gone(spoken: &Spoken<'_>, piece: Range<usize>, first: &HashSet<u32>) -> Option<u32> {
    let text = spoken
        .get(piece.clone())
        .trim_end_matches([' ', '.', '!', ']', '*']);
    let digits = text.len() - text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (lead, name) = text.split_at(text.len() - digits);
    // "No 3"
    let none = spoken.says_none(piece.start..piece.start + lead.len())
        || words::made_of(lead, &[Role::No, Role::Joins])
            .is_some_and(|led| led.contains(&Role::No));
    let of = named(spoken, name).filter(|_| digits > 0 && none)?;
    match of.marks[..] {
        [of] if first.contains(&of) && !lead.contains(|c: char| c.is_ascii_digit()) => Some(of),
        _ => None,
    }
}

/// True if `rest` says that something is not there, and names nothing.
fn is_gone(spoken: &Spoken<'_>, rest: Range<usize>) -> bool {
    let text = spoken.get(rest.clone());
    let clause = text.trim_matches([' ', '.', '!']);
    let departs = words::at(clause, 0, Role::Departs) == Some(clause.len());
    let gone = departs || spoken.says_none(rest.clone()) || spoken.cues.any(rest, Role::Leaves);
    gone && !text.contains(|c: char| c.is_ascii_digit())
}

/// "(La 1 corresponde a la 5,) la 2 a la 6": the name behind words that only lead to it.
fn gapped(rest: &str) -> Option<&str> {
    const LEADS: [Role; 5] = [
        Role::Article,
        Role::Announces,
        Role::Toward,
        Role::Ranges,
        Role::Fills,
    ];
    let name = rest
        .find(|c: char| c.is_ascii_digit())
        .filter(|at| *at > 0)?;
    let lead = &rest[..name];
    let leads = words::is_made_of(lead, &LEADS);
    let few = (1..=3).contains(&words::words(lead).take(4).count());
    (leads && few).then(|| &rest[name..])
}

/// The lines of the answer, parted at semicolons, sentences, and commas outside of brackets, and where
/// "and" leads to the next mark.
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
        let rest = &spoken.text[at + c.len_utf8()..spoken.part.end];
        let ends = c == '.' && open == 0 && rest.starts_with(' ');
        if matches!(c, '\n' | ';' | '；' | '。')
            || matches!(c, ',' | '，' | '、') && open == 0
            || ends
        {
            add_joined(spoken, start..at, &mut pieces);
            start = at + c.len_utf8();
        }
    }
    add_joined(spoken, start..spoken.part.end, &mut pieces);
    let filled = |piece: &Range<usize>| spoken.get(piece.clone()).contains(char::is_alphanumeric);
    pieces.retain(filled);
    pieces
}

/// Adds `piece`, in two where "and" leads to a mark that begins a clause of its own: "1 is now 4 and mark
/// 3 is gone".
fn add_joined(spoken: &Spoken<'_>, piece: Range<usize>, pieces: &mut Vec<Range<usize>>) {
    let text = spoken.get(piece.clone());
    let parted = spoken.cues.all(piece.clone(), Role::Joins).find(|cue| {
        let lead = spoken.get(piece.start..cue.start);
        let rest = spoken.get(cue.end.min(piece.end)..piece.end);
        let begins = name_start(spoken, rest).and_then(|start| {
            let name = name_at(spoken, &rest[start..])?;
            let behind = rest[start + name..].trim_start_matches(is_around);
            (!behind.is_empty() && !behind.starts_with('.')).then_some(())
        });
        lead.contains(|c: char| c.is_ascii_digit()) && begins.is_some()
    });
    match parted {
        Some(cue) if text.len() < LONGEST => {
            pieces.push(piece.start..cue.start);
            pieces.push(cue.end..piece.end);
        }
        _ => pieces.push(piece),
    }
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
    for role in [Role::Joins, Role::Article, Role::Announces] {
        if let Some(end) = words::at(text, start, role) {
            start = text.len() - text[end..].trim_start_matches(bullet).len();
        }
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

/// `said` without what may stand behind the number that something became: "4 in the second image", "4 है".
fn without_end(said: &str) -> &str {
    let digits = said.bytes().take_while(u8::is_ascii_digit).count();
    let rest = said[digits..].trim_start_matches(is_around);
    let rest = without_counter(rest);
    let verb = [Role::Copula, Role::Becomes, Role::Is, Role::Now]
        .iter()
        .filter_map(|role| words::at(rest, 0, *role))
        .max();
    let ends = rest[verb.unwrap_or(0)..]
        .trim_matches([' ', '.'])
        .is_empty();
    let there =
        words::at(rest, 0, Role::At).is_some() && !rest.contains(|c: char| c.is_ascii_digit());
    if digits > 0 && (ends || there) {
        &said[..digits]
    } else {
        said
    }
}

fn is_around(c: char) -> bool {
    matches!(c, ' ' | '\t' | '*' | '_' | '`' | '"' | '\'' | ']' | ')')
}

/// `rest` behind the word that tells that the number is a name: "numara", "番".
fn without_counter(rest: &str) -> &str {
    let counts = words::at(rest, 0, Role::Counts);
    counts.map_or(rest, |end| rest[end..].trim_start_matches(is_around))
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
        let mut end = 0;
        for role in [
            Role::Now,
            Role::Becomes,
            Role::Is,
            Role::Copula,
            Role::Now,
            Role::Opinion,
        ] {
            let next = end + rest[end..].len() - rest[end..].trim_start_matches(' ').len();
            end = words::at(rest, next, role).unwrap_or(end);
        }
        let glued = rest[..end].ends_with(words::is_unspaced);
        let behind = rest[end..].strip_prefix(' ');
        behind.or(glued.then_some(&rest[end..])).filter(|_| end > 0)
    };
    let sign = sign.or_else(verb);
    let paired = piece.trim_start_matches([' ', '{', '[', '(']).len() < piece.trim_start().len();
    sign.or_else(|| rest.strip_prefix(',').filter(|_| paired))
}

/// What a mark became: marks, or none, with a remark in parentheses behind them as it may be.
fn became(spoken: &Spoken<'_>, value: Range<usize>) -> Option<Named> {
    const NOTHING: [&str; 11] = ["", "x", "X", "-", "–", "—", "×", "∅", "✗", "❌", "/"];
    let open = |c: char| is_around(c) || matches!(c, '(' | '[');
    let text = spoken.get(value.clone());
    let inside = text.trim_start_matches(open);
    let article = words::at(inside, 0, Role::Article).filter(|end| inside[*end..].starts_with(' '));
    let inside = article.map_or(inside, |end| inside[end..].trim_start_matches(open));
    let inside = words::at(inside, 0, Role::Announces)
        .filter(|end| inside[*end..].starts_with([' ', '[']))
        .map_or(inside, |end| inside[end..].trim_start_matches(open));
    let closes = |c: char| is_around(c) || matches!(c, '.' | '}');
    let said = inside.split(" (").next().unwrap_or(inside);
    let said = without_end(said.trim_end_matches(closes));
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
