//! Decimal numbers, one after another.

/// The decimal numbers at the start of `text`, up to `most`, and the length they take; `between`
/// tells what may stand before and between them.
pub(super) fn numbers_at(text: &str, most: usize, between: fn(char) -> bool) -> (Vec<f64>, usize) {
    let mut numbers = Vec::new();
    let mut end = 0;
    while numbers.len() < most {
        let start = text.len() - text[end..].trim_start_matches(between).len();
        let rest = &text[start..];
        let length = rest
            .bytes()
            .take_while(|&byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
            .count();
        // A full stop behind the last number is not part of it.
        let written = rest[..length].trim_end_matches('.');
        let number = written.parse().ok();
        let Some(number) = number.filter(|number: &f64| number.is_finite()) else {
            break;
        };
        numbers.push(number);
        end = start + written.len();
        // 100%, 12px
        for unit in ["px", "%"] {
            if text[end..].starts_with(unit) {
                end += unit.len();
            }
        }
    }
    (numbers, end)
}

pub(super) fn is_space_or_comma(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'')
}

pub(super) fn is_space_or_bracket(c: char) -> bool {
    is_space_or_comma(c) || matches!(c, '(' | ')' | '[' | ']')
}
