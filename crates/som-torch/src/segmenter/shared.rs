//! Networks in memory, shared by the instances that have the same options.

use std::{
    any::Any,
    hash::Hash,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::SystemTime,
};

use som_core::Result;
use tch::Device;

use crate::{
    Compute, Precision,
    cache::{ByteCache, ImageDigest},
    checkpoint::ConfigFile,
};

/// A network, and the images that went through its encoder.
#[derive(Debug)]
pub(super) struct Shared<N, S, E> {
    key: Key,
    /// libtorch's tensors may move between threads but not be shared, so instances clone this one.
    network: Mutex<N>,
    encoded: Mutex<Images<S, E>>,
}

/// Encoded images, by what they are encoded from.
type Images<S, E> = ByteCache<Seen<S>, E>;

/// An image, and what `encode` was asked to make of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Seen<S> {
    pub image: ImageDigest,
    pub setting: S,
}

/// What two instances must agree in to share a network.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Key {
    path: PathBuf,
    /// A file that was replaced is another one.
    changed: Option<SystemTime>,
    config: ConfigFile,
    device: Device,
    precision: Precision,
    cache: u64,
}

impl Key {
    /// Of the checkpoint at `weights`, with `cache` bytes for encoded images.
    pub(super) fn new(weights: &Path, config: &ConfigFile, compute: Compute, cache: u64) -> Self {
        Self {
            path: weights
                .canonicalize()
                .unwrap_or_else(|_| weights.to_owned()),
            changed: weights.metadata().and_then(|file| file.modified()).ok(),
            config: config.clone(),
            device: compute.device,
            precision: compute.precision,
            cache,
        }
    }
}

/// All networks of this library that some instance holds, each a [`Shared`].
static NETWORKS: Mutex<Vec<Weak<dyn Any + Send + Sync>>> = Mutex::new(Vec::new());

impl<N, S, E> Shared<N, S, E>
where
    N: Clone + Send + 'static,
    S: Copy + Eq + Hash + Send + 'static,
    E: Send + 'static,
{
    /// The network of this key that some instance holds, else what `load` gives.
    pub(super) fn get(key: Key, load: impl FnOnce() -> Result<N>) -> Result<Arc<Self>> {
        // Held while loading, so that instances which start together load once.
        let mut networks = lock(&NETWORKS);
        networks.retain(|network| network.strong_count() > 0);
        if let Some(shared) = networks
            .iter()
            .filter_map(Weak::upgrade)
            .filter_map(|network| network.downcast::<Self>().ok())
            .find(|shared| shared.key == key)
        {
            return Ok(shared);
        }
        let network = load()?;
        let shared = Arc::new(Self {
            network: Mutex::new(network),
            encoded: Mutex::new(ByteCache::new(key.cache)),
            key,
        });
        let erased: Arc<dyn Any + Send + Sync> = shared.clone();
        networks.push(Arc::downgrade(&erased));
        Ok(shared)
    }

    /// The network, for one more instance.
    pub(super) fn network(&self) -> N {
        lock(&self.network).clone()
    }

    /// The images that were seen lately.
    pub(super) fn encoded(&self) -> MutexGuard<'_, Images<S, E>> {
        lock(&self.encoded)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
