//! What the official tokenizers do with a text before they read it: their package `ftfy` puts right
//! what is odd about its characters, by its defaults (`ftfy.fix_text`, version 6,
//! <https://ftfy.readthedocs.io>). Texts in a wrong encoding, which it guesses back, stay as they are.

use std::{borrow::Cow, iter};

use tokenizers::{NormalizedString, Normalizer as _, normalizers::unicode::NFKC};

/// What the bytes 0x80 to 0x9F are in Windows-1252; where it has none, what they are in Latin-1.
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// Letters that are written as one, and what they are.
const LIGATURES: [(char, &str); 22] = [
    ('Ĳ', "IJ"),
    ('ĳ', "ij"),
    ('ŉ', "'n"),
    ('Ǆ', "DŽ"),
    ('ǅ', "Dž"),
    ('ǆ', "dž"),
    ('Ǉ', "LJ"),
    ('ǈ', "Lj"),
    ('ǉ', "lj"),
    ('Ǌ', "NJ"),
    ('ǋ', "Nj"),
    ('ǌ', "nj"),
    ('Ǳ', "DZ"),
    ('ǲ', "Dz"),
    ('ǳ', "dz"),
    ('ﬀ', "ff"),
    ('ﬁ', "fi"),
    ('ﬂ', "fl"),
    ('ﬃ', "ffi"),
    ('ﬄ', "ffl"),
    ('ﬅ', "ſt"),
    ('ﬆ', "st"),
];

/// `text` with plain characters: no entities of HTML, escapes of terminals, control characters,
/// ligatures, curly quotes, nor characters of double or half width.
pub(super) fn cleaned(text: &str) -> String {
    // With an angle bracket it may be HTML, where entities belong.
    let text = match text.contains('<') {
        true => Cow::Borrowed(text),
        false => html_escape::decode_html_entities(text),
    };
    let text = without_escapes(&text);
    let windows = |c: char| match u32::from(c) {
        code @ 0x80..=0x9f => WINDOWS[code as usize - 0x80],
        _ => c,
    };
    let mut cleaned = String::with_capacity(text.len());
    for c in text.chars().map(windows).filter(|c| !is_control(*c)) {
        match c {
            '\u{2bc}' | '\u{2018}'..='\u{201b}' => cleaned.push('\''),
            '\u{201c}'..='\u{201f}' => cleaned.push('"'),
            '\u{3000}' => cleaned.push(' '),
            '\u{ff01}'..='\u{ffef}' => cleaned.push_str(&of_usual_width(c)),
            _ => match LIGATURES.iter().find(|(ligature, _)| *ligature == c) {
                Some((_, letters)) => cleaned.push_str(letters),
                None => cleaned.push(c),
            },
        }
    }
    cleaned
}

/// A character of double or half width as the usual one.
fn of_usual_width(c: char) -> String {
    let mut text = NormalizedString::from(c.to_string());
    match NFKC.normalize(&mut text) {
        Ok(()) => text.get().to_owned(),
        Err(_) => c.to_string(),
    }
}

/// `text` without what colours a terminal: `ESC [ 1 ; 31 m`.
fn without_escapes(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let first = parts.next().unwrap_or_default();
    let rest = parts.flat_map(|part| {
        let after = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        match after.strip_prefix(|c: char| c.is_ascii_alphabetic()) {
            Some(after) => ["", after],
            None => ["\u{1b}[", part],
        }
    });
    iter::once(first).chain(rest).collect()
}

/// What shows nothing, and separates nothing.
const fn is_control(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{8}' | '\u{b}' | '\u{e}'..='\u{1f}' | '\u{7f}'
            | '\u{206a}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffc}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `ftfy.fix_text` 6.3.1 gives it.
    #[test]
    fn odd_characters_become_plain() {
        for (text, plain) in [
            ("A–B—C “quotes” ‘x’", "A–B—C \"quotes\" 'x'"),
            ("ﬁne oﬃce, ĳs, ǳ, ﬅ", "fine office, ijs, dz, ſt"),
            ("ＦＵＬＬ　ｗｉｄｔｈ ｶﾀｶﾅ", "FULL width カタカナ"),
            ("cup &amp; saucer &lt;3 &eacute;", "cup & saucer <3 é"),
            ("<b>cup &amp; saucer</b>", "<b>cup &amp; saucer</b>"),
            ("a \u{1b}[1;31mred\u{1b}[0m cup\u{7}", "a red cup"),
            ("it\u{92}s 5 \u{80}", "it's 5 €"),
            ("Hawaiʼi \u{feff}cup", "Hawai'i cup"),
            ("plain", "plain"),
        ] {
            assert_eq!(cleaned(text), plain, "{text}");
        }
    }
}
