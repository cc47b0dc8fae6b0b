//! What was cut and answered, by digest: one run's answers are another's replay.

use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use som_core::{Error, Region, Result};
use som_lmm::LmmSettings;
use tokio::sync::OnceCell;

use super::{
    files::{read_json, write_json},
    picture::hex,
};

/// What is written here is of this version.
const VERSION: u32 = 1;

/// A folder with what was cut and answered. Several runs may share it.
pub(super) struct Cache {
    folder: PathBuf,
    /// What is being cut now, so that nothing is cut twice at a time.
    cutting: Mutex<HashMap<String, Weak<OnceCell<Arc<Vec<Region>>>>>>,
}

#[derive(Serialize, Deserialize)]
struct Version {
    version: u32,
}

impl Cache {
    /// The cache in `folder`, which is made if it is not there. Blocks.
    ///
    /// # Errors
    /// Unsupported for one of another version; Unavailable, if it cannot be read or written.
    pub(super) fn open(folder: PathBuf) -> Result<Self> {
        let file = folder.join("cache.json");
        if file.exists() {
            let Version { version } = read_json(&file)?;
            if version != VERSION {
                return Err(Error::unsupported(format!(
                    "{}: the cache is of version {version}, but this program reads version \
                     {VERSION} (choose another folder with --cache, or delete this one)",
                    folder.display()
                )));
            }
        } else {
            write_json(&file, &Version { version: VERSION })?;
        }
        Ok(Self {
            folder,
            cutting: Mutex::default(),
        })
    }

    /// Where the answers of the model called `name` are. Other settings are another model.
    pub(super) fn answers(&self, name: &str, lmm: Option<&LmmSettings>) -> PathBuf {
        let told = lmm.map(|lmm| {
            let LmmSettings {
                provider,
                model,
                base_url,
                api_version,
                family,
                images,
                body,
                max_tokens,
                ..
            } = lmm;
            json!([
                provider,
                model,
                base_url,
                api_version,
                family,
                images,
                body,
                max_tokens
            ])
        });
        let digest = digest(&json!(told).to_string());
        let short = digest.get(..8).unwrap_or_default();
        self.folder.join("answers").join(format!("{name}-{short}"))
    }

    /// The regions that `key` stands for: those on file, or what `cut` gives, which is kept.
    ///
    /// # Errors
    /// As `cut`; Invalid for a file that holds none; Unavailable, if one cannot be written.
    pub(super) async fn regions(
        &self,
        key: &str,
        cut: impl AsyncFnOnce() -> Result<Vec<Region>>,
    ) -> Result<Arc<Vec<Region>>> {
        let digest = digest(key);
        let cell = self.cell(&digest);
        let regions = cell.get_or_try_init(async || {
            let path = self.path(&digest);
            if path.exists() {
                return read_json(&path).map(Arc::new);
            }
            let regions = cut().await?;
            write_json(&path, &regions)?;
            Ok::<_, Error>(Arc::new(regions))
        });
        Ok(regions.await?.clone())
    }

    fn cell(&self, digest: &str) -> Arc<OnceCell<Arc<Vec<Region>>>> {
        let mut cutting = self.cutting.lock().unwrap_or_else(PoisonError::into_inner);
        cutting.retain(|_, cell| cell.strong_count() > 0);
        let known = cutting.get(digest).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let cell = Arc::new(OnceCell::new());
            cutting.insert(digest.to_owned(), Arc::downgrade(&cell));
            cell
        })
    }

    fn path(&self, digest: &str) -> PathBuf {
        self.folder.join("regions").join(format!("{digest}.json"))
    }
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text))
}
