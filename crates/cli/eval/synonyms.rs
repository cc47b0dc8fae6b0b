//! `--synonyms`: names that are right as well.

use std::{fs, path::PathBuf};

use clap::Args;
use som_core::{Error, Result};
use som_eval::metrics::naming::Synonyms;

use crate::output::unreadable;

#[derive(Args)]
pub(super) struct SynonymFlags {
    /// Names that are right as well, as JSON: {"person": ["man", "woman"]}
    #[arg(long, value_name = "FILE")]
    synonyms: Option<PathBuf>,
}

impl SynonymFlags {
    /// The table; empty without one. Blocks.
    ///
    /// # Errors
    /// As [`unreadable`]; Invalid for what is no table.
    pub(super) fn read(&self) -> Result<Synonyms> {
        let Some(path) = &self.synonyms else {
            return Ok(Synonyms::default());
        };
        let place = path.display();
        let text = fs::read(path).map_err(|error| unreadable(error).at(&place))?;
        serde_json::from_slice(&text)
            .map_err(|error| Error::invalid(format!("{place}: is no table of synonyms: {error}")))
    }
}
