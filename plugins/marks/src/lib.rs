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
mod text;

pub use self::{
    boxes::Boxes,
    contour::Contour,
    label::{Alphabet, Number},
    mask::MaskFill,
};
