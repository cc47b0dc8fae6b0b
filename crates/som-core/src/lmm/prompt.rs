//! What an LMM is asked: turns of text and images, interleaved.

use std::{fmt, sync::Arc};

use serde_json::Value;

use crate::{BBox, Color, Image, Region, Size, encode::Encoding};

/// Everything one request says to an LMM.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prompt {
    /// Instructions that stand above the conversation.
    pub system: Option<String>,
    /// The conversation so far; the last turn is the user's.
    pub turns: Vec<Turn>,
    /// The form of the answer; `None` for free text.
    pub schema: Option<AnswerSchema>,
    /// Most tokens of the answer; `None` for the provider's setting.
    pub max_tokens: Option<u32>,
    /// How freely to choose words, from 0; `None` for the model's default.
    pub temperature: Option<f64>,
    /// For answers that can be repeated, where the provider supports it.
    pub seed: Option<u64>,
    /// Texts that end the answer.
    pub stop: Vec<String>,
    /// What is known without a model. Never sent.
    pub notes: Notes,
}

/// What providers without a model go by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Notes {
    /// The latest question, without what a template says around it; of several expressions each
    /// in a line of its own.
    pub question: String,
    /// What the marks in the images are.
    pub regions: Vec<RegionNote>,
}

/// What one side says at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// Who speaks.
    pub role: Role,
    /// What is said and shown, in order.
    pub parts: Vec<Part>,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The one who asks.
    User,
    /// The model, in an earlier answer.
    Assistant,
}

/// A piece of a turn.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Words.
    Text(String),
    /// An image.
    Image(PromptImage),
}

/// An image in a file format, cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct PromptImage {
    /// The file's bytes.
    pub bytes: Arc<[u8]>,
    /// Its format.
    pub format: Encoding,
    /// Of the image.
    pub size: Size,
}

/// The form of a structured answer.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerSchema {
    /// What the form is called: letters, digits, `_` and `-`.
    pub name: String,
    /// JSON Schema. Providers take the part of it that has `additionalProperties: false` and every
    /// property required.
    pub schema: Value,
}

/// What a mark is, in numbers: of a marked region, what can be said without a model.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionNote {
    /// Which image the mark is on, from 0.
    pub image_index: usize,
    /// The mark's text.
    pub name: String,
    /// The region's class name, if the segmenter gives one.
    pub label: Option<String>,
    /// In pixels of the original image.
    pub bbox: BBox,
    /// Number of pixels.
    pub area: u64,
    /// Mean colour of its pixels, before any ink; `None` if it has none.
    pub color: Option<Color>,
    /// Of the original image.
    pub image: Size,
}

impl Prompt {
    /// A prompt of one turn, the user's.
    pub fn new(parts: impl IntoIterator<Item = Part>) -> Self {
        Self {
            turns: vec![Turn {
                role: Role::User,
                parts: parts.into_iter().collect(),
            }],
            ..Self::default()
        }
    }

    /// Every image of every turn, in order.
    pub fn images(&self) -> impl Iterator<Item = &PromptImage> {
        self.turns.iter().flat_map(Turn::images)
    }
}

impl Turn {
    /// Its images, in order.
    pub fn images(&self) -> impl Iterator<Item = &PromptImage> {
        self.parts.iter().filter_map(|part| match part {
            Part::Image(image) => Some(image),
            Part::Text(_) => None,
        })
    }
}

impl RegionNote {
    /// Of the mark that says `name` on `region` of the image at `image_index`, whose pixels without
    /// ink are `image`.
    pub fn new(image_index: usize, name: &str, region: &Region, image: &Image<'_>) -> Self {
        Self {
            image_index,
            name: name.to_owned(),
            label: region.label.clone(),
            bbox: region.bbox(),
            area: region.mask.area(),
            color: Color::mean(image, &region.mask),
            image: Size::new(image.width(), image.height()),
        }
    }
}

/// Without the bytes.
impl fmt::Debug for PromptImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            bytes,
            format,
            size,
        } = self;
        write!(f, "PromptImage({format:?}, {size}, {} bytes)", bytes.len())
    }
}
