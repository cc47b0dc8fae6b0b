//! `refer`: which regions do expressions mean?

use std::ops::Range;

use super::{
    grounded::{Finding, Named},
    json,
    matching::{overlap, plain_words, same},
    nearby::{marks_of_each, without_article},
    order,
    pieces::piece_by_piece,
    said::{list_length, names_behind_tie},
    spoken::Spoken,
    stated::stated_first,
};
use crate::ground::{Mention, Polarity, Role, Status, json::notes, words};

/// One finding for each expression, in their order.
pub(super) fn read(spoken: &Spoken<'_>, expressions: &[String]) -> Vec<Finding> {
    let given = match expressions {
        [expression] => vec![one(spoken, expression)],
        _ => several(spoken, expressions),
    };
    expressions
        .iter()
        .zip(given)
        .map(|(expression, named)| Finding::new(expression, named.unwrap_or(Named::MISSING)))
        .collect()
}

/// What the answer says of several expressions: by their words, else by their order. What it comes
/// down to goes before what it says on the way.
fn several(spoken: &Spoken<'_>, expressions: &[String]) -> Vec<Option<Named>> {
    if let Some(given) = structured(spoken, expressions) {
        return given;
    }
    let verdict = spoken.verdict().map(|part| spoken.part(part));
    if let Some(given) = verdict
        .as_ref()
        .and_then(|part| in_text(part, expressions))
        .filter(|given| given.iter().all(Option::is_some))
    {
        return given;
    }
    let mut given = in_text(spoken, expressions).unwrap_or_else(|| vec![None; expressions.len()]);
    // What it comes down to may speak of some of them alone.
    let last = verdict.and_then(|part| marks_of_each(&part, expressions));
    for (given, last) in given.iter_mut().zip(last.unwrap_or_default()) {
        *given = last.or(given.take());
    }
    given
}

fn in_text(spoken: &Spoken<'_>, expressions: &[String]) -> Option<Vec<Option<Named>>> {
    let by_words = marks_of_each(spoken, expressions);
    let all = |given: &Vec<Option<Named>>| given.iter().all(Option::is_some);
    if by_words.as_ref().is_some_and(all) {
        return by_words;
    }
    let keys: Vec<String> = expressions
        .iter()
        .map(|expression| without_article(&words::lowered(expression)).to_owned())
        .collect();
    if let Some(said) = piece_by_piece(spoken, &keys) {
        return Some(said);
    }
    let by_order = order::in_order(spoken, expressions.len());
    match (by_words, by_order) {
        // What is said in words stands; order fills what is left.
        (Some(words), Some(order)) => {
            let fits = words.iter().zip(&order).all(|(word, order)| {
                word.is_none()
                    || order.is_none()
                    || word.as_ref().map(|w| &w.marks) == order.as_ref().map(|o| &o.marks)
            });
            let filled = words.iter().zip(order);
            let filled = filled.map(|(word, order)| word.clone().or(order.filter(|_| fits)));
            Some(filled.collect())
        }
        (words, order) => words.or(order),
    }
}

/// What the answer says of each expression, if it is JSON that says something of one.
fn structured(spoken: &Spoken<'_>, expressions: &[String]) -> Option<Vec<Option<Named>>> {
    if spoken.documents.is_empty() {
        return None;
    }
    let pairs = json::pairs(spoken);
    let mut given: Vec<Option<Named>> = expressions
        .iter()
        .map(|expression| {
            let same: Vec<Named> = pairs
                .iter()
                .filter(|pair| same(&pair.text, expression).is_some())
                .map(|pair| pair.named.clone())
                .collect();
            same.into_iter().reduce(Named::and)
        })
        .collect();
    // Those whose words come closest, where the answer has its own.
    let free = |pair: &&json::Pair| {
        expressions
            .iter()
            .all(|other| same(&pair.text, other).is_none())
    };
    for (expression, given) in expressions.iter().zip(&mut given) {
        const CLOSE: f64 = 0.6;
        if given.is_none() {
            let wanted = plain_words(expression);
            let near = pairs.iter().filter(free).filter(|pair| {
                let words = plain_words(&pair.text);
                overlap(&words, &wanted) >= CLOSE || overlap(&wanted, &words) >= 1.0
            });
            let near: Vec<&json::Pair> = near.collect();
            if let [pair] = near[..] {
                *given = Some(pair.named.clone());
            }
        }
    }
    if given.iter().any(Option::is_some) {
        return Some(given);
    }
    let count = expressions.len();
    let ordered = json::in_order(spoken, count)?;
    Some(ordered.into_iter().map(Some).collect())
}

/// What the answer says of a single expression.
fn one(spoken: &Spoken<'_>, expression: &String) -> Option<Named> {
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

/// All that the answer means, without what it names to say where that is. Several marks in running
/// text, or between which it wavers, are ambiguous.
fn meant_of_one(spoken: &Spoken<'_>) -> Option<Named> {
    let zipped = spoken.mentions.iter().zip(spoken.beside);
    let free = zipped.filter(|(mention, beside)| mention.is_meant() && !**beside);
    let mut meant: Vec<Mention> = free.map(|(mention, _)| mention.clone()).collect();
    if meant.is_empty() {
        meant = spoken.meant().cloned().collect();
    }
    let named = Named::by(&meant)?;
    let located = meant.iter().all(|mention| mention.location.is_some());
    let one_list = list_length(spoken.text, &meant) == meant.len() || are_items(spoken, &meant);
    let wavers = named.marks.len() > 1 && wavers(spoken, &meant);
    if named.marks.len() > 1 && (!located && !one_list || wavers) {
        return Some(vague(named));
    }
    Some(named)
}

/// "Either [4] or [5], but I'd say [4]", "[2] and [4], only [4] is red": the mark that is named once
/// more in the end.
fn settled(spoken: &Spoken<'_>) -> Option<Named> {
    let meant: Vec<&Mention> = spoken.meant().collect();
    let [earlier @ .., before, last] = &meant[..] else {
        return None;
    };
    let again = earlier.iter().any(|other| other.marks == last.marks) || before.marks == last.marks;
    // "[5] is larger than [7], but the ripe one is [7]"
    let compared = spoken.mentions.iter().any(|other| {
        other.polarity == Polarity::Compared
            && other.marks == last.marks
            && other.span.start > before.span.start
    });
    let from = spoken
        .mentions
        .iter()
        .rfind(|other| other.span.end <= last.span.start)
        .map_or(before.span.end, |other| other.span.end);
    let between = from.max(before.span.end)..last.span.start;
    let settled = (again || compared) && settles(spoken, between) || names_again(spoken, &meant);
    settled.then(|| Named::by([*last])).flatten()
}

/// "Of the three dogs, [2], [3] and [7], the leftmost is [3]": behind a list, one of its marks alone is
/// named once more, and ends what is said of it.
fn names_again(spoken: &Spoken<'_>, meant: &[&Mention]) -> bool {
    let [listed @ .., last] = meant else {
        return false;
    };
    let list: Vec<Mention> = listed.iter().map(|mention| (*mention).clone()).collect();
    let marks = Named::by(&list).map_or(Vec::new(), |named| named.marks);
    let one = last.marks.len() == 1 && marks.len() > 1 && marks.contains(&last.marks[0]);
    let end = list.last().map_or(0, |mention| mention.span.end);
    let lead = spoken
        .get(end..last.span.start)
        .trim_end_matches([' ', '*', '[', '"', '(']);
    let named = words::words(lead).any(|word| {
        [Role::Copula, Role::Answers, Role::Announces]
            .iter()
            .any(|role| words::at(lead, word.start, *role) == Some(lead.len()))
    });
    let closed = spoken
        .get(last.span.end..spoken.part.end)
        .trim_start_matches([']', '*', '"', ')']);
    let ends = closed.is_empty() || closed.starts_with(['.', ',', '!', '\n', ';']);
    one && list_length(spoken.text, &list) == list.len() && named && ends
}

/// True if the words in `range` choose one of what was named.
fn settles(spoken: &Spoken<'_>, range: Range<usize>) -> bool {
    spoken.cues.any(range.clone(), Role::Contrasts) || spoken.cues.any(range, Role::Only)
}

fn vague(mut named: Named) -> Named {
    named.status = named.status.max(Status::Ambiguous);
    named
}

/// True if each stands at the start of a line of its own.
fn are_items(spoken: &Spoken<'_>, mentions: &[Mention]) -> bool {
    /// What an item begins with is shorter, in characters.
    const SHORT: usize = 16;
    let indent = |c: &char| !c.is_alphabetic() && *c != '\n' && !c.is_ascii_digit();
    mentions.iter().enumerate().all(|(index, mention)| {
        let before = spoken.get(0..mention.span.start).chars().rev();
        let marks = before.clone().take(SHORT).take_while(indent).count();
        let next = before.clone().nth(marks);
        marks < SHORT
            && (next == Some('\n') || next.is_none() && index == 0 || is_numbered(before, marks))
    })
}

/// True if a number and a line's start stand before the marks that an item begins with.
fn is_numbered(before: impl Iterator<Item = char>, marks: usize) -> bool {
    let mut rest = before.skip(marks).skip_while(char::is_ascii_digit);
    matches!(rest.next(), Some('\n') | None)
}

/// True for "[3] or [5]" and "either [3] or [5]".
fn wavers(spoken: &Spoken<'_>, mentions: &[Mention]) -> bool {
    let between = mentions.windows(2).any(|pair| {
        let between = pair[0].span.end..pair[1].span.start;
        between.len() < 40 && spoken.cues.any(between, Role::Hedges)
    });
    let within = |mention: &Mention| spoken.cues.any(mention.span.clone(), Role::Hedges);
    between || mentions.iter().any(within)
}
