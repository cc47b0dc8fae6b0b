//! The forms in which answers name marks, tried in this order at each place:
//!
//! - JSON: a value under a key that names marks (`"mark": 3`), or a key that is a mark;
//! - brackets: `[3]`, `[1, 2]`, `[1–4]`, `[1]-[4]`, `[3: the cup]`, `\boxed{3}`;
//! - tags: `<mark>3</mark>`, `<3>`;
//! - emphasis: `**3**`, `` `3` ``, and `the cup (3)`;
//! - lines and tables: `3: the cup`, a cell of a column headed "mark";
//! - keywords: `mark 3`, `regions 1, 2 and 4`, `#3`, `the answer is 3`, `标记3`, `3番`, names in the
//!   lines below `Marks:`;
//! - all marks but some: `every mark except [12]`;
//! - what a clause about marks says in other words: `the mark on the cup is 3`, `la marca es la 6`,
//!   `mark number three`;
//! - ranges whose ends are announced each: `from mark 4 to mark 8`, `everything between mark 3 and
//!   mark 6`;
//! - calls of tools: `select(marks=[3])`, `click(3)`;
//! - an answer that is nothing but names;
//! - where nothing of this is meant, bare numbers in running text.
//!
//! Boxes and points come in brackets, JSON and tags: see `places`.

mod all;
mod all_but;
mod announced;
mod arrow;
mod bare;
mod below;
mod borne;
mod bracket;
mod call;
mod captions;
mod clause;
mod counting;
mod ends;
mod enumerated;
mod hash;
mod headed;
mod instead;
mod json;
mod keyword;
mod last;
mod letters;
mod line;
mod list;
mod reply;
mod said;
mod series;
mod tie;
mod weak;
mod wrapped;

use std::ops::Range;

pub(crate) use self::enumerated::enumerators;
pub(super) use self::{last::concluding, reply::takes_back};
use super::{
    Mention,
    json::{Node, parse},
    names::{Names, Reading, Setting, list_at, skip},
    places,
    reader::{Found, Reader},
    words::Cues,
};
use crate::Scene;

/// The mentions and the JSON in `text`, in order.
pub(crate) fn scan(text: &str, names: &Names, scene: &Scene<'_>) -> (Vec<Mention>, Vec<Node>) {
    let mut documents = Vec::new();
    let start = text.len() - text.trim_start().len();
    let mentions = read(Reader::new(text, start, names, scene), &mut documents);
    (mentions, documents)
}

/// The same of an answer in which nothing that `scan` finds is meant, with the bare numbers that are;
/// none if there are no such numbers.
pub(crate) fn scan_bare(
    text: &str,
    names: &Names,
    scene: &Scene<'_>,
    cues: &Cues,
) -> Option<Vec<Mention>> {
    let (mut mentions, _) = scan(text, names, scene);
    let bare = bare::Bare { text, names, cues }.read(&mentions);
    if bare.is_empty() {
        return None;
    }
    mentions.extend(bare);
    mentions.sort_by_key(|mention| mention.span.start);
    Some(mentions)
}

/// The mentions in a part of the reader's text, such as a string of JSON.
fn part(reader: &Reader<'_>, part: Range<usize>) -> Vec<Mention> {
    let text = &reader.text[..part.end];
    let inner = Reader::new(text, part.start, reader.names, reader.scene);
    read(inner, &mut Vec::new())
}

fn read(mut reader: Reader<'_>, documents: &mut Vec<Node>) -> Vec<Mention> {
    let mut mentions = Vec::new();
    while !reader.rest().is_empty() {
        match mention_at(&reader) {
            Found::Mention(mention) => {
                reader.advance(mention.span.end);
                reader.remember(&mention);
                mentions.push(mention);
            }
            Found::Mentions(several, end) => {
                reader.advance(end);
                several
                    .last()
                    .into_iter()
                    .for_each(|last| reader.remember(last));
                mentions.extend(several);
            }
            Found::Document(node, several) => {
                reader.advance(node.span.end);
                mentions.extend(several);
                documents.push(node);
            }
            Found::Skip(end) => reader.advance(end),
            Found::Nothing => reader.advance_char(),
        }
    }
    mentions
}

/// What the text at the reader's place names, if a form starts there.
fn mention_at(reader: &Reader<'_>) -> Found {
    let rest = reader.rest();
    let Some(first) = rest.chars().next() else {
        return Found::Nothing;
    };
    if reader.begins()
        && let Some(found) = line::only_names(reader)
    {
        return found;
    }
    if matches!(first, '{' | '[')
        && let Some(found) = document(reader)
    {
        return found;
    }
    match first {
        '\\' if rest.starts_with("\\boxed{") => bracket::boxed(reader),
        '[' => bracket::bracket(reader),
        '#' | '№' => hash::hash(reader),
        '<' => wrapped::tag(reader),
        '*' | '`' => wrapped::emphasis(reader),
        '(' => wrapped::parenthesis(reader),
        '|' | ',' | '\t' | ';' if reader.separator() == Some(first) => line::cell(reader),
        _ if let Some(found) = line::first_cell(reader) => found,
        _ if (reader.starts_line() || first.is_ascii_digit() && reader.follows_correction())
            && let Some(found) = line::labelled(reader) =>
        {
            found
        }
        'x' | 'X' if let Some(found) = places::bare(reader).filter(|_| reader.starts_word()) => {
            found
        }
        _ if first.is_ascii_digit() => keyword::counted(reader),
        _ if first.is_alphabetic() && reader.starts_word() => {
            call::call(reader).unwrap_or_else(|| keyword::keyword(reader))
        }
        _ => Found::Nothing,
    }
}

/// The JSON at the reader's place. A list in a list is come to by itself.
fn document(reader: &Reader<'_>) -> Option<Found> {
    if reader.rest().starts_with("[[") {
        return None;
    }
    let node = parse(reader.text, reader.at)?;
    let mentions = json::mentions(&node, reader);
    Some(Found::Document(node, mentions))
}

/// What `span` of `text` names, if it is nothing but a list of names, in brackets or behind a
/// keyword as it may be: `3`, `[3]`, `mark 3`, `region_3`, `["3", "5"]`.
fn named(text: &str, span: Range<usize>, names: &Names) -> Option<Reading> {
    let text = &text[..span.end];
    let mut start = skip(text, span.start, |c| {
        c.is_whitespace() || matches!(c, '[' | '(' | '<')
    });
    if let Some((_, after)) = announced::keyword_end(text, start) {
        start = skip(text, after, |c| matches!(c, '[' | ' '));
    }
    let (reading, end) = list_at(text, start, names, Setting::Enclosed)?;
    let rest = text[end..].trim_matches([' ', ']', ')', '>', '.']);
    rest.is_empty().then_some(reading)
}

fn starts_with_digit(text: &str, at: usize) -> bool {
    text[at..].starts_with(|c: char| c.is_ascii_digit())
}

fn is_lower_letter(inside: &str) -> bool {
    inside.bytes().all(|byte| byte.is_ascii_lowercase())
}
