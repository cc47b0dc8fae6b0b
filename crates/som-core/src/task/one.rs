//! What an answer says of a single expression.

use std::ops::Range;

use super::{
    grounded::Named,
    json,
    keyed::structured,
    nearby::marks_of_each,
    order,
    said::names_behind_tie,
    settled::{meant_of_one, settled, vague, wavers},
    spoken::Spoken,
    stated::stated_first,
};
use crate::ground::{Mention, Role, json::notes, words};

/// What the answer says of a single expression.
pub(super) fn one(spoken: &Spoken<'_>, expression: &String) -> Option<Named> {
    let expressions = std::slice::from_ref(expression);
    if let Some(named) =
        structured(spoken, expressions).and_then(|given| given.into_iter().next()?)
    {
        return Some(named);
    }
    if let Some(named) = in_document(spoken) {
        return Some(named);
    }
    if let Some(part) = spoken.verdict() {
        let verdict = spoken.part(part.clone());
        let bare = || behind_answer(spoken, &verdict);
        if let Some(named) = meant_of_one(&verdict).or_else(bare) {
            return Some(named);
        }
        if spoken.says_none(part) {
            return Some(Named::NONE);
        }
    }
    if let Some(named) = settled(spoken) {
        return Some(named);
    }
    if denied_at_last(spoken) || concludes_none(spoken) {
        return Some(Named::NONE);
    }
    if let Some(named) = stated_first(spoken) {
        return Some(named);
    }
    if let Some(named) = of_head(spoken, expression) {
        return Some(named);
    }
    let near = marks_of_each(spoken, expressions).and_then(|given| given.into_iter().next()?);
    // "Not [2] (no kite) — it's [8]"
    let near = match near {
        Some(near) if near.marks.is_empty() => pointed_at(spoken).or(Some(near)),
        near => near,
    };
    if let Some(named) = near {
        let meant: Vec<Mention> = spoken.meant().cloned().collect();
        let wavers = named.marks.len() > 1 && wavers(spoken, &meant);
        return Some(if wavers { vague(named) } else { named });
    }
    let named = meant_of_one(spoken);
    let denied = !spoken.mentions.is_empty() && spoken.meant().next().is_none();
    named
        .or_else(|| {
            order::said_in(spoken, spoken.part.clone()).filter(|_| spoken.mentions.is_empty())
        })
        .or_else(|| (denied && spoken.says_none(spoken.part.clone())).then_some(Named::NONE))
        .or_else(|| bare_name(spoken))
}

/// "It's [8]", "I'd say [8]": the last mark that is meant, if its clause does nothing but point at it.
fn pointed_at(spoken: &Spoken<'_>) -> Option<Named> {
    const LEADS: [Role; 5] = [
        Role::Pronoun,
        Role::Copula,
        Role::Opinion,
        Role::Announces,
        Role::Article,
    ];
    let last = spoken.meant().last()?;
    let before = spoken.get(spoken.part.start..last.span.start);
    let clause = before.rsplit(['.', ',', ';', '—', '–', ':', '\n']).next()?;
    let led = words::made_of(clause, &LEADS)?;
    let points = led.contains(&Role::Pronoun) || led.contains(&Role::Opinion);
    points.then(|| Named::by([last])).flatten()
}

/// "I see [1] and [2], none of which is red", "I looked at [1] and [2], but found none".
fn denied_at_last(spoken: &Spoken<'_>) -> bool {
    /// Between the last mark and the word for none there are no more words.
    const MOST: usize = 3;
    let Some(last) = spoken.meant().last() else {
        return false;
    };
    let mut near = (last.span.end + 48).min(spoken.part.end);
    while !spoken.text.is_char_boundary(near) {
        near -= 1;
    }
    let Some(none) = spoken.cues.all(last.span.end..near, Role::None).next() else {
        return false;
    };
    let between = spoken.get(last.span.end..none.start);
    let direct = !between.contains(char::is_alphanumeric);
    let turned = spoken.cues.any(last.span.end..none.start, Role::Contrasts)
        && !between.contains(['.', ';', '\n']);
    let few = words::words(between).take(MOST + 1).count() <= MOST;
    let no_one = spoken.cues.any(none.start..none.start + 1, Role::NoOne);
    no_one && few && (direct || turned)
}

/// "There's a mug at [3], but it's green, so no region matches.": the last clause says of all of them that
/// there is none.
fn concludes_none(spoken: &Spoken<'_>) -> bool {
    let Some(last) = spoken.mentions.last() else {
        return false;
    };
    let rest = spoken.get(last.span.end..spoken.part.end);
    let clause = rest
        .trim_end_matches(['.', '!', ' ', '\n'])
        .rsplit([',', ';', '.', '—', '–', '\n'])
        .next()
        .unwrap_or("")
        .trim_start();
    let so = [Role::Contrasts, Role::Answers]
        .iter()
        .filter_map(|role| words::at(clause, 0, *role))
        .max();
    let Some(said) = so.map(|end| clause[end..].trim_start_matches([' ', ','])) else {
        return false;
    };
    let none = words::at(said, 0, Role::None).max(words::at(said, 0, Role::NoOne));
    none.is_some_and(|end| {
        let no_one = words::at(said, 0, Role::NoOne).is_some();
        let of_marks = words::words(&said[..end])
            .any(|word| words::at(said, word.start, Role::Announces).is_some());
        (no_one || of_marks) && !said.contains(|c: char| c.is_ascii_digit())
    })
}

/// "The laptop is marked [7], and the mug to its left is [4]": the mark that is said of the noun
/// itself which the expression is about, whatever words stand behind it.
fn of_head(spoken: &Spoken<'_>, expression: &str) -> Option<Named> {
    let expression = words::lowered(expression);
    let places = |word: &Range<usize>| {
        let at = |role| words::at(&expression, word.start, role).is_some();
        at(Role::Beside) || at(Role::Because)
    };
    let end = words::words(&expression)
        .find(|word| places(word))
        .filter(|word| word.start > 0)?
        .start;
    let start = words::at(&expression, 0, Role::Article).unwrap_or(0);
    // "The cup *to the* right of the kettle"
    let noun = words::words(expression.get(start..end)?)
        .map(|word| &expression[start..end][word])
        .filter(|word| {
            let leads = |role| words::at(word, 0, role) == Some(word.len());
            words::at(word, 0, Role::Article).is_none() && !leads(Role::Toward)
        })
        .last()?
        .to_owned();
    // Two that are said to be so are not told apart by it.
    let mut found = None;
    let told = spoken.mentions.iter().zip(spoken.beside);
    for (mention, _) in told.filter(|(mention, beside)| mention.is_meant() && !**beside) {
        if clause_is_about(spoken, mention, &noun) && found.replace(mention).is_some() {
            return None;
        }
    }
    found.and_then(|mention| Named::by([mention]))
}

/// True for "the mug to its left is [4]": the clause begins with `noun`, and ends with a verb before
/// the mention.
fn clause_is_about(spoken: &Spoken<'_>, mention: &Mention, noun: &str) -> bool {
    /// A clause is not longer, in bytes.
    const LONGEST: usize = 96;
    /// Words before the noun.
    const MOST: usize = 3;
    let before = spoken.get(spoken.part.start..mention.span.start);
    let near = before.ceil_char_boundary(before.len().saturating_sub(LONGEST));
    let before = &before[near..];
    let clause = before
        .rsplit(['.', ',', ';', ':', '\n', '[', ']'])
        .next()
        .unwrap_or(before);
    let clause = words::lowered(clause);
    let verb = words::words(&clause)
        .filter(|word| words::at(&clause, word.start, Role::Is).is_some())
        .last();
    let about = words::words(&clause)
        .take(MOST + 1)
        .any(|word| &clause[word] == noun);
    about && verb.is_some()
}

/// "It's 3.", "I'd go with C.": the only name of a short answer, if it ends a clause.
fn bare_name(spoken: &Spoken<'_>) -> Option<Named> {
    /// A longer answer, in bytes, says more.
    const LONGEST: usize = 120;
    /// What leads to a name is not longer.
    const NEAR: usize = 32;
    const LEADS: [Role; 5] = [
        Role::Copula,
        Role::Is,
        Role::But,
        Role::Selects,
        Role::Picks,
    ];
    let text = spoken.get(spoken.part.clone()).trim_start();
    let text = text.split('\n').next().unwrap_or(text);
    let named = spoken.meant().next().is_some();
    if text.len() > LONGEST || named || spoken.says_none(spoken.part.clone()) {
        return None;
    }
    let is_name = |word: &str| {
        let letters = word.bytes().all(|byte| byte.is_ascii_uppercase());
        word.starts_with(|c: char| c.is_ascii_digit())
            || letters && json::of_text(word, spoken).is_some_and(|named| !named.marks.is_empty())
    };
    let led = |before: &str| {
        let before = before.trim_end_matches([' ', '*', '"', '(']);
        let near = &before[before.ceil_char_boundary(before.len().saturating_sub(NEAR))..];
        let leads = |role: &Role| {
            words::words(near).any(|word| words::at(near, word.start, *role) == Some(near.len()))
        };
        near.ends_with("'s") || LEADS.iter().any(leads)
    };
    let mut found = words::words(text).filter(|word| is_name(&text[word.clone()]));
    let mut name = found.find(|word| led(&text[..word.start]));
    if name.is_some() && found.next().is_some() {
        name = None;
    }
    let name = name?;
    let (before, after) = (&text[..name.start], &text[name.end..]);
    let ends = after.is_empty() || after.starts_with(['.', ',', '!', ';', '\n', ')', '*', '。']);
    let apart = before.ends_with([' ', '*', '"', '(']);
    (ends && apart)
        .then(|| json::of_text(&text[name], spoken))
        .flatten()
}

/// "The answer is 3": a number behind the word for the answer.
fn behind_answer(spoken: &Spoken<'_>, verdict: &Spoken<'_>) -> Option<Named> {
    let cue = spoken.cues.all(verdict.part.clone(), Role::Answers).next();
    let start = cue.map_or(verdict.part.start, |cue| cue.end);
    let end = verdict.part.end;
    names_behind_tie(&spoken.part(start..end)).or_else(|| match cue {
        None => order::said_in(spoken, verdict.part.clone()),
        Some(_) => None,
    })
}

/// The marks of the answer's JSON, whatever they go with: what stands under keys for them.
fn in_document(spoken: &Spoken<'_>) -> Option<Named> {
    let mut named: Option<Named> = None;
    for document in spoken.documents {
        let part = spoken.part(document.span.clone());
        // A reason may name other marks: {"mark": 5, "reason": "left of [2]"}.
        let notes = notes(document, spoken.text);
        let is_note = |mention: &&Mention| {
            let next = notes.partition_point(|note| note.end <= mention.span.start);
            notes
                .get(next)
                .is_some_and(|note| note.start <= mention.span.start)
        };
        let said = part.mentions.iter().filter(|mention| !is_note(mention));
        let denied = || {
            let all = !part.mentions.is_empty() && part.meant().next().is_none();
            all.then_some(Named::NONE)
        };
        let nothing = || json::value(document, spoken).filter(|value| *value == Named::NONE);
        let said = Named::by(said)
            .or_else(nothing)
            .or_else(|| Named::by(part.mentions));
        let next = said.or_else(denied).or_else(|| {
            let value = json::value(document, spoken);
            let empty = spoken.get(document.span.clone());
            value
                .or_else(|| says_nothing(empty).then_some(Named::NONE))
                .or_else(|| {
                    spoken
                        .says_none(document.span.clone())
                        .then_some(Named::NONE)
                })
        });
        named = match (named, next) {
            (Some(named), Some(next)) => Some(named.and(next)),
            (named, next) => named.or(next),
        };
    }
    named
}

/// True for JSON that reports that there is no mark: an empty list, null, SAM 3's
/// `report_no_mask`.
fn says_nothing(json: &str) -> bool {
    json.contains("[]") || json.contains("null") || json.contains("report_no_mask")
}
