//! `[mark]`: how images are marked when a request says nothing else.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{
        DeserializeSeed, Error, IntoDeserializer, MapAccess, Visitor, value::MapAccessDeserializer,
    },
};
use som_core::{MarkOptions, granularity};

use super::list;

/// How images are marked when a request says nothing else.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MarkSettings {
    /// Segmenter id.
    pub segmenter: String,
    /// Mark style ids, from the lowest layer of ink to the highest.
    pub styles: Vec<String>,
    /// The granularity that chooses the segmenter in its place; 0 for none.
    pub granularity: f64,
    /// What is asked of the marks; its options are keys of the same table.
    #[serde(flatten)]
    pub options: MarkOptions,
}

impl MarkSettings {
    /// The granularity that chooses the segmenter; `None`, if the segmenter is named.
    pub fn granularity(&self) -> Option<f64> {
        Some(self.granularity).filter(|&granularity| granularity != 0.0)
    }
}

// As `serde(flatten)` reads it, but for two things: text is taken for a number, since variables of
// the environment hold nothing else, and an unknown key is refused with all that are known.
impl<'de> Deserialize<'de> for MarkSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Table)
    }
}

struct Table;

impl<'de> Visitor<'de> for Table {
    type Value = MarkSettings;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<MarkSettings, A::Error> {
        let (mut segmenter, mut styles, mut granularity) = (None, None, None);
        let rest = Rest {
            map,
            names: names(),
            segmenter: &mut segmenter,
            styles: &mut styles,
            granularity: &mut granularity,
        };
        let options = MarkOptions::deserialize(MapAccessDeserializer::new(rest))?;
        Ok(MarkSettings {
            segmenter: segmenter.ok_or_else(|| A::Error::missing_field("segmenter"))?,
            styles: styles.ok_or_else(|| A::Error::missing_field("styles"))?,
            granularity: granularity.ok_or_else(|| A::Error::missing_field("granularity"))?,
            options,
        })
    }
}

/// The keys of [`MarkOptions`]; the others are kept on the way.
struct Rest<'a, A> {
    map: A,
    names: Vec<String>,
    segmenter: &'a mut Option<String>,
    styles: &'a mut Option<Vec<String>>,
    granularity: &'a mut Option<f64>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Rest<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, A::Error> {
        while let Some(key) = self.map.next_key::<String>()? {
            match key.as_str() {
                "segmenter" => *self.segmenter = Some(self.map.next_value()?),
                "styles" => *self.styles = Some(self.map.next_value::<Styles>()?.0),
                "granularity" => *self.granularity = Some(self.map.next_value::<OrNone>()?.0),
                _ if self.names.contains(&key) => {
                    return seed.deserialize(key.into_deserializer()).map(Some);
                }
                _ => {
                    return Err(A::Error::custom(format!(
                        "unknown field `{key}`, expected one of `segmenter`, `styles`, `granularity`, `{}`",
                        self.names.join("`, `")
                    )));
                }
            }
        }
        Ok(None)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.map.next_value_seed(seed)
    }
}

#[derive(Deserialize)]
struct Styles(#[serde(deserialize_with = "list")] Vec<String>);

/// A granularity, or 0 for none.
struct OrNone(f64);

impl<'de> Deserialize<'de> for OrNone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        if value != 0.0 {
            granularity::check(value)
                .map_err(|error| D::Error::custom(format!("{error}, or 0 for none")))?;
        }
        Ok(Self(value))
    }
}

/// The names of the options.
fn names() -> Vec<String> {
    match serde_json::to_value(MarkOptions::default()) {
        Ok(serde_json::Value::Object(options)) => {
            options.into_iter().map(|(name, _)| name).collect()
        }
        _ => Vec::new(),
    }
}
