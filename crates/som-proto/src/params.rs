//! Parameters: a JSON object is a `google.protobuf.Struct` on the wire.
//!
//! A Struct has one kind of number, a double. Whole numbers come back as integers where a double
//! holds them exactly, so `{"level": 3}` passes a schema that asks for an integer.

use prost_types::{ListValue, Struct, Value, value::Kind};
use serde_json::Value as Json;
use som_core::{Error, Params, Result};

/// The largest magnitude up to which a double holds every whole number: 2^53.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// To the wire.
pub fn to_wire(params: &Params) -> Struct {
    Struct {
        fields: params
            .iter()
            .map(|(key, value)| (key.clone(), value_to_wire(value)))
            .collect(),
    }
}

/// From the wire; an absent Struct is an empty object.
///
/// # Errors
/// Invalid, if a value is not set or a number is not finite.
pub fn from_wire(wire: Option<Struct>) -> Result<Params> {
    let fields = wire.map(|wire| wire.fields).unwrap_or_default();
    fields
        .into_iter()
        .map(|(key, value)| match value_from_wire(value) {
            Ok(value) => Ok((key, value)),
            Err(error) => Err(error.at(format!("parameter \"{key}\""))),
        })
        .collect()
}

fn value_to_wire(value: &Json) -> Value {
    let kind = match value {
        Json::Null => Kind::NullValue(0),
        Json::Bool(value) => Kind::BoolValue(*value),
        // Beyond 2^53 this rounds, as every JSON reader in JavaScript does.
        Json::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Kind::StringValue(text.clone()),
        Json::Array(items) => Kind::ListValue(ListValue {
            values: items.iter().map(value_to_wire).collect(),
        }),
        Json::Object(fields) => Kind::StructValue(to_wire(fields)),
    };
    Value { kind: Some(kind) }
}

fn value_from_wire(value: Value) -> Result<Json> {
    Ok(match value.kind {
        None => return Err(Error::invalid("the value is not set (null is null_value)")),
        Some(Kind::NullValue(_)) => Json::Null,
        Some(Kind::BoolValue(value)) => Json::Bool(value),
        Some(Kind::NumberValue(number)) => number_from_wire(number)?,
        Some(Kind::StringValue(text)) => Json::String(text),
        Some(Kind::ListValue(list)) => Json::Array(
            list.values
                .into_iter()
                .map(value_from_wire)
                .collect::<Result<_>>()?,
        ),
        Some(Kind::StructValue(fields)) => Json::Object(from_wire(Some(fields))?),
    })
}

fn number_from_wire(number: f64) -> Result<Json> {
    if number.fract() == 0.0 && number.abs() <= EXACT {
        return Ok(Json::from(number as i64));
    }
    serde_json::Number::from_f64(number)
        .map(Json::Number)
        .ok_or_else(|| Error::invalid(format!("{number} is not a finite number")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use som_core::ErrorKind;

    use super::*;

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<i32>().prop_map(Json::from),
            (-1e9..1e9)
                .prop_filter("fractional", |x: &f64| x.fract() != 0.0)
                .prop_map(Json::from),
            ".*".prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::btree_map(".*", inner, 0..4)
                    .prop_map(|fields| Json::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn objects_come_back_as_they_were(value in any_json()) {
            let params = Params::from_iter([("key".to_owned(), value)]);
            prop_assert_eq!(from_wire(Some(to_wire(&params))).unwrap(), params);
        }
    }

    fn level(value: Value) -> Struct {
        Struct {
            fields: [("level".to_owned(), value)].into(),
        }
    }

    #[test]
    fn whole_numbers_come_back_as_integers() {
        let wire = level(Value::from(3.0));
        assert_eq!(
            Json::Object(from_wire(Some(wire)).unwrap()),
            json!({"level": 3})
        );
    }

    #[test]
    fn what_json_cannot_hold_is_refused_by_name() {
        for (value, why) in [
            (
                Value { kind: None },
                r#"parameter "level": the value is not set (null is null_value)"#,
            ),
            (
                Value::from(f64::NAN),
                r#"parameter "level": NaN is not a finite number"#,
            ),
        ] {
            let error = from_wire(Some(level(value))).unwrap_err();
            assert_eq!((error.kind(), error.message()), (ErrorKind::Invalid, why));
        }
    }
}
