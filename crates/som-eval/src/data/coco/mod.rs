//! COCO: instances and panoptic segmentation (<https://cocodataset.org/#format-data>).

mod annotations;
mod instances;
mod panoptic;

use std::path::{Path, PathBuf};

pub(super) use self::{
    annotations::{Annotation, Image, by_id},
    instances::read as instances,
    panoptic::read as panoptic,
};
use super::{Place, files};
use crate::{Error, Result};

/// An annotation file and what goes with it.
struct File {
    path: PathBuf,
    /// What the data set's other folders are looked for in.
    root: PathBuf,
    /// The part of its name behind the prefix, such as `val2017`.
    split: String,
}

impl File {
    /// The file itself, or the one in `annotations` (or the folder) that is called
    /// `PREFIX_SPLIT.json`; `check` says whether a file without a split named is one of them.
    fn find(place: &Place, prefix: &str, check: impl Fn(&Path) -> bool) -> Result<Self> {
        let Place { kind, folder, .. } = place;
        if folder.is_file() {
            let stem = folder.file_stem().unwrap_or_default().to_string_lossy();
            let parent = folder.parent().unwrap_or(Path::new(""));
            let root = if parent.ends_with("annotations") {
                parent.parent().unwrap_or(parent)
            } else {
                parent
            };
            return Ok(Self {
                path: folder.clone(),
                root: root.to_owned(),
                split: stem.strip_prefix(prefix).unwrap_or(&stem).to_owned(),
            });
        }
        let inner = folder.join("annotations");
        let inner = if inner.is_dir() { &inner } else { folder };
        if let Some(split) = &place.split {
            return Ok(Self {
                path: inner.join(format!("{prefix}{split}.json")),
                root: folder.clone(),
                split: split.clone(),
            });
        }
        let is_one = |name: &str| name.starts_with(prefix) && name.ends_with(".json");
        let mut found = files::listed(*kind, inner, is_one)?;
        found.retain(|(_, path)| check(path));
        let split = |name: &str| {
            let name = name.strip_prefix(prefix).unwrap_or(name);
            name.strip_suffix(".json").unwrap_or(name).to_owned()
        };
        match found.as_slice() {
            [] => Err(kind.missing(inner.join(format!("{prefix}val2017.json")))),
            [(name, path)] => Ok(Self {
                path: path.clone(),
                root: folder.clone(),
                split: split(name),
            }),
            several => {
                let splits: Vec<String> = several.iter().map(|(name, _)| split(name)).collect();
                Err(Error::Invalid(format!(
                    "{}: holds several splits; say which with --split: {}",
                    inner.display(),
                    splits.join(", ")
                )))
            }
        }
    }

    /// Where the images are.
    fn images(&self, place: &Place) -> PathBuf {
        let split = self.split.as_str();
        let inner = format!("images/{split}");
        place.images_in(&self.root, &[split, &inner, "images"])
    }
}
