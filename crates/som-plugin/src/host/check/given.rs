//! What a segmenter, mark style or tracker is given: its defaults, what the setup sets, and the edges of its
//! schema.

use serde_json::{Value, json};
use som_core::{
    Descriptor, Error, Params, Result, Schema, SegmenterFactory as _, TrackerFactory as _,
};

use super::super::adopt::Plugin;

/// The options or parameters of one segmenter, mark style or tracker.
pub(super) struct Given {
    who: String,
    schema: Schema,
    set: Params,
}

impl Given {
    /// What `schema` describes, with those of the `settings` that it knows.
    ///
    /// # Errors
    /// Internal, if the schema does not compile; Invalid, if a setting does not fit.
    pub(super) fn new(who: &str, schema: &Value, settings: &[(String, String)]) -> Result<Self> {
        let schema =
            Schema::compile(schema).map_err(|error| Error::internal(error.message()).at(who))?;
        let mut set = Params::new();
        for (key, text) in settings {
            if schema.known().any(|known| known == key) {
                set.insert(key.clone(), schema.parse_text(who, key, text)?);
            }
        }
        Ok(Self {
            who: who.to_owned(),
            schema,
            set,
        })
    }

    /// Defaults, and what is set.
    ///
    /// # Errors
    /// Invalid, if they do not fit the schema.
    pub(super) fn params(&self) -> Result<Params> {
        self.schema.resolve(&self.who, &self.set)
    }

    /// The same, with `key` as well.
    ///
    /// # Errors
    /// Invalid, if it does not fit the schema.
    pub(super) fn with(&self, key: &str, value: Value) -> Result<Params> {
        let mut params = self.set.clone();
        params.insert(key.to_owned(), value);
        self.schema.resolve(&self.who, &params)
    }

    /// True if the schema names `key`.
    pub(super) fn knows(&self, key: &str) -> bool {
        self.schema.known().any(|known| known == key)
    }

    /// Checks what the schema says of itself: its defaults are valid, and it lets no misspelt key
    /// through.
    ///
    /// # Errors
    /// Internal, saying what is wrong; Unavailable, if a value is required that nobody has set.
    pub(super) fn check(&self) -> Result<()> {
        let defaults = self
            .schema
            .value()
            .get("properties")
            .and_then(Value::as_object);
        let has_default = |key: &str| {
            defaults
                .and_then(|properties| properties.get(key)?.get("default"))
                .is_some()
        };
        let required = self
            .schema
            .value()
            .get("required")
            .and_then(Value::as_array);
        for key in required.into_iter().flatten().filter_map(Value::as_str) {
            if !self.set.contains_key(key) && !has_default(key) {
                return Err(Error::unavailable(format!(
                    "{}: {key:?} is required (give it with --set {key}=…)",
                    self.who
                )));
            }
        }
        self.params()?;
        let misspelt = "no-such-key";
        if self.with(misspelt, json!(1)).is_ok() {
            return Err(Error::internal(format!(
                "{}: its schema lets keys through that it does not name, so a misspelt one would go unseen",
                self.who
            )));
        }
        Ok(())
    }

    /// Every parameter at each edge of what the schema allows, one at a time: the ends of a range,
    /// the values of an enumeration, both truth values.
    pub(super) fn edges(&self) -> Vec<(String, Value)> {
        let properties = self
            .schema
            .value()
            .get("properties")
            .and_then(Value::as_object);
        let mut edges = Vec::new();
        for (key, property) in properties.into_iter().flatten() {
            for value in edges_of(property) {
                edges.push((key.clone(), value));
            }
        }
        edges
    }
}

fn edges_of(property: &Value) -> Vec<Value> {
    if let Some(values) = property.get("enum").and_then(Value::as_array) {
        return values.clone();
    }
    if property.get("type").is_some_and(|ty| ty == "boolean") {
        return vec![json!(false), json!(true)];
    }
    let ends = ["minimum", "maximum"].into_iter();
    ends.filter_map(|end| property.get(end).cloned()).collect()
}

/// Checks that every setting is known to something the plugin brings.
///
/// # Errors
/// Invalid, naming the first that is not.
pub(super) fn refuse_unknown(plugin: &Plugin, settings: &[(String, String)]) -> Result<()> {
    let segmenters = plugin.segmenters.iter().map(|it| it.descriptor());
    let styles = plugin.mark_styles.iter().map(|it| it.descriptor());
    let trackers = plugin.trackers.iter().map(|it| it.descriptor());
    let all: Vec<&Descriptor> = segmenters.chain(styles).chain(trackers).collect();
    let names = |schema: &Value, key: &str| {
        schema
            .pointer("/properties")
            .is_some_and(|it| it.get(key).is_some())
    };
    let known = |key: &str| {
        all.iter()
            .any(|it| names(&it.options, key) || names(&it.params, key))
    };
    match settings.iter().find(|(key, _)| !known(key)) {
        None => Ok(()),
        Some((key, _)) => Err(Error::invalid(format!(
            "--set {key}: nothing that the library brings takes this key"
        ))),
    }
}
