//! What a validator found, in a person's words.

use jsonschema::{
    JsonType, JsonTypeSet, ValidationError,
    error::{TypeKind, ValidationErrorKind},
    paths::LocationSegment,
};
use serde_json::Value;

/// `parameter "level" is 9, but must be at most 6`.
pub(super) fn sentence(error: &ValidationError<'_>) -> String {
    let path = path(error);
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let path = if path.is_empty() {
                name.to_owned()
            } else {
                format!("{path}.{name}")
            };
            format!("parameter {path:?} is missing")
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            let dot = if path.is_empty() { "" } else { "." };
            let names: Vec<String> = unexpected
                .iter()
                .map(|name| format!("{:?}", format!("{path}{dot}{name}")))
                .collect();
            format!("unknown parameter {}", names.join(", "))
        }
        _ if path.is_empty() => format!("the parameters must {}", rule(error)),
        _ => format!(
            "parameter {path:?} is {}, but must {}",
            shown(error.instance()),
            rule(error)
        ),
    }
}

/// A value as JSON, cut short if it is long.
pub(super) fn shown(value: &Value) -> String {
    const LONGEST: usize = 60;
    let mut text = value.to_string();
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push('…');
    }
    text
}

/// `an integer or null`.
pub(super) fn types(types: JsonTypeSet) -> String {
    let names: Vec<&str> = types
        .iter()
        // Every integer is a number.
        .filter(|&ty| !(ty == JsonType::Integer && types.contains(JsonType::Number)))
        .map(|ty| match ty {
            JsonType::Null => "null",
            JsonType::Boolean => "true or false",
            JsonType::Integer => "an integer",
            JsonType::Number => "a number",
            JsonType::String => "a string",
            JsonType::Array => "an array",
            JsonType::Object => "an object",
        })
        .collect();
    names.join(" or ")
}

/// `hints.points[0].x`.
fn path(error: &ValidationError<'_>) -> String {
    let mut path = String::new();
    for segment in error.instance_path() {
        match segment {
            LocationSegment::Property(name) => {
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&name);
            }
            LocationSegment::Index(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

/// What goes after "must".
fn rule(error: &ValidationError<'_>) -> String {
    use ValidationErrorKind as Kind;
    match error.kind() {
        Kind::Type {
            kind: TypeKind::Single(ty),
        } => format!("be {}", types((*ty).into())),
        Kind::Type {
            kind: TypeKind::Multiple(set),
        } => format!("be {}", types(*set)),
        Kind::Minimum { limit } => format!("be at least {limit}"),
        Kind::Maximum { limit } => format!("be at most {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("be above {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("be below {limit}"),
        Kind::MultipleOf { multiple_of } => format!("be a multiple of {multiple_of}"),
        Kind::Constant { expected_value } => format!("be {expected_value}"),
        Kind::Enum { options } => format!("be one of {}", list(options)),
        Kind::MinLength { limit } => format!("have at least {limit} characters"),
        Kind::MaxLength { limit } => format!("have at most {limit} characters"),
        Kind::MinItems { limit } => format!("have at least {limit} items"),
        Kind::MaxItems { limit } => format!("have at most {limit} items"),
        Kind::AdditionalItems { limit } => format!("have at most {limit} items"),
        Kind::MinProperties { limit } => format!("have at least {limit} keys"),
        Kind::MaxProperties { limit } => format!("have at most {limit} keys"),
        Kind::UniqueItems => "have no item twice".to_owned(),
        Kind::Pattern { pattern } => format!("match {pattern}"),
        Kind::Format { format } => format!("be of the format {format:?}"),
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            let rules: Vec<String> = context
                .iter()
                .filter_map(|branch| branch.first().map(nested_rule))
                .collect();
            rules.join(" or ")
        }
        kind => format!("satisfy {:?} of the schema", kind.keyword()),
    }
}

/// The rule of one branch of several; it may concern a part of the value.
fn nested_rule(error: &ValidationError<'static>) -> String {
    match error.kind() {
        ValidationErrorKind::Required { property } => format!("have {property}"),
        _ => rule(error),
    }
}

fn list(values: &Value) -> String {
    let values: Vec<String> = values
        .as_array()
        .into_iter()
        .flatten()
        .map(Value::to_string)
        .collect();
    values.join(", ")
}
