//! What can be set; [`Ladder`] reads it layer by layer.

mod granularity;
mod ladder;
mod limits;
mod mark;
mod places;
mod server;
mod telemetry;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use serde::{Deserialize, Deserializer, Serialize};
use som_core::{
    Error, Params, Result,
    decode::{Background, DecodeOptions},
    prompt::Template,
};
use som_lmm::{LmmSettings, Lmms};

pub use self::{
    granularity::{GranularitySettings, StepSettings},
    ladder::{BUILT_IN, Ladder, Origin},
    limits::{Counted, LimitSettings},
    mark::MarkSettings,
    places::Places,
    server::{ServerSettings, TlsSettings, TokenSettings, TokenSource},
    telemetry::{LogFormat, TelemetrySettings},
};
use crate::weights::WeightSettings;

/// Everything that can be set. Field names are the keys of `som.toml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// How images are marked when a request says nothing else.
    pub mark: MarkSettings,
    /// Which segmenter answers to which granularity.
    pub granularity: GranularitySettings,
    /// Who follows objects through a video when a request says nothing else.
    pub track: TrackSettings,
    /// Who is asked when a request says nothing else.
    pub ask: AskSettings,
    /// How the multimodal model rescales an image.
    pub view: ViewSettings,
    /// What images and calls may cost.
    pub limits: LimitSettings,
    /// How image files become pixels.
    pub images: ImageSettings,
    /// Where plugin libraries are.
    pub plugins: PluginSettings,
    /// Where the weights of learned segmenters are.
    pub models: WeightSettings,
    /// How `som serve` and `som backend` listen, and what they allow.
    pub server: ServerSettings,
    /// Logs and traces.
    pub telemetry: TelemetrySettings,
    /// One table per segmenter: som's own keys (see [`WorkerSettings`]), `params`, a table of what its
    /// calls get if a request says nothing else, and its options.
    #[serde(default)]
    pub segmenter: BTreeMap<String, Params>,
    /// One table per mark style: the parameters that it gets if a request says nothing else.
    #[serde(default)]
    pub style: BTreeMap<String, Params>,
    /// One table per tracker: `params`, a table of what its frames get if a request says nothing else,
    /// and its options. What they leave open is as in the table of the segmenter with its id.
    #[serde(default)]
    pub tracker: BTreeMap<String, Params>,
    /// One table per large multimodal model, by the name it is asked for.
    #[serde(default)]
    pub lmm: BTreeMap<String, LmmSettings>,
    /// Where all this was said.
    #[serde(skip)]
    pub places: Places,
}

/// Who follows objects through a video when a request says nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrackSettings {
    /// Id of a tracker, or of a segmenter, whose regions are then carried from frame to frame.
    pub tracker: String,
}

/// Who is asked when a request says nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskSettings {
    /// Name of a table `[lmm.NAME]`.
    pub lmm: String,
    /// The words of the prompt of a question, by the name of a template; empty for the usual ones.
    pub template: String,
    /// The same from a file.
    pub prompt_file: String,
}

/// How the multimodal model rescales an image before it sees it; 0 is no limit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ViewSettings {
    /// The longest side in pixels that is kept.
    pub long_side: u32,
    /// The shortest side in pixels that is kept.
    pub short_side: u32,
}

/// How image files become pixels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImageSettings {
    /// Whether values of more than 8 bits are stretched from black to white.
    pub stretch: bool,
    /// What shows where an image lets its background through.
    pub background: Background,
}

/// Where plugin libraries are. Loading a library executes its code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginSettings {
    /// Absolute folders that are scanned.
    #[serde(deserialize_with = "list")]
    pub folders: Vec<PathBuf>,
    /// Absolute paths of single libraries.
    #[serde(deserialize_with = "list")]
    pub libraries: Vec<PathBuf>,
    /// Whether libraries that were installed together with the program count, too.
    pub installed: bool,
}

/// som's own keys of a segmenter's table.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerSettings {
    /// Instances, each on its own thread; at least 1.
    pub instances: usize,
    /// Requests that may wait before new ones are refused; at least 1.
    pub queue: usize,
    /// Milliseconds an instance may go on after its request was called off before it is replaced.
    pub grace_ms: u64,
}

impl Settings {
    /// How an image file is read.
    pub fn decoding(&self) -> DecodeOptions {
        DecodeOptions {
            max_pixels: self.limits.image_pixels,
            stretch: self.images.stretch,
            background: self.images.background,
        }
    }

    /// The large multimodal models that are named. `variable` looks up an environment variable.
    ///
    /// # Errors
    /// Invalid, naming the table and the key that is wrong; NotFound, if `ask.lmm` names none.
    pub fn lmms(&self, variable: impl Fn(&str) -> Option<String>) -> Result<Lmms> {
        let lmms = Lmms::open(&self.lmm, variable).map_err(|error| self.places.place(error))?;
        let chosen = lmms.get(&self.ask.lmm);
        chosen.map_err(|error| error.at(self.places.of("ask.lmm")))?;
        Ok(lmms)
    }

    /// The words of the prompt of a question; `None` for the usual ones. Blocks to read a file.
    ///
    /// # Errors
    /// NotFound for an unknown template or a file that is not there; Invalid for words that make no
    /// template.
    pub fn template(&self) -> Result<Option<Template>> {
        let AskSettings {
            template,
            prompt_file,
            ..
        } = &self.ask;
        match (template.as_str(), prompt_file.as_str()) {
            ("", "") => Ok(None),
            ("", file) => {
                let words = std::fs::read_to_string(file)
                    .map_err(|error| Error::not_found("the file cannot be read").caused_by(error));
                let template = words.and_then(|words| Template::parse(&words));
                template
                    .map(Some)
                    .map_err(|error| error.at(file).at(self.places.of("ask.prompt_file")))
            }
            (name, "") => Template::named(name)
                .map(Some)
                .map_err(|error| error.at(self.places.of("ask.template"))),
            _ => Err(Error::invalid(
                "settings: ask.template and ask.prompt_file both say the words (leave one empty)",
            )),
        }
    }

    /// The parameters that calls of segmenter `id` get if a request says nothing else.
    ///
    /// # Errors
    /// Invalid, if they are no table.
    pub fn params(&self, id: &str) -> Result<Params> {
        match self.segmenter.get(id).and_then(|table| table.get("params")) {
            None => Ok(Params::new()),
            Some(serde_json::Value::Object(params)) => Ok(params.clone()),
            Some(other) => Err(Error::invalid(format!(
                "{} is {other}, but must be a table",
                self.places.of(&format!("segmenter.{id}.params"))
            ))),
        }
    }

    /// The options in the table of tracker `id`, and the parameters that its frames get if a request says
    /// nothing else.
    ///
    /// # Errors
    /// Invalid, if these are no table.
    pub fn tracker(&self, id: &str) -> Result<(Params, Params)> {
        let mut options = self.tracker.get(id).cloned().unwrap_or_default();
        match options.remove("params") {
            None => Ok((options, Params::new())),
            Some(serde_json::Value::Object(params)) => Ok((options, params)),
            Some(other) => Err(Error::invalid(format!(
                "{} is {other}, but must be a table",
                self.places.of(&format!("tracker.{id}.params"))
            ))),
        }
    }

    /// som's own keys of the table of segmenter `id`, and the options that are left for it.
    ///
    /// # Errors
    /// Invalid, if one of som's own keys has a wrong type or is zero; Exhausted, if there are to be
    /// more instances than `limits.instances`.
    pub fn segmenter(&self, id: &str) -> Result<(WorkerSettings, Params)> {
        let mut options = self.segmenter.get(id).cloned().unwrap_or_default();
        options.remove("params");
        let mut take = |key: &str, default: u64, least: u64| {
            match options.remove(key) {
                None => Ok(default),
                // Values from the environment are text.
                Some(value) => value
                    .as_u64()
                    .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
                    .filter(|&number| number >= least)
                    .ok_or_else(|| {
                        Error::invalid(format!(
                            "{} is {value}, but must be a whole number of at least {least}",
                            self.places.of(&format!("segmenter.{id}.{key}"))
                        ))
                    }),
            }
        };
        let worker = WorkerSettings {
            instances: take("instances", 1, 1)? as usize,
            queue: take("queue", 32, 1)? as usize,
            grace_ms: take("grace_ms", 5000, 0)?,
        };
        let allowed = self.limits.allow(Counted::Instances, worker.instances);
        allowed.map_err(|error| error.at(format!("segmenter.{id}")))?;
        Ok((worker, options))
    }
}

impl Settings {
    /// The dotted keys of the values that are others in `new`, or in one of both alone.
    pub fn changed_keys(&self, new: &Self) -> Vec<String> {
        let values = |settings: &Self| {
            let mut values = BTreeMap::new();
            if let Ok(json) = serde_json::to_value(settings) {
                list_values(String::new(), json, &mut values);
            }
            values
        };
        let (old, new) = (values(self), values(new));
        let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let changed = keys.into_iter().filter(|&key| old.get(key) != new.get(key));
        changed.cloned().collect()
    }
}

/// The values in `json`, which is called `key`, by their dotted keys.
fn list_values(
    key: String,
    json: serde_json::Value,
    values: &mut BTreeMap<String, serde_json::Value>,
) {
    match json {
        serde_json::Value::Object(table) => {
            for (name, value) in table {
                let key = match key.as_str() {
                    "" => name,
                    key => format!("{key}.{name}"),
                };
                list_values(key, value, values);
            }
        }
        value => drop(values.insert(key, value)),
    }
}

/// A list, or the same as text with commas: all an environment variable can hold.
fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + From<String>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum List<T> {
        Items(Vec<T>),
        Text(String),
    }
    Ok(match List::deserialize(deserializer)? {
        List::Items(items) => items,
        List::Text(text) => {
            let items = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            items.map(|item| T::from(item.to_owned())).collect()
        }
    })
}
