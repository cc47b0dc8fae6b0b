//! The settings ladder: embedded defaults up to flags, each value with its origin.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use config::{ConfigError, Map, Source, Value, ValueKind};
use som_core::{Error, Result};

use super::{Settings, places::Places};

/// Where the ladder looks for files, from the lowest to the highest.
const SYSTEM_FILES: [&str; 2] = ["/etc/som/som.toml", "som.toml"];
/// The settings that som starts with, as TOML with comments.
pub const BUILT_IN: &str = include_str!("../settings.toml");
/// `SOM__MARK__SEGMENTER` sets `mark.segmenter`.
const ENVIRONMENT_PREFIX: &str = "SOM__";

/// The layers that are chosen at start-up.
#[derive(Clone, Debug, Default)]
pub struct Ladder {
    file: Option<PathBuf>,
    flags: Vec<(String, String, serde_json::Value)>,
    system: bool,
    environment: Vec<(String, OsString)>,
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
            environment: std::env::vars_os()
                .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
                .collect(),
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
        let variables = variables.into_iter();
        self.environment
            .extend(variables.map(|(name, value)| (name, value.into())));
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
        let mut places = Places::default();
        let system = SYSTEM_FILES.map(Path::new).into_iter();
        let system = system.filter(|path| self.system && path.exists());
        for path in system.chain(self.file.as_deref()) {
            let file = TomlText::read(path)?;
            places.add_file(&file.origin, &file.text)?;
            builder = builder.add_source(file);
        }
        let variables = Variables::new(&self.environment)?;
        for (name, key, _) in &variables.0 {
            places.add(key, format!("environment variable {name}"));
        }
        for (flag, key, _) in &self.flags {
            places.add(key, flag);
        }
        builder = builder
            .add_source(variables)
            .add_source(Flags(self.flags.clone()));
        let invalid = |error: ConfigError| places.explain(&error);
        let config = builder.build().map_err(invalid)?;
        let mut origins = Vec::new();
        for (key, value) in config.collect().map_err(invalid)? {
            list_origins(key, &value, &mut origins);
        }
        origins.sort_by(|a, b| a.key.cmp(&b.key));
        let mut settings: Settings = config.try_deserialize().map_err(invalid)?;
        settings.places = places;
        Ok((settings, origins))
    }
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
            text: BUILT_IN.into(),
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
    fn new(variables: &[(String, OsString)]) -> Result<Self> {
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
            if parts.len() > 1 && ["segmenter", "style", "lmm"].contains(&parts[0].as_str()) {
                parts[1] = parts[1].replace('_', "-");
            }
            let Some(text) = text.to_str() else {
                let message = format!("environment variable {name}: its value is no UTF-8");
                return Err(Error::invalid(message));
            };
            values.push((name.clone(), parts.join("."), text.to_owned()));
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
