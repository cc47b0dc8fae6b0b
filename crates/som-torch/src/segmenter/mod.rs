//! The one shape of every learned segmenter: options to a network, calls to regions.
//!
//! A plugin implements [`Learned`] for its network. [`Instance`] does the rest: it reads the
//! options, loads a network once for all instances that ask for the same, says so in the log,
//! remembers what the encoder made of the latest images, and keeps gradients off.

mod options;
mod shared;
mod source;

use std::{fmt::Debug, hash::Hash, sync::Arc};

use som_core::{Call, Error, ErrorKind, Image, Region, Result, Segmenter};
use som_plugin::{
    guest::{Create, Level},
    log,
};

pub use self::source::Source;
use self::{
    options::Options,
    shared::{Key, Seen, Shared},
};
use crate::{Checkpoint, Compute, cache::ImageDigest, checkpoint::ConfigFile};

/// A network as a segmenter runs it.
///
/// Clones share the numbers: each instance and each thread that computes has one of its own, since
/// libtorch's tensors move between threads, but must not be shared by them.
pub trait Learned: Clone + Debug + Send + 'static {
    /// The segmenter's id, as messages and the log name it.
    const ID: &'static str;

    /// What is kept of an image for further calls: all that thresholds, prompts and class names
    /// do not change.
    type Encoded: Encoded;

    /// What of a call's parameters [`encode`](Self::encode) depends on, such as the size at which
    /// the network sees the image; `()`, if on none.
    type Setting: Copy + Debug + Eq + Hash + Send + 'static;

    /// Loads the network, once for all instances with the same options.
    ///
    /// # Errors
    /// Invalid, if the files hold another network, with every tensor that does not fit; Exhausted,
    /// if memory runs out.
    fn load(source: &Source) -> Result<Self>;

    /// The sizes of the network in a few words, for the log.
    fn summary(&self) -> String;

    /// Runs the part of the network that sees the image alone. [`Instance::encode`] remembers it.
    ///
    /// # Errors
    /// Cancelled; Invalid, if the weights give no numbers; Exhausted, if memory runs out.
    fn encode(
        &self,
        image: &Image<'_>,
        setting: Self::Setting,
        call: &Call<'_>,
    ) -> Result<Self::Encoded>;

    /// The regions of `image`: a call of [`Segmenter::segment`], on the network of `instance`.
    /// Regions may be empty.
    ///
    /// # Errors
    /// Those of a segmenter, in its words.
    fn segment(
        instance: &Instance<Self>,
        image: &Image<'_>,
        call: &Call<'_>,
    ) -> Result<Vec<Region>>;
}

/// An image after the encoder. Clones share the numbers.
pub trait Encoded: Clone + Debug + Send + 'static {
    /// Bytes of memory held.
    fn bytes(&self) -> u64;
}

/// One instance of a segmenter. Instances with the same options share weights and encoded images.
#[derive(Debug)]
pub struct Instance<L: Learned> {
    network: L,
    shared: Arc<Shared<L, L::Setting, L::Encoded>>,
}

impl<L: Learned> Instance<L> {
    /// The network.
    pub const fn network(&self) -> &L {
        &self.network
    }

    /// What the encoder makes of `image`, remembered from earlier calls if possible.
    ///
    /// # Errors
    /// As of [`Learned::encode`].
    pub fn encode(
        &self,
        image: &Image<'_>,
        setting: L::Setting,
        call: &Call<'_>,
    ) -> Result<L::Encoded> {
        let seen = Seen {
            image: ImageDigest::of(image),
            setting,
        };
        if let Some(encoded) = self.shared.encoded().get(seen) {
            return Ok(encoded.clone());
        }
        let encoded = self.network.encode(image, setting, call)?;
        let bytes = encoded.bytes();
        self.shared.encoded().insert(seen, encoded.clone(), bytes);
        Ok(encoded)
    }
}

impl<L: Learned> Create for Instance<L> {
    /// Loads the network that `options` name, unless another instance has it.
    fn create(options: &Call<'_>) -> Result<Self> {
        let options: Options = options.parse()?;
        let id = L::ID;
        let Some(weights) = options.weights else {
            return Err(Error::unavailable(format!(
                "no weights given (set segmenter.{id}.weights to a checkpoint, or give --set weights=FILE)"
            )));
        };
        let compute = Compute::open(&options.device, options.precision)?;
        let config = ConfigFile::open(options.config.as_deref(), &weights)
            .map_err(|error| with_way_out::<L>(error, "config"))?;
        let key = Key::new(&weights, &config, compute, options.cache_mib << 20);
        let load = || {
            let source = Source {
                checkpoint: Checkpoint::open(&weights)
                    .map_err(|error| with_way_out::<L>(error, "weights"))?,
                config,
                compute,
            };
            let network = L::load(&source)?;
            log!(
                Level::Info,
                "{id}: loaded {} onto {:?} in {:?}: {}",
                weights.display(),
                compute.device,
                compute.precision,
                network.summary()
            );
            Ok(network)
        };
        let shared = Shared::get(key, load)?;
        Ok(Self {
            network: shared.network(),
            shared,
        })
    }
}

/// Files that are not there are named with the setting that says where they are.
fn with_way_out<L: Learned>(error: Error, option: &str) -> Error {
    match error.kind() {
        ErrorKind::Unavailable => {
            let (message, id) = (error.message(), L::ID);
            Error::unavailable(format!("{message} (set segmenter.{id}.{option})"))
        }
        _ => error,
    }
}

impl<L: Learned> Segmenter for Instance<L> {
    fn segment(&mut self, image: &Image<'_>, call: &Call<'_>) -> Result<Vec<Region>> {
        let _no_gradients = tch::no_grad_guard();
        let mut regions = L::segment(self, image, call)?;
        // With its filters off, a network may well answer with nothing.
        regions.retain(|region| !region.mask.is_empty());
        Ok(regions)
    }
}

#[cfg(test)]
mod tests;
