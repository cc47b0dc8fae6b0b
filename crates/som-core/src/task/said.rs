//! What an answer says of a text or a mark right behind it: `: 3, 5`, `→ none`, `is gone`.

use super::grounded::Named;
use crate::ground::{Mention, Names, Setting, is_quantity, list_at};

/// The names that follow a tie, such as a colon, at the start of `text`; "none" counts, too.
pub(super) fn names_behind_tie(text: &str, names: &Names) -> Option<Named> {
    let tie = |c: char| matches!(c, ':' | '：' | '=' | '-' | '–' | '—' | '→' | '>' | '|');
    let text = text.trim_start_matches(is_closing);
    let list = text.trim_start_matches(|c| tie(c) || is_closing(c));
    if list.len() == text.len() {
        return None;
    }
    if starts_with_word(list, "none") {
        return Some(Named::NONE);
    }
    let (reading, end) = list_at(list, 0, names, Setting::Enclosed)?;
    let ends = list[end..].trim_start_matches(is_closing);
    let ends = ends.is_empty() || ends.starts_with(['.', ',', ';', '|', '(']);
    let by_number = list.starts_with(|c: char| c.is_ascii_digit() || is_closing(c));
    if is_quantity(list, end) || !(by_number || ends) {
        return None;
    }
    let mention = reading.mention(0..1);
    Named::by([&mention])
}

fn is_closing(c: char) -> bool {
    c.is_whitespace() || matches!(c, '*' | '"' | '\'' | '`' | '”' | ')')
}

/// True if `text` says that something is not there.
pub(super) fn says_none(text: &str) -> bool {
    const ABSENT: [&str; 39] = [
        "not found",
        "not be found",
        "not visible",
        "not present",
        "not there",
        "not shown",
        "not seen",
        "not in ",
        "not exist",
        "not appear",
        "not match",
        "not depicted",
        "not applicable",
        "no longer visible",
        "no longer present",
        "no longer there",
        "no longer in ",
        "no match",
        "no such",
        "no corresponding",
        "no counterpart",
        "no mark",
        "no region",
        "there is no ",
        "there are no ",
        "there's no ",
        "i see no ",
        "cannot find",
        "n't find",
        "cannot see",
        "n't see",
        "not see ",
        "n't in ",
        "n't visible",
        "n't there",
        "n't appear",
        "there isn't",
        "there aren't",
        "out of view",
    ];
    const WORDS: [&str; 8] = [
        "none",
        "gone",
        "null",
        "n/a",
        "missing",
        "absent",
        "disappeared",
        "nowhere",
    ];
    // Who sees no image says nothing of what is in it.
    const BLIND: [&str; 8] = [
        "see the image",
        "see any image",
        "see an image",
        "see images",
        "see the picture",
        "no image",
        "image is missing",
        "image is not",
    ];
    let text = text.to_ascii_lowercase().replace('’', "'");
    if BLIND.iter().any(|blind| text.contains(blind)) {
        return false;
    }
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '/');
    words.any(|word| WORDS.contains(&word)) || ABSENT.iter().any(|absent| text.contains(absent))
}

/// True if `text` begins with this word, in any letter case.
fn starts_with_word(text: &str, word: &str) -> bool {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_alphanumeric());
    text.get(..word.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(word) && ends(&text[word.len()..]))
}

/// The end of the list of mentions that `mentions` begin with: only "and" and the like stand
/// between them.
pub(super) fn list_length(answer: &str, mentions: &[Mention]) -> usize {
    let ties = mentions.windows(2).take_while(|pair| {
        let between = answer.get(pair[0].span.end..pair[1].span.start);
        is_conjunction(between.unwrap_or(""))
    });
    mentions.len().min(ties.count() + 1)
}

/// True if no word but "and" or "or" is in it.
pub(super) fn is_conjunction(text: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric())
        .all(|word| matches!(word, "" | "and" | "or"))
        && !text.contains([':', '|', '='])
}
