//! Texts as pickles write them.

/// Bytes as UTF-8; what is none, as Latin-1 (`latin1`, as Python 3 is told to read such files).
pub(super) fn of_bytes(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| {
        let bytes = error.into_bytes();
        bytes.into_iter().map(char::from).collect()
    })
}

/// A text in quotes with Python's escapes, as protocol 0 writes 8-bit texts.
pub(super) fn quoted(line: &[u8]) -> Result<String, String> {
    let line = line.trim_ascii();
    let inner = match line {
        [b'\'', inner @ .., b'\''] | [b'"', inner @ .., b'"'] => inner,
        _ => return Err("a text has no quotes around it".to_owned()),
    };
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner;
    while let [byte, more @ ..] = rest {
        rest = more;
        if *byte != b'\\' {
            bytes.push(*byte);
            continue;
        }
        let [escape, more @ ..] = rest else {
            return Err("a text ends in a backslash".to_owned());
        };
        rest = more;
        match escape {
            b'n' => bytes.push(b'\n'),
            b't' => bytes.push(b'\t'),
            b'r' => bytes.push(b'\r'),
            b'\\' | b'\'' | b'"' => bytes.push(*escape),
            b'x' => {
                let digits = rest.get(..2).and_then(hex).ok_or("\\x takes two digits")?;
                bytes.push((digits & 0xff) as u8);
                rest = &rest[2..];
            }
            other => bytes.extend([b'\\', *other]),
        }
    }
    Ok(of_bytes(bytes))
}

/// A text in Latin-1 with `\uXXXX` and `\UXXXXXXXX` (Python's `raw-unicode-escape`).
pub(super) fn raw_unicode(line: &[u8]) -> Result<String, String> {
    let mut text = String::with_capacity(line.len());
    let mut rest = line;
    while let [byte, more @ ..] = rest {
        let length = match rest {
            [b'\\', b'u', ..] => 4,
            [b'\\', b'U', ..] => 8,
            _ => {
                text.push(char::from(*byte));
                rest = more;
                continue;
            }
        };
        let digits = rest.get(2..2 + length).and_then(hex);
        let letter = digits.and_then(char::from_u32);
        text.push(letter.ok_or_else(|| format!("\\u takes {length} digits of a letter"))?);
        rest = &rest[2 + length..];
    }
    Ok(text)
}

fn hex(digits: &[u8]) -> Option<u32> {
    let digits = std::str::from_utf8(digits).ok()?;
    u32::from_str_radix(digits, 16).ok()
}
