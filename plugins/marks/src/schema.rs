//! The parameters of each style, as JSON Schema. A null or missing value is chosen to suit the
//! image.

/// Joins schemas of properties into the text a style gives of itself.
macro_rules! schema {
    ($($properties:expr),+ $(,)?) => {
        concat!(r#"{"params": {"type": "object", "additionalProperties": false, "properties": {"#,
            schema!(@join $($properties),+), "}}}")
    };
    (@join $first:expr) => { $first };
    (@join $first:expr, $($rest:expr),+) => { concat!($first, ",", schema!(@join $($rest),+)) };
}

macro_rules! color {
    () => {
        r##""color": {"type": ["string", "null"], "pattern": "^#[0-9a-fA-F]{6}$", "default": null,
            "description": "One colour for all marks, such as #1f77b4; null: each mark its own"}"##
    };
}

macro_rules! thickness {
    () => {
        r#""thickness": {"type": ["number", "null"], "minimum": 0.5, "maximum": 64, "default": null,
            "description": "Thickness of lines in pixels; null: what suits the image"}"#
    };
}

macro_rules! halo {
    () => {
        r#""halo": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5,
            "description": "Opacity of the thin line beside each line, which parts it from what lies beneath"}"#
    };
}

pub(crate) const MASK: &str = schema!(
    r#""opacity": {"type": "number", "minimum": 0, "maximum": 1, "default": 0,
        "description": "Opacity of the tint all over a region; 0 leaves its colours as they are"}"#,
    r#""edge": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.4,
        "description": "Opacity of the tint at the edge of a region, from where it fades inwards"}"#,
    r#""reach": {"type": ["number", "null"], "minimum": 0, "maximum": 80, "default": null,
        "description": "How far the tint of the edge reaches, in pixels; null: what suits the image"}"#,
    color!(),
);

pub(crate) const CONTOUR: &str = schema!(thickness!(), halo!(), color!());

pub(crate) const BOX: &str = schema!(thickness!(), halo!(), color!());

pub(crate) const LABEL: &str = schema!(
    r#""font_size": {"type": ["number", "null"], "minimum": 1, "maximum": 4096, "default": null,
        "description": "Font size in pixels; null: what suits the image and what the model will see"}"#,
    r#""class_names": {"type": "boolean", "default": false,
        "description": "Write what the segmenter calls a region beside its label, as in 7 cup, where there is room"}"#,
    r#""roundness": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5,
        "description": "Corners of the plates: 0 square, 1 half circles"}"#,
    thickness!(),
    color!(),
);
