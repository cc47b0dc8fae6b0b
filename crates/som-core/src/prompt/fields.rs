//! The fields of a template, and what fills them.

use std::collections::BTreeMap;

use crate::{Error, ErrorKind, Result};

/// A named place in a template's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// What the user asks.
    Question,
    /// Which images there are, and which labels they carry.
    Marks,
    /// A label of the images, in brackets, as an example.
    Example,
    /// The table of regions, or nothing.
    Table,
    /// The labels that a task is about.
    Targets,
    /// The class names to choose from.
    Vocabulary,
    /// The referring expressions.
    Expressions,
    /// The sentence whose phrases are looked for.
    Sentence,
    /// The phrases themselves.
    Phrases,
    /// How the answer is to be written, or nothing.
    Form,
}

impl Field {
    /// Every field.
    pub const ALL: [Field; 10] = [
        Field::Question,
        Field::Marks,
        Field::Example,
        Field::Table,
        Field::Targets,
        Field::Vocabulary,
        Field::Expressions,
        Field::Sentence,
        Field::Phrases,
        Field::Form,
    ];

    /// As a template writes it, without the braces.
    pub const fn name(self) -> &'static str {
        match self {
            Field::Question => "question",
            Field::Marks => "marks",
            Field::Example => "example",
            Field::Table => "table",
            Field::Targets => "targets",
            Field::Vocabulary => "vocabulary",
            Field::Expressions => "expressions",
            Field::Sentence => "sentence",
            Field::Phrases => "phrases",
            Field::Form => "form",
        }
    }

    /// The field called `name`.
    ///
    /// # Errors
    /// Invalid, listing the fields there are.
    pub fn named(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|field| field.name() == name)
            .ok_or_else(|| {
                let known = Self::ALL.into_iter().map(Self::name);
                Error::unknown(ErrorKind::Invalid, "field", name, known)
            })
    }
}

/// The texts for the fields that have one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(BTreeMap<Field, String>);

impl Fields {
    /// The same with `text` for `field`; an empty text is none.
    #[must_use]
    pub fn with(mut self, field: Field, text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.0.insert(field, text);
        }
        self
    }

    /// The text for `field`.
    pub fn get(&self, field: Field) -> Option<&str> {
        self.0.get(&field).map(String::as_str)
    }
}
