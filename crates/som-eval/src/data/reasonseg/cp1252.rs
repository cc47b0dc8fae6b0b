//! Texts that are UTF-8 or Windows code page 1252.

/// What bytes 0x80 to 0x9f mean; those that mean nothing are kept as control characters
/// (WHATWG Encoding Standard, index windows-1252).
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// The text, by the first of the two that fits.
pub(super) fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| {
        let letter = |byte: u8| match byte {
            0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
            other => char::from(other),
        };
        error.into_bytes().into_iter().map(letter).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn either_encoding_is_read() {
        assert_eq!(text("caf\u{e9}".into()), "café");
        assert_eq!(text(b"caf\xe9 \x93x\x94".to_vec()), "café “x”");
    }
}
