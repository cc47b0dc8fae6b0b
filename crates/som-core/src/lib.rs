//! The nouns and the pure stages of Set-of-Mark prompting.
//!
//! > image → regions → marks → marked image → prompt → answer → grounded spans
//!
//! A [`Segmenter`] cuts an [`Image`] into [`Region`]s, the core allocates [`Mark`]s,
//! [`MarkStyle`]s draw them, an [`LmmProvider`] answers a [`Prompt`]. This crate holds those nouns and every step between them that needs
//! neither a model, a file, a network nor an async runtime.
//!
//! Source of the method: Yang et al., *Set-of-Mark Prompting Unleashes Extraordinary Visual
//! Grounding in GPT-4V*, 2023 (arXiv 2310.11441).

// In the order of the data flow.
pub mod geometry;
pub mod image;
pub mod decode;
pub mod mask;
pub mod region;
pub mod nms;
pub mod segment;
pub mod mark;
mod options;
pub mod allocate;
pub mod draw;
pub mod pipeline;
pub mod encode;
pub mod scene;
pub mod prompt;
pub mod lmm;
pub mod ground;
pub mod task;
pub mod highlight;

// What every stage shares.
pub mod call;
pub mod catalog;
pub mod error;
pub mod hint;
pub mod name;
mod timings;
#[cfg(feature = "schema")]
pub mod schema;

#[cfg(feature = "schema")]
pub use crate::schema::Schema;
pub use crate::{
    allocate::{AllocateOptions, AllocatedMark, Allocation, Facts, allocate},
    call::{Call, Cancellation, Params},
    catalog::{Capability, Descriptor},
    draw::{Labelling, Layer, MarkStyle},
    error::{Error, ErrorKind, Result},
    geometry::{BBox, Point, Size},
    hint::Hints,
    image::{Canvas, Image},
    lmm::{
        Answer, AnswerEvent, Finish, ImagePolicy, LmmProvider, Part, Prompt, ProviderInfo, Usage,
        View,
    },
    mark::{Color, Mark, Marks},
    mask::Mask,
    options::MarkOptions,
    pipeline::{Ink, Marked, mark},
    region::Region,
    scene::{Coordinates, Scene},
    segment::{Origin, Segmentation, Segmenter},
    timings::Timings,
};
