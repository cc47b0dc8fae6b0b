//! The classes of a call, and what they mean to the network.

use som_core::{Call, Result};
use som_torch::{
    TorchResult,
    text::{Class, LanguageEncoder, Vocabularies, Wording},
    torch_error,
};

use crate::{network::ClassWeights, params::CallParams};

/// What a query is that is none of the classes.
const NOTHING: &str = "background";

/// The classes to look for, and what they mean to the network.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    pub classes: Vec<Class>,
    /// Of the classes, and of nothing.
    pub weights: ClassWeights,
    /// For each class, how many of its prompts the text encoder did not see to the end.
    pub cut: Vec<usize>,
}

impl Vocabulary {
    /// What the classes of a call mean to `language`, where they are not `known` yet.
    ///
    /// # Errors
    /// Invalid, if there is none, one is given twice, has no name or one that is too long, or a thing
    /// is no class or a data set not known; Cancelled; Exhausted, if memory runs out.
    pub(crate) fn of(
        params: &CallParams,
        language: &LanguageEncoder,
        known: &Vocabularies,
        call: &Call<'_>,
    ) -> Result<Self> {
        let classes = Class::all(params.classes.as_ref(), params.things.as_deref())?;
        let mut names: Vec<String> = classes.iter().map(|class| class.name.clone()).collect();
        // Who names it wants it found: then it is one of the classes, and not nothing.
        if !names.iter().any(|name| name == NOTHING) {
            names.push(NOTHING.to_owned());
        }
        let embedded = known.embed(language, &names, &Wording::Average, call)?;
        let weights = || -> TorchResult<ClassWeights> {
            Ok(ClassWeights {
                embeddings: embedded.embeddings.f_tr()?,
                scale: language.scale()?,
            })
        };
        Ok(Self {
            classes,
            weights: weights().map_err(torch_error)?,
            cut: embedded.cut,
        })
    }

    /// The index of what is none of the classes.
    pub(crate) fn nothing(&self) -> usize {
        self.classes.len()
    }
}
