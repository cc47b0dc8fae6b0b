//! Characters of all scripts → the plain ones that the forms are written in.

/// What a character becomes.
pub(super) enum Plain {
    /// Itself.
    Same,
    /// Nothing: it is not seen.
    Gone,
    /// These characters.
    As(&'static str),
    /// This number, between these.
    Number(u32, &'static str, &'static str),
    /// This character.
    Char(char),
}

/// The plain form of `c`, which `before` and `after` stand beside.
pub(super) fn plain(c: char, before: Option<char>, after: Option<char>) -> Plain {
    use Plain::{As, Char, Gone, Number, Same};
    if c.is_ascii() {
        return Same;
    }
    let code = u32::from(c);
    if let Some(digit) = digit(code) {
        return Char(digit);
    }
    match code {
        // Zero-width and direction marks, byte order mark, soft hyphen, emoji's presentation.
        0x200B | 0x200E | 0x200F | 0x202A..=0x202E | 0x2060..=0x2064 | 0x2066..=0x2069 => Gone,
        0xFEFF | 0x00AD | 0x061C | 0x20E3 | 0x180E => Gone,
        0xFE0E | 0xFE0F => Gone,
        // They join letters of some scripts.
        0x200C | 0x200D => {
            let letter = |c: Option<char>| c.is_some_and(|c| !c.is_ascii());
            if letter(before) && letter(after) {
                Same
            } else {
                Gone
            }
        }
        0x00A0 | 0x1680 | 0x2000..=0x200A | 0x202F | 0x205F | 0x3000 => As(" "),
        0x0085 | 0x2028 | 0x2029 => As("\n"),
        // Hyphens and the minus sign; dashes stay.
        0x2010 | 0x2011 | 0x2212 | 0xFE63 | 0xFF0D => As("-"),
        0x2012 | 0x2015 => As("–"),
        0x301C | 0xFF5E => As("~"),
        // What closes a clause or a sentence is followed by a space.
        0xFF0C | 0x3001 | 0xFE10 | 0xFE11 | 0xFF64 | 0x060C => As(", "),
        0xFF1A | 0xFE55 => As(": "),
        0xFF1B | 0x061B => As("; "),
        0x3002 | 0xFF61 | 0x06D4 | 0x0964 => As(". "),
        0xFF01 => As("! "),
        0xFF1F | 0x061F => As("? "),
        0x30FB | 0xFF65 if between_digits(before, after) => As(", "),
        // Brackets of all kinds.
        0x3010 | 0x3014 | 0x3016 | 0xFF3B | 0x27E6 | 0x2045 => As("["),
        0x3011 | 0x3015 | 0x3017 | 0xFF3D | 0x27E7 | 0x2046 => As("]"),
        0xFF08 => As("("),
        0xFF09 => As(")"),
        // Quotation marks.
        0x2018 | 0x2019 | 0x201B | 0x02BC | 0x2032 => As("'"),
        0x201C..=0x201F | 0x00AB | 0x00BB | 0x300C..=0x300F | 0x2033 | 0x301D..=0x301F => As("\""),
        0x2190 => As("<-"),
        0x21D2 | 0x27F6 | 0x2794 | 0x279C | 0x27A1 | 0x1F852 => As("→"),
        // Numbers in circles stand for marks, those in parentheses may count items.
        0x2460..=0x2473 => Number(code - 0x2460 + 1, "[", "]"),
        0x24EA | 0x24FF => Number(0, "[", "]"),
        0x2776..=0x277F => Number(code - 0x2776 + 1, "[", "]"),
        0x2780..=0x2789 => Number(code - 0x2780 + 1, "[", "]"),
        0x278A..=0x2793 => Number(code - 0x278A + 1, "[", "]"),
        0x24EB..=0x24F4 => Number(code - 0x24EB + 11, "[", "]"),
        0x24F5..=0x24FE => Number(code - 0x24F5 + 1, "[", "]"),
        0x3251..=0x325F => Number(code - 0x3251 + 21, "[", "]"),
        0x32B1..=0x32BF => Number(code - 0x32B1 + 36, "[", "]"),
        0x2474..=0x2487 => Number(code - 0x2474 + 1, "(", ")"),
        0x2488..=0x249B => Number(code - 0x2488 + 1, "", ". "),
        0x1F51F => Number(10, "", ""),
        0x24B6..=0x24CF => circled_letter(code - 0x24B6),
        0x24D0..=0x24E9 => circled_letter(code - 0x24D0),
        // The remaining full-width forms of ASCII.
        0xFF02..=0xFF5D => char::from_u32(code - 0xFEE0).map_or(Same, Char),
        _ => Same,
    }
}

/// The digit that a character of another script is.
fn digit(code: u32) -> Option<char> {
    // Arabic-Indic, extended, Devanagari, Bengali, Gurmukhi, Gujarati, Thai, full width; and the
    // mathematical ones, five alphabets of them.
    const ZEROS: [u32; 8] = [
        0x0660, 0x06F0, 0x0966, 0x09E6, 0x0A66, 0x0AE6, 0x0E50, 0xFF10,
    ];
    let value = match code {
        0x1D7CE..=0x1D7FF => (code - 0x1D7CE) % 10,
        _ => ZEROS
            .iter()
            .find(|zero| (**zero..**zero + 10).contains(&code))
            .map(|zero| code - zero)?,
    };
    char::from_digit(value, 10)
}

fn circled_letter(index: u32) -> Plain {
    const LETTERS: [&str; 26] = [
        "[A]", "[B]", "[C]", "[D]", "[E]", "[F]", "[G]", "[H]", "[I]", "[J]", "[K]", "[L]", "[M]",
        "[N]", "[O]", "[P]", "[Q]", "[R]", "[S]", "[T]", "[U]", "[V]", "[W]", "[X]", "[Y]", "[Z]",
    ];
    LETTERS
        .get(index as usize)
        .map_or(Plain::Same, |letter| Plain::As(letter))
}

fn between_digits(before: Option<char>, after: Option<char>) -> bool {
    let is_digit = |c: Option<char>| c.is_some_and(char::is_numeric);
    is_digit(before) && is_digit(after)
}
