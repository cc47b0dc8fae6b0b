//! What a JSON text holds, as far as its format can be told by it. One pass, and little memory
//! however long the text is.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::{FormatError, json};

/// The most keys of an object that are told.
const MAX_KEYS: usize = 64;

/// How deep an outline goes: a list at the top of an object, its first item, and a box in that.
const DEPTH: u32 = 4;

/// The keys of an object, or the first item of a list.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    pub(crate) is_list: bool,
    /// Of an object.
    keys: Vec<(String, Outline)>,
    /// Of a list.
    pub(crate) first: Option<Box<Outline>>,
}

impl Outline {
    /// That of the first value in a text, which is checked as a whole.
    ///
    /// # Errors
    /// Syntax, if it is no JSON.
    pub(crate) fn of(bytes: &[u8]) -> Result<Self, FormatError> {
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        Depth(DEPTH)
            .deserialize(&mut deserializer)
            .map_err(|error| json::syntax(&error))
    }

    /// What stands under a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Outline> {
        let mut keys = self.keys();
        keys.find(|(known, _)| *known == key)
            .map(|(_, value)| value)
    }

    /// The keys of an object in their order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = (&str, &Outline)> {
        self.keys.iter().map(|(key, value)| (key.as_str(), value))
    }
}

#[derive(Clone, Copy)]
struct Depth(u32);

impl<'de> DeserializeSeed<'de> for Depth {
    type Value = Outline;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Outline, D::Error> {
        match self.0 {
            0 => deserializer
                .deserialize_ignored_any(IgnoredAny)
                .map(|_| Outline::default()),
            _ => deserializer.deserialize_any(self),
        }
    }
}

impl<'de> Visitor<'de> for Depth {
    type Value = Outline;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Outline, A::Error> {
        let mut keys = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            let value = map.next_value_seed(Depth(self.0 - 1))?;
            if keys.len() < MAX_KEYS {
                keys.push((key, value));
            }
        }
        Ok(Outline {
            keys,
            ..Outline::default()
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Outline, A::Error> {
        let first = seq.next_element_seed(Depth(self.0 - 1))?;
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Outline {
            is_list: true,
            first: first.map(Box::new),
            ..Outline::default()
        })
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Outline, E> {
        Ok(Outline::default())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Outline, E> {
        Ok(Outline::default())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Outline, E> {
        Ok(Outline::default())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Outline, E> {
        Ok(Outline::default())
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Outline, E> {
        Ok(Outline::default())
    }

    fn visit_unit<E: Error>(self) -> Result<Outline, E> {
        Ok(Outline::default())
    }
}
