//! Letters as names, where other words may look like them: "There is a bird at F.", "region e", "its def b".

use super::{
    Found, Reader,
    list::List,
    reply::{LEADS, says_so},
};
use crate::ground::{
    names::{Names, Setting, list_at},
    words::{self, Role},
};

/// "There is a bird at F.": a letter in upper case behind a word for a place, at the end of its clause.
pub(super) fn letter_at(reader: &Reader<'_>) -> Option<Found> {
    let &Reader {
        text, at, names, ..
    } = reader;
    let end = words::at(text, at, Role::At)?;
    let of = words::at(text, at, Role::Of).is_some();
    let start = end + text[end..].strip_prefix(' ').map(|_| 1)?;
    let name = names
        .name_at(text, start)
        .filter(|name| name.len() == 1 && !of)?;
    let upper = text[name.clone()].starts_with(|c: char| c.is_ascii_uppercase());
    let rest = &text[name.end..];
    let ends = rest.is_empty() || rest.starts_with(['.', ',', ';', '\n']);
    let known = !names.get(&text[name.clone()]).is_empty();
    let (reading, _) = list_at(&text[..name.end], start, names, Setting::Open)?;
    (upper && ends && known).then(|| Found::Mention(reading.mention(name)))
}

/// "The chair is region e.": a letter in lower case that ends its clause.
pub(super) fn small_letter(reader: &Reader<'_>, start: usize) -> Option<Found> {
    let &Reader { text, names, .. } = reader;
    let name = names.name_at(text, start).filter(|name| name.len() == 1)?;
    let rest = &text[name.end..];
    let ends = rest.is_empty()
        || rest.starts_with(['.', ',', ';', '\n', '!'])
        || rest.starts_with(' ') && words::at(rest, 1, Role::Copula).is_some();
    let (reading, end) = list_at(&text[..name.end], start, names, Setting::Enclosed)?;
    (ends && reading.resolves()).then(|| Found::Mention(reading.mention(start..end)))
}

/// "Its def b", "d i think", "either a or c": letters in lower case, in a short answer that is nothing
/// but these and small words.
pub(super) fn small_letters(text: &str, at: usize, names: &Names) -> Option<List> {
    /// A longer answer, in bytes, says more.
    const SHORT: usize = 32;
    let name = names.name_at(text, at)?;
    let letter = &text[name.clone()];
    let one = letter.len() == 1 && letter.starts_with(|c: char| c.is_ascii_lowercase());
    if !one || text.trim().len() > SHORT {
        return None;
    }
    let known = |text: &str| {
        list_at(text, at, names, Setting::Enclosed)
            .filter(|(list, _)| list.resolves() && list.misses() == 0)
    };
    // "D i think" is no list.
    let (reading, end) = known(text).or_else(|| known(&text[..name.end]))?;
    let led = words::made_of(&text[..at], &LEADS)?;
    let behind = denied_behind(&text[end..], names).unwrap_or(&text[end..]);
    let told_apart = behind.len() < text.len() - end;
    let trailed = words::made_of(behind, &[Role::Opinion, Role::Hedges])?;
    // "It's a …"; but "either a or c"
    let article = reading.names == 1 && words::at(letter, 0, Role::Article).is_some();
    let said = says_so(&led) && !article || !trailed.is_empty() || told_apart;
    let span = at..end;
    said.then_some(List { reading, span })
}

/// What stands behind ", not e" at the start of `rest`.
fn denied_behind<'a>(rest: &'a str, names: &Names) -> Option<&'a str> {
    let denial = rest.trim_start_matches([' ', ',', '(']);
    let name = denial[words::at(denial, 0, Role::Not)?..].trim_start();
    let end = names.name_at(name, 0)?.end;
    let known = !names.get(&name[..end]).is_empty();
    known.then(|| name[end..].trim_start_matches(')'))
}
