//! What an answer says of several texts by its order: numbered lists, lines, `3; 5`,
//! "respectively", "the former", "both".

use std::ops::Range;

use super::{
    grounded::Named,
    said::{names_behind_verbs, only_name},
    spoken::Spoken,
};
use crate::ground::{Mention, Role, Setting, Status, enumerators, list_at, words};

/// What is said of each of `count` texts, if the answer says it by order alone.
pub(super) fn in_order(spoken: &Spoken<'_>, count: usize) -> Option<Vec<Option<Named>>> {
    if count < 2 {
        return None;
    }
    all_the_same(spoken, count)
        .or_else(|| numbered(spoken, count))
        .or_else(|| lettered(spoken, count))
        .or_else(|| by_ordinals(spoken, count))
        .or_else(|| parted(spoken, count))
        .or_else(|| listed(spoken, count))
        .or_else(|| by_verbs(spoken, count))
        .or_else(|| none_of_all(spoken, count))
        .or_else(|| counted_off(spoken, count))
}

/// "None of the marked regions shows a child.": one sentence that begins so, and names nothing.
fn none_of_all(spoken: &Spoken<'_>, count: usize) -> Option<Vec<Option<Named>>> {
    let text = spoken.get(spoken.part.clone()).trim();
    let no_one = words::at(text, 0, Role::NoOne).is_some() && spoken.says_none(spoken.part.clone());
    let one = !text
        .trim_end_matches(['.', '!'])
        .contains(['.', '\n', ';', ',']);
    let plain = !text.contains(|c: char| c.is_ascii_digit()) && spoken.mentions.is_empty();
    (no_one && one && plain).then(|| vec![Some(Named::NONE); count])
}

/// "Lamp 1 rug 3 chair 5": as many names as there are texts, each behind a word or a few.
fn counted_off(spoken: &Spoken<'_>, count: usize) -> Option<Vec<Option<Named>>> {
    /// More of them, in words, say more than what is named.
    const MOST: usize = 3;
    let text = spoken
        .get(spoken.part.clone())
        .trim_end_matches([' ', '.', '\n']);
    let mut said = Vec::new();
    let mut from = 0;
    while let Some(found) = text[from..].find(|c: char| c.is_ascii_digit()) {
        let start = from + found;
        let lead = text[from..start].trim_matches([' ', ',', '\n']);
        let words = words::words(lead).take(MOST + 1).count();
        let (reading, _) = list_at(text, start, spoken.names, Setting::Open)?;
        let digits = text[start..].bytes().take_while(u8::is_ascii_digit).count();
        let mention = reading.mention(0..1);
        let one = mention.marks.len() == 1 && mention.unresolved.is_empty();
        if !(1..=MOST).contains(&words) || !one || said.len() == count {
            return None;
        }
        said.push(Named::by([&mention]));
        from = start + digits;
    }
    (said.len() == count && from == text.len() && spoken.mentions.is_empty()).then_some(said)
}

/// "Both are [3]", "neither is there".
fn all_the_same(spoken: &Spoken<'_>, count: usize) -> Option<Vec<Option<Named>>> {
    let same = |named: Named| Some(vec![Some(named); count]);
    let part = spoken.part.clone();
    let neither = spoken.cues.any(part.clone(), Role::Neither);
    if neither && spoken.meant().next().is_none() {
        return same(Named::NONE);
    }
    let both = spoken.cues.all(part.clone(), Role::Both).next()?;
    let end = sentence_end(spoken, both.end);
    // "三 和 五 都是": what both are may stand before.
    let behind = spoken.part(both.end..end);
    if let Some(named) = Named::by(behind.mentions) {
        return (behind.mentions.len() == 1 || named.marks.len() == 1)
            .then(|| same(named))
            .flatten();
    }
    if spoken.says_none(both.start..end) {
        return same(Named::NONE);
    }
    if spoken.mentions.is_empty()
        && let [named] = &names_behind_verbs(spoken, both.end..end)[..]
    {
        return same(named.clone());
    }
    let named = Named::by(spoken.mentions)?;
    (named.marks.len() == 1).then(|| same(named)).flatten()
}

fn sentence_end(spoken: &Spoken<'_>, at: usize) -> usize {
    let rest = spoken.get(at..spoken.part.end);
    let end = rest.find(['\n', ';']).or_else(|| rest.find(". "));
    at + end.unwrap_or(rest.len())
}

/// `1. none 2. [5]`: an item for each text.
fn numbered(spoken: &Spoken<'_>, count: usize) -> Option<Vec<Option<Named>>> {
    let part = spoken.part.clone();
    let items = enumerators(spoken.get(part.clone()));
    if items.len() != count
        || items
            .iter()
            .zip(1..)
            .any(|(item, number)| item.number != number)
    {
        return None;
    }
    let said: Vec<Option<Named>> = items
        .iter()
        .map(|item| {
            let inside = part.start + item.inside.start..part.start + item.inside.end;
            said_in(spoken, inside)
        })
        .collect();
    said.iter().any(Option::is_some).then_some(said)
}

/// `a) 2 b) none`: a letter for each text.
fn lettered(spoken: &Spoken<'_>, count: usize) -> Option<Vec<Option<Named>>> {
    let part = spoken.part.clone();
    let text = spoken.get(part.clone());
    let mut starts = Vec::new();
    let mut from = 0;
    for letter in ('a'..='z').take(count) {
        let marker = format!("{letter})");
        let found = text[from..].match_indices(&marker).find(|(at, _)| {
            let before = text[..from + at].chars().next_back();
            before.is_none_or(|c| c.is_whitespace() || matches!(c, '(' | '*'))
        });
        let (at, _) = found?;
        starts.push((from + at, from + at + marker.len()));
        from += at + marker.len();
    }
    let ends = starts.iter().skip(1).map(|(start, _)| *start);
    let ends = ends.chain([text.len()]);
    let said = starts.iter().zip(ends).map(|((_, start), end)| {
        let line = text[*start..end].split('\n').next().unwrap_or("");
        let inside = line.trim_end_matches(['(', '*', ' ']);
        said_in(
            spoken,
            part.start + start..part.start + start + inside.len(),
        )
    });
    let said: Vec<Option<Named>> = said.collect();
    said.iter().all(Option::is_some).then_some(said)
}

/// "In order: 2, 5, 8", "1, 2, none": names and nones with commas between, and nothing else.
fn listed(spoken: &Spoken<'_>, count: usize) -> Option<Vec<Option<Named>>> {
    let part = spoken.part.clone();
    let text = spoken.get(part.clone()).trim_end();
    let lead = text.len() - text.trim_start().len();
    let line = text[lead..].split('\n').next().unwrap_or("");
    let text = &text[..lead + line.len()];
    let head = match text.split_once(':') {
        Some((head, _))
            if spoken
                .cues
                .any(part.start..part.start + head.len(), Role::Each) =>
        {
            head.len() + 1
        }
        Some(_) => return None,
        None => 0,
    };
    let mut start = part.start + head;
    let mut said = Vec::new();
    for piece in text[head..].split(',').take(count + 1) {
        let range = start..start + piece.len();
        start = range.end + 1;
        let none = || {
            let short = words::words(piece).take(4).count() <= 3;
            (short && spoken.says_none(range.clone())).then_some(Named::NONE)
        };
        said.push(Some(bare(spoken, range.clone()).or_else(none)?));
    }
    (said.len() == count).then_some(said)
}

/// "The first one is A, the second one is B": names behind as many verbs as there are texts.
fn by_verbs(spoken: &Spoken<'_>, count: usize) -> Option<Vec<Option<Named>>> {
    let said = names_behind_verbs(spoken, spoken.part.clone());
    let named = spoken.mentions.len();
    (said.len() == count && (named == 0 || named == count))
        .then(|| said.into_iter().map(Some).collect())
}

/// "The first is [3], the second [5]"; "the former: 3, the latter: none".
fn by_ordinals(spoken: &Spoken<'_>, count: usize) -> Option<Vec<Option<Named>>> {
    let mut places: Vec<(usize, u8)> = Vec::new();
    for cue in spoken.cues.within(spoken.part.clone()) {
        if let Role::Ordinal(place) = cue.role
            && places.iter().all(|(_, other)| *other != place)
        {
            places.push((cue.end, place));
        }
    }
    if places.len() != count {
        return None;
    }
    places.sort_unstable();
    let ends: Vec<usize> = places
        .iter()
        .skip(1)
        .map(|(start, _)| *start)
        .chain([spoken.part.end])
        .collect();
    let mut said = vec![None; count];
    for (&(start, place), end) in places.iter().zip(ends) {
        let named = said_in(spoken, start..end);
        *said.get_mut(usize::from(place))? = named.or_else(|| only_name(&spoken.part(start..end)));
    }
    said.iter().all(Option::is_some).then_some(said)
}

/// As many parts as there are texts, each of which names marks or says none: lines, parts between
/// semicolons, sentences, and at last single mentions ("[3] and [5], respectively").
fn parted(spoken: &Spoken<'_>, count: usize) -> Option<Vec<Option<Named>>> {
    let text = spoken.get(spoken.part.clone());
    for separator in ["\n", ";", ". ", "/", "|"] {
        let mut said = Vec::new();
        let mut start = spoken.part.start;
        for piece in text.split(separator) {
            let range = start..start + piece.len();
            start = range.end + separator.len();
            let filled = piece.contains(char::is_alphanumeric);
            let named = said_in(spoken, range).filter(|_| filled);
            said.extend(named);
            if said.len() > count {
                break;
            }
        }
        if said.len() == count {
            return Some(said.into_iter().map(Some).collect());
        }
    }
    each(spoken, count)
}

/// One mention for each text, with nothing but joins between, in an answer that says no more, or
/// says "respectively".
fn each(spoken: &Spoken<'_>, count: usize) -> Option<Vec<Option<Named>>> {
    let meant: Vec<&Mention> = spoken.meant().collect();
    let respectively = spoken.cues.any(spoken.part.clone(), Role::Each);
    let one_list = matches!(meant[..], [list] if list.marks.len() == count);
    let end = meant.last().map_or(spoken.part.end, |last| last.span.end);
    let short = words::words(spoken.get(spoken.part.start..end))
        .take(9)
        .count()
        <= 8;
    if !respectively && !short {
        return None;
    }
    if let [list] = meant[..]
        && one_list
    {
        // "[3, 5]" of two texts.
        let status = list.status;
        let named = list.marks.iter().map(|&id| {
            Some(Named {
                marks: vec![id],
                status,
            })
        });
        return Some(named.collect());
    }
    let mut said: Vec<(usize, Named)> = meant
        .iter()
        .filter_map(|mention| Some((mention.span.start, Named::by([*mention])?)))
        .collect();
    let nones = spoken.cues.all(spoken.part.clone(), Role::None);
    said.extend(nones.map(|cue| (cue.start, Named::NONE)));
    said.sort_by_key(|(start, _)| *start);
    (said.len() == count).then(|| said.into_iter().map(|(_, named)| Some(named)).collect())
}

/// What a part says: its marks, or that there is none.
pub(super) fn said_in(spoken: &Spoken<'_>, range: Range<usize>) -> Option<Named> {
    let part = spoken.part(range.clone());
    if part
        .mentions
        .last()
        .is_some_and(|last| last.span.end > range.end)
    {
        // A list that goes on in the next part is read part by part.
        return bare(spoken, range);
    }
    let free = part.mentions.iter().zip(part.beside);
    let named = Named::by(
        free.filter(|(_, beside)| !**beside)
            .map(|(mention, _)| mention),
    )
    .or_else(|| Named::by(part.mentions));
    named
        .or_else(|| bare(spoken, range.clone()))
        .or_else(|| names_behind_verbs(spoken, range.clone()).into_iter().next())
        .or_else(|| spoken.says_none(range).then_some(Named::NONE))
}

/// A part that is nothing but names: `3`, `3, 4`, `**5**`.
fn bare(spoken: &Spoken<'_>, range: Range<usize>) -> Option<Named> {
    let text = spoken.get(range);
    let inside = text.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '*' | '.' | ',' | '"' | '`' | '-' | ':' | ';' | '(' | ')')
    });
    let (reading, end) = list_at(inside, 0, spoken.names, Setting::Enclosed)?;
    let mention = reading.mention(0..1);
    // Words may look like names that are letters.
    let numeric = inside.starts_with(|c: char| c.is_ascii_digit());
    (end == inside.len() && (numeric || mention.status == Status::Resolved))
        .then(|| Named::by([&mention]))
        .flatten()
}
