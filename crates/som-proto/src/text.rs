//! Texts of another process, fit for a line of a log and for the header of an answer.

use std::borrow::Cow;

/// The most bytes of a message: with its details, and with every byte written as `%XX`, it stays
/// below the 8 KiB of metadata that clients take.
pub const MAX_MESSAGE: usize = 1000;
/// Of a message that is too long, so much of its end is kept: that is where the fix stands.
const END: usize = 250;

/// `text` with line breaks and other control characters written as `\n` or `\u{1b}`.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(is_odd) {
        return text.into();
    }
    let mut plain = String::with_capacity(text.len() + 8);
    for letter in text.chars() {
        match is_odd(letter) {
            true => plain.extend(letter.escape_default()),
            false => plain.push(letter),
        }
    }
    plain.into()
}

/// Control characters, and those that turn the direction of what follows.
fn is_odd(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `text` in at most `most` bytes, which are more than a few: the middle of a longer one is left
/// out, and it is said how much.
pub fn shortened(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return text.into();
    }
    let told = |left_out: usize| format!(" … ({left_out} bytes left out) … ");
    let room = most.saturating_sub(told(text.len()).len());
    let end = END.min(room / 2);
    let head = &text[..text.floor_char_boundary(room - end)];
    let tail = &text[text.ceil_char_boundary(text.len() - end)..];
    let left_out = text.len() - head.len() - tail.len();
    format!("{head}{}{tail}", told(left_out)).into()
}

/// `text` as the message of a status.
pub fn message(text: &str) -> String {
    // What is left out is not escaped first: it may be megabytes.
    let short = shortened(text, MAX_MESSAGE);
    shortened(&escaped(&short), MAX_MESSAGE).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_are_written_out() {
        assert_eq!(escaped("a cup, naïve 日本"), "a cup, naïve 日本");
        assert_eq!(
            escaped("a\nb\t\u{1b}[31mred\0"),
            "a\\nb\\t\\u{1b}[31mred\\u{0}"
        );
        assert_eq!(escaped("\u{202e}desrever"), "\\u{202e}desrever");
    }

    #[test]
    fn a_long_text_keeps_its_beginning_and_its_end() {
        assert_eq!(shortened("short", 100), "short");
        let long = format!("begin{}end", "é".repeat(100_000));
        let short = shortened(&long, 1000);
        assert!(short.len() <= 1000 && short.len() > 900, "{}", short.len());
        assert!(
            short.starts_with("begin") && short.ends_with("end"),
            "{short}"
        );
        assert!(short.contains("bytes left out"), "{short}");
        let lines = message(&"\n".repeat(1 << 20));
        assert!(
            lines.len() <= MAX_MESSAGE && !lines.contains('\n'),
            "{lines}"
        );
    }
}
