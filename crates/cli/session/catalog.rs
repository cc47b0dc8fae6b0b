//! What there is to work with, as an engine of this process or a server tells it.

use std::sync::Arc;

use som_core::{Error, ErrorKind, Result, Schema};
use som_engine::{
    granularity,
    registry::{KnownSegmenter, Registry, StyleEntry, unknown},
    settings::Settings,
};

use super::wanted::{Usual, Wanted, is_granularity_in};
use crate::flags::RefineArgument;

/// Segmenters, mark styles and models, and those that are used if no flag names another.
pub(super) struct Catalog<'a> {
    /// At least those that are wanted.
    pub(super) segmenters: Vec<Taker<'a>>,
    pub(super) styles: Vec<Taker<'a>>,
    /// By name.
    pub(super) lmms: Vec<&'a str>,
    /// Who cuts if nobody is named, and who answers to which granularity.
    pub(super) usual: Usual,
    /// From the lowest layer of ink to the highest.
    pub(super) default_styles: &'a [String],
}

/// A segmenter or mark style: what can be set of it.
#[derive(Clone, Copy)]
pub(super) struct Taker<'a> {
    pub(super) kind: &'static str,
    pub(super) id: &'a str,
    /// What its calls take.
    pub(super) params: &'a Schema,
    /// The segmenter itself, whose instances take options; `None` where they are out of reach.
    pub(super) known: Option<&'a KnownSegmenter>,
}

/// The segmenters of an engine that are wanted, asked who they are.
pub(super) struct Reached {
    segmenters: Vec<Arc<KnownSegmenter>>,
    usual: Usual,
}

impl Reached {
    /// Those of `registry` that are `wanted`, and the `refiners`: one behind endpoints has to be asked.
    ///
    /// # Errors
    /// NotFound for a segmenter that is not there; Unavailable for one that cannot be reached.
    pub(super) async fn wanted(
        registry: &Registry,
        settings: &Settings,
        wanted: &[Wanted<'_>],
        refiners: &[RefineArgument],
    ) -> Result<Self> {
        let mut usual = Usual {
            segmenter: settings.mark.segmenter.clone(),
            granularity: settings.mark.granularity(),
            steps: Vec::new(),
        };
        if is_granularity_in(wanted, usual.granularity) {
            usual.steps = granularity::steps(registry, settings).await?;
        }
        let mut segmenters = Vec::new();
        for wanted in wanted {
            let (id, _) = usual.cutter(wanted)?;
            segmenters.push(registry.segmenter(id)?.reach().await?);
        }
        for RefineArgument { segmenter, .. } in refiners {
            let refiner = registry
                .segmenter(segmenter)
                .map_err(|error| error.at("refine"))?;
            segmenters.push(refiner.reach().await?);
        }
        Ok(Self { segmenters, usual })
    }
}

impl<'a> Catalog<'a> {
    /// What an engine over `registry` and `settings` offers; of the segmenters those that were
    /// `reached`.
    pub(super) fn of_engine(
        reached: &'a Reached,
        registry: &'a Registry,
        settings: &'a Settings,
    ) -> Self {
        let segmenters = reached.segmenters.iter();
        Self {
            segmenters: segmenters.map(|known| Taker::segmenter(known)).collect(),
            styles: registry.styles().map(Taker::style).collect(),
            lmms: settings.lmm.keys().map(String::as_str).collect(),
            usual: reached.usual.clone(),
            default_styles: &settings.mark.styles,
        }
    }

    /// The segmenter called `id`.
    ///
    /// # Errors
    /// NotFound, listing those there are.
    pub(super) fn segmenter(&self, id: &str) -> Result<Taker<'a>> {
        find("segmenter", &self.segmenters, id)
    }

    /// Who refines.
    ///
    /// # Errors
    /// As [`segmenter`](Self::segmenter).
    pub(super) fn refiner(&self, refine: &RefineArgument) -> Result<Taker<'a>> {
        let refiner = self.segmenter(&refine.segmenter);
        refiner.map_err(|error| error.at("refine"))
    }

    /// Who cuts as `wanted`, and the granularity that chose it.
    ///
    /// # Errors
    /// As [`segmenter`](Self::segmenter) and [`Usual::cutter`].
    pub(super) fn cutter(&self, wanted: &Wanted<'_>) -> Result<(Taker<'a>, Option<f64>)> {
        let (id, granularity) = self.usual.cutter(wanted)?;
        Ok((self.segmenter(id)?, granularity))
    }

    /// The mark style called `id`.
    ///
    /// # Errors
    /// NotFound, listing those there are.
    pub(super) fn style(&self, id: &str) -> Result<Taker<'a>> {
        find("mark style", &self.styles, id)
    }

    /// Checks that there is a model called `name`.
    ///
    /// # Errors
    /// NotFound, listing those there are.
    pub(super) fn check_lmm(&self, name: &str) -> Result<()> {
        match self.lmms.contains(&name) {
            true => Ok(()),
            false => {
                let known = self.lmms.iter().copied();
                Err(Error::unknown(ErrorKind::NotFound, "lmm", name, known))
            }
        }
    }
}

fn find<'a>(kind: &str, takers: &[Taker<'a>], id: &str) -> Result<Taker<'a>> {
    let found = takers.iter().find(|taker| taker.id == id).copied();
    found.ok_or_else(|| unknown(kind, id, takers.iter().map(|taker| taker.id)))
}

impl<'a> Taker<'a> {
    fn segmenter(known: &'a KnownSegmenter) -> Self {
        Self {
            kind: "segmenter",
            id: &known.descriptor().id,
            params: known.params(),
            known: Some(known),
        }
    }

    fn style(entry: &'a StyleEntry) -> Self {
        Self {
            kind: "mark style",
            id: &entry.descriptor().id,
            params: entry.params(),
            known: None,
        }
    }

    /// How errors name it.
    pub(super) fn who(&self) -> String {
        format!("{} \"{}\"", self.kind, self.id)
    }

    /// The segmenter whose instances take the option `key`, and what that is called there: it itself,
    /// or, with `detect.` or `refine.` before the key, one that it is made of.
    pub(super) fn option<'k>(&self, mut key: &'k str) -> Option<(&'a KnownSegmenter, &'k str)> {
        let mut known = self.known?;
        while let Some([detect, refine]) = known.parts() {
            let (part, rest) = key.split_once('.')?;
            known = match part {
                "detect" => detect,
                "refine" => refine,
                _ => return None,
            };
            key = rest;
        }
        known.options().knows(key).then_some((known, key))
    }
}
