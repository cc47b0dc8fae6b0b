//! The class names of a call, and what they meant to a network before.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use som_core::{Call, Error, ErrorKind, Result};
use som_plugin::{guest::Level, log};

use super::{ClassEmbeddings, LanguageEncoder, Wording};
use crate::{cache::ByteCache, classes::DataSet};

/// What embeddings of earlier vocabularies may occupy, in bytes: some tens of large ones.
const CACHE: u64 = 64 << 20;

/// The classes to look for, as calls name them.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Classes {
    /// Those of a data set.
    Of(String),
    /// By their names.
    Named(Vec<String>),
}

/// One class to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    /// As it was given.
    pub name: String,
    /// Whether each one is a region of its own.
    pub is_thing: bool,
    /// In its data set; among the names of a call, its index.
    pub id: u64,
}

impl Class {
    /// The classes of a call: COCO's, where it names none. Those called `things` are, if any are
    /// called so; else those of the data set, or all.
    ///
    /// # Errors
    /// Invalid, if there is no class, one is named twice or has no name, or a thing is no class or
    /// a data set not known.
    pub fn all(asked: Option<&Classes>, things: Option<&[String]>) -> Result<Vec<Self>> {
        let mut classes = match asked {
            None => of_data_set(DataSet::Coco),
            Some(Classes::Of(name)) => of_data_set(DataSet::named(name).ok_or_else(|| {
                let known = DataSet::ALL.into_iter().map(DataSet::name);
                Error::unknown(ErrorKind::Invalid, "data set", name, known)
            })?),
            Some(Classes::Named(names)) => named(names)?,
        };
        let Some(things) = things else {
            return Ok(classes);
        };
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
        Ok(classes)
    }
}

fn of_data_set(set: DataSet) -> Vec<Class> {
    let class = |class: crate::classes::Class| Class {
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

/// The embeddings of vocabularies that were asked for before. Clones share them.
#[derive(Clone, Debug)]
pub struct Vocabularies {
    /// The segmenter's id, for the log.
    id: &'static str,
    embedded: Arc<Mutex<ByteCache<[u8; 32], ClassEmbeddings>>>,
}

impl Vocabularies {
    /// None yet, for the segmenter of this id.
    pub fn new(id: &'static str) -> Self {
        Self {
            id,
            embedded: Arc::new(Mutex::new(ByteCache::new(CACHE))),
        }
    }

    /// What `names` mean to `language`.
    ///
    /// # Errors
    /// As of [`LanguageEncoder::embed_classes`].
    pub fn embed(
        &self,
        language: &LanguageEncoder,
        names: &[String],
        wording: &Wording,
        call: &Call<'_>,
    ) -> Result<ClassEmbeddings> {
        let key = digest(names, wording);
        if let Some(known) = self.embedded().get(key) {
            return Ok(known.clone());
        }
        let embedded = language.embed_classes(names, wording, call)?;
        for (name, cut) in names.iter().zip(&embedded.cut).filter(|(_, cut)| **cut > 0) {
            log!(
                Level::Warn,
                "{}: class name {name:?} is long: the text encoder sees {cut} of its prompts without their ends",
                self.id
            );
        }
        let bytes = 4 * embedded.embeddings.numel() as u64;
        self.embedded().insert(key, embedded.clone(), bytes);
        Ok(embedded)
    }

    fn embedded(&self) -> MutexGuard<'_, ByteCache<[u8; 32], ClassEmbeddings>> {
        self.embedded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn digest(names: &[String], wording: &Wording) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    };
    names.iter().for_each(|name| add(name));
    add("");
    if let Wording::One(templates) = wording {
        templates.iter().for_each(|template| add(template));
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(names: &[&str]) -> Classes {
        Classes::Named(names.iter().map(|&name| name.to_owned()).collect())
    }

    #[test]
    fn a_call_that_names_nothing_looks_for_coco() {
        let classes = Class::all(None, None).unwrap();
        assert_eq!(classes.len(), 133);
        let wall = &classes[131];
        assert_eq!(
            (wall.name.as_str(), wall.is_thing, wall.id),
            ("wall-other-merged", false, 199)
        );
        let asked = Classes::Of("cityscapes".to_owned());
        assert_eq!(Class::all(Some(&asked), None).unwrap().len(), 19);
    }

    #[test]
    fn names_are_things_unless_others_are() {
        let asked = named(&["cup", "wall"]);
        let classes = Class::all(Some(&asked), None).unwrap();
        assert!(classes.iter().all(|class| class.is_thing));
        assert_eq!(classes[1].id, 1);
        let things = ["cup".to_owned()];
        let classes = Class::all(Some(&asked), Some(&things)).unwrap();
        assert!(classes[0].is_thing && !classes[1].is_thing);
    }

    #[test]
    fn what_is_no_class_is_named() {
        for (asked, things, told) in [
            (named(&[]), None, "classes is empty"),
            (named(&["cup", " "]), None, "class 1 has no name"),
            (named(&["cup", "cup"]), None, "\"cup\" is given twice"),
            (named(&["cup"]), Some(["spoon".to_owned()]), "spoon"),
            (Classes::Of("lvis".to_owned()), None, "lvis"),
        ] {
            let things = things.as_ref().map(|things| &things[..]);
            let error = Class::all(Some(&asked), things).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.message().contains(told), "{error}");
        }
    }
}
