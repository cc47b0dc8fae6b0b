//! What can be set; [`Ladder`] reads it layer by layer.

mod granularity;
mod ladder;
mod mark;
mod server;
mod telemetry;

use std::{collections::BTreeMap, path::PathBuf};

use serde::{Deserialize, Deserializer, Serialize};
use som_core::{
    Error, Params, Result,
    decode::{Background, DecodeOptions},
};
use som_lmm::{LmmSettings, Lmms};

pub use self::{
    granularity::{GranularitySettings, StepSettings},
    ladder::{Ladder, Origin},
    mark::MarkSettings,
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
    /// Who is asked when a request says nothing else.
    pub ask: AskSettings,
    /// How the multimodal model rescales an image.
    pub view: ViewSettings,
    /// What an image may cost.
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
    /// One table per segmenter: som's own keys (see [`WorkerSettings`]) and its options.
    #[serde(default)]
    pub segmenter: BTreeMap<String, Params>,
    /// One table per large multimodal model, by the name it is asked for.
    #[serde(default)]
    pub lmm: BTreeMap<String, LmmSettings>,
}

/// Who is asked when a request says nothing else.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AskSettings {
    /// Name of a table `[lmm.NAME]`.
    pub lmm: String,
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

/// What an image may cost before it is refused.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    /// Encoded size in bytes.
    pub image_bytes: u64,
    /// Decoded size in pixels.
    pub image_pixels: u64,
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
        let lmms = Lmms::open(&self.lmm, variable).map_err(|error| error.at("settings"))?;
        let chosen = lmms.get(&self.ask.lmm);
        chosen.map_err(|error| error.at("settings: ask.lmm"))?;
        Ok(lmms)
    }

    /// som's own keys of the table of segmenter `id`, and the options that are left for it.
    ///
    /// # Errors
    /// Invalid, if one of som's own keys has a wrong type or is zero.
    pub fn segmenter(&self, id: &str) -> Result<(WorkerSettings, Params)> {
        let mut options = self.segmenter.get(id).cloned().unwrap_or_default();
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
                        "segmenter.{id}.{key} is {value}, but must be a whole number of at least {least}"
                    ))
                }),
        }
        };
        let worker = WorkerSettings {
            instances: take("instances", 1, 1)? as usize,
            queue: take("queue", 32, 1)? as usize,
            grace_ms: take("grace_ms", 5000, 0)?,
        };
        Ok((worker, options))
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
