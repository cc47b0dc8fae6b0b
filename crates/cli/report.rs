//! The JSON of `som mark` and `som segment`; its schemas lie in `schemas/`.

use std::{
    io::{self, Write},
    time::Duration,
};

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter, Serializer};
use sha2::{Digest as _, Sha256};
use som_core::{
    AllocatedMark, Allocation, BBox, Color, Error, Origin, Point, Region, Result, Segmentation,
    Size, Timings, Unmarked,
};

/// A number of things, as people say it.
pub(crate) fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

/// What `som mark` found and drew on one image.
#[derive(Debug, Serialize)]
pub(crate) struct MarkReport<'a> {
    pub(crate) image: &'a ImageReport,
    pub(crate) segmenter: &'a Origin,
    pub(crate) styles: &'a [String],
    pub(crate) marks: Vec<MarkEntry<'a>>,
    /// Regions that got no mark, and why.
    pub(crate) unmarked: &'a [Unmarked],
    pub(crate) pages: Vec<String>,
    pub(crate) timings_ms: &'a Timings,
}

/// The regions that `som segment` found in one image.
#[derive(Debug, Serialize)]
pub(crate) struct SegmentReport<'a> {
    pub(crate) image: &'a ImageReport,
    pub(crate) segmenter: &'a Segmentation,
    pub(crate) regions: &'a [Region],
    pub(crate) timings_ms: &'a Timings,
}

/// The image as it was read.
#[derive(Debug, Serialize)]
pub(crate) struct ImageReport {
    pub(crate) path: String,
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) sha256: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct MarkEntry<'a> {
    id: u32,
    text: &'a str,
    label_box: BBox,
    anchor: Point,
    leader: bool,
    page: u32,
    contrast: f64,
    color: Color,
    region: &'a Region,
}

impl ImageReport {
    /// The facts of an image of `size` that was read from bytes of this [`digest`].
    pub(crate) fn new(path: String, size: Size, sha256: String) -> Self {
        Self {
            path,
            width: size.width,
            height: size.height,
            sha256,
        }
    }

    /// Its size in pixels.
    pub(crate) const fn size(&self) -> Size {
        Size::new(self.width, self.height)
    }
}

/// SHA-256 in hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Every mark of every page.
pub(crate) fn marks(allocation: &Allocation) -> Vec<MarkEntry<'_>> {
    allocation.marks.iter().map(MarkEntry::from).collect()
}

impl<'a> From<&'a AllocatedMark> for MarkEntry<'a> {
    fn from(allocated: &'a AllocatedMark) -> Self {
        let AllocatedMark {
            id,
            page,
            mark,
            facts,
            ..
        } = allocated;
        Self {
            id: *id,
            text: &mark.text,
            label_box: mark.label_box,
            anchor: mark.anchor,
            leader: facts.leader,
            page: *page,
            contrast: rounded(facts.contrast.into(), 100.0),
            color: mark.color,
            region: &mark.region,
        }
    }
}

/// In milliseconds, to the microsecond.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    rounded(duration.as_secs_f64() * 1e3, 1e3)
}

fn rounded(number: f64, parts: f64) -> f64 {
    (number * parts).round() / parts
}

/// JSON in one line, ended by a line break: an item of JSON Lines.
///
/// # Errors
/// Internal, if `value` is no JSON.
pub(crate) fn to_line(value: &impl Serialize) -> Result<Vec<u8>> {
    to_json(value, CompactFormatter)
}

/// JSON with a line for each key, and one for each item of its lists of objects.
///
/// # Errors
/// Internal, if `value` is no JSON.
pub(crate) fn to_lines(value: &impl Serialize) -> Result<Vec<u8>> {
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
