//! The class names of a call, and what they mean to the network.

use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};
use som_core::{Call, Error, ErrorKind, Result};
use som_plugin::{guest::Level, log};
use som_torch::{
    TorchResult,
    cache::ByteCache,
    classes::DataSet,
    text::{ClassEmbeddings, Wording},
    torch_error,
};

use crate::{
    network::{ClassWeights, Network},
    params::{CallParams, Classes, Template},
};

/// What embeddings of earlier vocabularies may occupy, in bytes: some tens of large ones.
const CACHE: u64 = 64 << 20;

/// One class to look for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Class {
    pub name: String,
    pub is_thing: bool,
    /// In its data set; among the names of a call, its index.
    pub id: u64,
}

/// The classes to look for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Vocabulary {
    pub classes: Vec<Class>,
    wording: Wording,
}

impl Vocabulary {
    /// The vocabulary of a call: COCO's, where it names none.
    ///
    /// # Errors
    /// Invalid, if there is no class, one is named twice or has no name, a thing is no class, or
    /// templates are not as many as classes; NotFound, for a data set that is not known.
    pub(crate) fn of(params: &CallParams) -> Result<Self> {
        let mut classes = match &params.classes {
            None => of_data_set(DataSet::Coco),
            Some(Classes::Of(name)) => of_data_set(DataSet::named(name).ok_or_else(|| {
                let known = DataSet::ALL.into_iter().map(DataSet::name);
                Error::unknown(ErrorKind::Invalid, "data set", name, known)
            })?),
            Some(Classes::Named(names)) => named(names)?,
        };
        if let Some(things) = &params.things {
            for thing in things {
                if !classes.iter().any(|class| class.name == *thing) {
                    let known = classes.iter().map(|class| class.name.as_str());
                    let error = Error::unknown(ErrorKind::Invalid, "class", thing, known);
                    return Err(error.at("things"));
                }
            }
            for class in &mut classes {
                class.is_thing = things.contains(&class.name);
            }
        }
        let wording = match &params.template {
            None => Wording::Average,
            Some(Template::One(template)) => Wording::One(vec![template.clone(); classes.len()]),
            Some(Template::Each(templates)) => Wording::One(templates.clone()),
        };
        Ok(Self { classes, wording })
    }

    /// The names, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        self.classes
            .iter()
            .map(|class| class.name.clone())
            .collect()
    }

    fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        };
        self.classes.iter().for_each(|class| add(&class.name));
        add("");
        if let Wording::One(templates) = &self.wording {
            templates.iter().for_each(|template| add(template));
        }
        hash.finalize().into()
    }
}

fn of_data_set(set: DataSet) -> Vec<Class> {
    let class = |class: som_torch::classes::Class| Class {
        name: class.name.to_owned(),
        is_thing: class.is_thing,
        id: class.id,
    };
    set.classes().into_iter().map(class).collect()
}

/// All are things, until something else is said.
fn named(names: &[String]) -> Result<Vec<Class>> {
    if names.is_empty() {
        return Err(Error::invalid(
            "classes is empty (give at least one name, or a data set such as \"coco\")",
        ));
    }
    let class = |(id, name): (u64, &String)| Class {
        name: name.clone(),
        is_thing: true,
        id,
    };
    let classes: Vec<Class> = (0..).zip(names).map(class).collect();
    for (index, class) in classes.iter().enumerate() {
        if class.name.trim().is_empty() {
            return Err(Error::invalid(format!("class {index} has no name")).at("classes"));
        }
        if classes[..index]
            .iter()
            .any(|other| other.name == class.name)
        {
            let twice = format!("class {:?} is given twice", class.name);
            return Err(Error::invalid(twice).at("classes"));
        }
    }
    Ok(classes)
}

/// A vocabulary, and what it means to a network.
#[derive(Debug)]
pub(crate) struct Embedded<'a> {
    pub classes: &'a [Class],
    pub weights: ClassWeights,
    /// For each class, how many of its prompts the text encoder did not see to the end.
    pub cut: Vec<usize>,
}

/// The embeddings of vocabularies that were asked for before. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Vocabularies(Arc<Mutex<ByteCache<[u8; 32], ClassEmbeddings>>>);

impl Vocabularies {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Mutex::new(ByteCache::new(CACHE))))
    }

    /// What `vocabulary` means to `network`.
    ///
    /// # Errors
    /// Invalid, if a name is longer than what the text encoder reads; Cancelled; Exhausted, if
    /// memory runs out.
    pub(crate) fn embed<'a>(
        &self,
        network: &Network,
        vocabulary: &'a Vocabulary,
        call: &Call<'_>,
    ) -> Result<Embedded<'a>> {
        let key = vocabulary.digest();
        let known = self.cache().get(key).cloned();
        let embedded = match known {
            Some(embedded) => embedded,
            None => {
                let names = vocabulary.names();
                let embedded = network
                    .language
                    .embed_classes(&names, &vocabulary.wording, call)?;
                tell_cut(&names, &embedded.cut);
                let bytes = 4 * embedded.embeddings.numel() as u64;
                self.cache().insert(key, embedded.clone(), bytes);
                embedded
            }
        };
        let weights = || -> TorchResult<ClassWeights> {
            Ok(ClassWeights {
                embeddings: embedded.embeddings.f_tr()?,
                scale: network.language.scale()?,
            })
        };
        Ok(Embedded {
            weights: weights().map_err(torch_error)?,
            classes: &vocabulary.classes,
            cut: embedded.cut,
        })
    }

    fn cache(&self) -> std::sync::MutexGuard<'_, ByteCache<[u8; 32], ClassEmbeddings>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says which names are so long that the ends of some prompts were cut off.
fn tell_cut(names: &[String], cut: &[usize]) {
    for (name, cut) in names.iter().zip(cut).filter(|(_, cut)| **cut > 0) {
        log!(
            Level::Warn,
            "open-seed: class name {name:?} is long: the text encoder sees {cut} of its prompts without their ends"
        );
    }
}
