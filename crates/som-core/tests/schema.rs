use serde_json::{Value, json};
use som_core::{ErrorKind, Params, Schema};

const WHO: &str = "segmenter \"classic\"";

fn classic() -> Schema {
    schema(json!({
        "level": {"type": "integer", "minimum": 1, "maximum": 6, "default": 3},
        "min_area": {"type": "number", "exclusiveMinimum": 0, "default": 0.5},
        "mode": {"enum": ["fast", "fine"], "default": "fast"},
        "seed": {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "null"}], "default": null},
        "name": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "integer"}, "maxItems": 3},
        "flip": {"type": "boolean"},
        "nms": {
            "type": "object",
            "properties": {"iou": {"type": "number", "default": 0.7}, "top": {"type": "integer"}},
            "additionalProperties": false
        }
    }))
}

fn schema(properties: Value) -> Schema {
    Schema::compile(&json!({"type": "object", "properties": properties})).unwrap()
}

fn params(value: Value) -> Params {
    value.as_object().cloned().unwrap()
}

fn resolve(value: Value) -> Value {
    classic().resolve(WHO, &params(value)).unwrap().into()
}

fn refusal(schema: &Schema, value: Value) -> String {
    let error = schema.resolve(WHO, &params(value)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    error.to_string()
}

fn complaint(value: Value) -> String {
    let message = refusal(&classic(), value);
    message
        .strip_prefix("segmenter \"classic\": ")
        .unwrap()
        .to_owned()
}

#[test]
fn defaults_are_filled_in_nested_ones_too() {
    let defaults = json!({
        "level": 3, "min_area": 0.5, "mode": "fast", "seed": null, "nms": {"iou": 0.7}
    });
    assert_eq!(resolve(json!({})), defaults);
    let given = json!({"level": 1, "nms": {"top": 5}});
    let resolved = resolve(given);
    assert_eq!(resolved["level"], 1);
    assert_eq!(resolved["nms"], json!({"iou": 0.7, "top": 5}));
}

#[test]
fn an_absent_object_that_needs_more_than_defaults_stays_absent() {
    let schema = schema(json!({"crop": {
        "type": "object",
        "properties": {"x": {"type": "integer"}, "scale": {"default": 2}},
        "required": ["x"]
    }}));
    assert_eq!(
        Value::from(schema.resolve(WHO, &Params::new()).unwrap()),
        json!({})
    );
    let resolved = schema
        .resolve(WHO, &params(json!({"crop": {"x": 1}})))
        .unwrap();
    assert_eq!(resolved["crop"], json!({"x": 1, "scale": 2}));
}

#[test]
fn defaults_reach_through_references_and_lists() {
    let schema = Schema::compile(&json!({
        "properties": {"points": {"type": "array", "items": {"$ref": "#/$defs/point"}}},
        "$defs": {"point": {"type": "object", "properties": {
            "x": {"type": "integer"}, "label": {"type": "integer", "default": 1}
        }}}
    }))
    .unwrap();
    let resolved = schema
        .resolve(WHO, &params(json!({"points": [{"x": 3.0}]})))
        .unwrap();
    assert_eq!(
        Value::from(resolved),
        json!({"points": [{"x": 3, "label": 1}]})
    );
}

/// A schema that refers to itself must neither hang nor overflow the stack.
#[test]
fn circular_references_end() {
    let schema = Schema::compile(&json!({
        "properties": {"a": {"$ref": "#/$defs/a"}, "b": {"$ref": "#/$defs/b"}},
        "$defs": {
            "a": {"type": "object", "properties": {"a": {"$ref": "#/$defs/a"}, "n": {"default": 1}}},
            "b": {"anyOf": [{"$ref": "#/$defs/b"}, {"type": "integer"}]}
        }
    }))
    .unwrap();
    assert_eq!(
        Value::from(schema.resolve(WHO, &Params::new()).unwrap()),
        json!({})
    );
    assert_eq!(schema.parse_text(WHO, "b", "4").unwrap(), 4);
}

/// Some carriers of JSON know only floating point.
#[test]
fn integral_floats_become_integers_where_integers_are_wanted() {
    let resolved = resolve(json!({"level": 2.0, "min_area": 2.0, "seed": 7.0, "tags": [1.0]}));
    assert_eq!(
        resolved.to_string().matches(".0").count(),
        1,
        "only min_area: {resolved}"
    );
    assert!(resolved["level"].is_u64() || resolved["level"].is_i64());
}

#[test]
fn wrong_values_name_key_value_and_what_is_allowed() {
    let cases = [
        (
            json!({"level": 9}),
            "parameter \"level\" is 9, but must be at most 6",
        ),
        (
            json!({"level": 0}),
            "parameter \"level\" is 0, but must be at least 1",
        ),
        (
            json!({"level": 2.5}),
            "parameter \"level\" is 2.5, but must be an integer",
        ),
        (
            json!({"level": "2"}),
            "parameter \"level\" is \"2\", but must be an integer",
        ),
        (
            json!({"min_area": 0}),
            "parameter \"min_area\" is 0, but must be above 0",
        ),
        (
            json!({"mode": "slow"}),
            "parameter \"mode\" is \"slow\", but must be one of \"fast\", \"fine\"",
        ),
        (
            json!({"seed": -1}),
            "parameter \"seed\" is -1, but must be at least 0 or be null",
        ),
        (
            json!({"tags": [1, "a"]}),
            "parameter \"tags[1]\" is \"a\", but must be an integer",
        ),
        (
            json!({"tags": [1, 2, 3, 4]}),
            "parameter \"tags\" is [1,2,3,4], but must have at most 3 items",
        ),
        (
            json!({"nms": {"iou": null}}),
            "parameter \"nms.iou\" is null, but must be a number",
        ),
        (json!({"nms": {"uoi": 1}}), "unknown parameter \"nms.uoi\""),
    ];
    for (value, message) in cases {
        assert_eq!(complaint(value), message);
    }
}

#[test]
fn several_mistakes_are_named_together_and_long_values_cut_short() {
    let message = complaint(json!({"level": 9, "name": 1, "min_area": 0, "flip": 2}));
    assert_eq!(message.matches("but must").count(), 3);
    assert!(message.ends_with("; and more"));
    assert!(complaint(json!({"level": "é".repeat(10_000)})).len() < 250);
}

#[test]
fn unknown_keys_are_refused_with_the_known_ones() {
    assert_eq!(
        complaint(json!({"levle": 3})),
        "unknown parameter \"levle\" (did you mean \"level\"? known: flip, level, min_area, mode, \
         name, nms, seed, tags)"
    );
    assert!(complaint(json!({"xyz": 3})).starts_with("unknown parameter \"xyz\" (known: flip,"));
    let nothing = Schema::compile(&json!({"type": "object"})).unwrap();
    assert_eq!(
        refusal(&nothing, json!({"x": 1})),
        "segmenter \"classic\": unknown parameter \"x\" (there are none)"
    );
    let anything = Schema::compile(&json!({"additionalProperties": true})).unwrap();
    assert_eq!(
        anything.resolve(WHO, &params(json!({"x": 1}))).unwrap()["x"],
        1
    );
}

#[test]
fn what_is_required_is_asked_for() {
    let schema = Schema::compile(&json!({
        "properties": {"weights": {"type": "string"}}, "required": ["weights"]
    }))
    .unwrap();
    assert_eq!(
        refusal(&schema, json!({})),
        "segmenter \"classic\": parameter \"weights\" is missing"
    );
}

#[test]
fn text_is_read_as_the_schema_wants_it() {
    let cases = [
        ("level", "3", json!(3)),
        ("level", " 3.0 ", json!(3)),
        ("level", "9", json!(9)),
        ("min_area", "3", json!(3)),
        ("min_area", "1e-3", json!(0.001)),
        ("name", "3", json!("3")),
        ("name", "", json!("")),
        ("name", " x ", json!(" x ")),
        ("mode", "fine", json!("fine")),
        ("flip", "true", json!(true)),
        ("seed", "", json!(null)),
        ("seed", "null", json!(null)),
        ("seed", "12", json!(12)),
        ("tags", "[1, 2]", json!([1, 2])),
        ("nms", "{\"iou\": 0.5}", json!({"iou": 0.5})),
    ];
    for (key, text, value) in cases {
        assert_eq!(
            classic().parse_text(WHO, key, text).unwrap(),
            value,
            "{key}={text}"
        );
    }
}

#[test]
fn text_that_means_nothing_is_refused() {
    let cases = [
        (
            "level",
            "abc",
            "parameter \"level\" is \"abc\", but must be an integer",
        ),
        (
            "level",
            "2.5",
            "parameter \"level\" is \"2.5\", but must be an integer",
        ),
        (
            "level",
            "",
            "parameter \"level\" is \"\", but must be an integer",
        ),
        (
            "min_area",
            "inf",
            "parameter \"min_area\" is \"inf\", but must be a number",
        ),
        (
            "flip",
            "yes",
            "parameter \"flip\" is \"yes\", but must be true or false",
        ),
        (
            "seed",
            "x",
            "parameter \"seed\" is \"x\", but must be null or an integer",
        ),
        (
            "tags",
            "1,2",
            "parameter \"tags\" is \"1,2\", but must be an array",
        ),
    ];
    for (key, text, message) in cases {
        let error = classic().parse_text(WHO, key, text).unwrap_err();
        assert_eq!(error.to_string(), format!("{WHO}: {message}"));
    }
    let error = classic().parse_text(WHO, "levels", "3").unwrap_err();
    assert!(error.to_string().contains("did you mean \"level\"?"));
}

#[test]
fn a_dot_leads_into_an_object() {
    let schema = schema(json!({
        "detect": {"$ref": "#/$defs/detect"},
        "a.b": {"type": "integer"},
        "open": {"type": "object", "properties": {}, "additionalProperties": true},
    }));
    let mut whole = schema.value().clone();
    whole["$defs"] = json!({"detect": {"type": "object", "properties": {
        "threshold": {"type": "number"},
        "inner": {"type": "object", "properties": {"deep": {"type": "boolean"}}},
    }}});
    let schema = Schema::compile(&whole).unwrap();
    let mut params = Params::new();
    for (key, text) in [
        ("detect.threshold", "0.3"),
        ("detect.inner.deep", "true"),
        ("a.b", "7"),
        ("open.any", "3"),
    ] {
        schema.assign(WHO, &mut params, key, text).unwrap();
    }
    assert_eq!(
        Value::Object(params.clone()),
        json!({
            "detect": {"threshold": 0.3, "inner": {"deep": true}},
            "a.b": 7,
            "open": {"any": 3},
        })
    );
    for key in ["detect", "detect.threshold", "detect.inner.deep", "a.b"] {
        assert!(schema.knows(key), "{key}");
    }
    for key in ["what", "a.c", "what.b", "detect.what", "detect.inner."] {
        assert!(!schema.knows(key), "{key}");
    }
    for (key, told) in [
        (
            "detect.treshold",
            "unknown parameter \"detect.treshold\" (did you mean \"detect.threshold\"? known: detect.inner, detect.threshold)",
        ),
        (
            "a.c",
            "unknown parameter \"a.c\" (did you mean \"a.b\"? known: a.b, detect, open)",
        ),
    ] {
        let error = schema.assign(WHO, &mut params, key, "1").unwrap_err();
        assert_eq!(error.to_string(), format!("{WHO}: {told}"));
    }
    let error = schema.assign(WHO, &mut params, "detect.threshold", "much");
    assert_eq!(
        error.unwrap_err().to_string(),
        format!("{WHO}: parameter \"detect.threshold\" is \"much\", but must be a number")
    );
}

#[test]
fn no_json_schema_is_no_schema() {
    for wrong in [
        json!(3),
        json!({"type": "objekt"}),
        json!({"properties": []}),
    ] {
        assert_eq!(
            Schema::compile(&wrong).unwrap_err().kind(),
            ErrorKind::Invalid
        );
    }
    // What lies elsewhere is not fetched.
    assert!(Schema::compile(&json!({"$ref": "https://example.com/schema.json"})).is_err());
}
