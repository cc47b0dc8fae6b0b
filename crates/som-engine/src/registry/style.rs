//! A mark style of the registry.

use std::sync::Arc;

use som_core::{Descriptor, Error, MarkStyle, Params, Result, Schema};

use super::{Provenance, segmenter::read_texts};
use crate::settings::Settings;

/// A mark style.
pub struct StyleEntry {
    descriptor: Descriptor,
    provenance: Provenance,
    params: Schema,
    style: Arc<dyn MarkStyle>,
}

impl StyleEntry {
    /// An entry for `style`.
    ///
    /// # Errors
    /// Invalid, if its schema does not compile.
    pub(super) fn new(
        descriptor: Descriptor,
        style: Arc<dyn MarkStyle>,
        provenance: Provenance,
    ) -> Result<Self> {
        let params = Schema::compile(&descriptor.params)
            .map_err(|error| error.at(format!("mark style \"{}\"", descriptor.id)))?;
        Ok(Self {
            descriptor,
            provenance,
            params,
            style,
        })
    }

    /// Who it is and what it takes.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// Where it comes from.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// What its calls take.
    pub fn params(&self) -> &Schema {
        &self.params
    }

    /// `params` with defaults filled in.
    ///
    /// # Errors
    /// Invalid, naming the first parameter that does not fit.
    pub fn resolve(&self, params: &Params) -> Result<Params> {
        self.params.resolve(&self.who(), params)
    }

    /// The parameters in the settings, which it gets if a request says nothing else; checked against
    /// its schema.
    ///
    /// # Errors
    /// Invalid, naming the first parameter that does not fit.
    pub fn usual(&self, settings: &Settings) -> Result<Params> {
        let params = settings.style.get(&self.descriptor.id);
        let mut params = params.cloned().unwrap_or_default();
        let table = format!("style.{}", self.descriptor.id);
        let at = |error: Error| error.at(settings.places.of(&table));
        read_texts(&self.params, &self.who(), &mut params).map_err(at)?;
        self.params.resolve(&self.who(), &params).map_err(at)?;
        Ok(params)
    }

    /// How errors name it.
    pub fn who(&self) -> String {
        format!("mark style \"{}\"", self.descriptor.id)
    }

    /// The style itself.
    pub fn style(&self) -> &dyn MarkStyle {
        &*self.style
    }
}
