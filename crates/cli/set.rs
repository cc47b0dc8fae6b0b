//! `--set KEY=VALUE`: a parameter of the call, an option of the segmenter, or a parameter of a
//! mark style.

use std::{collections::BTreeMap, str::FromStr};

use som_core::{Error, Layer, Params, Result, Schema};
use som_engine::registry::{KnownSegmenter, Registry, StyleEntry, unknown};

/// One `--set`, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) key: String,
    pub(crate) value: String,
}

impl FromStr for Setting {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => Ok(Self {
                key: key.trim().to_owned(),
                value: value.to_owned(),
            }),
            _ => Err(Error::invalid("write it as KEY=VALUE")),
        }
    }
}

/// What the settings mean, once it is known who takes them.
#[derive(Debug, Default)]
pub(crate) struct Assigned {
    /// Parameters of the call.
    pub(crate) params: Params,
    /// Options of the segmenter's instances.
    pub(crate) options: Params,
    /// Parameters of mark styles, by the style's id.
    pub(crate) styles: BTreeMap<String, Params>,
}

impl Setting {
    /// The setting that a flag of its own stands for.
    pub(crate) fn new(key: &str, value: String) -> Self {
        Self {
            key: key.to_owned(),
            value,
        }
    }
}

/// Whose keys can be set.
pub(crate) struct Takers<'a> {
    pub(crate) segmenter: Taker<'a>,
    /// Options of the segmenter's instances; `None` where they are out of reach.
    pub(crate) options: Option<&'a Schema>,
    pub(crate) styles: Vec<Taker<'a>>,
}

/// A segmenter or mark style that takes parameters.
pub(crate) struct Taker<'a> {
    /// Its id.
    pub(crate) id: &'a str,
    /// What its calls take.
    pub(crate) params: &'a Schema,
    /// How errors name it.
    pub(crate) who: String,
}

impl<'a> Takers<'a> {
    /// The segmenter, and the mark styles of this process.
    pub(crate) fn of_registry(segmenter: &'a KnownSegmenter, registry: &'a Registry) -> Self {
        let style = |style: &'a StyleEntry| Taker {
            id: &style.descriptor().id,
            params: style.params(),
            who: style.who(),
        };
        Self {
            segmenter: Taker {
                id: &segmenter.descriptor().id,
                params: segmenter.params(),
                who: segmenter.who(),
            },
            options: Some(segmenter.options()),
            styles: registry.styles().map(style).collect(),
        }
    }

    fn style(&self, id: &str) -> Result<&Taker<'a>> {
        let styles = &self.styles;
        styles
            .iter()
            .find(|style| style.id == id)
            .ok_or_else(|| unknown("mark style", id, styles.iter().map(|style| style.id)))
    }
}

impl Assigned {
    /// Gives each setting to whom its key belongs; the later of two equal keys wins.
    ///
    /// # Errors
    /// Invalid for a key nobody takes or a value of a wrong type.
    pub(crate) fn of(settings: &[Setting], takers: &Takers<'_>) -> Result<Self> {
        let segmenter = &takers.segmenter;
        let mut assigned = Self::default();
        for Setting { key, value } in settings {
            let of_style = key
                .split_once('.')
                .and_then(|(id, param)| Some((takers.style(id).ok()?, param)));
            if let Some((style, param)) = of_style {
                let value = style.params.parse_text(&style.who, param, value)?;
                let params = assigned.styles.entry(style.id.to_owned()).or_default();
                params.insert(param.to_owned(), value);
            } else if knows(segmenter.params, key) {
                let value = segmenter.params.parse_text(&segmenter.who, key, value)?;
                assigned.params.insert(key.clone(), value);
            } else if let Some(options) = takers.options.filter(|options| knows(options, key)) {
                let value = options.parse_text(&segmenter.who, key, value)?;
                assigned.options.insert(key.clone(), value);
            } else {
                return Err(nobody_takes(key, takers));
            }
        }
        // Each image's call checks them again, with its hints; but once is enough to be told.
        segmenter.params.resolve(&segmenter.who, &assigned.params)?;
        Ok(assigned)
    }

    /// The layers of `stack`, each with the parameters that were set for its style.
    ///
    /// # Errors
    /// NotFound for an unknown style; Invalid, if parameters were set for a style that is not in
    /// the stack or do not fit it.
    pub(crate) fn layers(&self, stack: &[String], takers: &Takers<'_>) -> Result<Vec<Layer>> {
        if let Some(id) = self.styles.keys().find(|id| !stack.contains(id)) {
            return Err(Error::invalid(format!(
                "--set {id}.…: this mark style is not drawn (there are: {}; add it with --styles)",
                stack.join(", ")
            )));
        }
        let layer = |id: &String| {
            let params = self.styles.get(id).cloned().unwrap_or_default();
            let style = takers.style(id)?;
            style.params.resolve(&style.who, &params)?;
            Ok(Layer {
                style: id.clone(),
                params,
            })
        };
        stack.iter().map(layer).collect()
    }
}

fn knows(schema: &Schema, key: &str) -> bool {
    schema.known().any(|known| known == key)
}

fn nobody_takes(key: &str, takers: &Takers<'_>) -> Error {
    let own = |schema: &Schema| match schema.known().collect::<Vec<_>>() {
        known if known.is_empty() => "none".to_owned(),
        known => known.join(", "),
    };
    let of_styles = takers.styles.iter().flat_map(|style| {
        let params = style.params.known();
        params.map(|param| format!("{}.{param}", style.id))
    });
    Error::invalid(format!(
        "--set {key}: nothing takes this key (parameters of {}: {}; its options: {}; of mark styles: {})",
        takers.segmenter.who,
        own(takers.segmenter.params),
        takers.options.map_or("none".to_owned(), own),
        of_styles.collect::<Vec<_>>().join(", "),
    ))
}
