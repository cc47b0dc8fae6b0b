//! JSON as text, schemas in their own order.

use serde::{Serialize, Serializer, ser::SerializeMap};
use serde_json::Value;

/// A JSON value in which the properties of a schema stand in the order of its `required`: models
/// write an answer in the order of the schema they get (OpenAI, *Structured outputs*, Key
/// ordering), and what is chosen belongs before what is said of it. Everything else is sorted.
pub(crate) struct Ordered<'a>(pub(crate) &'a Value);

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Array(items) => serializer.collect_seq(items.iter().map(Ordered)),
            Value::Object(object) => {
                let mut map = serializer.serialize_map(Some(object.len()))?;
                for (key, value) in object {
                    match (key.as_str(), value, object.get("required")) {
                        ("properties", Value::Object(_), Some(Value::Array(first))) => {
                            map.serialize_entry(key, &Properties { all: value, first })?;
                        }
                        _ => map.serialize_entry(key, &Ordered(value))?,
                    }
                }
                map.end()
            }
            plain => plain.serialize(serializer),
        }
    }
}

/// The properties of a schema, and which of them come first.
struct Properties<'a> {
    all: &'a Value,
    first: &'a [Value],
}

impl Serialize for Properties<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let all = self.all.as_object().into_iter().flatten();
        let place = |key: &str| self.first.iter().position(|first| first == key);
        let mut properties: Vec<_> = all.collect();
        properties.sort_by_key(|(key, _)| place(key).unwrap_or(usize::MAX));
        serializer.collect_map(
            properties
                .into_iter()
                .map(|(key, value)| (key, Ordered(value))),
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn properties_stand_in_the_order_in_which_they_are_required() {
        let entry = json!({
            "type": "object",
            "required": ["mark", "label"],
            "properties": {"label": {"type": "string"}, "mark": {"enum": ["2", "1"]}, "a": {}},
        });
        let body = json!({"n": 1, "schema": {"items": [entry]}, "properties": {"b": 1, "a": 2}});
        let text = serde_json::to_string(&Ordered(&body)).unwrap();
        assert_eq!(
            text,
            r#"{"n":1,"properties":{"a":2,"b":1},"schema":{"items":[{"properties":{"mark":{"enum":["2","1"]},"label":{"type":"string"},"a":{}},"required":["mark","label"],"type":"object"}]}}"#
        );
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), body);
    }
}
