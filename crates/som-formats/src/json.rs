//! JSON that is read entry by entry: each failure names its entry and its place in the text, and no
//! list grows beyond what an image has room for.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeOwned, DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
    },
};

use crate::{FormatError, MAX_ENTRIES};

/// A whole text.
///
/// # Errors
/// Syntax, for what is no JSON and for values that are none of their keys.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, FormatError> {
    serde_json::from_slice(bytes).map_err(|error| syntax(&error))
}

/// What is wrong with a text, and where.
pub(crate) fn syntax(error: &serde_json::Error) -> FormatError {
    let (line, column) = (error.line(), error.column());
    let told = format!(" at line {line} column {column}");
    let message = error.to_string();
    FormatError::Syntax {
        line,
        column,
        message: message.strip_suffix(&told).unwrap_or(&message).to_owned(),
    }
}

/// Reads the list under `key`, or the text itself if that is `None`, and hands each item to `take`
/// with its index. What else the text holds is passed over.
///
/// # Errors
/// As [`read`], and whatever `take` reports.
pub(crate) fn each<T: DeserializeOwned>(
    bytes: &[u8],
    key: Option<&str>,
    mut take: impl FnMut(usize, T) -> Result<(), FormatError>,
) -> Result<(), FormatError> {
    let mut failure = None;
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let list = List {
        name: key.unwrap_or_default(),
        take: &mut take,
        failure: &mut failure,
        item: PhantomData,
    };
    let done = match key {
        None => list.deserialize(&mut deserializer),
        Some(key) => Under { key, list }.deserialize(&mut deserializer),
    };
    let done = done.and_then(|()| deserializer.end());
    match (failure, done) {
        (Some(failure), _) => Err(failure),
        (None, done) => done.map_err(|error| syntax(&error)),
    }
}

/// Items, each of which is handed on as it is read.
struct List<'a, T, F> {
    name: &'a str,
    take: &'a mut F,
    /// What `take` reported.
    failure: &'a mut Option<FormatError>,
    item: PhantomData<T>,
}

impl<'de, T, F> DeserializeSeed<'de> for List<'_, T, F>
where
    T: DeserializeOwned,
    F: FnMut(usize, T) -> Result<(), FormatError>,
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T, F> Visitor<'de> for List<'_, T, F>
where
    T: DeserializeOwned,
    F: FnMut(usize, T) -> Result<(), FormatError>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        for index in 0.. {
            let item = seq
                .next_element::<T>()
                .map_err(|error| A::Error::custom(format!("{}[{index}]: {error}", self.name)))?;
            let Some(item) = item else { break };
            if let Err(error) = (self.take)(index, item) {
                *self.failure = Some(error);
                return Err(A::Error::custom("called off"));
            }
        }
        Ok(())
    }
}

/// A list under a key of an object.
struct Under<'a, T, F> {
    key: &'a str,
    list: List<'a, T, F>,
}

impl<'de, T, F> DeserializeSeed<'de> for Under<'_, T, F>
where
    T: DeserializeOwned,
    F: FnMut(usize, T) -> Result<(), FormatError>,
{
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, T, F> Visitor<'de> for Under<'_, T, F>
where
    T: DeserializeOwned,
    F: FnMut(usize, T) -> Result<(), FormatError>,
{
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with the list \"{}\"", self.key)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut list = Some(self.list);
        while let Some(key) = map.next_key::<String>()? {
            match list.take_if(|_| key == self.key) {
                Some(list) => map.next_value_seed(list)?,
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        match list {
            None => Ok(()),
            Some(_) => Err(A::Error::custom(format!(
                "there is no list \"{}\"",
                self.key
            ))),
        }
    }
}

/// A list of no more than [`MAX_ENTRIES`].
#[derive(Debug)]
pub(crate) struct Limited<T>(pub(crate) Vec<T>);

impl<T> Default for Limited<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Limited<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (mut items, mut failure) = (Vec::new(), None);
        let mut take = |_, item| match items.len() < MAX_ENTRIES {
            true => {
                items.push(item);
                Ok(())
            }
            false => Err(FormatError::TooMany),
        };
        let list = List {
            name: "",
            take: &mut take,
            failure: &mut failure,
            item: PhantomData,
        };
        let done = list.deserialize(deserializer);
        match failure {
            Some(failure) => Err(D::Error::custom(failure)),
            None => done.map(|()| Self(items)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_name_the_entry_and_its_place() {
        let text = b"{\"a\": [1, 2],\n \"b\": [1,\n \"x\"]}";
        let error = each::<u32>(text, Some("b"), |_, _| Ok(())).unwrap_err();
        let expected = "line 3, column 4: b[1]: invalid type: string \"x\", expected u32";
        assert_eq!(error.to_string(), expected);
        let error = each::<u32>(text, Some("c"), |_, _| Ok(())).unwrap_err();
        assert!(
            error.to_string().ends_with("there is no list \"c\""),
            "{error}"
        );
        let error = each::<u32>(b"[1, 2", None, |_, _| Ok(())).unwrap_err();
        assert!(
            error.to_string().starts_with("line 1, column 5: [2]: EOF"),
            "{error}"
        );
    }

    #[test]
    fn a_list_ends_where_no_image_has_room() {
        let text = format!("[{}0]", "0,".repeat(MAX_ENTRIES));
        let error = read::<Limited<u8>>(text.as_bytes()).unwrap_err();
        assert!(
            error.to_string().contains("more than 65536 entries"),
            "{error}"
        );
        let mut seen = 0;
        let taken = each::<u8>(text.as_bytes(), None, |_, _| {
            seen += 1;
            match seen {
                3 => Err(FormatError::TooMany),
                _ => Ok(()),
            }
        });
        assert!(matches!(taken.unwrap_err(), FormatError::TooMany));
        assert_eq!(seen, 3);
    }
}
