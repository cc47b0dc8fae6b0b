//! From feature maps to objects: what several decoders share.
//!
//! A [`PixelDecoder`] makes of a backbone's maps a memory in which all resolutions know of each other,
//! and one fine map of features that masks are read from; so does a [`PyramidDecoder`], the simpler one of
//! MaskFormer, whose levels stay maps. Queries, chosen from the memory by
//! [`proposals`] or learned, become objects in the layers of a [`QueryDecoder`].
//!
//! Networks that answer prompts have a [`PromptEncoder`] and a [`MaskDecoder`].

pub mod boxes;
mod pixel;
mod prompt_encoder;
pub mod proposals;
mod pyramid;
mod queries;
mod two_way;

pub use self::{
    pixel::{
        EncoderInput, EncoderLayer, EncoderLayerSizes, LevelOrder, NormedConv, PixelDecoder,
        PixelDecoderSizes, PixelFeatures,
    },
    prompt_encoder::{Meaning, PromptEncoder, PromptEncoderSizes, PromptToken},
    pyramid::{PyramidDecoder, PyramidDecoderSizes, PyramidFeatures, PyramidLayer},
    queries::{Objects, Queries, QueryDecoder, QueryDecoderSizes},
    two_way::{Decoded, FineFeatures, ImageSide, MaskDecoder, MaskDecoderSizes},
};
