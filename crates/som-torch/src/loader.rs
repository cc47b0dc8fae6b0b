//! From a checkpoint to the blocks of a network, with a report of everything that does not fit.
//!
//! Blocks ask a [`Scope`] for weights of the shape they need. What is missing or has another shape
//! is noted, and loading goes on with placeholders, so that [`Loader::finish`] can list all of it
//! at once, together with the tensors that nobody asked for.

use std::{cell::RefCell, collections::BTreeSet, fmt, ops::Deref};

use som_core::{Error, Result};
use tch::{Device, Kind, Tensor};

use crate::{Checkpoint, TorchResult, memory, torch_error};

/// Hands out the tensors of one checkpoint.
#[derive(Debug)]
pub struct Loader<'a> {
    checkpoint: &'a Checkpoint,
    device: Device,
    used: RefCell<BTreeSet<String>>,
    misfits: RefCell<Vec<String>>,
    /// The first tensor that could not be read.
    failure: RefCell<Option<Error>>,
}

impl<'a> Loader<'a> {
    /// A loader of `checkpoint` onto `device`.
    ///
    /// # Errors
    /// Exhausted, if the weights are larger than the memory that is left. (What a GPU has left
    /// shows when they are copied there.)
    pub fn new(checkpoint: &'a Checkpoint, device: Device) -> Result<Self> {
        if device == Device::Cpu {
            let what = format!("the weights of {}", checkpoint.path().display());
            memory::require(checkpoint.bytes(Kind::Float), &what)?;
        }
        Ok(Self {
            checkpoint,
            device,
            used: RefCell::new(BTreeSet::new()),
            misfits: RefCell::new(Vec::new()),
            failure: RefCell::new(None),
        })
    }

    /// The place of all names, whose weights become `kind`.
    pub fn root(&self, kind: Kind) -> Scope<'_> {
        Scope {
            loader: self,
            prefix: String::new(),
            kind,
        }
    }

    /// True once everything asked for was there.
    ///
    /// # Errors
    /// Invalid, with the names of all tensors that are missing, unexpected or of another shape;
    /// or why a tensor could not be read.
    pub fn finish(self) -> Result<()> {
        if let Some(error) = self.failure.into_inner() {
            return Err(error);
        }
        let mut misfits = self.misfits.into_inner();
        let used = self.used.into_inner();
        let unexpected = self.checkpoint.names().filter(|name| !used.contains(*name));
        misfits.extend(unexpected.map(|name| format!("unexpected: {name}")));
        if misfits.is_empty() {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "checkpoint {} does not fit the model: {}",
            self.checkpoint.path().display(),
            misfits.join("; ")
        )))
    }
}

/// A place in the names of a checkpoint, such as `image_encoder.blocks.0.`.
#[derive(Clone, Debug)]
pub struct Scope<'a> {
    loader: &'a Loader<'a>,
    prefix: String,
    kind: Kind,
}

impl Scope<'_> {
    /// The place one name further down.
    #[must_use]
    pub fn at(&self, name: impl fmt::Display) -> Self {
        Self {
            loader: self.loader,
            prefix: format!("{}{name}.", self.prefix),
            kind: self.kind,
        }
    }

    /// The shape of the tensor `name` here; `None` if there is no such tensor.
    pub fn shape(&self, name: &str) -> Option<&[i64]> {
        self.loader.checkpoint.shape(&self.name(name))
    }

    /// The shape of the tensor `name` here, which has so many axes.
    ///
    /// # Errors
    /// Invalid, if there is no such tensor, or it has more axes or fewer.
    pub fn extents<const N: usize>(&self, name: &str) -> Result<[i64; N]> {
        let whole = || self.name(name);
        let shape = self
            .shape(name)
            .ok_or_else(|| Error::invalid(format!("no tensor {}", whole())))?;
        shape
            .try_into()
            .map_err(|_| Error::invalid(format!("the tensor {} has the shape {shape:?}", whole())))
    }

    /// How many places below this one, numbered from 0, have a tensor of this name.
    pub fn count(&self, name: &str) -> i64 {
        let is_missing = |index: &i64| self.shape(&format!("{index}.{name}")).is_none();
        (0..).find(is_missing).unwrap_or_default()
    }

    /// The whole name of the tensor `name` here.
    pub fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Says that the tensor `name` here, if there is one, is not needed.
    pub fn leave(&self, name: &str) {
        self.loader.used.borrow_mut().insert(self.name(name));
    }

    /// Says that the tensor `name` here repeats another one, or that only training needs it: it may be
    /// missing, but must not have another shape.
    pub fn spare(&self, name: &str, shape: &[i64]) {
        self.leave(name);
        let found = self.shape(name);
        if let Some(found) = found.filter(|&found| found != shape) {
            let name = self.name(name);
            let misfit = format!("mis-shaped: {name} is {found:?}, expected {shape:?}");
            self.loader.misfits.borrow_mut().push(misfit);
        }
    }

    /// The same place, whose weights become `kind`.
    #[must_use]
    pub fn as_kind(&self, kind: Kind) -> Self {
        Self {
            kind,
            ..self.clone()
        }
    }

    /// The device that weights get onto.
    pub const fn device(&self) -> Device {
        self.loader.device
    }

    /// The element type that weights get here.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The tensor `name` here, on the loader's device. Where it is missing or has another shape,
    /// that is noted and a placeholder returned.
    pub fn weight(&self, name: &str, shape: &[i64]) -> Weight {
        let name = self.name(name);
        let loader = self.loader;
        let found = loader.checkpoint.shape(&name);
        loader.used.borrow_mut().insert(name.clone());
        match found {
            None => loader
                .misfits
                .borrow_mut()
                .push(format!("missing: {name} {shape:?}")),
            Some(found) if found != shape => {
                let misfit = format!("mis-shaped: {name} is {found:?}, expected {shape:?}");
                loader.misfits.borrow_mut().push(misfit);
            }
            // What will be refused anyway need not be read.
            Some(_) if !loader.misfits.borrow().is_empty() => {}
            Some(_) => match self.read(&name) {
                Ok(tensor) => return Weight(tensor),
                Err(error) => {
                    loader.failure.borrow_mut().get_or_insert(error);
                }
            },
        }
        Weight(Tensor::new())
    }

    fn read(&self, name: &str) -> Result<Tensor> {
        let tensor = self.loader.checkpoint.tensor(name)?;
        tensor
            .f_to_device_(self.loader.device, self.kind, false, false)
            .map_err(|error| torch_error(error).at(format!("tensor {name}")))
    }
}

/// A tensor of a network, constant after loading. Clones share the numbers.
#[derive(Debug)]
pub struct Weight(Tensor);

impl Weight {
    /// A tensor computed from weights.
    pub const fn new(tensor: Tensor) -> Self {
        Self(tensor)
    }

    /// Several tensors one after the other, along the first axis.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn concatenate(weights: &[Self]) -> TorchResult<Self> {
        if weights.iter().all(|weight| weight.0.defined()) {
            Tensor::f_cat(
                &weights.iter().map(|weight| &weight.0).collect::<Vec<_>>(),
                0,
            )
            .map(Self)
        } else {
            Ok(Self(Tensor::new()))
        }
    }

    /// The same numbers seen through `view`, or a placeholder where loading failed.
    ///
    /// # Errors
    /// What libtorch reports.
    pub fn map(&self, view: impl FnOnce(&Tensor) -> TorchResult<Tensor>) -> TorchResult<Self> {
        if self.0.defined() {
            view(&self.0).map(Self)
        } else {
            Ok(self.clone())
        }
    }
}

impl Clone for Weight {
    fn clone(&self) -> Self {
        Self(self.0.shallow_clone())
    }
}

impl Deref for Weight {
    type Target = Tensor;

    fn deref(&self) -> &Tensor {
        &self.0
    }
}
