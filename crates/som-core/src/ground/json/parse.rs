//! JSON as models write it → a tree whose nodes know their bytes.
//!
//! Single quotes, bare words, comments, trailing and missing commas are taken; of what breaks off,
//! the part that is complete: entries of an object, closed elements of a list.

use std::ops::Range;

/// A value, and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) span: Range<usize>,
    pub(crate) value: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool,
    Number(f64),
    /// Without its quotes and escapes.
    Text(String),
    List(Vec<Node>),
    Object(Vec<Entry>),
}

/// A key and its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// Without quotes.
    pub(crate) span: Range<usize>,
    pub(crate) node: Node,
}

impl Node {
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn list(&self) -> Option<&[Node]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn object(&self) -> Option<&[Entry]> {
        match &self.value {
            Value::Object(entries) => Some(entries),
            _ => None,
        }
    }

    /// The number, also of a text that is one.
    pub(crate) fn number(&self) -> Option<f64> {
        let number = match &self.value {
            Value::Number(number) => *number,
            Value::Text(text) => text.trim().parse().ok()?,
            _ => return None,
        };
        Some(number).filter(|number| number.is_finite())
    }

    /// Where its content is: of a text, what is between the quotes.
    pub(crate) fn inside(&self, text: &str) -> Range<usize> {
        let Range { start, end } = self.span;
        let quoted = text[self.span.clone()].starts_with(['"', '\'']);
        match &self.value {
            Value::Text(_) if quoted && end - start >= 2 => start + 1..end - 1,
            _ => start..end,
        }
    }
}

/// The object, or the list with objects in it, that begins at `at`, as far as it is complete.
pub(crate) fn parse(text: &str, at: usize) -> Option<Node> {
    let mut parser = Parser { text, at };
    let node = match text[at..].chars().next()? {
        '{' => parser.object(0)?.0,
        '[' => parser.list(0)?.0,
        _ => return None,
    };
    let has_entries = |node: &Node| node.object().is_some_and(|entries| !entries.is_empty());
    let holds = has_entries(&node)
        || node
            .list()
            .is_some_and(|items| items.iter().any(has_entries));
    holds.then_some(node)
}

/// Longer comments, in bytes, are none.
const LONGEST_COMMENT: usize = 4096;
/// Deeper nesting is not read.
const DEEPEST: usize = 48;

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

/// A value, and whether it is complete.
type Parsed = Option<(Node, bool)>;

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Goes on behind white space and comments.
    fn space(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            let near = trimmed.as_bytes();
            let near = &near[..near.len().min(LONGEST_COMMENT)];
            let comment = if trimmed.starts_with("//") {
                near.iter().position(|&byte| byte == b'\n').unwrap_or(0)
            } else if trimmed.starts_with("/*") {
                let end = near.windows(2).position(|pair| pair == b"*/");
                end.map_or(0, |end| end + 2)
            } else {
                0
            };
            self.at += rest.len() - trimmed.len() + comment;
            if comment == 0 {
                return;
            }
        }
    }

    fn take(&mut self, c: char) -> bool {
        let found = self.peek() == Some(c);
        if found {
            self.at += c.len_utf8();
        }
        found
    }

    fn value(&mut self, depth: usize) -> Parsed {
        self.space();
        let start = self.at;
        match self.peek()? {
            '{' => self.object(depth + 1),
            '[' => self.list(depth + 1),
            quote @ ('"' | '\'') => {
                let (text, closed) = self.quoted(quote);
                let value = Value::Text(text);
                let span = start..self.at;
                Some((Node { span, value }, closed))
            }
            _ => self.bare(),
        }
    }

    fn object(&mut self, depth: usize) -> Parsed {
        let start = self.at;
        if depth > DEEPEST || !self.take('{') {
            return None;
        }
        let mut entries: Vec<Entry> = Vec::new();
        let mut closed = false;
        loop {
            self.space();
            if self.take(',') {
                continue;
            }
            if self.take('}') {
                closed = true;
                break;
            }
            let Some((key, span)) = self.key() else { break };
            self.space();
            if !self.take(':') && !self.take('=') {
                break;
            }
            let Some((node, complete)) = self.value(depth) else {
                break;
            };
            let kept = complete || node.object().is_some() || node.list().is_some();
            if kept {
                entries.push(Entry { key, span, node });
            }
            if !complete {
                break;
            }
        }
        let node = Node {
            span: start..self.at,
            value: Value::Object(entries),
        };
        Some((node, closed))
    }

    fn list(&mut self, depth: usize) -> Parsed {
        let start = self.at;
        if depth > DEEPEST || !self.take('[') {
            return None;
        }
        let mut items: Vec<Node> = Vec::new();
        let mut closed = false;
        loop {
            self.space();
            if self.take(',') {
                continue;
            }
            if self.take(']') {
                closed = true;
                break;
            }
            if self.peek().is_none_or(|c| matches!(c, '}' | ')' | ':')) {
                break;
            }
            match self.value(depth) {
                Some((node, true)) => items.push(node),
                // An object that breaks off in a list may lack what matters of it.
                _ => break,
            }
        }
        if !closed {
            // Nor is the last of its numbers known to be whole.
            items.retain(|item| item.object().is_some() || item.list().is_some());
        }
        let node = Node {
            span: start..self.at,
            value: Value::List(items),
        };
        Some((node, closed))
    }

    fn key(&mut self) -> Option<(String, Range<usize>)> {
        let start = self.at;
        if let Some(quote @ ('"' | '\'')) = self.peek() {
            let (key, closed) = self.quoted(quote);
            return closed.then(|| (key, start + 1..self.at - 1));
        }
        let rest = self.rest();
        let length = rest
            .find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.'))
            .unwrap_or(rest.len());
        if length == 0 || length > 64 {
            return None;
        }
        let key = rest[..length].to_owned();
        self.at += length;
        Some((key, start..self.at))
    }

    /// A text between quotes, and whether it is closed.
    fn quoted(&mut self, quote: char) -> (String, bool) {
        let start = self.at;
        self.at += 1;
        let mut escaped = false;
        let mut plain = true;
        for (place, c) in self.text[self.at..].char_indices() {
            if escaped {
                escaped = false;
            } else if c == '\\' {
                escaped = true;
                plain = false;
            } else if c == quote && !(quote == '\'' && self.is_apostrophe(self.at + place)) {
                let inside = &self.text[self.at..self.at + place];
                let text = if plain {
                    inside.to_owned()
                } else {
                    unescaped(inside)
                };
                self.at += place + 1;
                return (text, true);
            }
        }
        self.at = self.text.len();
        (self.text[start + 1..].to_owned(), false)
    }

    /// True for the apostrophe of `'the man's hat'`.
    fn is_apostrophe(&self, at: usize) -> bool {
        let before = self.text[..at].chars().next_back();
        let after = self.text[at + 1..].chars().next();
        let letter = |c: Option<char>| c.is_some_and(char::is_alphabetic);
        letter(before) && letter(after)
    }

    /// A number, a word such as `null`, or words without quotes.
    fn bare(&mut self) -> Parsed {
        let start = self.at;
        let rest = &self.text[start..];
        let ends = |c: char| matches!(c, ',' | '}' | ']' | '\n' | '{' | '[' | '"' | ':');
        let length = rest.find(ends).unwrap_or(rest.len());
        let word = &rest[..length];
        let comment = word
            .find("//")
            .or_else(|| word.find("/*"))
            .filter(|&at| at > 0);
        let word = word[..comment.unwrap_or(length)].trim_end();
        if word.is_empty() {
            return None;
        }
        self.at += word.len();
        let complete = start + length < self.text.len();
        let value = match word.to_ascii_lowercase().as_str() {
            "null" | "none" | "nil" | "undefined" | "nan" => Value::Null,
            "true" | "false" => Value::Bool,
            _ => match word.parse::<f64>() {
                Ok(number) if number.is_finite() && !word.starts_with(char::is_alphabetic) => {
                    Value::Number(number)
                }
                _ => Value::Text(word.to_owned()),
            },
        };
        let span = start..self.at;
        Some((Node { span, value }, complete))
    }
}

/// The text between the quotes of a JSON string. Half a surrogate pair stands for nothing.
fn unescaped(inside: &str) -> String {
    let mut text = String::with_capacity(inside.len());
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('r' | 'b' | 'f') => {}
            Some('u') => {
                let unit = |chars: &std::str::Chars<'_>| {
                    let hex: String = chars.clone().take(4).collect();
                    u16::from_str_radix(&hex, 16)
                        .ok()
                        .filter(|_| hex.len() == 4)
                };
                let Some(first) = unit(&chars) else {
                    continue;
                };
                let mut units = vec![first];
                chars.by_ref().take(4).for_each(drop);
                if (0xD800..0xDC00).contains(&first) && chars.as_str().starts_with("\\u") {
                    let mut ahead = chars.clone();
                    ahead.by_ref().take(2).for_each(drop);
                    if let Some(second @ 0xDC00..=0xDFFF) = unit(&ahead) {
                        units.push(second);
                        chars.by_ref().take(6).for_each(drop);
                    }
                }
                text.extend(char::decode_utf16(units).filter_map(Result::ok));
            }
            Some(other) => text.push(other),
            None => {}
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree in short.
    fn shown(node: &Node) -> String {
        match &node.value {
            Value::Null => "null".into(),
            Value::Bool => "bool".into(),
            Value::Number(number) => number.to_string(),
            Value::Text(text) => format!("'{text}'"),
            Value::List(items) => {
                let items: Vec<String> = items.iter().map(shown).collect();
                format!("[{}]", items.join(","))
            }
            Value::Object(entries) => {
                let entries = entries.iter();
                let entries: Vec<String> = entries
                    .map(|entry| format!("{}:{}", entry.key, shown(&entry.node)))
                    .collect();
                format!("{{{}}}", entries.join(","))
            }
        }
    }

    #[test]
    fn json_is_read_as_models_write_it() {
        for (text, expected) in [
            (r#"{"a": 1, "b": [2, "3"]}"#, "{a:1,b:[2,'3']}"),
            ("{'a': 'the man's hat',}", "{a:'the man's hat'}"),
            ("{a: none, b: True}", "{a:null,b:bool}"),
            ("{\"a\": 1 // one\n, /* two */ \"b\": 2}", "{a:1,b:2}"),
            (r#"[{"a": 1} {"a": 2}]"#, "[{a:1},{a:2}]"),
            (r#"[{"a": 1}, {"a": 2"#, "[{a:1}]"),
            (r#"{"a": 1, "b": "cu"#, "{a:1}"),
            (r#"{"a": [{"b": 1}, {"b"#, "{a:[{b:1}]}"),
            (r#"{"a": [1, 2"#, "{a:[]}"),
            (r#"{"a": "\u00e9\ud800\n\ud83d\ude00"}"#, "{a:'é\n😀'}"),
            (r#"{"a" = 3}"#, "{a:3}"),
            (r#"{"a": red box}"#, "{a:'red box'}"),
        ] {
            let node = parse(text, 0).unwrap();
            assert_eq!(shown(&node), expected, "{text}");
        }
        for text in [
            "{",
            "{}",
            "[1, 2]",
            "{mark}",
            "{\"a\"",
            "[",
            "[[1, 2], [3, 4]]",
        ] {
            assert!(parse(text, 0).is_none(), "{text}");
        }
        assert!(parse(&"[".repeat(100_000), 0).is_none());
    }
}
