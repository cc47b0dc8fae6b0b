//! What a segmenter, mark style or tracker says about itself.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Error, ErrorKind, Hints, ObjectHints, Result, name::Named};

/// Who a segmenter, mark style or tracker is, what it can do, and the options and parameters it takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Descriptor {
    /// `[a-z0-9-]+`.
    pub id: String,
    /// Semantic version.
    pub version: String,
    /// One line for people.
    pub about: String,
    /// What a segmenter or tracker takes and gives; empty for mark styles.
    pub capabilities: Vec<Capability>,
    /// JSON Schema of what a new instance takes, such as `weights` and `device`.
    pub options: Value,
    /// JSON Schema of what one call takes.
    pub params: Value,
}

impl Descriptor {
    /// The descriptor of what a plugin says of itself: `schema` is
    /// `{"capabilities": [..], "options": JSON Schema, "params": JSON Schema}`, where whatever is
    /// left out is empty.
    ///
    /// A segmenter that takes hints need not describe them: unless its schema names a parameter
    /// `hints`, it gets those of its capabilities ([`Hints::schema`]).
    ///
    /// # Errors
    /// Invalid, naming the text that is wrong: the id is not `[a-z0-9-]+`, the version is not a
    /// semantic one, the schema is malformed or names a capability that does not exist.
    pub fn from_schema_json(id: &str, version: &str, about: &str, schema: &str) -> Result<Self> {
        Self::read(id, version, about, schema, Hints::schema)
    }

    /// The descriptor of a tracker, whose hints are told by object ([`ObjectHints::schema`]).
    ///
    /// # Errors
    /// As [`from_schema_json`](Self::from_schema_json).
    pub fn of_tracker(id: &str, version: &str, about: &str, schema: &str) -> Result<Self> {
        Self::read(id, version, about, schema, ObjectHints::schema)
    }

    fn read(
        id: &str,
        version: &str,
        about: &str,
        schema: &str,
        hints: fn(&[Capability]) -> Option<Value>,
    ) -> Result<Self> {
        Named::Plugin.check("its id", id)?;
        if semver::Version::parse(version).is_err() {
            return Err(Error::invalid(format!(
                "its version {version:?} is not a semantic version such as 1.0.0"
            )));
        }
        let schema: Value = serde_json::from_str(schema)
            .map_err(|error| Error::invalid(format!("its schema is no JSON: {error}")))?;
        let object = schema
            .as_object()
            .ok_or_else(|| Error::invalid("its schema must be a JSON object"))?;
        let part = |key: &str| match object.get(key) {
            None => Ok(json!({"type": "object"})),
            Some(part) if part.is_object() => Ok(part.clone()),
            Some(part) => Err(Error::invalid(format!(
                "its schema: {key:?} must be an object, not {part}"
            ))),
        };
        let capabilities =
            capabilities(object.get("capabilities")).map_err(|error| error.at("its schema"))?;
        let params = with_hints(part("params")?, hints(&capabilities));
        Ok(Self {
            id: id.to_owned(),
            version: version.to_owned(),
            about: about.to_owned(),
            capabilities,
            options: part("options")?,
            params,
        })
    }

    /// The `schema` that [`from_schema_json`](Self::from_schema_json) reads.
    pub fn schema_json(&self) -> String {
        json!({"capabilities": self.capabilities, "options": self.options, "params": self.params})
            .to_string()
    }

    /// True if the segmenter has `capability`.
    pub fn can(&self, capability: Capability) -> bool {
        self.capabilities.contains(&capability)
    }
}

/// `params` with the hints of the capabilities, unless it speaks of hints itself.
fn with_hints(mut params: Value, hints: Option<Value>) -> Value {
    if let (Some(object), Some(hints)) = (params.as_object_mut(), hints)
        && let Some(properties) = object
            .entry("properties")
            .or_insert_with(|| json!({}))
            .as_object_mut()
    {
        properties.entry("hints").or_insert(hints);
    }
    params
}

fn capabilities(names: Option<&Value>) -> Result<Vec<Capability>> {
    let Some(names) = names else {
        return Ok(Vec::new());
    };
    let list = || {
        Error::invalid(format!(
            "\"capabilities\" must be a list of names, not {names}"
        ))
    };
    let names = names.as_array().ok_or_else(list)?;
    names
        .iter()
        .map(|name| name.as_str().ok_or_else(list)?.parse())
        .collect()
}

/// What a segmenter takes and gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Capability {
    /// Segments everything without hints.
    Automatic,
    /// Takes point hints.
    Points,
    /// Takes box hints.
    Boxes,
    /// Takes stroke or mask hints.
    Masks,
    /// Takes a text hint.
    Text,
    /// Gives class names.
    Labels,
    /// Has a granularity slider, `level`.
    Levels,
    /// Takes example hints: other pictures, in which the wanted thing is shown.
    Examples,
}

impl Capability {
    /// Every capability.
    pub const ALL: [Capability; 8] = [
        Capability::Automatic,
        Capability::Points,
        Capability::Boxes,
        Capability::Masks,
        Capability::Text,
        Capability::Labels,
        Capability::Levels,
        Capability::Examples,
    ];

    /// The capability's name in catalogues and schemas.
    pub const fn name(self) -> &'static str {
        match self {
            Capability::Automatic => "automatic",
            Capability::Points => "points",
            Capability::Boxes => "boxes",
            Capability::Masks => "masks",
            Capability::Text => "text",
            Capability::Labels => "labels",
            Capability::Levels => "levels",
            Capability::Examples => "examples",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Capability {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL
            .into_iter()
            .find(|capability| capability.name() == name)
            .ok_or_else(|| {
                let known = Self::ALL.into_iter().map(Self::name);
                Error::unknown(ErrorKind::Invalid, "capability", name, known)
            })
    }
}
