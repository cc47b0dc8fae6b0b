//! The name that words give: without what ties it to its mark, reasons and decoration.

use std::borrow::Cow;

use super::renamed::renamed;
use crate::ground::{Role, json::Key, words};

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
    // "I'm not sure what this is"
    if words::at(text, 0, Role::Blank)
        == Some(text.trim_end_matches(['.', '!', ' ', '\n', ',']).len())
    {
        return String::new();
    }
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
    let text = renamed(&unstruck);
    let text = if text.len() < unstruck.len() {
        without_leads(text)
    } else {
        text
    };
    let text = &text[..end_of(text)];
    let text = without_tail(text);
    // A word that announces a mark is the mark's.
    let alone = [
        Role::Announces,
        Role::Compares,
        Role::Concedes,
        Role::Corrects,
        Role::Both,
        Role::All,
    ]
    .iter()
    .any(|role| words::at(text, 0, *role) == Some(text.len()));
    let counts = words::number_at(text, 0).is_some_and(|(_, end)| end == text.len());
    // "(A cup,) in"
    let whole = |role| words::at(text, 0, role) == Some(text.len());
    let leads_on = whole(Role::Beside) && whole(Role::Because);
    if alone || counts || leads_on {
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
    // "Probably", "a picture of"
    if let Some(end) = words::at(text, 0, Role::Leads)
        && (text[end..].starts_with(' ') || text[..end].ends_with(words::is_unspaced))
    {
        return &text[end..];
    }
    // "(Mark 1: the) object is a sofa"
    let denies = words::at(text, 0, Role::Denies).is_some();
    let subject = words::at(text, 0, Role::Announces).filter(|_| !denies);
    let subject = subject.and_then(|end| {
        let rest = text[end..].strip_prefix(' ')?;
        let verb = words::at(rest, 0, Role::Is)?;
        rest[verb..].starts_with(' ').then(|| &rest[verb..])
    });
    if let Some(rest) = subject {
        return rest;
    }
    // "Which is a violin"
    let relative = words::at(text, 0, Role::Because).and_then(|end| {
        let rest = text[end..].strip_prefix(' ')?;
        words::at(rest, 0, Role::Is).map(|_| rest)
    });
    if let Some(rest) = relative {
        return rest;
    }
    // "(The number 1) marks the bus"
    if let Some(end) = words::at(text, 0, Role::Designates)
        && words::at(text[end..].trim_start(), 0, Role::Article).is_some()
    {
        return &text[end..];
    }
    for role in [Role::Is, Role::Copula, Role::Article, Role::Both] {
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
    const ENDS: [&str; 10] = ["</", "<|", ". ", "|", "; ", "\n", " (", " – ", " — ", " - "];
    let signs = ENDS.iter().filter_map(|end| text.find(end));
    let end = signs.filter(|&at| at > 0).min().unwrap_or(text.len());
    let remark = words::words(&text[..end])
        .filter(|word| word.start > 0)
        .find(|word| {
            let before = text[..word.start].trim_end_matches(' ');
            let apart = before.len() < word.start || before.ends_with(words::is_unspaced);
            let reason =
                before.ends_with(',') && words::at(text, word.start, Role::Reason).is_some();
            apart && (reason || words::at(text, word.start, Role::Remarks).is_some())
        });
    remark.map_or(end, |word| word.start)
}

/// `text` without what leads on to the next mark.
fn without_tail(text: &str) -> &str {
    let closing = |c: char| {
        c.is_whitespace() || matches!(c, ',' | '，' | ';' | '.' | '*' | '"' | '`' | '!' | '/')
    };
    let mut text = text;
    loop {
        let shorter = text.trim_end_matches(closing);
        let ending = words::endings().find_map(|ending| shorter.strip_suffix(ending));
        let shorter = ending
            .or_else(|| without_announced(shorter))
            .or_else(|| without_last(shorter, &[Role::Trails, Role::Joins]))
            .or_else(|| without_place(shorter))
            .unwrap_or(shorter);
        if shorter.len() == text.len() {
            break;
        }
        text = shorter;
    }
    text.trim_end_matches([' ', '(', '[', ':', '-', '–', '—'])
}

/// `text` without its last word, if that does one of `roles`.
fn without_last<'a>(text: &'a str, roles: &[Role]) -> Option<&'a str> {
    let (rest, last) = text.rsplit_once(' ')?;
    let does = |role: &Role| words::at(last, 0, *role) == Some(last.len());
    roles.iter().any(does).then_some(rest)
}

/// `text` without the word that announces the next mark, behind "and" or a comma: "una maleta y la
/// marca".
fn without_announced(text: &str) -> Option<&str> {
    let (rest, last) = text.rsplit_once(' ')?;
    let announces = words::at(last, 0, Role::Announces) == Some(last.len());
    let article = rest
        .rsplit_once(' ')
        .filter(|(_, word)| words::at(word, 0, Role::Article) == Some(word.len()));
    let rest = article.map_or(rest, |(rest, _)| rest);
    let parted = rest.ends_with([',', ';', '.']) || without_last(rest, &[Role::Joins]).is_some();
    (announces && parted).then_some(rest)
}

/// `text` without the word that leads on to where the next mark is: "a cup, in".
fn without_place(text: &str) -> Option<&str> {
    let (rest, last) = text.rsplit_once(' ')?;
    let places = words::at(last, 0, Role::Beside) == Some(last.len());
    let parted = rest.ends_with([',', ';']) || without_last(rest, &[Role::Joins]).is_some();
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
