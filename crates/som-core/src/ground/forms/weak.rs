//! Words that announce marks only where the words around them speak of marks, or a number is all that
//! is said: "the number 3".

use super::{Reader, reply::LEADS, series::stands_by};
use crate::ground::words::{self, Role};

/// Words before them are not further off, in bytes.
const NEAR: usize = 48;

/// True if `word`, at the reader's place, announces the names that begin at `start`.
pub(super) fn names_marks(reader: &Reader<'_>, word: &str, start: usize) -> bool {
    let &Reader { text, at, .. } = reader;
    let lower = word.to_lowercase();
    if !is_weak(word) {
        return true;
    }
    // "You'll want **option 5**"
    let name = text[start..].trim_start_matches(|c: char| c.is_ascii_alphanumeric());
    if text[..at].ends_with("**") && name.starts_with("**") && lower != "area" {
        return true;
    }
    let attribute = is_attribute(reader);
    if attribute && (text[..at].ends_with('(') || is_shown(reader)) {
        return false;
    }
    let near = text[text.ceil_char_boundary(at.saturating_sub(NEAR))..at]
        .rsplit(['.', '\n', ','])
        .next()
        .unwrap_or("")
        .to_ascii_lowercase();
    let before: Vec<&str> = near
        .rsplit(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .take(4)
        .collect();
    if before.iter().any(|word| is_strong(word)) {
        return true;
    }
    let name = &text[start..];
    let spelled = words::number_at(name, 0).map_or(0, |(_, end)| end);
    let letters = name.bytes().take_while(u8::is_ascii_alphabetic).count();
    let after = match letters {
        1 => &name[1..],
        _ => name[spelled..].trim_start_matches(|c: char| c.is_ascii_digit()),
    };
    let apposed = after
        .strip_prefix(", ")
        .is_some_and(|rest| rest.starts_with(char::is_alphabetic));
    let ends = after.is_empty()
        || after.starts_with(['.', ':', '\n', '-', '?', '!'])
        || after.starts_with(" (")
        || apposed && leads_alone(text, at);
    let thought = |text: &str| words::at(text.trim_start(), 0, Role::Opinion).is_some();
    let begins =
        near.trim().is_empty() || thought(&near) && before.len() < 3 || leads_alone(text, at);
    let alone = begins && (ends || thought(after));
    let verb = &text[at + word.len()..start];
    let is = words_say(verb, Role::Copula) && !words_say(verb, Role::Beside);
    // "The correct number is 4"
    let genuine = before
        .first()
        .is_some_and(|last| words::at(last, 0, Role::Genuine) == Some(last.len()));
    if genuine && is {
        return true;
    }
    let letter = lower != "number"
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && !name[1..].starts_with(char::is_alphanumeric);
    let says = before.first().is_some_and(|last| {
        matches!(
            *last,
            "is" | "are" | "was" | "be" | "s" | "its" | "as" | "to"
        )
    });
    // "Indicated by the number 3", "assigned the number 3"
    let by = !attribute
        && matches!(before[..], ["the", before, ..] if words::at(before, 0, Role::Carries) == Some(before.len()))
        && !is_marked_later(after);
    match lower.as_str() {
        "number" => {
            alone || says || by || stands_by(reader, at) || is_subject(&before) && designates(after)
        }
        "area" => false,
        "option" => alone || letter || is && ends || begins && is_told(after),
        _ => alone || letter || begins && is_told(after),
    }
}

/// "Isn't that just number 5", "it's the number 3": nothing but such words stands before it in the
/// answer.
fn leads_alone(text: &str, at: usize) -> bool {
    // What was thought before is blank.
    let lead = text[..at].trim_start();
    if lead.len() > NEAR {
        return false;
    }
    words::is_made_of(lead, &LEADS) && !lead.contains(['\n', '[', '|'])
}

/// "[3] has the number 8 on it", "the bus at mark 4 shows the number 20": a verb behind the mark says
/// that it bears the number.
fn is_shown(reader: &Reader<'_>) -> bool {
    let &Reader { text, at, .. } = reader;
    let Some(last) = reader.last() else {
        return false;
    };
    let between = &text[last.end.min(at)..at];
    words::words(between).any(|word| {
        let says = |role| words::at(between, word.start, role).is_some();
        says(Role::Carries) && !says(Role::Fills) && !says(Role::Beside)
            || says(Role::Is) && !says(Role::Copula) && !says(Role::Becomes)
    })
}

/// "(The one with the number 44 on it) is mark 7": the sentence goes on to name the mark itself.
fn is_marked_later(after: &str) -> bool {
    let near = &after[..after.floor_char_boundary(2 * NEAR)];
    let sentence = near.split([';', '\n']).next().unwrap_or(near);
    let sentence = sentence.split(". ").next().unwrap_or(sentence);
    words::words(sentence).any(|word| {
        words::at(sentence, word.start, Role::Mark).is_some_and(|end| {
            let name = sentence[end..].trim_start_matches([' ', '[', '*']);
            name.starts_with(|c: char| c.is_ascii_digit())
        })
    })
}

/// True for words that nothing weak announces by: "mark", "region", "object".
fn is_strong(word: &str) -> bool {
    let lists = words::at(word, 0, Role::Announces) == Some(word.len());
    let answers = words::at(word, 0, Role::Answers) == Some(word.len());
    lists && !answers && !is_weak(word) && !matches!(word, "no" | "letter" | "letters")
}

/// "[2] (number 10)", "[5] wears the number 12": what is said of a mark that the sentence names is
/// something it shows.
fn is_attribute(reader: &Reader<'_>) -> bool {
    let &Reader { text, at, .. } = reader;
    let Some(last) = reader.last().filter(|last| last.end + NEAR > at) else {
        return false;
    };
    let between = &text[last.end.min(at)..at];
    let apart = between.contains(". ") || between.contains(['\n', '!', '?', ':']);
    let joined = between.contains([',', ';']) || words_say(between, Role::Joins);
    !apart && (between.ends_with('(') || !joined)
}

/// True where the sentence begins with the word: "the number 3", "and the number 4".
fn is_subject(before: &[&str]) -> bool {
    matches!(before, [] | ["the"] | ["and", ..] | ["the", "and", ..])
}

/// "(Button 8) opens the settings": a verb of any kind follows.
fn is_told(after: &str) -> bool {
    const OTHERS: [Role; 6] = [
        Role::Of,
        Role::Joins,
        Role::Ranges,
        Role::Unit,
        Role::Measures,
        Role::Plural,
    ];
    let verb = after.strip_prefix(' ').unwrap_or("");
    verb.starts_with(|c: char| c.is_lowercase())
        && !OTHERS
            .iter()
            .any(|role| words::at(verb, 0, *role).is_some())
}

/// "(The number 3) marks the door", "is the door": what follows a number is what it is the mark of.
fn designates(after: &str) -> bool {
    let Some(rest) = after.strip_prefix(' ') else {
        return false;
    };
    // "(The number 4) in the image corresponds to"
    let inside = words::at(rest, 0, Role::At).and_then(|end| {
        let article = words::at(rest, end + 1, Role::Article)?;
        rest[article..].trim_start().split_once(' ')
    });
    let rest = inside.map_or(rest, |(_, rest)| rest);
    let verb = words::at(rest, 0, Role::Designates);
    let is = words::at(rest, 0, Role::Copula).map(|end| rest[end..].trim_start());
    verb.is_some() || is.is_some_and(|name| words::at(name, 0, Role::Article).is_some())
}

/// True for a word that announces marks only where something else speaks of them.
pub(super) fn is_weak(word: &str) -> bool {
    [Role::Weak, Role::Thing]
        .iter()
        .any(|role| words::at(word, 0, *role) == Some(word.len()))
}

fn words_say(text: &str, role: Role) -> bool {
    words::words(text).any(|word| words::at(text, word.start, role).is_some())
}
