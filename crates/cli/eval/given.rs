//! Regions of a row that people have already.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use som_core::{Region, Result, Size};
use som_eval::run::ReadRegions;

use crate::{given::GivenSource, input::Input};

/// Files of regions, each read once.
#[derive(Default)]
pub(super) struct GivenFiles(Mutex<HashMap<PathBuf, Arc<GivenSource>>>);

impl ReadRegions for GivenFiles {
    fn read(&self, from: &Path, image: &Path, size: Size) -> Result<Vec<Region>> {
        let source = {
            let mut sources = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let source = sources.entry(from.to_owned());
            let open = || Arc::new(GivenSource::of_many(from.to_owned()));
            source.or_insert_with(open).clone()
        };
        let input = Input::file(image);
        Ok(source.read(&input, size)?.regions.regions)
    }
}
