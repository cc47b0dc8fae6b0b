//! The JSON of COCO annotations: images, annotations, categories, each looked up by id.

use std::{
    collections::{BTreeMap, HashMap, hash_map::Entry},
    path::Path,
    sync::Arc,
};

use serde::Deserialize;
use som_core::Size;

use crate::{Error, Rect, Shape};

/// An image of the file.
#[derive(Debug, Deserialize)]
pub(in crate::data) struct Image {
    pub(in crate::data) id: u64,
    pub(in crate::data) file_name: String,
    width: u32,
    height: u32,
}

impl Image {
    pub(in crate::data) const fn size(&self) -> Size {
        Size::new(self.width, self.height)
    }
}

/// One annotated thing.
#[derive(Debug, Deserialize)]
pub(in crate::data) struct Annotation {
    pub(in crate::data) id: u64,
    pub(in crate::data) image_id: u64,
    pub(in crate::data) category_id: u64,
    pub(in crate::data) bbox: Option<Rect>,
    pub(in crate::data) segmentation: Option<Shape>,
    #[serde(default)]
    pub(in crate::data) iscrowd: u8,
}

/// A class.
#[derive(Debug, Deserialize)]
pub(in crate::data) struct Category {
    id: u64,
    name: String,
}

/// The classes by id.
#[derive(Debug)]
pub(in crate::data) struct Categories(BTreeMap<u64, Arc<Vec<String>>>);

impl Categories {
    pub(in crate::data) fn new(categories: Vec<Category>) -> Self {
        let named = |category: Category| (category.id, Arc::new(vec![category.name]));
        Self(categories.into_iter().map(named).collect())
    }

    pub(in crate::data) fn get(&self, id: u64) -> Option<Arc<Vec<String>>> {
        self.0.get(&id).cloned()
    }

    /// All names, in the order of ids.
    pub(in crate::data) fn vocabulary(&self) -> Arc<Vec<String>> {
        Arc::new(
            self.0
                .values()
                .flat_map(|names| names.iter().cloned())
                .collect(),
        )
    }
}

/// Entries by their ids, in the file's order; of two with the same id the first stays, and the
/// other is told.
pub(in crate::data) fn by_id<T>(
    file: &Path,
    what: &str,
    entries: Vec<T>,
    id: impl Fn(&T) -> u64,
    problems: &mut Vec<Error>,
) -> (Vec<T>, HashMap<u64, usize>) {
    let mut places = HashMap::with_capacity(entries.len());
    let mut kept = Vec::with_capacity(entries.len());
    for entry in entries {
        let id = id(&entry);
        match places.entry(id) {
            Entry::Occupied(_) => {
                let message = "the id occurs twice; the first one counts";
                problems.push(Error::malformed(file, format!("{what} {id}"), message));
            }
            Entry::Vacant(place) => {
                place.insert(kept.len());
                kept.push(entry);
            }
        }
    }
    (kept, places)
}
