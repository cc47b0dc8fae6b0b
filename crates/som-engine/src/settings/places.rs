//! Where each setting was said, and what is wrong with one in the words of whoever said it.

use std::collections::BTreeMap;

use config::ConfigError;
use som_core::{Error, ErrorKind, Result};
use toml::de::{DeTable, DeValue};

/// Files with their lines, variables and flags, by the dotted key that they set.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Places(BTreeMap<String, String>);

impl Places {
    /// Adds what a file says.
    ///
    /// # Errors
    /// Invalid, naming the line that is no TOML.
    pub(super) fn add_file(&mut self, name: &str, text: &str) -> Result<()> {
        let line = |at: usize| 1 + text.bytes().take(at).filter(|&byte| byte == b'\n').count();
        let table = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            let why = error.message();
            Error::invalid(format!("{name}, line {}: {why}", line(at)))
        })?;
        self.add_table("", table.get_ref(), &|at| {
            format!("{name}, line {}", line(at))
        });
        Ok(())
    }

    fn add_table(&mut self, above: &str, table: &DeTable<'_>, place: &impl Fn(usize) -> String) {
        for (key, value) in table.iter() {
            let name = key.get_ref();
            let dotted = match above {
                "" => name.to_string(),
                _ => format!("{above}.{name}"),
            };
            self.add(&dotted, place(key.span().start));
            if let DeValue::Table(table) = value.get_ref() {
                self.add_table(&dotted, table, place);
            }
        }
    }

    /// Adds a variable or a flag that sets `key`.
    pub(super) fn add(&mut self, key: &str, place: impl Into<String>) {
        self.0.insert(key.to_owned(), place.into());
    }

    /// The place where `key`, or something below it, was set, and the key.
    pub fn of(&self, key: &str) -> String {
        match self.find(key) {
            Some(place) => format!("{place}: {key}"),
            None => format!("settings: {key}"),
        }
    }

    /// `error` with the place of the key that its message begins with.
    pub(super) fn place(&self, error: Error) -> Error {
        let key = error.message().split(": ").next().unwrap_or_default();
        match self.find(key) {
            Some(place) => {
                let place = place.to_owned();
                error.at(place)
            }
            None => error.at("settings"),
        }
    }

    fn find(&self, key: &str) -> Option<&str> {
        let below = format!("{key}.");
        let mut all = self.0.iter();
        let found = self.0.get(key);
        let found = found.or_else(|| {
            all.find(|(other, _)| other.starts_with(&below))
                .map(|(_, at)| at)
        });
        found.map(String::as_str)
    }

    /// What is wrong with the settings.
    pub(super) fn explain(&self, error: &ConfigError) -> Error {
        match error {
            ConfigError::Type {
                unexpected,
                expected,
                key: Some(key),
                ..
            } => {
                let found = unexpected.to_string();
                // The value alone, without what it is called inside: integer `7`, string "x".
                let found = match found.split_once('`') {
                    Some((_, value)) => value.trim_end_matches('`'),
                    None => found.strip_prefix("string ").unwrap_or(&found),
                };
                let wanted = match *expected {
                    "a floating point" => "a number",
                    "a boolean" => "true or false",
                    "a map" => "a table",
                    "an array" => "a list",
                    "a string" => "text",
                    integer if integer.ends_with("integer") => "a whole number",
                    other => other,
                };
                Error::invalid(format!("{} is {found}, but must be {wanted}", self.of(key)))
            }
            ConfigError::At {
                error,
                key: Some(key),
                ..
            } => self.about(key, &error.to_string()),
            ConfigError::Message(message) => self.about("", message),
            other => Error::invalid(format!("settings: {other}")),
        }
    }

    /// `message` about the value of `key`, which may be all settings.
    fn about(&self, key: &str, message: &str) -> Error {
        let Some((name, known)) = unknown(message) else {
            return match key {
                "" => Error::invalid(format!("settings: {message}")),
                _ => Error::invalid(format!("{}: {message}", self.of(key))),
            };
        };
        let above = match key {
            "" => String::new(),
            _ => format!("{key}."),
        };
        let whole = format!("{above}{name}");
        let known: Vec<String> = known.map(|known| format!("{above}{known}")).collect();
        let known = known.iter().map(String::as_str);
        let error = Error::unknown(ErrorKind::Invalid, "setting", &whole, known);
        error.at(self.find(&whole).unwrap_or("settings"))
    }
}

/// The unknown name and those that are known, as serde tells of them.
fn unknown(message: &str) -> Option<(&str, impl Iterator<Item = &str>)> {
    let (_, rest) = message.split_once("unknown field `")?;
    let (name, rest) = rest.split_once('`')?;
    Some((name, rest.split('`').skip(1).step_by(2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_has_its_line() {
        let mut places = Places::default();
        let text =
            "a.b = 1\n\n[mark]\n# no key\npage_size = 7\n[segmenter.classic]\nx = { y = 2 }\n";
        places.add_file("som.toml", text).unwrap();
        for (key, place) in [
            ("a.b", "som.toml, line 1: a.b"),
            ("mark", "som.toml, line 3: mark"),
            ("mark.page_size", "som.toml, line 5: mark.page_size"),
            (
                "segmenter.classic.x.y",
                "som.toml, line 7: segmenter.classic.x.y",
            ),
            ("view", "settings: view"),
        ] {
            assert_eq!(places.of(key), place);
        }
        places.add(
            "mark.page_size",
            "environment variable SOM__MARK__PAGE_SIZE",
        );
        let of_variable = "environment variable SOM__MARK__PAGE_SIZE: mark.page_size";
        assert_eq!(places.of("mark.page_size"), of_variable);
        places.add("view.long_side", "--view");
        assert_eq!(places.of("view"), "--view: view");
        let error = places
            .add_file("x.toml", "[mark]\n\nsegmenter = \n")
            .unwrap_err();
        assert!(error.message().starts_with("x.toml, line 3: "), "{error}");
    }

    #[test]
    fn unknown_names_are_found_in_what_serde_says() {
        let (name, known) =
            unknown("unknown field `colour`, expected one of `segmenter`, `colors`").unwrap();
        assert_eq!(name, "colour");
        assert_eq!(known.collect::<Vec<_>>(), ["segmenter", "colors"]);
        assert!(unknown("invalid type").is_none());
    }
}
