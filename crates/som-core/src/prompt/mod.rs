//! marked image → prompt: the words that go with the images.
//!
//! The paper asks with a short explanation of the marks and lets the model name them (Yang et al.
//! 2023, section 3); naming them in brackets makes the answer traceable. A [`Template`] holds the
//! words, a [`Task`](crate::task::Task) fills its fields, and [`compose`] puts words and images in
//! order.

mod compose;
mod fields;
mod interleaved;
mod names;
mod ready;
mod repair;
mod table;
mod template;
mod wordings;

pub use self::{
    compose::{Composed, Layout, Piece, compose},
    fields::{Field, Fields},
    interleaved::{BoxReference, Interleaved, Renaming},
    ready::ready_prompt,
    repair::repair,
    table::table,
    template::Template,
    wordings::WORDINGS,
};
pub(crate) use names::{example_on, in_brackets, names_on};
