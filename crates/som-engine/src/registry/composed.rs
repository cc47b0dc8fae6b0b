//! Segmenters made of two: `[segmenter.NAME] detect = "…" refine = "…"`. The regions of the detector
//! become hints of the refiner.

use serde::Deserialize;
use serde_json::{Value, json};
use som_core::{Capability, Descriptor, Error, HintKind, Params, Result, Schema};

use crate::settings::Settings;

/// What a request that leaves the kind of hint open says.
const AUTO: &str = "auto";

/// The table of a segmenter made of two.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Table {
    /// Segmenter id of the detector.
    pub(super) detect: String,
    /// Segmenter id of the refiner.
    pub(super) refine: String,
    /// What its calls get where a request says nothing.
    params: Params,
}

/// What a call tells each part.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Told {
    /// Parameters of the detector, hints among them.
    pub(crate) detect: Params,
    /// Parameters of the refiner, but for hints.
    pub(crate) refine: Params,
    /// What regions become; `None` for what suits.
    pub(crate) hint: Option<HintKind>,
}

impl Table {
    /// True if the table of segmenter `id` in the settings names parts.
    pub(super) fn is_meant_by(settings: &Settings, id: &str) -> bool {
        let table = settings.segmenter.get(id);
        table.is_some_and(|table| {
            let has = |key| table.contains_key(key);
            !has("remote") && (has("detect") || has("refine"))
        })
    }

    /// What the table may hold.
    pub(super) fn schema() -> Value {
        json!({
            "type": "object",
            "required": ["detect", "refine"],
            "properties": {
                "detect": {
                    "type": "string",
                    "description": "The segmenter whose regions are refined."
                },
                "refine": {
                    "type": "string",
                    "description": "The segmenter that gets them as hints."
                },
                "params": {
                    "type": "object", "default": {},
                    "description": "Parameters of its calls where a request sets none: {detect: {…}, refine: {…}}."
                }
            }
        })
    }

    /// The table of segmenter `id`.
    ///
    /// # Errors
    /// Invalid, naming the first key that does not fit.
    pub(super) fn read(settings: &Settings, id: &str) -> Result<Self> {
        let schema = Schema::compile(&Self::schema())?;
        let mut table = settings.segmenter.get(id).cloned().unwrap_or_default();
        for key in ["instances", "queue", "grace_ms"] {
            if table.contains_key(key) {
                return Err(Error::invalid(format!(
                    "{key} is for segmenters that work themselves (set that of its parts)"
                )));
            }
        }
        let who = format!("segmenter \"{id}\"");
        for (key, value) in &mut table {
            if let Value::String(text) = value {
                *value = schema.parse_text(&who, key, text)?;
            }
        }
        let table = schema.resolve(&who, &table)?;
        Self::deserialize(Value::Object(table)).map_err(|error| Error::invalid(error.to_string()))
    }

    /// Who the segmenter `id` is, made of these two.
    ///
    /// # Errors
    /// Unsupported, if the refiner takes no hints that a region can be; Invalid, if the parameters of
    /// the table do not fit the parts.
    pub(super) fn descriptor(
        &self,
        id: &str,
        detect: &Descriptor,
        refine: &Descriptor,
    ) -> Result<Descriptor> {
        if !HintKind::ALL
            .iter()
            .any(|kind| refine.can(kind.capability()))
        {
            return Err(Error::unsupported(format!(
                "segmenter \"{}\" takes no boxes, points or masks, so it cannot refine what \"{}\" finds",
                refine.id, detect.id
            )));
        }
        let kinds = HintKind::ALL.iter().map(|kind| kind.name());
        let kinds: Vec<&str> = [AUTO].into_iter().chain(kinds).collect();
        let mut properties = json!({
            "hint": {
                "enum": kinds, "default": AUTO,
                "description": "What the refiner is told of a region; auto: a box of a box, else the mask",
            },
            "detect": part(detect, "detect"),
            "refine": part(refine, "refine"),
        });
        if let Some(hints) = detect.params.pointer("/properties/hints") {
            properties["hints"] = moved(hints, "#/properties/detect");
        }
        let mut params = json!({"type": "object", "properties": properties});
        let who = format!("segmenter \"{id}\": params");
        Schema::compile(&params)?.resolve(&who, &self.params)?;
        preset(&mut params, &self.params);
        // A slider of its own it has not: that of the detector is a parameter of that one.
        let capabilities = detect.capabilities.iter().copied();
        let capabilities = capabilities.filter(|&capability| capability != Capability::Levels);
        Ok(Descriptor {
            id: id.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            about: format!("What {} finds, as {} cuts it", detect.id, refine.id),
            capabilities: capabilities.collect(),
            options: Self::schema(),
            params,
        })
    }
}

impl Told {
    /// What `params`, valid for [`Table::descriptor`], tell each part.
    ///
    /// # Errors
    /// Invalid for what is no kind of hint.
    pub(crate) fn of(mut params: Params) -> Result<Self> {
        let mut part = |key: &str| match params.remove(key) {
            Some(Value::Object(part)) => part,
            _ => Params::new(),
        };
        let (mut detect, refine) = (part("detect"), part("refine"));
        if let Some(hints) = params.remove("hints") {
            detect.insert("hints".to_owned(), hints);
        }
        let hint = params.get("hint").and_then(Value::as_str);
        let hint = hint.filter(|&hint| hint != AUTO).map(str::parse);
        Ok(Self {
            detect,
            refine,
            hint: hint.transpose()?,
        })
    }
}

/// The parameters of a part as one parameter of the whole, but for hints.
fn part(part: &Descriptor, key: &str) -> Value {
    let mut schema = moved(&part.params, &format!("#/properties/{key}"));
    if let Some(object) = schema.as_object_mut() {
        // Its default comes of those of its properties.
        object.remove("default");
        object.insert("type".to_owned(), "object".into());
        let about = format!("What {} is told", part.id);
        object.insert("description".to_owned(), about.into());
        let properties = object.entry("properties").or_insert_with(|| json!({}));
        if let Some(properties) = properties.as_object_mut() {
            properties.remove("hints");
        }
        if let Some(required) = object.get_mut("required").and_then(Value::as_array_mut) {
            required.retain(|name| name != "hints");
        }
    }
    schema
}

/// A schema that stands at `place` of another one from now on: its references go along.
fn moved(schema: &Value, place: &str) -> Value {
    match schema {
        Value::Object(object) => {
            let moved = object.iter().map(|(key, value)| {
                let value = match value.as_str() {
                    Some(reference) if key == "$ref" && reference.starts_with('#') => {
                        format!("{place}{}", &reference[1..]).into()
                    }
                    _ => moved(value, place),
                };
                (key.clone(), value)
            });
            Value::Object(moved.collect())
        }
        Value::Array(items) => items.iter().map(|item| moved(item, place)).collect(),
        other => other.clone(),
    }
}

/// Makes `params` the defaults of a schema that they are valid for.
fn preset(schema: &mut Value, params: &Params) {
    for (key, value) in params {
        let property = &mut schema["properties"][key.as_str()];
        match value {
            Value::Object(inner) if property.get("properties").is_some() && key != "hints" => {
                preset(property, inner);
            }
            value => property["default"] = value.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use som_core::ErrorKind;

    use super::*;

    fn segmenter(id: &str, schema: &Value) -> Descriptor {
        Descriptor::from_schema_json(id, "1.0.0", "", &schema.to_string()).unwrap()
    }

    fn finder() -> Descriptor {
        let schema = json!({
            "capabilities": ["automatic", "text", "labels", "levels"],
            "params": {
                "type": "object",
                "$defs": {"share": {"type": "number", "minimum": 0, "maximum": 1}},
                "properties": {
                    "threshold": {"$ref": "#/$defs/share", "default": 0.35},
                    "level": {"type": "integer", "default": 3},
                },
            },
        });
        segmenter("finder", &schema)
    }

    fn cutter() -> Descriptor {
        let schema = json!({
            "capabilities": ["automatic", "boxes"],
            "params": {"type": "object", "properties": {"many": {"type": "boolean", "default": true}}},
        });
        segmenter("cutter", &schema)
    }

    fn table(params: Value) -> Table {
        let table = json!({"detect": "finder", "refine": "cutter", "params": params});
        serde_json::from_value(table).unwrap()
    }

    #[test]
    fn parameters_of_the_parts_are_parameters_of_the_whole() {
        let table = table(json!({"detect": {"threshold": 0.2}, "hint": "box"}));
        let whole = table.descriptor("both", &finder(), &cutter()).unwrap();
        assert_eq!(whole.about, "What finder finds, as cutter cuts it");
        let can = [Capability::Automatic, Capability::Text, Capability::Labels];
        assert_eq!(whole.capabilities, can);

        let schema = Schema::compile(&whole.params).unwrap();
        let given = json!({"hints": {"text": "a cup"}, "refine": {"many": false}});
        let params = schema.resolve("both", given.as_object().unwrap()).unwrap();
        assert_eq!(
            Value::Object(params.clone()),
            json!({
                "hints": {"text": "a cup"},
                "hint": "box",
                "detect": {"threshold": 0.2, "level": 3},
                "refine": {"many": false},
            })
        );
        let told = Told::of(params).unwrap();
        assert_eq!(
            Value::Object(told.detect),
            json!({"threshold": 0.2, "level": 3, "hints": {"text": "a cup"}})
        );
        assert_eq!(Value::Object(told.refine), json!({"many": false}));
        assert_eq!(told.hint, Some(HintKind::Box));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let refusal = |params: Value| {
            let whole = table(params).descriptor("both", &finder(), &cutter());
            whole.unwrap_err().to_string()
        };
        assert_eq!(
            refusal(json!({"detect": {"threshold": 2}})),
            "segmenter \"both\": params: parameter \"detect.threshold\" is 2, but must be at most 1"
        );
        assert!(refusal(json!({"find": {}})).contains("unknown parameter \"find\""));

        let blind = segmenter("blind", &json!({"capabilities": ["automatic", "text"]}));
        let error = table(json!({})).descriptor("both", &finder(), &blind);
        let error = error.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(
            error.message(),
            "segmenter \"blind\" takes no boxes, points or masks, so it cannot refine what \"finder\" finds"
        );
    }
}
