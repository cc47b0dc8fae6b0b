//! How JSON is laid out: in one line, or so that a person finds each item.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use som_core::{Error, Result};

/// JSON in one line, ended by a line break: an item of JSON Lines.
///
/// # Errors
/// Internal, if `value` is no JSON.
pub fn to_line(value: &impl Serialize) -> Result<Vec<u8>> {
    to_json(value, CompactFormatter)
}

/// JSON with a line for each key, and one for each item of its lists of objects.
///
/// # Errors
/// Internal, if `value` is no JSON.
pub fn to_lines(value: &impl Serialize) -> Result<Vec<u8>> {
    to_json(value, ItemsOnLines::default())
}

fn to_json(value: &impl Serialize, formatter: impl Formatter) -> Result<Vec<u8>> {
    let mut json = Vec::new();
    value
        .serialize(&mut Serializer::with_formatter(&mut json, formatter))
        .map_err(|error| Error::internal("the report is no JSON").caused_by(error))?;
    json.push(b'\n');
    Ok(json)
}

/// Compact JSON with a line for each key of the outermost object, and one for each object in its
/// lists.
#[derive(Default)]
struct ItemsOnLines {
    /// How many arrays and objects are open.
    depth: usize,
    /// A list of the outermost object is open.
    in_list: bool,
    /// It has an object in it.
    has_items: bool,
}

impl Formatter for ItemsOnLines {
    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        if self.depth == 3 && self.in_list {
            self.has_items = true;
            writer.write_all(b"\n    ")?;
        }
        writer.write_all(b"{")
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth -= 1;
        writer.write_all(if self.depth == 0 { b"\n}" } else { b"}" })
    }

    fn begin_object_key<W>(&mut self, writer: &mut W, first: bool) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        writer.write_all(if first { b"" } else { b"," })?;
        writer.write_all(if self.depth == 1 { b"\n  " } else { b"" })
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth += 1;
        if self.depth == 2 {
            (self.in_list, self.has_items) = (true, false);
        }
        writer.write_all(b"[")
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        if self.depth == 2 {
            self.in_list = false;
            writer.write_all(if self.has_items { b"\n  " } else { b"" })?;
        }
        self.depth -= 1;
        writer.write_all(b"]")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_key_and_each_item_has_its_line() {
        let value = json!({
            "a": {"b": {"c": 1}, "d": [2, {"e": 3}]},
            "f": [{"g": [4, {"h": 5}]}, {"i": {}}],
            "j": ["k", "l"],
            "m": [],
        });
        let text = String::from_utf8(to_lines(&value).unwrap()).unwrap();
        let expected = r#"{
  "a":{"b":{"c":1},"d":[2,{"e":3}]},
  "f":[
    {"g":[4,{"h":5}]},
    {"i":{}}
  ],
  "j":["k","l"],
  "m":[]
}
"#;
        assert_eq!(text, expected);
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            value
        );
    }
}
