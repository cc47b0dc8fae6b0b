//! One question about one image, with what is true.

use std::{path::PathBuf, sync::Arc};

use som_core::Size;

use crate::{Rect, Shape};

/// One question about one image (or one sequence), with its truth.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Unique within the data set.
    pub id: String,
    /// What it hangs together with: the image, or the sequence. Intervals are drawn over these.
    pub group: String,
    /// Where the image lies; of a sequence, the first one.
    pub image: PathBuf,
    /// The size that the annotations are for, in pixels; `None` where only boxes are known.
    pub size: Option<Size>,
    /// What is asked.
    pub question: Question,
    /// What is right.
    pub truth: Truth,
    /// Kinds that scores are told by as well, such as `text` or `icon`.
    pub kinds: Vec<String>,
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// The names of all marks.
    Names {
        /// The names to choose from.
        vocabulary: Arc<Vec<String>>,
    },
    /// Which thing does this expression mean?
    Refer(String),
    /// Which regions do the phrases of a sentence mean?
    Phrases {
        /// The sentence, without mark-up.
        sentence: String,
    },
    /// Where are the objects of the first frame in the others?
    Track,
    /// Where has one to click?
    Click(String),
}

impl Question {
    /// The task's name in som's words.
    pub const fn task(&self) -> &'static str {
        match self {
            Self::Names { .. } => "describe",
            Self::Refer(_) => "refer",
            Self::Phrases { .. } => "phrases",
            Self::Track => "track",
            Self::Click(_) => "click",
        }
    }

    /// What is asked in words, if it has any of its own.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Refer(text) | Self::Click(text) | Self::Phrases { sentence: text } => Some(text),
            Self::Names { .. } | Self::Track => None,
        }
    }
}

/// What is right.
#[derive(Clone, Debug)]
pub enum Truth {
    /// Named segments.
    Segments(Segments),
    /// The things that an expression means: none, one or several.
    Targets {
        /// The things, shared by the expressions that mean the same.
        targets: Arc<Vec<Target>>,
        /// Pixels that count neither way; `None` if there are none.
        void: Option<Shape>,
        /// How it is scored.
        protocol: Protocol,
    },
    /// The phrases that have a box.
    Phrases(Vec<Phrase>),
    /// Objects in frames.
    Video(Video),
    /// The box that a click has to meet.
    Click(Rect),
    /// The truth was never published, and why that is so.
    Unpublished(&'static str),
}

/// How expressions are scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// One target each: `RefCOCO`.
    One,
    /// None, one or several: `gRefCOCO`.
    Any,
    /// LISA's sums with their small constants, and void pixels: `ReasonSeg`.
    Reasoning,
}

/// A thing that an expression means.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// The box of the annotation, which need not be that of the mask.
    pub bbox: Option<Rect>,
    /// Its pixels; `None` if only the box is known.
    pub shape: Option<Shape>,
}

/// Where named segments come from: they are cut when they are wanted.
#[derive(Clone, Debug)]
pub enum Segments {
    /// As they are listed.
    Listed(Vec<Segment>),
    /// COCO's panoptic PNG, whose colours are ids.
    Panoptic {
        /// The PNG.
        map: PathBuf,
        /// What is listed of each id; without shapes.
        listed: Vec<Segment>,
    },
    /// A map of classes: each connected part of a class is a segment.
    Classes {
        /// The PNG.
        map: PathBuf,
        /// The names of classes 1, 2, … with their synonyms; 0 is none.
        classes: Arc<Vec<Vec<String>>>,
    },
}

/// A named segment.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Its mark when the truth's own segments are marked.
    pub id: u64,
    /// The class's name and synonyms, the first being the usual one.
    pub names: Arc<Vec<String>>,
    /// Its pixels; `None` where they stand in a map.
    pub shape: Option<Shape>,
    /// Many things in one mask: no target, and no error to have found.
    pub is_crowd: bool,
}

/// A phrase that has a box.
#[derive(Clone, Debug, PartialEq)]
pub struct Phrase {
    /// Its words.
    pub text: String,
    /// Its types, such as `people`.
    pub types: Vec<String>,
    /// The boxes of what it means, one or more.
    pub boxes: Vec<Rect>,
}

/// Objects in the frames of a sequence.
#[derive(Clone, Debug, PartialEq)]
pub struct Video {
    /// The names of the frames, in order, and the map of objects of each.
    pub frames: Vec<(String, PathBuf)>,
    /// True if nothing is given: all frames count, void is left out, and objects are paired.
    pub is_unsupervised: bool,
}
