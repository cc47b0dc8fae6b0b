//! The classes of a call, and what they mean to the network.

use som_core::{Call, Result};
use som_torch::{
    TorchResult,
    text::{Class, LanguageEncoder, Vocabularies, Wording},
    torch_error,
};

use crate::{
    network::ClassWeights,
    params::{CallParams, Template},
};

/// The classes to look for, and what they mean to the network.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    pub classes: Vec<Class>,
    pub weights: ClassWeights,
    /// For each class, how many of its prompts the text encoder did not see to the end.
    pub cut: Vec<usize>,
}

impl Vocabulary {
    /// What the classes of a call mean to `language`, where they are not `known` yet.
    ///
    /// # Errors
    /// Invalid, if there is none, one is given twice, has no name or one that is too long, a thing is
    /// no class or a data set not known, or templates are not as many as classes; Cancelled;
    /// Exhausted, if memory runs out.
    pub(crate) fn of(
        params: &CallParams,
        language: &LanguageEncoder,
        known: &Vocabularies,
        call: &Call<'_>,
    ) -> Result<Self> {
        let classes = Class::all(params.classes.as_ref(), params.things.as_deref())?;
        let names: Vec<String> = classes.iter().map(|class| class.name.clone()).collect();
        let wording = match &params.template {
            None => Wording::Average,
            Some(Template::One(template)) => Wording::One(vec![template.clone(); names.len()]),
            Some(Template::Each(templates)) => Wording::One(templates.clone()),
        };
        let embedded = known.embed(language, &names, &wording, call)?;
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
}
