//! What something is said to be instead of what it was called first: "bowl" of "not a cup but a
//! bowl", of "cup – no, wait, a bowl", of "a bowl rather than a cup".

use crate::ground::{Role, words};

/// The part of `text` that says what the thing is.
pub(super) fn renamed(text: &str) -> &str {
    affirmed(said_last(text))
}

fn said_last(text: &str) -> &str {
    let lower = words::lowered(text);
    if let Some(said) = behind_denial(text, &lower) {
        return said;
    }
    let at = |role: Role| {
        let end = words::at(&lower, 0, role)?;
        let rest = &lower[end..];
        (rest.starts_with([' ', ',']) || rest.starts_with(words::is_unspaced)).then_some(end)
    };
    let opening = at(Role::Denies).max(at(Role::DeniesBehind));
    let guessed = at(Role::Tentative).max(at(Role::Retracts)).is_some();
    if opening.is_some() || guessed {
        let begin = opening.unwrap_or(0);
        let said = behind_contrast(text, &lower, begin)
            .or_else(|| said_instead(text, &lower))
            .or_else(|| behind_sign(text, begin).filter(|_| !guessed));
        let not = opening.is_some_and(|end| !is_kept(&lower[..end]));
        if said.is_some() || not && !guessed {
            return said.unwrap_or("");
        }
    }
    if let Some(said) = behind_question(text, &lower) {
        return said;
    }
    behind_correction(text, &lower)
        .or_else(|| is_but(text, &lower))
        .unwrap_or(text)
}

/// True for what begins no denial of a name: "none of these".
fn is_kept(denial: &str) -> bool {
    let whole = |role| words::at(denial, 0, role) == Some(denial.len());
    let no = [Role::NoOne, Role::No].into_iter().any(whole);
    no || words::at(denial, 0, Role::NoOne).is_some() || lacks(denial)
}

/// True for a denial that may stand in a name: "bottle without a lid".
fn lacks(denial: &str) -> bool {
    words::at(denial, 0, Role::Without).is_some()
}

/// "ボウル" of "カップではなくボウル", "bir kase" of "bir bardak değil, bir kase": the denial stands
/// behind what it denies, and before what is so.
fn behind_denial<'a>(text: &'a str, lower: &str) -> Option<&'a str> {
    let mut words = words::words(lower).filter(|word| word.start > 0);
    words.find_map(|word| {
        let role = |role| words::at(lower, word.start, role);
        let end = role(Role::DeniesBehind).max(role(Role::Instead))?;
        let joined = !lower[..word.start]
            .trim_end()
            .ends_with([',', '，', ';', '、']);
        let rest = text.get(end..)?.trim_start_matches(' ');
        let glued = lower[..end].ends_with(words::is_unspaced) && role(Role::Instead).is_some();
        let contrast = words::at(rest, 0, Role::Contrasts);
        let name = match contrast {
            Some(contrast) => rest[contrast..].trim_start(),
            None => rest.trim_start_matches([',', '，', ' ']),
        };
        let parted = glued || contrast.is_some() || name.len() < rest.len();
        let foreign = !lower[word.start..end].is_ascii();
        (joined && parted && foreign && !name.is_empty()).then_some(name)
    })
}

/// "A candle" of "lamp – sorry, a candle", of "cup — no, wait, a candle".
fn behind_correction<'a>(text: &'a str, lower: &str) -> Option<&'a str> {
    const SIGNS: [char; 10] = [',', '—', '–', '-', '.', ';', ':', '…', '(', ' '];
    let mut words = words::words(lower);
    words.find_map(|word| {
        let before = lower[..word.start].trim_end_matches(' ');
        let parted = before.is_empty() || before.ends_with(&SIGNS[..9]);
        // "Un cane, non un gatto" denies.
        let denies = words::at(lower, word.start, Role::Denies).is_some()
            && lower[word.end..].starts_with(' ');
        let mut end = words::at(lower, word.start, Role::Corrects)
            .filter(|end| {
                // "A pigeon no wait a dove": several words need no sign before them.
                let several = lower[word.start..*end].contains(' ');
                several || parted && !denies
            })
            .or_else(|| {
                // "A cup, actually a bowl": it needs no sign before it.
                let role = |role| words::at(lower, word.start, role);
                let end = role(Role::Corrects).min(role(Role::Renames))?;
                (end == word.end && lower[end..].starts_with(' ')).then_some(end)
            })?;
        loop {
            let next = end + lower[end..].len() - lower[end..].trim_start_matches(SIGNS).len();
            match words::at(lower, next, Role::Corrects) {
                Some(further) if further > end => end = further,
                _ => break,
            }
        }
        let rest = text[end..].trim_start_matches(SIGNS);
        rest.contains(char::is_alphanumeric).then_some(rest)
    })
}

/// Words of contrast in `lower` that give no reason, from `from` on: where each begins and ends.
fn contrasts(lower: &str, from: usize) -> impl Iterator<Item = (usize, usize)> {
    words::words(&lower[from..]).filter_map(move |word| {
        let start = from + word.start;
        let end = words::at(lower, start, Role::Contrasts)?;
        let reason = words::at(lower, start, Role::Because);
        reason
            .is_none_or(|reason| reason < end)
            .then_some((start, end))
    })
}

/// "A bowl" of "not a cup but a bowl".
fn behind_contrast<'a>(text: &'a str, lower: &str, from: usize) -> Option<&'a str> {
    let (_, end) = contrasts(lower, from).find(|(start, _)| *start > from)?;
    let rest = text[end..].trim_start_matches([' ', ',']);
    let rest = words::at(rest, 0, Role::Contrasts).map_or(rest, |end| &rest[end..]);
    Some(rest)
}

/// "It's a fox" of "a dog. It's a fox".
fn said_instead<'a>(text: &'a str, lower: &str) -> Option<&'a str> {
    const ENDS: [&str; 7] = [". ", "; ", ": ", ", ", " — ", " – ", "—"];
    let ends = ENDS
        .iter()
        .flat_map(|end| lower.match_indices(end))
        .map(|(at, end)| at + end.len());
    let begins = |end: &usize| words::at(lower, *end, Role::Renames).is_some();
    ends.filter(begins).min().map(|end| &text[end..])
}

/// "A scooter" of "not a bicycle; a scooter": a name of its own behind a sign.
fn behind_sign(text: &str, from: usize) -> Option<&str> {
    /// A name without an article is not longer, in words.
    const MOST: usize = 3;
    const SIGNS: [&str; 8] = ["; ", ": ", ", ", ". ", " – ", " — ", "，", "；"];
    let (at, sign) = SIGNS
        .iter()
        .filter_map(|sign| Some((from + text[from..].find(sign)?, sign)))
        .min()?;
    let rest = text[at + sign.len()..].trim_start();
    let line = rest.split('\n').next().unwrap_or(rest);
    let role = |role| words::at(line, 0, role).is_some();
    let short = words::words(line).take(MOST + 1).count() <= MOST && *sign != ", ";
    let gives = !role(Role::Because) && !role(Role::Denies) && !role(Role::Beside);
    ((role(Role::Article) || short && gives) && !line.is_empty()).then_some(rest)
}

/// "Dog" of "wolf? No, the snout is too short. Dog".
fn behind_question<'a>(text: &'a str, lower: &str) -> Option<&'a str> {
    let (_, reply) = text.split_once("? ")?;
    let role = |role| words::at(reply, 0, role).is_some();
    if role(Role::Affirms) {
        return text.split('?').next();
    }
    if !(role(Role::Denies) || role(Role::Corrects)) {
        return None;
    }
    let line = reply.split('\n').next().unwrap_or(reply).trim_end();
    let last = line
        .trim_end_matches(['.', '!'])
        .rsplit_once(['.', '!', ';', '—', '–']);
    let last = last
        .or_else(|| line.split_once([',', ':']))
        .map(|(_, last)| last.trim_start());
    last.or_else(|| said_instead(text, lower))
        .filter(|last| !last.is_empty())
}

/// "A dog" of "a wolf, but is a dog": what is denied by saying what it is.
fn is_but<'a>(text: &'a str, lower: &str) -> Option<&'a str> {
    contrasts(lower, 0).find_map(|(start, end)| {
        let rest = text[end..].trim_start_matches(' ');
        let pronoun = words::at(rest, 0, Role::Pronoun).unwrap_or(0);
        let rest = rest[pronoun..].trim_start_matches([' ', '\'', '’']);
        let adverb = words::at(rest, 0, Role::Corrects).unwrap_or(0);
        let rest = rest[adverb..].trim_start();
        let verb = words::at(rest, 0, Role::Copula)
            .max(words::at(rest, 0, Role::Is))
            .filter(|_| start > 0);
        let glued = pronoun > 0
            && lower[..]
                .get(end..)
                .is_some_and(|rest| rest.contains("'s "));
        let name = match verb {
            Some(verb) => rest[verb..].trim_start(),
            None if glued => rest,
            None => return None,
        };
        words::at(name, 0, Role::Article).map(|_| name)
    })
}

/// `text` up to where it says what it is not: "a seagull, not a pigeon", "a bench instead of a
/// table".
fn affirmed(text: &str) -> &str {
    let lower = words::lowered(text);
    let mut cut = text.len();
    for word in words::words(&lower) {
        if word.start == 0 {
            continue;
        }
        let before = lower[..word.start].trim_end_matches([' ', '(']);
        let parted =
            before.ends_with([',', ';', '，', '—', '–']) || lower[..word.start].ends_with('(');
        let role = |role| words::at(&lower, word.start, role).is_some();
        let end = |role| words::at(&lower, word.start, role);
        let instead = end(Role::Instead) > end(Role::Joins);
        let parts = instead
            || parted
                && (role(Role::Denies)
                    || role(Role::DeniesBehind)
                    || denies_next(&lower, word.end));
        if parts && !role(Role::Keeps) && !lacks(&lower[word.clone()]) {
            cut = before.len();
            break;
        }
    }
    text[..cut].trim_end_matches([' ', ',', ';', '—', '–', '(', '，'])
}

/// "Definitely not": an adverb, and a denial behind it.
fn denies_next(lower: &str, at: usize) -> bool {
    let next = at + lower[at..].len() - lower[at..].trim_start_matches(' ').len();
    next > at && words::at(lower, next, Role::Denies).is_some_and(|end| !lacks(&lower[next..end]))
}
