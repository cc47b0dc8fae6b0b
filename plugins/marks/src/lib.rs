//! The mark styles that come with som: `number`, `alphabet`, `box`, `contour` and `mask`.
//!
//! Each draws one layer of ink; layers stack in any order. Everything is anti-aliased and drawn by
//! its own blending of runs and small coverage maps, so that the cost follows the ink, not the
//! canvas.

mod boxes;
mod contour;
mod edge;
mod ink;
mod label;
mod leader;
mod mask;
mod owners;
mod plate;
mod schema;
mod text;

pub use self::{
    boxes::Boxes,
    contour::Contour,
    label::{Alphabet, Number},
    mask::MaskFill,
};

use som_plugin::guest::{MarkStyleDef, MarkStyleType};

const fn style(
    id: &'static str,
    about: &'static str,
    schema: &'static str,
    style: MarkStyleType,
) -> MarkStyleDef {
    MarkStyleDef {
        id,
        version: env!("CARGO_PKG_VERSION"),
        about,
        schema,
        style,
    }
}

static NUMBER: MarkStyleDef = style(
    "number",
    "Numbers on plates: 1, 2, 3…",
    schema::LABEL,
    MarkStyleType::of::<Number>(),
);
static ALPHABET: MarkStyleDef = style(
    "alphabet",
    "Letters on plates: A…Z, AA, AB…",
    schema::LABEL,
    MarkStyleType::of::<Alphabet>(),
);
static BOX: MarkStyleDef = style(
    "box",
    "The box around each region",
    schema::BOX,
    MarkStyleType::of::<Boxes>(),
);
static CONTOUR: MarkStyleDef = style(
    "contour",
    "A line along the edge of each region",
    schema::CONTOUR,
    MarkStyleType::of::<Contour>(),
);
static MASK: MarkStyleDef = style(
    "mask",
    "A tint over each region",
    schema::MASK,
    MarkStyleType::of::<MaskFill>(),
);

som_plugin::export!(segmenters: [], mark_styles: [NUMBER, ALPHABET, BOX, CONTOUR, MASK]);
