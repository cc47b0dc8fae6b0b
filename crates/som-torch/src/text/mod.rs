//! From words to embeddings, as networks that know classes by their names use them.
//!
//! A [`ClipTokenizer`] makes [`Prompt`]s of class names and [`templates`](fn@templates), a
//! [`PromptTree`] finds what prompts have in common, a [`TextTransformer`] reads them, and a
//! [`LanguageEncoder`] turns what it read into one embedding for each class. [`Classes`] are how calls
//! name them, and [`Vocabularies`] remembers what they meant.

mod language;
mod templates;
mod tokenizer;
mod transformer;
mod tree;
mod vocabulary;

pub use self::{
    language::{ClassEmbeddings, LanguageEncoder, Wording},
    templates::templates,
    tokenizer::{ClipTokenizer, Prompt},
    transformer::TextTransformer,
    tree::PromptTree,
    vocabulary::{Class, Classes, Vocabularies},
};
