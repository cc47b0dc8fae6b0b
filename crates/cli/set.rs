//! `--set KEY=VALUE`: a parameter of the call, an option of the segmenter, or a parameter of a
//! mark style.

use std::{collections::BTreeMap, str::FromStr};

use som_core::{Error, Params, Result};
use som_engine::{
    LayerRequest,
    registry::{Registry, SegmenterEntry},
};

/// One `--set`, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    key: String,
    value: String,
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

impl Assigned {
    /// Gives each setting to whom its key belongs; the later of two equal keys wins.
    ///
    /// # Errors
    /// NotFound for an unknown segmenter; Invalid for a key nobody takes or a value of a wrong
    /// type.
    pub(crate) fn of<'a>(
        settings: impl Iterator<Item = &'a Setting>,
        segmenter: &str,
        registry: &Registry,
    ) -> Result<Self> {
        let segmenter = registry.segmenter(segmenter)?;
        let (params, options) = (segmenter.params(), segmenter.options());
        let mut assigned = Self::default();
        for Setting { key, value } in settings {
            let style = key.split_once('.').and_then(|(id, param)| {
                Some((
                    registry
                        .styles()
                        .find(|style| style.descriptor().id == id)?,
                    param,
                ))
            });
            if let Some((style, param)) = style {
                let value = style.params().parse_text(&style.who(), param, value)?;
                let params = assigned
                    .styles
                    .entry(style.descriptor().id.clone())
                    .or_default();
                params.insert(param.to_owned(), value);
            } else if params.known().any(|known| known == key) {
                let value = params.parse_text(&segmenter.who(), key, value)?;
                assigned.params.insert(key.clone(), value);
            } else if options.known().any(|known| known == key) {
                let value = options.parse_text(&segmenter.who(), key, value)?;
                assigned.options.insert(key.clone(), value);
            } else {
                return Err(nobody_takes(key, segmenter, registry));
            }
        }
        // Each image's call checks them again, with its hints; but once is enough to be told.
        segmenter.resolve(&assigned.params)?;
        Ok(assigned)
    }

    /// The layers of `stack`, each with the parameters that were set for its style.
    ///
    /// # Errors
    /// NotFound for an unknown style; Invalid, if parameters were set for a style that is not in
    /// the stack or do not fit it.
    pub(crate) fn layers(
        &self,
        stack: &[String],
        registry: &Registry,
    ) -> Result<Vec<LayerRequest>> {
        if let Some(id) = self.styles.keys().find(|id| !stack.contains(id)) {
            return Err(Error::invalid(format!(
                "--set {id}.…: this mark style is not drawn (there are: {}; add it with --styles)",
                stack.join(", ")
            )));
        }
        let layer = |id: &String| {
            let params = self.styles.get(id).cloned().unwrap_or_default();
            registry.style(id)?.resolve(&params)?;
            Ok(LayerRequest {
                style: id.clone(),
                params,
            })
        };
        stack.iter().map(layer).collect()
    }
}

fn nobody_takes(key: &str, segmenter: &SegmenterEntry, registry: &Registry) -> Error {
    let own = |known: &mut dyn Iterator<Item = &str>| match known.collect::<Vec<_>>() {
        known if known.is_empty() => "none".to_owned(),
        known => known.join(", "),
    };
    let of_styles = registry.styles().flat_map(|style| {
        let id = &style.descriptor().id;
        style
            .params()
            .known()
            .map(move |param| format!("{id}.{param}"))
    });
    Error::invalid(format!(
        "--set {key}: nothing takes this key (parameters of {}: {}; its options: {}; of mark styles: {})",
        segmenter.who(),
        own(&mut segmenter.params().known()),
        own(&mut segmenter.options().known()),
        of_styles.collect::<Vec<_>>().join(", "),
    ))
}
