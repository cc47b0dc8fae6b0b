//! From words to embeddings, as networks that know classes by their names use them.
//!
//! A [`ClipTokenizer`] makes [`Prompt`]s of class names and [`templates`](fn@templates), a
//! [`PromptTree`] finds what prompts have in common, a [`TextTransformer`] reads them, and a
//! [`LanguageEncoder`] turns what it read into one embedding for each class. [`Classes`] are how calls
//! name them, and [`Vocabularies`] remembers what they meant.
//!
//! Networks that look for what whole texts name read them with a [`Bert`], of whose tokens a
//! [`WordPieceTokenizer`] makes them.

mod bert;
mod language;
mod templates;
mod tokenizer;
mod transformer;
mod tree;
mod vocabulary;
mod word_piece;

pub use self::{
    bert::{Bert, BertLayer, BertSizes},
    language::{ClassEmbeddings, LanguageEncoder, Wording},
    templates::templates,
    tokenizer::{ClipTokenizer, Prompt},
    transformer::TextTransformer,
    tree::PromptTree,
    vocabulary::{Class, Classes, Vocabularies},
    word_piece::{WordPieceTokenizer, WordPieces},
};
