//! Hints: the visual prompts given to an interactive segmenter.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use crate::{Capability, Error, ErrorKind, ExampleHint, Params, Size, mask::Rle};

/// What an interactive segmenter is told, in pixels of the original image. Travels as the
/// parameter `hints`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Hints {
    /// Clicks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub points: Vec<PointHint>,
    /// Boxes around the wanted thing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub boxes: Vec<BoxHint>,
    /// Strokes on the wanted thing, as COCO RLE objects of the image's size.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub strokes: Vec<Rle>,
    /// Earlier masks of the wanted thing, to be refined; written as strokes are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub masks: Vec<Rle>,
    /// What to look for, in words; as JSON `text`, which is a list where there are several.
    #[serde(
        rename = "text",
        skip_serializing_if = "Vec::is_empty",
        serialize_with = "one_or_several",
        deserialize_with = "none_one_or_several"
    )]
    pub texts: Vec<String>,
    /// Other pictures, in which the wanted thing is shown.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<ExampleHint>,
}

/// A click: label 1 on the wanted thing, 0 on the background.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointHint {
    /// Column.
    pub x: f64,
    /// Row.
    pub y: f64,
    /// 1: foreground, 0: background.
    #[serde(default = "foreground")]
    pub label: u8,
}

const fn foreground() -> u8 {
    1
}

/// A box around the wanted thing, XYWH.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoxHint {
    /// Left edge.
    pub x: f64,
    /// Top edge.
    pub y: f64,
    /// Width, above 0.
    pub width: f64,
    /// Height, above 0.
    pub height: f64,
}

/// What a region that is to be refined is told as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HintKind {
    /// The box around it.
    Box,
    /// A point on it.
    Point,
    /// Its mask.
    Mask,
}

impl HintKind {
    /// Every kind.
    pub const ALL: [HintKind; 3] = [HintKind::Box, HintKind::Point, HintKind::Mask];

    /// Its name in parameters.
    pub const fn name(self) -> &'static str {
        match self {
            HintKind::Box => "box",
            HintKind::Point => "point",
            HintKind::Mask => "mask",
        }
    }

    /// What a segmenter that takes such hints can do.
    pub const fn capability(self) -> Capability {
        match self {
            HintKind::Box => Capability::Boxes,
            HintKind::Point => Capability::Points,
            HintKind::Mask => Capability::Masks,
        }
    }
}

impl fmt::Display for HintKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for HintKind {
    type Err = Error;

    fn from_str(name: &str) -> crate::Result<Self> {
        let found = Self::ALL.into_iter().find(|kind| kind.name() == name);
        found.ok_or_else(|| {
            let known = Self::ALL.into_iter().map(Self::name);
            Error::unknown(ErrorKind::Invalid, "kind of hint", name, known)
        })
    }
}

impl Hints {
    /// The `hints` of `params`; `None` if there are none.
    ///
    /// # Errors
    /// Invalid, if they are malformed.
    pub fn from_params(params: &Params) -> crate::Result<Option<Self>> {
        match params.get("hints") {
            None | Some(Value::Null) => Ok(None),
            Some(hints) => Self::deserialize(hints)
                .map(|hints| Some(hints).filter(|hints| !hints.is_empty()))
                .map_err(|error| Error::invalid(format!("hints: {error}"))),
        }
    }

    /// JSON Schema of the hints that a segmenter with these capabilities takes; `None` if it takes
    /// none.
    pub fn schema(capabilities: &[Capability]) -> Option<Value> {
        let properties: Params = capabilities
            .iter()
            .flat_map(|capability| match capability {
                Capability::Points => vec![("points", points_schema())],
                Capability::Boxes => vec![("boxes", boxes_schema())],
                Capability::Masks => vec![
                    ("strokes", masks_schema("Strokes on the wanted thing")),
                    ("masks", masks_schema("Earlier masks of it")),
                ],
                Capability::Text => vec![("text", text_schema())],
                Capability::Examples => vec![("examples", examples_schema())],
                Capability::Automatic | Capability::Labels | Capability::Levels => vec![],
            })
            .map(|(key, schema)| (key.to_owned(), schema))
            .collect();
        (!properties.is_empty()).then(|| {
            json!({
                "type": ["object", "null"],
                "description": "What to segment; everything if there are none",
                "properties": properties,
                "additionalProperties": false,
            })
        })
    }

    /// Checks that every hint lies in an image of `size`. Examples have their own sizes, and are checked
    /// where they are read ([`ExampleHint::read`]).
    ///
    /// # Errors
    /// Invalid, naming the first hint that does not.
    pub fn check(&self, size: Size) -> crate::Result<()> {
        let Size { width, height } = size;
        let (right, bottom) = (f64::from(width), f64::from(height));
        let outside = |what: String| {
            Error::invalid(format!(
                "{what} lies outside the image of {width}x{height} pixels"
            ))
        };
        for PointHint { x, y, .. } in &self.points {
            if !((0.0..right).contains(x) && (0.0..bottom).contains(y)) {
                return Err(outside(format!("hint: the point {x},{y}")));
            }
        }
        for BoxHint {
            x,
            y,
            width,
            height,
        } in &self.boxes
        {
            if !(*x >= 0.0 && *y >= 0.0 && x + width <= right && y + height <= bottom) {
                return Err(outside(format!("hint: the box {x},{y},{width},{height}")));
            }
            if !(*width > 0.0 && *height > 0.0) {
                return Err(Error::invalid(format!(
                    "hint: the box {x},{y},{width},{height} has no area"
                )));
            }
        }
        let masks = self.strokes.iter().map(|stroke| ("stroke", stroke));
        let mut masks = masks.chain(self.masks.iter().map(|mask| ("mask", mask)));
        match masks.find(|(_, mask)| mask.size != [height, width]) {
            None => Ok(()),
            Some((what, mask)) => Err(Error::invalid(format!(
                "hint: a {what} of {}x{} pixels does not fit the image of {width}x{height}",
                mask.size[1], mask.size[0]
            ))),
        }
    }

    /// Checks that a segmenter whose parameters have this JSON Schema takes every kind of hint that is
    /// given.
    ///
    /// # Errors
    /// Unsupported, naming the first kind that it does not take.
    pub fn check_kinds(&self, params: &Value) -> crate::Result<()> {
        let kinds = [
            ("points", self.points.len()),
            ("boxes", self.boxes.len()),
            ("strokes", self.strokes.len()),
            ("masks", self.masks.len()),
            ("text", self.texts.len()),
        ];
        let is_taken = |kind: &str| match params.pointer("/properties/hints") {
            None => false,
            Some(hints) => match hints.get("properties") {
                Some(kinds) => kinds.get(kind).is_some(),
                None => true,
            },
        };
        let mut given = kinds.into_iter().filter(|&(_, count)| count > 0);
        match given.find(|(kind, _)| !is_taken(kind)) {
            Some((kind, _)) => Err(Error::unsupported(format!("it takes no {kind} as hints"))),
            None => Ok(()),
        }
    }

    /// Number of hints.
    pub fn count(&self) -> usize {
        self.points.len()
            + self.boxes.len()
            + self.strokes.len()
            + self.masks.len()
            + self.texts.len()
            + self.examples.len()
    }

    /// True if nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }
}

fn points_schema() -> Value {
    let point = json!({
        "type": "object",
        "properties": {
            "x": {"type": "number"},
            "y": {"type": "number"},
            "label": {"enum": [0, 1], "default": 1},
        },
        "required": ["x", "y"],
        "additionalProperties": false,
    });
    let description = "Clicks: label 1 on the wanted thing, 0 on the background";
    json!({"type": "array", "description": description, "items": point})
}

fn boxes_schema() -> Value {
    let bbox = json!({
        "type": "object",
        "properties": {
            "x": {"type": "number"},
            "y": {"type": "number"},
            "width": {"type": "number", "exclusiveMinimum": 0},
            "height": {"type": "number", "exclusiveMinimum": 0},
        },
        "required": ["x", "y", "width", "height"],
        "additionalProperties": false,
    });
    json!({"type": "array", "description": "Boxes around the wanted thing", "items": bbox})
}

fn masks_schema(description: &str) -> Value {
    let description = format!("{description}, as COCO RLE");
    json!({"type": "array", "description": description, "items": rle_schema()})
}

fn rle_schema() -> Value {
    let number = json!({"type": "integer", "minimum": 0});
    json!({
        "type": "object",
        "properties": {
            "size": {"type": "array", "items": number, "minItems": 2, "maxItems": 2},
            "counts": {"type": ["string", "array"], "items": number},
        },
        "required": ["size", "counts"],
        "additionalProperties": false,
    })
}

fn text_schema() -> Value {
    json!({
        "type": ["string", "array", "null"],
        "description": "What to look for, in words; a list of several",
        "items": {"type": "string"},
    })
}

fn examples_schema() -> Value {
    let mask = json!({
        "type": "object",
        "properties": {
            "label": {"type": "integer", "minimum": 1, "maximum": 255, "default": 1},
            "mask": rle_schema(),
        },
        "required": ["mask"],
        "additionalProperties": false,
    });
    let example = json!({
        "type": "object",
        "properties": {
            "image": {"type": "string", "contentEncoding": "base64"},
            "masks": {"type": "array", "items": mask, "minItems": 1},
        },
        "required": ["image", "masks"],
        "additionalProperties": false,
    });
    let description = "Pictures in which the wanted thing is shown: a file as base64, and COCO RLEs of its size, each with the number of its class";
    json!({"type": "array", "description": description, "items": example})
}

/// One text as what it is, so that plugins which know no list read it.
fn one_or_several<S: Serializer>(texts: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    match texts {
        [text] => text.serialize(serializer),
        texts => texts.serialize(serializer),
    }
}

fn none_one_or_several<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "text must be a string or a list of strings")]
    enum Texts {
        One(String),
        Several(Vec<String>),
    }
    Ok(match Option::deserialize(deserializer)? {
        None => Vec::new(),
        Some(Texts::One(text)) => vec![text],
        Some(Texts::Several(texts)) => texts,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BBox, Mask};

    fn refusal(hints: &Hints) -> String {
        hints
            .check(Size::new(60, 40))
            .map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn one_text_is_a_string_and_several_are_a_list() {
        let read = |text: Value| {
            let hints = Params::from_iter([("hints".to_owned(), json!({"text": text}))]);
            Hints::from_params(&hints)
        };
        for (text, texts) in [
            (json!("a cup"), vec!["a cup"]),
            (json!(["a cup", "a spoon"]), vec!["a cup", "a spoon"]),
        ] {
            let hints = read(text.clone()).unwrap().unwrap();
            assert_eq!(hints.texts, texts);
            assert_eq!(serde_json::to_value(hints).unwrap(), json!({"text": text}));
        }
        for nothing in [Value::Null, json!([])] {
            assert_eq!(read(nothing).unwrap(), None);
        }
        let error = read(json!([1])).unwrap_err();
        let told = "hints: text must be a string or a list of strings";
        assert_eq!(error.message(), told);
    }

    #[test]
    fn hints_must_lie_in_the_image() {
        let point = |x, y| Hints {
            points: vec![PointHint { x, y, label: 1 }],
            ..Hints::default()
        };
        assert_eq!(refusal(&point(59.9, 0.0)), "");
        let outside = "hint: the point 60,0 lies outside the image of 60x40 pixels";
        assert_eq!(refusal(&point(60.0, 0.0)), outside);
        assert_ne!(refusal(&point(-0.5, 0.0)), "");
        assert_ne!(refusal(&point(0.0, f64::NAN)), "");

        let bbox = |x, y, width, height| Hints {
            boxes: vec![BoxHint {
                x,
                y,
                width,
                height,
            }],
            ..Hints::default()
        };
        assert_eq!(refusal(&bbox(0.0, 0.0, 60.0, 40.0)), "");
        assert_ne!(refusal(&bbox(30.0, 0.0, 31.0, 1.0)), "");
        assert_ne!(refusal(&bbox(30.0, 0.0, f64::INFINITY, 1.0)), "");
        assert_eq!(
            refusal(&bbox(1.0, 2.0, 0.0, 1.0)),
            "hint: the box 1,2,0,1 has no area"
        );

        let mask = |size| Hints {
            masks: vec![Mask::rect(size, BBox::new(1, 1, 2, 2)).to_rle()],
            ..Hints::default()
        };
        assert_eq!(refusal(&mask(Size::new(60, 40))), "");
        let other = "hint: a mask of 40x60 pixels does not fit the image of 60x40";
        assert_eq!(refusal(&mask(Size::new(40, 60))), other);
    }
}
