//! The settings ladder: embedded defaults up to flags, each value with its origin.

mod granularity;
mod limits;
mod mark;
mod server;
mod telemetry;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use config::{ConfigError, Map, Source, Value, ValueKind};
use serde::{Deserialize, Deserializer, Serialize};
use som_core::{
    Error, Params, Result,
    decode::{Background, DecodeOptions},
};
use som_lmm::{LmmSettings, Lmms};

pub use self::{
    granularity::{GranularitySettings, StepSettings},
    limits::{Counted, LimitSettings},
    mark::MarkSettings,
    server::{ServerSettings, TlsSettings, TokenSettings, TokenSource},
    telemetry::{LogFormat, TelemetrySettings},
};
use crate::weights::WeightSettings;

/// Where the ladder looks for files, from the lowest to the highest.
const SYSTEM_FILES: [&str; 2] = ["/etc/som/som.toml", "som.toml"];
const EMBEDDED: &str = include_str!("../settings.toml");
/// `SOM__MARK__SEGMENTER` sets `mark.segmenter`.
const ENVIRONMENT_PREFIX: &str = "SOM__";

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
    /// Invalid, if one of som's own keys has a wrong type or is zero; Exhausted, if there are to be
    /// more instances than `limits.instances`.
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

/// The layers that are chosen at start-up.
#[derive(Clone, Debug, Default)]
pub struct Ladder {
    file: Option<PathBuf>,
    flags: Vec<(String, String, serde_json::Value)>,
    system: bool,
    environment: Vec<(String, String)>,
}

/// One effective value: its dotted key, the value, and the layer it came from.
#[derive(Clone, Debug, PartialEq)]
pub struct Origin {
    /// `mark.page_size`.
    pub key: String,
    /// As JSON.
    pub value: serde_json::Value,
    /// `built-in`, a file, an environment variable or a flag.
    pub from: String,
}

impl Ladder {
    /// The embedded defaults alone.
    pub fn embedded() -> Self {
        Self::default()
    }

    /// Defaults, the system's and the working folder's files, and this process's environment.
    pub fn system() -> Self {
        Self {
            system: true,
            environment: std::env::vars().collect(),
            ..Self::default()
        }
    }

    /// Adds the file named by `--config`.
    #[must_use]
    pub fn with_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.file = Some(path.into());
        self
    }

    /// Adds environment variables, such as (`SOM__MARK__SEGMENTER`, `sam`).
    #[must_use]
    pub fn with_environment(
        mut self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        self.environment.extend(variables);
        self
    }

    /// Adds a flag: `--segmenter sam` sets `mark.segmenter`.
    #[must_use]
    pub fn with_flag(mut self, flag: &str, key: &str, value: impl Into<serde_json::Value>) -> Self {
        self.flags
            .push((flag.to_owned(), key.to_owned(), value.into()));
        self
    }

    /// Reads all layers.
    ///
    /// # Errors
    /// NotFound, if the file of `--config` is missing; Invalid, if a layer is malformed, has an
    /// unknown key (the known ones are listed) or a value of a wrong type.
    pub fn load(&self) -> Result<(Settings, Vec<Origin>)> {
        let mut builder = config::Config::builder().add_source(TomlText::embedded());
        if self.system {
            for path in SYSTEM_FILES.map(Path::new) {
                if path.exists() {
                    builder = builder.add_source(TomlText::read(path)?);
                }
            }
        }
        if let Some(path) = &self.file {
            builder = builder.add_source(TomlText::read(path)?);
        }
        builder = builder
            .add_source(Variables::new(&self.environment)?)
            .add_source(Flags(self.flags.clone()));
        let config = builder.build().map_err(|error| invalid(&error))?;
        let mut origins = Vec::new();
        for (key, value) in config.collect().map_err(|error| invalid(&error))? {
            list_origins(key, &value, &mut origins);
        }
        origins.sort_by(|a, b| a.key.cmp(&b.key));
        let settings = config.try_deserialize().map_err(|error| invalid(&error))?;
        Ok((settings, origins))
    }
}

fn invalid(error: &ConfigError) -> Error {
    Error::invalid(format!("settings: {error}"))
}

fn list_origins(key: String, value: &Value, origins: &mut Vec<Origin>) {
    if let ValueKind::Table(table) = &value.kind {
        for (name, value) in table {
            list_origins(format!("{key}.{name}"), value, origins);
        }
        return;
    }
    let json = value
        .clone()
        .try_deserialize()
        .unwrap_or(serde_json::Value::Null);
    let from = value.origin().unwrap_or("built-in").to_owned();
    origins.push(Origin {
        key,
        value: json,
        from,
    });
}

/// A TOML layer with its name as origin.
#[derive(Clone, Debug)]
struct TomlText {
    origin: String,
    text: String,
}

impl TomlText {
    fn embedded() -> Self {
        Self {
            origin: "built-in".into(),
            text: EMBEDDED.into(),
        }
    }

    fn read(path: &Path) -> Result<Self> {
        let origin = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Ok(Self { origin, text }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(Error::not_found(
                format!("settings file {origin} does not exist"),
            )),
            Err(error) => Err(Error::invalid(format!(
                "settings file {origin} cannot be read: {error}"
            ))),
        }
    }
}

impl Source for TomlText {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        use config::Format;
        config::FileFormat::Toml
            .parse(Some(&self.origin), &self.text)
            .map_err(|error| ConfigError::Message(format!("{}: {error}", self.origin)))
    }
}

/// The environment layer: values are text, and each knows its variable.
#[derive(Clone, Debug)]
struct Variables(Vec<(String, String, String)>);

impl Variables {
    fn new(variables: &[(String, String)]) -> Result<Self> {
        let mut values = Vec::new();
        for (name, text) in variables {
            let Some(path) = name.strip_prefix(ENVIRONMENT_PREFIX) else {
                continue;
            };
            let mut parts: Vec<String> = path.split("__").map(str::to_lowercase).collect();
            if parts.iter().any(String::is_empty) {
                return Err(Error::invalid(format!(
                    "environment variable {name}: write it like SOM__MARK__SEGMENTER"
                )));
            }
            // Ids have dashes, which a variable's name cannot.
            if parts.len() > 1 && ["segmenter", "lmm"].contains(&parts[0].as_str()) {
                parts[1] = parts[1].replace('_', "-");
            }
            values.push((name.clone(), parts.join("."), text.clone()));
        }
        values.sort();
        Ok(Self(values))
    }
}

impl Source for Variables {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        let values = self.0.iter().map(|(name, key, text)| {
            (
                key.clone(),
                Value::new(Some(name), ValueKind::String(text.clone())),
            )
        });
        Ok(values.collect())
    }
}

/// The layer of command line flags.
#[derive(Clone, Debug)]
struct Flags(Vec<(String, String, serde_json::Value)>);

impl Source for Flags {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        let values = self
            .0
            .iter()
            .map(|(flag, key, value)| (key.clone(), from_json(flag, value)));
        Ok(values.collect())
    }
}

fn from_json(flag: &String, value: &serde_json::Value) -> Value {
    use serde_json::Value as Json;
    let kind = match value {
        Json::Null => ValueKind::Nil,
        Json::Bool(value) => ValueKind::Boolean(*value),
        Json::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => ValueKind::I64(integer),
            (None, float) => ValueKind::Float(float.unwrap_or(f64::NAN)),
        },
        Json::String(text) => ValueKind::String(text.clone()),
        Json::Array(items) => {
            ValueKind::Array(items.iter().map(|item| from_json(flag, item)).collect())
        }
        Json::Object(items) => ValueKind::Table(
            items
                .iter()
                .map(|(key, item)| (key.clone(), from_json(flag, item)))
                .collect(),
        ),
    };
    Value::new(Some(flag), kind)
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
