//! The nouns and the pure stages of Set-of-Mark prompting.
//!
//! > image → regions → marks → marked image → prompt → answer → grounded spans
//!
//! A [`Segmenter`] cuts an [`Image`] into [`Region`]s, the core allocates [`Mark`]s,
//! [`MarkStyle`]s draw them, an [`LmmProvider`] answers a [`Prompt`]. This crate holds those nouns
//! and every step between them that needs neither a model, a file, a network nor an async runtime.
//!
//! Source of the method: Yang et al., *Set-of-Mark Prompting Unleashes Extraordinary Visual
//! Grounding in GPT-4V*, 2023 (arXiv 2310.11441).

// Nouns are names of this crate, stages modules of it. In the order of the data flow:
mod geometry;
mod image;
pub mod decode;
mod mask;
mod region;
mod shape;
pub mod nms;
pub mod granularity;
mod segment;
mod track;
pub mod carry;
mod mark;
mod options;
mod allocate;
mod draw;
pub mod pipeline;
pub mod encode;
mod scene;
pub mod prompt;
mod lmm;
pub mod ground;
pub mod task;
pub mod highlight;

// What every stage shares.
mod call;
mod catalog;
mod error;
mod example;
mod hint;
mod name;
mod timings;
#[cfg(feature = "schema")]
mod schema;

#[cfg(feature = "schema")]
pub use crate::schema::Schema;
pub use crate::{
    allocate::{
        AllocateOptions, AllocatedMark, Allocation, Facts, KeptMark, Labels, Unmarked,
        UnmarkedReason, allocate,
    },
    call::{Call, Cancellation, Params},
    catalog::{Capability, Descriptor},
    draw::{Labelling, Layer, MarkStyle},
    error::{Error, ErrorKind, Result, with_causes},
    example::{Example, ExampleHint, ExampleMask},
    geometry::{BBox, Point, Size},
    hint::{BoxHint, HintKind, Hints, PointHint},
    image::{Canvas, Image},
    lmm::{
        Answer, AnswerEvent, AnswerSchema, AnswerStream, Draft, Finish, ImagePolicy, LmmProvider,
        Notes, Part, Prices, Prompt, PromptImage, ProviderInfo, RegionNote, Role, Turn, Usage,
        View,
    },
    mark::{Color, Mark, Marks},
    mask::{Connectivity, Counts, Mask, MaskBuilder, Polygon, Ring, Rle, Span},
    name::Named,
    options::MarkOptions,
    region::Region,
    scene::{AxisOrder, BoxOrder, Coordinates, Corner, Places, Scene, SceneImage, SceneMark},
    segment::{Origin, Segmentation, Segmenter, SegmenterFactory},
    shape::Shape,
    timings::Timings,
    track::{Frame, ObjectHints, Tracked, Tracker, TrackerFactory},
};
