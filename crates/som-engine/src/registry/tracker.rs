//! A tracker of the registry.

use std::sync::Arc;

use som_core::{Descriptor, Error, Params, Result, Schema, TrackerFactory};

use super::{Provenance, segmenter::read_texts};
use crate::{settings::Settings, weights};

/// A tracker.
pub struct TrackerEntry {
    provenance: Provenance,
    params: Schema,
    options: Schema,
    factory: Arc<dyn TrackerFactory>,
}

impl TrackerEntry {
    /// An entry for the tracker whose instances `factory` makes.
    ///
    /// # Errors
    /// Invalid, if one of its schemas does not compile.
    pub(super) fn new(factory: Arc<dyn TrackerFactory>, provenance: Provenance) -> Result<Self> {
        let descriptor = factory.descriptor();
        let compile = |schema| {
            let who = format!("tracker \"{}\"", descriptor.id);
            Schema::compile(schema).map_err(|error| error.at(who))
        };
        Ok(Self {
            params: compile(&descriptor.params)?,
            options: compile(&descriptor.options)?,
            provenance,
            factory,
        })
    }

    /// Who it is and what it takes.
    pub fn descriptor(&self) -> &Descriptor {
        self.factory.descriptor()
    }

    /// Where it comes from.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// What its frames take.
    pub fn params(&self) -> &Schema {
        &self.params
    }

    /// What its instances take.
    pub fn options(&self) -> &Schema {
        &self.options
    }

    /// How errors name it.
    pub fn who(&self) -> String {
        format!("tracker \"{}\"", self.descriptor().id)
    }

    /// `params` with defaults filled in.
    ///
    /// # Errors
    /// Invalid, naming the first parameter that does not fit.
    pub fn resolve(&self, params: &Params) -> Result<Params> {
        self.params.resolve(&self.who(), params)
    }

    /// The parameters in the settings, which its frames get if a request says nothing else; checked
    /// against its schema.
    ///
    /// # Errors
    /// Invalid, naming the first parameter that does not fit.
    pub fn usual(&self, settings: &Settings) -> Result<Params> {
        let id = &self.descriptor().id;
        let (_, mut params) = settings.tracker(id)?;
        let at = |error: Error| error.at(settings.places.of(&format!("tracker.{id}.params")));
        read_texts(&self.params, &self.who(), &mut params).map_err(at)?;
        self.params.resolve(&self.who(), &params).map_err(at)?;
        Ok(params)
    }

    /// Its options in the settings, checked against its schema. What its own table leaves open is as
    /// in the table of the segmenter with its id, whose weights it shares.
    ///
    /// # Errors
    /// Invalid, naming the first option that does not fit.
    pub fn configured(&self, settings: &Settings) -> Result<Params> {
        let id = &self.descriptor().id;
        let (mut options, _) = settings.tracker(id)?;
        let (_, shared) = settings.segmenter(id)?;
        for (key, value) in shared {
            if self.options.knows(&key) {
                options.entry(key).or_insert(value);
            }
        }
        let at = |error: Error| error.at(settings.places.of(&format!("tracker.{id}")));
        read_texts(&self.options, &self.who(), &mut options).map_err(at)?;
        self.options.resolve(&self.who(), &options).map_err(at)
    }

    /// What an instance is made with: its factory, and its options with the path of its checkpoint.
    ///
    /// # Errors
    /// As [`configured`](Self::configured); NotFound for a checkpoint that is not there.
    pub(crate) fn maker(&self, settings: &Settings) -> Result<(Arc<dyn TrackerFactory>, Params)> {
        let mut options = self.configured(settings)?;
        weights::find(&mut options, &settings.models).map_err(|error| error.at(self.who()))?;
        Ok((self.factory.clone(), options))
    }
}
