//! What networks call the things they were trained to find: the class names of data sets.

use serde::Deserialize;
use som_core::{Error, Result};

/// The classes of a data set, in the order in which networks number them, from 0.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Vocabulary {
    /// Where the names are from.
    pub source: String,
    /// By number.
    pub classes: Vec<Class>,
}

/// One class.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Class {
    /// Its number in the data set's own files.
    pub id: u32,
    /// What it is called, in the data set's words: several words for the same stand between commas.
    pub name: String,
    /// A thing, which can be counted, or stuff, such as sky.
    pub thing: bool,
}

impl Vocabulary {
    /// The ids that [`named`](Self::named) knows.
    pub const NAMES: [&str; 4] = ["coco", "coco-panoptic", "ade20k", "cityscapes"];

    /// The vocabulary with this id: `coco` (80 things), `coco-panoptic` (these, and 53 kinds of
    /// stuff), `ade20k` (150) or `cityscapes` (19).
    ///
    /// # Errors
    /// NotFound, if there is none of that name.
    pub fn named(id: &str) -> Result<Self> {
        let text = match id {
            "coco" | "coco-panoptic" => include_str!("coco_panoptic.json"),
            "ade20k" => include_str!("ade20k.json"),
            "cityscapes" => include_str!("cityscapes.json"),
            _ => {
                let known = Self::NAMES.join(", ");
                return Err(Error::not_found(format!(
                    "no classes are known as {id:?} (known are {known})"
                )));
            }
        };
        let mut vocabulary: Self = serde_json::from_str(text)
            .map_err(|error| Error::internal(format!("the classes of {id}: {error}")))?;
        if id == "coco" {
            vocabulary.classes.retain(|class| class.thing);
        }
        Ok(vocabulary)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use som_core::ErrorKind;

    #[test]
    fn every_data_set_has_its_classes() {
        for (id, classes, things) in [
            ("coco", 80, 80),
            ("coco-panoptic", 133, 80),
            ("ade20k", 150, 100),
            ("cityscapes", 19, 8),
        ] {
            assert!(Vocabulary::NAMES.contains(&id));
            let found = Vocabulary::named(id).unwrap().classes;
            assert_eq!(found.len(), classes, "{id}");
            assert_eq!(found.iter().filter(|class| class.thing).count(), things);
            let names: BTreeSet<&str> = found.iter().map(|class| class.name.trim()).collect();
            assert_eq!(names.len(), classes, "{id}: two classes of one name");
            assert!(found.is_sorted_by_key(|class| (!class.thing, class.id)) || id != "coco-panoptic");
        }
    }

    #[test]
    fn numbers_are_those_of_the_data_sets() {
        let class = |id: &str, number: usize| Vocabulary::named(id).unwrap().classes.swap_remove(number);
        assert_eq!((class("coco", 41).id, &*class("coco", 41).name), (47, "cup"));
        let last = class("coco-panoptic", 132);
        assert_eq!((last.id, &*last.name), (200, "rug-merged"));
        assert_eq!(class("ade20k", 149).name, "flag");
        let bicycle = class("cityscapes", 18);
        assert_eq!((bicycle.id, &*bicycle.name), (33, "bicycle"));
    }

    #[test]
    fn an_unknown_name_is_told_the_known_ones() {
        let error = Vocabulary::named("lvis").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.message().contains("coco-panoptic"), "{error}");
    }
}
