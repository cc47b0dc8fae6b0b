//! The formats in which regions come, and how each is told by its content.

use std::str::FromStr;

use som_core::{Error, ErrorKind};

use crate::{FormatError, outline::Outline, read};

/// A format of regions that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// som's own JSON: of `som segment`, of `som mark`, one a line of both; or a list of regions, as
    /// Segment Anything writes them.
    Som,
    /// COCO's annotations, or a list of results.
    Coco,
    /// Lines of normalised boxes or polygons.
    Yolo,
    /// LabelMe's JSON.
    LabelMe,
    /// A GeoJSON collection in pixels.
    GeoJson,
    /// JSON of boxes: supervision's, Ultralytics', a page's elements.
    Boxes,
    /// Boxes with a line of names above them.
    Csv,
    /// A PNG whose values, palette entries or colours are the regions.
    LabelMap,
    /// PNGs of one region each.
    Masks,
    /// Arrays of NumPy.
    Npz,
}

impl Format {
    const NAMES: [(Self, &str, &str); 10] = [
        (Self::Som, "som", "som's own JSON"),
        (Self::Coco, "coco", "COCO annotations or results"),
        (Self::Yolo, "yolo", "YOLO lines"),
        (Self::LabelMe, "labelme", "LabelMe"),
        (Self::GeoJson, "geojson", "GeoJSON"),
        (Self::Boxes, "boxes", "JSON of boxes"),
        (Self::Csv, "csv", "CSV of boxes with a line of names"),
        (Self::LabelMap, "labelmap", "a label map as PNG"),
        (Self::Masks, "masks", "mask PNGs"),
        (Self::Npz, "npz", "NumPy arrays"),
    ];

    /// Its name, as [`from_str`](Self::from_str) takes it.
    pub fn name(self) -> &'static str {
        let of = |&&(format, ..): &&(Self, &str, &str)| format == self;
        Self::NAMES.iter().find(of).map_or("", |(_, name, _)| name)
    }

    /// All of them, for people.
    pub(crate) fn list() -> String {
        Self::NAMES.map(|(_, _, words)| words).join(", ")
    }

    /// The format of a file, by its content.
    ///
    /// # Errors
    /// Empty; Syntax for what begins as JSON and is none; Unrecognised.
    pub fn recognise(bytes: &[u8]) -> Result<Self, FormatError> {
        if bytes.starts_with(b"\x89PNG") {
            return Ok(Self::LabelMap);
        }
        if read::npz::is_one(bytes) {
            return Ok(Self::Npz);
        }
        match bytes.trim_ascii_start().first() {
            None => Err(FormatError::Empty),
            Some(b'{' | b'[') => of_json(&Outline::of(bytes)?).ok_or(FormatError::Unrecognised),
            Some(_) => match std::str::from_utf8(bytes) {
                Ok(text) if read::yolo::is_one(text) => Ok(Self::Yolo),
                Ok(text) if read::csv::is_one(text) => Ok(Self::Csv),
                _ => Err(FormatError::Unrecognised),
            },
        }
    }
}

/// By the keys at its top, and those of the first of a list.
fn of_json(outline: &Outline) -> Option<Format> {
    let has = |key: &str| outline.get(key).is_some();
    if outline.is_list {
        let first = outline.first.as_deref();
        return match first {
            Some(first) if first.get("image_id").is_some() => Some(Format::Coco),
            Some(first) if first.get("segmentation").is_some() => Some(Format::Som),
            Some(first) if !read::boxes::is_one(first) => None,
            _ => Some(Format::Boxes),
        };
    }
    if has("shapes") {
        Some(Format::LabelMe)
    } else if has("features") {
        Some(Format::GeoJson)
    } else if has("annotations") {
        Some(Format::Coco)
    } else if has("marks") || (has("regions") && has("image")) {
        Some(Format::Som)
    } else {
        read::boxes::list_of(outline).map(|_| Format::Boxes)
    }
}

impl FromStr for Format {
    type Err = Error;

    /// By its [`name`](Self::name), or that of a tool whose files it is.
    fn from_str(text: &str) -> Result<Self, Error> {
        let tool = match text {
            "supervision" | "ultralytics" | "json" => "boxes",
            other => other,
        };
        let names = || Self::NAMES.iter().map(|(_, name, _)| *name);
        Self::NAMES
            .iter()
            .find(|(_, name, _)| *name == tool)
            .map(|(format, ..)| *format)
            .ok_or_else(|| Error::unknown(ErrorKind::Invalid, "format", text, names()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Format {
        Format::recognise(text.as_bytes()).unwrap()
    }

    #[test]
    fn formats_are_told_by_their_content() {
        for (text, format) in [
            (r#"{"image":{},"segmenter":{},"regions":[]}"#, Format::Som),
            (r#"{"image":{},"marks":[{"id":1}]}"#, Format::Som),
            (
                r#"[{"segmentation":{"size":[1,1]},"bbox":[]}]"#,
                Format::Som,
            ),
            (r#"{"images":[],"annotations":[]}"#, Format::Coco),
            (r#"[{"image_id":7,"bbox":[1,2,3,4]}]"#, Format::Coco),
            ("0 0.5 0.5 0.25 0.25\n", Format::Yolo),
            ("\n3 0.1 0.1 0.2 0.1 0.2 0.2\n", Format::Yolo),
            (r#"{"version":"5","shapes":[]}"#, Format::LabelMe),
            (
                r#"{"type":"FeatureCollection","features":[]}"#,
                Format::GeoJson,
            ),
            (
                r#"[{"x_min":1,"y_min":2,"x_max":3,"y_max":4}]"#,
                Format::Boxes,
            ),
            (r#"[{"box":{"x1":1,"y1":2,"x2":3,"y2":4}}]"#, Format::Boxes),
            (
                r#"{"boxes":[{"x":1,"y":2,"width":3,"height":4}]}"#,
                Format::Boxes,
            ),
            ("[]", Format::Boxes),
            ("x;y;width;height\n1;2;3;4\n", Format::Csv),
            ("left,top,right,bottom,label\n", Format::Csv),
            ("\u{89}PNG", Format::LabelMap),
        ] {
            let bytes = match text.strip_prefix('\u{89}') {
                Some(rest) => [b"\x89", rest.as_bytes()].concat(),
                None => text.as_bytes().to_vec(),
            };
            assert_eq!(Format::recognise(&bytes).unwrap(), format, "{text}");
        }
        assert_eq!(of(" [ ] "), Format::Boxes);
    }

    #[test]
    fn what_is_none_is_told_from_what_is_broken() {
        let error = |text: &str| Format::recognise(text.as_bytes()).unwrap_err();
        assert!(matches!(error(" \n"), FormatError::Empty));
        for text in [
            "words",
            "1 2",
            "a,b,c\n",
            r#"{"a":1}"#,
            r#"[{"a":1}]"#,
            "[1]",
        ] {
            assert!(matches!(error(text), FormatError::Unrecognised), "{text}");
        }
        let broken = error("{\"marks\": [\n  {\"id\": }\n]}").to_string();
        assert_eq!(broken, "line 2, column 10: expected value");
    }

    #[test]
    fn every_format_has_a_name() {
        for (format, name, _) in Format::NAMES {
            assert_eq!(name.parse::<Format>().unwrap(), format);
            assert_eq!(format.name(), name);
        }
        assert_eq!("supervision".parse::<Format>().unwrap(), Format::Boxes);
        let error = "labelm".parse::<Format>().unwrap_err();
        assert!(
            error.message().contains("did you mean \"labelme\""),
            "{error}"
        );
    }
}
