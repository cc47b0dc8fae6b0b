//! The noun that a sentence is about, and what it stands by: "The fork [3] lies on the table [4]".

use crate::ground::{Role, words};

/// "The cup [1] is white": the noun that a line or sentence begins with, right before its mark;
/// one without an article only where what follows is no noun.
pub(super) fn subject<'a>(before: &'a str, begins_line: bool, after: &str) -> Option<&'a str> {
    /// A longer subject, in words, is more than a name.
    const MOST: usize = 4;
    let before = before.trim_end_matches([' ', '(', '*']);
    let text = last_sentence(before);
    if text.len() == before.len() && !begins_line {
        return None;
    }
    let text = text.trim_start_matches([' ', '*', '-', '•', '"']);
    let article = words::at(text, 0, Role::Article).filter(|end| {
        // "L'assiette", but not "I'd say".
        let (article, rest) = text.split_at(*end);
        let short = matches!(article, "l" | "L" | "d" | "un" | "Un");
        rest.starts_with(' ') && article != "I" || short && rest.starts_with('\'')
    });
    let noun = &text[article.unwrap_or(0)..];
    let mut count = 0;
    let plain = words::words(noun).all(|word| {
        count += 1;
        let other = matches!(
            &noun[word.clone()],
            "one" | "thing" | "first" | "last" | "other"
        );
        let does = [
            Role::Announces,
            Role::Beside,
            Role::Is,
            Role::Contrasts,
            Role::None,
            Role::Both,
            Role::All,
        ];
        !other
            && words::number_at(noun, word.start).is_none()
            && !does
                .iter()
                .any(|role| words::at(noun, word.start, *role).is_some())
    });
    let says = words::at(after, after.len() - after.trim_start().len(), Role::Is);
    let is_noun = says.is_some_and(|end| {
        let rest = after[end..].trim_start();
        words::at(rest, 0, Role::Article).is_some()
    });
    let alone = count == 1 && noun.starts_with(char::is_uppercase) && says.is_some() && !is_noun
        || noun.starts_with(words::is_unspaced) && count <= 2 * MOST && says.is_some();
    let short = (1..=MOST).contains(&count) && article.is_some();
    (plain && (short || alone)).then_some(text)
}

/// `text` from its last sentence on.
pub(super) fn last_sentence(text: &str) -> &str {
    let ends = [". ", "! ", "? ", "; "];
    let end = ends.iter().filter_map(|end| text.rfind(end)).max();
    end.map_or(text, |end| &text[end + 2..])
}

/// "lies on the table": what something is said to be on or beside.
pub(super) fn standing_by(before: &str) -> &str {
    /// Before the word for the place stands no more than a verb.
    const MOST: usize = 2;
    let mut passed = 0;
    for word in words::words(before) {
        if let Some(end) = words::at(before, word.start, Role::Beside) {
            let of = matches!(
                &before[word],
                "of" | "with" | "de" | "von" | "mit" | "di" | "con"
            );
            let rest = before.get(end..).unwrap_or("");
            return if of || rest.trim().is_empty() {
                before
            } else {
                rest
            };
        }
        passed += 1;
        let joins = words::at(before, word.start, Role::Joins).is_some();
        let article = words::at(before, word.start, Role::Article).is_some();
        if joins || article || passed > MOST {
            break;
        }
    }
    before
}
