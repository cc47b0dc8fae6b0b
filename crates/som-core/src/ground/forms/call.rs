//! Calls of tools in the text: `select(marks=[3])`, `click(3)`, `Action: Click [3]`.

use super::{Found, Reader, bracket::bracketed};
use crate::ground::{
    json::Key,
    names::{Setting, list_at, skip},
    places,
};

/// What tools are called that take marks without saying so, by the beginning of their name.
const TOOLS: [&str; 14] = [
    "click",
    "select",
    "tap",
    "choose",
    "pick",
    "submit",
    "answer",
    "final_answer",
    "mark",
    "highlight",
    "return",
    "hover",
    "press",
    "get_mark",
];

/// The mark or place that a call at the reader's place is given.
pub(super) fn call(reader: &Reader<'_>) -> Option<Found> {
    /// A longer name, in bytes, is none.
    const LONGEST: usize = 48;
    let &Reader {
        text, at, names, ..
    } = reader;
    let rest = reader.rest();
    let name = rest
        .bytes()
        .take(LONGEST)
        .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
        .count();
    let inside = rest[name..].strip_prefix('(')?;
    let tool = rest[..name]
        .rsplit('.')
        .next()
        .unwrap_or("")
        .to_ascii_lowercase();
    let start = at + rest.len() - inside.len();
    if inside.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '[' | '"' | '\'')) {
        let is_tool = TOOLS.iter().any(|known| tool.starts_with(known));
        if !is_tool {
            return None;
        }
        let start = skip(text, start, |c| matches!(c, '"' | '\''));
        if text[start..].starts_with('[')
            && let Some((reading, end)) = bracketed(text, start, names)
        {
            return Some(Found::Mention(reading.mention(start..end)));
        }
        let (reading, end) = list_at(text, start, names, Setting::Enclosed)?;
        // Two numbers may be a point; see `places`.
        let closes = text[end..].starts_with(')') && (reading.names == 1 || reading.misses() == 0);
        let point =
            reading.names == 2 && tool.starts_with("click") && !reader.scene.images.is_empty();
        return (closes && !point).then(|| Found::Mention(reading.mention(start..end)));
    }
    arguments(reader, start)
}

/// `marks=[3], reason="red"`: the first argument that names marks or a place.
fn arguments(reader: &Reader<'_>, start: usize) -> Option<Found> {
    /// As many are looked at.
    const MOST: usize = 6;
    let &Reader { text, names, .. } = reader;
    let mut at = start;
    for _ in 0..MOST {
        let rest = &text[at..];
        let key = rest
            .bytes()
            .take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
            .count();
        let value = rest[key..].trim_start().strip_prefix(['=', ':']);
        let value = value.filter(|_| (1..=32).contains(&key))?;
        let value = text.len() - value.trim_start().len();
        if matches!(rest.as_bytes().first(), Some(b'x'))
            && let Some(found) = places::bare(&reader.moved(at))
        {
            return Some(found);
        }
        match Key::of(&rest[..key]) {
            Key::Marks | Key::MarksOrText | Key::To => {
                if text[value..].starts_with('[') {
                    let (reading, end) = bracketed(text, value, names)?;
                    return Some(Found::Mention(reading.mention(value..end)));
                }
                let first = skip(text, value, |c| matches!(c, '"' | '\''));
                let (reading, end) = list_at(text, first, names, Setting::Enclosed)?;
                let written = text[first..end].trim_end_matches(['"', '\'', ' ', ',']);
                return Some(Found::Mention(
                    reading.mention(first..first + written.len()),
                ));
            }
            Key::Place(_) => {
                // The reader comes to the brackets or tag by itself.
                return Some(Found::Skip(value));
            }
            _ => {}
        }
        let near = text[value..].bytes().take(200);
        let end = near
            .into_iter()
            .position(|byte| matches!(byte, b',' | b')' | b'\n'))?;
        if !text[value + end..].starts_with(',') {
            return None;
        }
        at = skip(text, value + end + 1, |c| c == ' ');
    }
    None
}
