//! "Every mark except [12]": all marks, from which those that follow are taken.

use super::{Found, Reader};
use crate::ground::{
    Mention, Polarity,
    names::{Names, Setting, list_at, skip},
    words::{self, Role},
};

/// The words for all marks at the reader's place, if others behind them take some out, and the rest
/// are not listed.
pub(super) fn all_but(reader: &Reader<'_>) -> Option<Found> {
    /// No further off are the marks that are taken out, and the list of the rest, in bytes.
    const NEAR: usize = 96;
    let &Reader {
        text, at, names, ..
    } = reader;
    let end = words::at(text, at, Role::All).or_else(|| each(text, at))?;
    let noun = noun_end(text, end);
    // "Everything but [12]" may speak of more than marks.
    let further = further_on(text, at, noun);
    let of_marks = speaks_of_marks(&text[at..noun]) || further.is_some();
    // "All but [12]", where nothing else is said.
    let alone = text[..at].trim().is_empty() && says_only_names(text, noun, names);
    if !of_marks && !alone {
        return None;
    }
    let excepts = excepts_end(text, noun).or_else(|| excepts_end(text, further?))?;
    let name = noun_end(text, excepts);
    let name = skip(text, name, |c| matches!(c, ' ' | '*' | '[' | '`'));
    let name = names.name_at(text, name)?;
    let near = text.floor_char_boundary(name.end + NEAR);
    let rest = text[name.end..near].split('\n').next().unwrap_or("");
    let listed = rest.contains(": ") || rest.ends_with(':');
    let known = !names.get(&text[name]).is_empty();
    let all = (known && !listed).then(|| names.every().mention(at..noun))?;
    // "Everything but 5 and 6"
    let bare = skip(text, excepts, |c| c == ' ');
    let article = words::at(text, bare, Role::Article).unwrap_or(bare);
    let bare = skip(text, article, |c| c == ' ');
    let plain = without_brackets(&text[bare..]);
    if alone && let Some((reading, _)) = list_at(&plain, 0, names, Setting::Enclosed) {
        let end = text.trim_end_matches([' ', '.', '!', '\n']).len();
        let out = Mention {
            polarity: Polarity::Excepted,
            ..reading.mention(bare..end)
        };
        return Some(Found::Mentions(vec![all, out], end));
    }
    Some(Found::Mention(all))
}

/// True if nothing but names behind a word that takes them out follows from `at` on.
fn says_only_names(text: &str, at: usize, names: &Names) -> bool {
    let Some(excepts) = excepts_end(text, at) else {
        return false;
    };
    let start = skip(text, excepts, |c| matches!(c, ' ' | '*' | '['));
    let article = words::at(text, start, Role::Article).unwrap_or(start);
    let rest = without_brackets(&text[article..]);
    let list = list_at(
        &rest,
        skip(&rest, 0, |c| c == ' '),
        names,
        Setting::Enclosed,
    );
    list.is_some_and(|(list, end)| {
        list.misses() == 0 && rest[end..].trim_matches([' ', '.', '!', '\n']).is_empty()
    })
}

fn speaks_of_marks(said: &str) -> bool {
    words::words(said).any(|word| words::at(said, word.start, Role::Announces).is_some())
}

/// Where a word that takes out others ends, if one stands at `at`.
fn excepts_end(text: &str, at: usize) -> Option<usize> {
    let start = skip(text, at, |c| matches!(c, ' ' | ','));
    words::at(text, start, Role::Excepts).or_else(|| words::at(text, start, Role::But))
}

/// "All of the marked fruits are ripe apart from [4]": where a word that takes out others begins, if
/// those that stand before it in the clause, from `at` on, speak of marks.
fn further_on(text: &str, at: usize, noun: usize) -> Option<usize> {
    /// There are no more words behind the noun, nor are they longer, in bytes.
    const MOST: usize = 8;
    const LONGEST: usize = 64;
    let near = &text[noun..text.floor_char_boundary(noun + LONGEST)];
    let clause = near.split(['.', '\n', ';', ':', '[', '(']).next()?;
    let excepts = words::words(clause)
        .take(MOST)
        .find(|word| words::at(clause, word.start, Role::Excepts).is_some())?;
    let named = clause[..excepts.start].contains(|c: char| c.is_ascii_digit());
    let end = noun + excepts.start;
    (speaks_of_marks(&text[at..end]) && !named).then_some(end)
}

fn without_brackets(text: &str) -> String {
    /// A longer list, in bytes, is not read.
    const LONGEST: usize = 200;
    text[..text.floor_char_boundary(LONGEST)].replace(['[', ']', '*'], "")
}

/// "Every" and the like, before a word for marks.
fn each(text: &str, at: usize) -> Option<usize> {
    let end = words::at(text, at, Role::Every)?;
    (noun_end(text, end) > end).then_some(end)
}

/// Where the articles and words for marks end that stand at `at`.
fn noun_end(text: &str, at: usize) -> usize {
    /// There are no more of them.
    const MOST: usize = 4;
    let mut end = at;
    for _ in 0..MOST {
        let start = skip(text, end, |c| c == ' ');
        let next = [Role::Article, Role::Announces]
            .iter()
            .find_map(|role| words::at(text, start, *role));
        match next {
            Some(next) => end = next,
            None => break,
        }
    }
    end
}
