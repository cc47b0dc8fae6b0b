//! Checkpoints: named tensors in a file, read without Python and without running anything from
//! the file.
//!
//! Read are what `torch.save` writes (`.pth`, `.pt`: the zip container of PyTorch 1.6 and later
//! and the stream of pickles before it) and safetensors. Opening reads names, shapes and element
//! types only.

mod config;
mod contradictions;
mod family;
mod names;
mod pickle;
mod pth;
mod safetensors;
mod shapes;

use std::{
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use som_core::{Error, Result};
use tch::{Kind, Tensor};

pub use self::{
    config::ConfigFile,
    contradictions::Contradictions,
    family::{foreign, other_family},
    names::Renamed,
    shapes::Shapes,
};
use crate::torch_error;

/// The named tensors of a file; their numbers are read one tensor at a time.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    entries: BTreeMap<String, Entry>,
}

/// One tensor of a file.
#[derive(Clone)]
struct Entry {
    shape: Vec<i64>,
    kind: Kind,
    /// Contiguous, in the byte order of this machine.
    read: Arc<dyn Fn() -> io::Result<Vec<u8>> + Send + Sync>,
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}{:?}", self.kind, self.shape)
    }
}

impl Checkpoint {
    /// Opens the file at `path`, whose content tells its format.
    ///
    /// Weights below a key such as `model` or `state_dict`, as training scripts save them, are
    /// found there, and the prefix `module.` of data-parallel training is dropped.
    ///
    /// # Errors
    /// Unavailable, if the file cannot be opened; Invalid, if it is truncated, no checkpoint, or
    /// holds anything but tensors and plain containers.
    pub fn open(path: &Path) -> Result<Self> {
        let entries = if safetensors::recognises(path).map_err(|error| unreadable(path, &error))? {
            safetensors::entries(path)
        } else {
            pth::entries(path)
        }
        .map_err(|reason| Error::invalid(format!("checkpoint {}: {reason}", path.display())))?;
        if entries.is_empty() {
            return Err(Error::invalid(format!(
                "checkpoint {}: holds no tensors",
                path.display()
            )));
        }
        Ok(Self {
            path: path.to_owned(),
            entries: without_common_prefix(entries),
        })
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names of all tensors, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Bytes of memory that all tensors together take as numbers of this kind.
    pub fn bytes(&self, kind: Kind) -> u64 {
        let numbers = |entry: &Entry| {
            let extents = entry.shape.iter().map(|&extent| extent.unsigned_abs());
            extents.fold(1_u64, u64::saturating_mul)
        };
        let all = self.entries.values().map(numbers);
        all.fold(0, u64::saturating_add)
            .saturating_mul(kind.elt_size_in_bytes() as u64)
    }

    /// The shape of a tensor, outermost extent first; `None` if there is no such tensor.
    pub fn shape(&self, name: &str) -> Option<&[i64]> {
        self.entries.get(name).map(|entry| entry.shape.as_slice())
    }

    /// Reads a tensor onto the CPU, with the element type it was saved with.
    ///
    /// # Errors
    /// NotFound, if there is no such tensor; Invalid, if its bytes are not there or damaged.
    pub fn tensor(&self, name: &str) -> Result<Tensor> {
        let place = || format!("checkpoint {}", self.path.display());
        let entry = self
            .entries
            .get(name)
            .ok_or_else(|| Error::not_found(format!("{}: no tensor {name}", place())))?;
        let bytes = (entry.read)()
            .map_err(|error| Error::invalid(format!("{}: tensor {name}: {error}", place())))?;
        Tensor::f_from_data_size(&bytes, &entry.shape, entry.kind)
            .map_err(|error| torch_error(error).at(format!("{}: tensor {name}", place())))
    }
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    if error.kind() == io::ErrorKind::NotFound {
        Error::unavailable(format!("weights not found at {}", path.display()))
    } else {
        Error::unavailable(format!(
            "weights at {} cannot be read: {error}",
            path.display()
        ))
    }
}

/// Drops the keys under which training scripts nest weights, and whatever lies beside them.
fn without_common_prefix(mut entries: BTreeMap<String, Entry>) -> BTreeMap<String, Entry> {
    for prefix in ["model.", "state_dict.", "model_state_dict.", "module."] {
        // A model may well have a part called `model`; nesting is when nothing is beside it but
        // the state of the training.
        let nested = entries.keys().any(|name| name.starts_with(prefix));
        let beside = |name: &String| !name.starts_with(prefix) && !is_training_state(name);
        if nested && !entries.keys().any(beside) {
            entries = entries
                .into_iter()
                .filter_map(|(name, entry)| Some((name.strip_prefix(prefix)?.to_owned(), entry)))
                .collect();
        }
    }
    entries
}

fn is_training_state(name: &str) -> bool {
    // The last four are fairseq's.
    [
        "optimizer",
        "scheduler",
        "lr_scheduler",
        "ema",
        "model_ema",
        "scaler",
        "criterion",
        "extra_state",
        "last_optimizer_state",
        "task_state",
    ]
    .iter()
    .any(|state| {
        name.strip_prefix(state)
            .is_some_and(|rest| rest.starts_with('.'))
    })
}
