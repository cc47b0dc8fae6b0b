//! Who tracks: what the flags mean, resolved against the trackers and segmenters there are.

use std::sync::Arc;

use som_core::{Capability, Error, Layer, MarkOptions, Params, Result, Schema};
use som_engine::{Engine, registry::Registry, settings::Ladder, track::TrackRequest};

use super::Options;
use crate::{embedded::PLUGINS, flags::assignment::Assignment};

/// An engine, and what it is asked for.
pub(super) struct Opened {
    pub(super) engine: Arc<Engine>,
    pub(super) request: TrackRequest,
    /// The layers of ink.
    pub(super) layers: Vec<Layer>,
    /// What is asked of the marks.
    pub(super) marks: MarkOptions,
    /// Whether objects are found without hints.
    pub(super) is_automatic: bool,
}

/// What the assignments mean, once it is known who takes them.
#[derive(Default)]
struct Assigned {
    /// Parameters of every frame.
    params: Params,
    /// Options of the instance.
    options: Params,
    /// Parameters of the layers, by their index.
    styles: Vec<Params>,
}

/// Who takes an assignment: a tracker, or a segmenter that is carried.
struct Taker<'a> {
    who: String,
    params: &'a Schema,
    options: &'a Schema,
}

impl Opened {
    /// Starts an engine.
    ///
    /// # Errors
    /// NotFound for a tracker or mark style that is not there, Invalid for what does not fit, Unavailable
    /// for a segmenter that cannot be reached.
    pub(super) async fn new(options: &Options, ladder: &Ladder) -> Result<Self> {
        let (mut settings, _) = ladder.load()?;
        let decoding = options.files.over(&settings.decoding());
        settings.images.stretch = decoding.stretch;
        settings.images.background = decoding.background;
        let id = options.tracker.clone();
        let id = id.unwrap_or_else(|| settings.track.tracker.clone());
        let mut registry = Registry::open_for(PLUGINS, &settings)?;
        if registry.tracker(&id).is_err() && registry.segmenter(&id).is_err() {
            // Perhaps an installed library brings it.
            registry = Registry::open(PLUGINS, &settings)?;
        }
        let styles = options.marks.styles.as_ref();
        let styles = styles.unwrap_or(&settings.mark.styles).clone();
        let (assigned, is_automatic) = match registry.tracker(&id) {
            Ok(tracker) => {
                let taker = Taker {
                    who: tracker.who(),
                    params: tracker.params(),
                    options: tracker.options(),
                };
                let assigned = Assigned::of(&options.settings, &taker, &registry, &styles)?;
                let table = settings.tracker.entry(id.clone()).or_default();
                table.extend(assigned.options.clone());
                (assigned, tracker.descriptor().can(Capability::Automatic))
            }
            Err(unknown) => {
                let segmenter = registry.segmenter(&id).map_err(|_| unknown)?;
                let known = segmenter.reach().await?;
                let taker = Taker {
                    who: known.who(),
                    params: known.params(),
                    options: known.options(),
                };
                let assigned = Assigned::of(&options.settings, &taker, &registry, &styles)?;
                let table = settings.segmenter.entry(id.clone()).or_default();
                table.extend(assigned.options.clone());
                (assigned, known.descriptor().can(Capability::Automatic))
            }
        };
        let layers = styles.into_iter().zip(assigned.styles);
        Ok(Self {
            engine: Arc::new(Engine::new(settings, registry)?),
            request: TrackRequest {
                tracker: Some(id),
                params: assigned.params,
            },
            layers: layers
                .map(|(style, params)| Layer { style, params })
                .collect(),
            marks: options.marks.options(),
            is_automatic,
        })
    }
}

impl Assigned {
    /// Gives each assignment to whom its key belongs.
    fn of(
        assignments: &[Assignment],
        taker: &Taker<'_>,
        registry: &Registry,
        styles: &[String],
    ) -> Result<Self> {
        let mut assigned = Self {
            styles: vec![Params::new(); styles.len()],
            ..Self::default()
        };
        for Assignment { key, value } in assignments {
            let of_style = key.split_once('.').and_then(|(style, param)| {
                let layer = styles.iter().position(|other| other == style)?;
                Some((layer, param))
            });
            if let Some((layer, param)) = of_style {
                let style = registry.style(&styles[layer])?;
                let (who, params) = (style.who(), &mut assigned.styles[layer]);
                style.params().assign(&who, params, param, value)?;
            } else if taker.params.knows(key) {
                let params = &mut assigned.params;
                taker.params.assign(&taker.who, params, key, value)?;
            } else if taker.options.knows(key) {
                let options = &mut assigned.options;
                taker.options.assign(&taker.who, options, key, value)?;
            } else {
                return Err(nobody_takes(key, taker));
            }
        }
        // Each frame checks them again, with its hints; but once is enough to be told.
        taker.params.resolve(&taker.who, &assigned.params)?;
        Ok(assigned)
    }
}

fn nobody_takes(key: &str, taker: &Taker<'_>) -> Error {
    let own = |schema: &Schema| match schema.known().collect::<Vec<_>>() {
        known if known.is_empty() => "none".to_owned(),
        known => known.join(", "),
    };
    Error::invalid(format!(
        "--set {key}: nothing takes this key (parameters of {}: {}; its options: {}; of mark styles that are drawn: STYLE.PARAMETER)",
        taker.who,
        own(taker.params),
        own(taker.options),
    ))
}
