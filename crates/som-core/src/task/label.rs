//! The name that words give: without what ties it to its mark, reasons and decoration.

use std::borrow::Cow;

use crate::ground::{Role, json::Key, words};

/// Verbs between a mark and what it is, besides those of the table of words.
const VERBS: [&str; 14] = [
    "is ",
    "are ",
    "shows ",
    "contains ",
    "depicts ",
    "represents ",
    "appears to be ",
    "looks like ",
    "seems to be ",
    "corresponds to ",
    "refers to ",
    "there is ",
    "there are ",
    "and ",
];

const MARKS: [char; 21] = [
    ' ', '\t', ',', '*', '`', ')', '(', ']', ':', '-', '–', '—', '=', '→', '>', '|', '"', '#', '.',
    '•', '\'',
];

/// True if what follows a mark says what it is: `: white cup`, `is a white cup`.
pub(super) fn is_tied(after: &str) -> bool {
    const SIGNS: [&str; 9] = [":", "=", "→", "->", "- ", "– ", "— ", "|", "("];
    let closing = |c: char| matches!(c, ' ' | '*' | '`' | '"' | ')' | ']');
    let after = after.trim_start_matches(closing);
    SIGNS.iter().any(|tie| after.starts_with(tie)) || words::at(after, 0, Role::Is).is_some()
}

/// The name in `text`, which stands behind a mark or before it.
pub(super) fn label_in(text: &str) -> String {
    let mut text = text.trim_start_matches(MARKS);
    loop {
        let before = text.len();
        text = without_lead(text);
        if text.len() == before {
            break;
        }
        text = text.trim_start_matches(MARKS);
    }
    let text = without_key(text);
    let unstruck = without_struck(text);
    let text = corrected(&unstruck);
    let text = &text[..end_of(text)];
    let text = without_tail(text);
    // A word that announces a mark is the mark's.
    let alone = words::at(text, 0, Role::Announces) == Some(text.len());
    if alone || ["in", "mark", "region", "label", "object"].contains(&text.to_lowercase().as_str())
    {
        return String::new();
    }
    let plain = text.replace(['*', '`', '"'], "");
    let plain = plain.trim_matches([' ', '(', ')', '.', ',', '[', ']']);
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `text` behind a key that says that it is a name: "name: red box".
fn without_key(text: &str) -> &str {
    let keyed = text.split_once(": ").filter(|(key, _)| {
        let word = key.trim_matches(['"', ' ', '*']);
        word.bytes()
            .all(|byte| byte.is_ascii_alphabetic() || byte == b'_')
            && matches!(Key::of(word), Key::Text | Key::MarksOrText)
    });
    keyed.map_or(text, |(_, name)| name.trim_start_matches(MARKS))
}

/// `text` without what is struck through: "~~cup~~ bowl".
fn without_struck(text: &str) -> Cow<'_, str> {
    let line = text.split('\n').next().unwrap_or(text);
    if line.matches("~~").count() != 2 {
        return text.into();
    }
    let mut parts = line.splitn(3, "~~");
    let (before, _, after) = (parts.next(), parts.next(), parts.next());
    let kept = [before.unwrap_or(""), after.unwrap_or("")].concat();
    kept.trim_start_matches(MARKS).to_owned().into()
}

/// `text` behind a verb or an article that it begins with.
fn without_lead(text: &str) -> &str {
    const OTHERS: [&str; 43] = [
        "definitely ",
        "certainly ",
        "obviously ",
        "surely ",
        "really ",
        "might be ",
        "may be ",
        "could be ",
        "must be ",
        "can be ",
        "would be ",
        "i think ",
        "i believe ",
        "i'd say ",
        "i see ",
        "i would say ",
        "possibly ",
        "perhaps ",
        "apparently ",
        "presumably ",
        "seemingly ",
        "it is ",
        "it's ",
        "this is ",
        "that is ",
        "there is ",
        "there's ",
        "probably ",
        "likely ",
        "clearly ",
        "most likely ",
        "also ",
        "shows a ",
        "what looks like ",
        "what appears to be ",
        "now ",
        "image of ",
        "picture of ",
        "labelled ",
        "labeled ",
        "actually ",
        "in fact ",
        "rather ",
    ];
    for lead in VERBS.iter().chain(&OTHERS) {
        if let Some(head) = text.get(..lead.len())
            && head.eq_ignore_ascii_case(lead)
        {
            return &text[lead.len()..];
        }
    }
    for role in [Role::Is, Role::Article] {
        if let Some(end) = words::at(text, 0, role) {
            let glued = text[..end].ends_with(words::is_unspaced);
            let rest = &text[end..];
            if glued || rest.starts_with([' ', '\'']) {
                return rest;
            }
        }
    }
    text
}

/// What is said instead: "bowl" of "not a cup but a bowl", of "cup – no, wait, a bowl".
fn corrected(text: &str) -> &str {
    let lower = words::lowered(text);
    const NOT: [&str; 8] = [
        "not ", "nicht ", "kein ", "keine ", "pas ", "no es ", "non è ", "不是",
    ];
    const BUT: [&str; 12] = [
        " but rather ",
        " but ",
        ", it's ",
        ", it is ",
        "; it is ",
        "; it's ",
        " sondern ",
        " mais ",
        " sino ",
        "而是",
        " ma ",
        ". it is ",
    ];
    const NO: [&str; 7] = [
        "no, wait, ",
        "wait, no, ",
        "actually, ",
        "actually ",
        "— no, ",
        "correction: ",
        "or rather ",
    ];
    let denied = [Role::Denies, Role::DeniesBehind]
        .iter()
        .any(|role| words::at(&lower, 0, *role).is_some_and(|end| lower[end..].starts_with(' ')));
    let not = NOT.iter().any(|not| lower.starts_with(not));
    let guessed = words::at(&lower, 0, Role::Tentative).is_some();
    if denied || not || guessed {
        let renamed = BUT
            .iter()
            .find_map(|but| Some(&text[lower.find(but)? + but.len()..]))
            .or_else(|| said_instead(text, &lower));
        let denied = not && !guessed;
        if denied || renamed.is_some() {
            return renamed.map_or("", without_leads);
        }
    }
    for no in NO {
        if let Some(at) = lower.find(no) {
            return without_leads(&text[at + no.len()..]);
        }
    }
    text
}

/// "It's a fox" of "a dog. It's a fox".
fn said_instead<'a>(text: &'a str, lower: &str) -> Option<&'a str> {
    const ENDS: [&str; 5] = [". ", "; ", " — ", " – ", "—"];
    const LEADS: [&str; 20] = [
        "it's ",
        "it is ",
        "this is ",
        "that's ",
        "that is ",
        "rather",
        "i'd say ",
        "i would say ",
        "i think ",
        "more like",
        "probably ",
        "actually",
        "instead",
        "es ist ",
        "das ist ",
        "c'est ",
        "es una ",
        "es un ",
        "это ",
        "це ",
    ];
    let end = ENDS
        .iter()
        .filter_map(|end| Some(lower.find(end)? + end.len()));
    let end = end.min()?;
    let begins = LEADS.iter().any(|lead| lower[end..].starts_with(lead));
    begins.then(|| &text[end..])
}

fn without_leads(mut text: &str) -> &str {
    loop {
        let shorter = without_lead(text.trim_start_matches(MARKS));
        if shorter.len() == text.len() {
            return text;
        }
        text = shorter;
    }
}

/// Where the name at the start of `text` ends: before the next sentence or cell, or a reason.
fn end_of(text: &str) -> usize {
    const ENDS: [&str; 21] = [
        "</",
        " which ",
        " that is ",
        " who ",
        ". ",
        "|",
        "; ",
        "\n",
        " because ",
        " since ",
        " as it ",
        " (",
        ", which ",
        ", because ",
        " – ",
        " — ",
        ", as ",
        ", since ",
        ", identified ",
        " - ",
        " due to ",
    ];
    let end = ENDS
        .iter()
        .filter_map(|end| text.find(end).filter(|&at| at > 0))
        .min();
    end.unwrap_or(text.len())
}

/// `text` without what leads on to the next mark.
fn without_tail(text: &str) -> &str {
    const LEADS: [&str; 12] = [
        " and",
        " mark",
        " region",
        " label",
        " object",
        " labeled",
        " labelled",
        " marked",
        " the",
        " number",
        " while",
        " but",
    ];
    const TAILS: [&str; 7] = ["です", "입니다", "だ", "である", "이다", " है", "dır"];
    let closing =
        |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '.' | '*' | '"' | '`' | '!');
    let mut text = text;
    loop {
        let shorter = text.trim_end_matches(closing);
        let lead = LEADS
            .iter()
            .chain(&TAILS)
            .find_map(|lead| shorter.strip_suffix(lead));
        let shorter = lead
            .or_else(|| without_join(shorter))
            .or_else(|| without_place(shorter))
            .unwrap_or(shorter);
        if shorter.len() == text.len() {
            break;
        }
        text = shorter;
    }
    text.trim_end_matches([' ', '(', '[', ':', '-', '–', '—'])
}

/// `text` without an "and" at its end, in any language.
fn without_join(text: &str) -> Option<&str> {
    let (rest, last) = text.rsplit_once(' ')?;
    (words::at(last, 0, Role::Joins) == Some(last.len())).then_some(rest)
}

/// `text` without the word that leads on to where the next mark is: "a cup, in".
fn without_place(text: &str) -> Option<&str> {
    let (rest, last) = text.rsplit_once(' ')?;
    let places = words::at(last, 0, Role::Beside) == Some(last.len());
    let parted = rest.ends_with([',', ';']) || without_join(rest).is_some();
    (places && parted).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_alone() {
        for (text, expected) in [
            (": white cup", "white cup"),
            (" is the wall because it is grey.", "wall"),
            (" - Blue Ellipses", "Blue Ellipses"),
            ("**: a *white* cup. It is full", "white cup"),
            (" is not a cup but a bowl", "bowl"),
            (": cup — no, wait, a bowl", "bowl"),
            (" ist eine Tasse", "Tasse"),
            ("是一个杯子", "杯子"),
            ("は赤い箱です", "赤い箱"),
            (" (white cup)", "white cup"),
            (": ~~cup~~ bowl", "bowl"),
            (" isn't a cup; it's a bowl", "bowl"),
            (" there is a cup, in ", "cup"),
            (" mark", ""),
        ] {
            assert_eq!(label_in(text), expected, "{text}");
        }
    }
}
