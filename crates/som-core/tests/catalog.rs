use serde_json::json;
use som_core::{Capability, Descriptor};

fn describe(schema: &str) -> som_core::Result<Descriptor> {
    Descriptor::from_schema_json("hello-2", "1.0.0", "Says hello", schema)
}

fn refusal(schema: &str) -> String {
    describe(schema).unwrap_err().to_string()
}

#[test]
fn a_descriptor_survives_the_way_through_json() {
    let params = json!({"type": "object", "properties": {"level": {"type": "integer"}}});
    let schema = json!({"capabilities": ["automatic", "levels"], "params": params}).to_string();
    let descriptor = describe(&schema).unwrap();
    assert_eq!(
        descriptor.capabilities,
        [Capability::Automatic, Capability::Levels]
    );
    assert!(descriptor.can(Capability::Levels) && !descriptor.can(Capability::Text));
    assert_eq!(descriptor.params, params);
    assert_eq!(describe(&descriptor.schema_json()).unwrap(), descriptor);
}

#[test]
fn every_capability_has_one_name() {
    for capability in Capability::ALL {
        assert_eq!(capability.name().parse::<Capability>().unwrap(), capability);
        assert_eq!(serde_json::to_value(capability).unwrap(), capability.name());
    }
}

#[test]
fn malformed_schemas_are_refused_by_name() {
    assert_eq!(
        refusal(r#"{"capabilities": ["automatic", "point"]}"#),
        "its schema: unknown capability \"point\" (did you mean \"points\"? known: automatic, \
         points, boxes, masks, text, labels, levels, examples)"
    );
    assert_eq!(
        refusal(r#"{"capabilities": "automatic"}"#),
        "its schema: \"capabilities\" must be a list of names, not \"automatic\""
    );
    assert_eq!(
        refusal(r#"{"params": 3}"#),
        "its schema: \"params\" must be an object, not 3"
    );
    assert!(refusal("").contains("no JSON"));
    assert!(refusal("[]").contains("must be a JSON object"));
}

#[test]
fn ids_and_versions_have_a_form() {
    let refusal = |id, version| {
        Descriptor::from_schema_json(id, version, "", "{}")
            .unwrap_err()
            .to_string()
    };
    for id in ["Hello", "", "a b", "é"] {
        assert_eq!(
            refusal(id, "1.0.0"),
            "its id must be one or more of a-z, 0-9 and -"
        );
    }
    assert_eq!(
        refusal("hello", "1.0"),
        "its version \"1.0\" is not a semantic version such as 1.0.0"
    );
}

#[test]
fn a_segmenter_that_takes_hints_need_not_describe_them() {
    let hints = |schema| describe(schema).unwrap().params["properties"]["hints"].clone();
    let taken = hints(r#"{"capabilities": ["automatic", "points", "text"]}"#);
    let keys: Vec<&String> = taken["properties"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["points", "text"]);
    assert_eq!(
        hints(r#"{"capabilities": ["automatic", "levels"]}"#),
        json!(null)
    );
    let own =
        r#"{"capabilities": ["boxes"], "params": {"properties": {"hints": {"type": "object"}}}}"#;
    assert_eq!(hints(own), json!({"type": "object"}));
}

#[cfg(feature = "schema")]
#[test]
fn the_schema_of_hints_takes_what_hints_are_written_as() {
    use som_core::{BBox, BoxHint, ExampleHint, Hints, Mask, Params, PointHint, Schema, Size};

    let capabilities =
        ["points", "boxes", "masks", "text", "examples"].map(|name| name.parse().unwrap());
    let hints = Hints {
        points: vec![PointHint {
            x: 1.5,
            y: 2.0,
            label: 0,
        }],
        boxes: vec![BoxHint {
            x: 0.0,
            y: 1.0,
            width: 2.0,
            height: 3.5,
        }],
        strokes: vec![Mask::rect(Size::new(9, 9), BBox::new(4, 1, 1, 3)).to_rle()],
        masks: vec![Mask::rect(Size::new(9, 9), BBox::new(1, 1, 2, 2)).to_rle()],
        texts: vec!["the cup".to_owned()],
        examples: vec![ExampleHint::new(vec![1, 2, 3], Size::new(2, 1), &[0, 5]).unwrap()],
    };
    let properties = json!({"hints": Hints::schema(&capabilities)});
    let schema = Schema::compile(&json!({"properties": properties})).unwrap();
    let params = Params::from_iter([("hints".to_owned(), serde_json::to_value(&hints).unwrap())]);
    let resolved = schema.resolve("it", &params).unwrap();
    assert_eq!(Hints::from_params(&resolved).unwrap(), Some(hints));

    let bad = json!({"hints": {"boxes": [{"x": 0, "y": 0, "width": 0, "height": 1}]}});
    let refusal = schema.resolve("it", bad.as_object().unwrap()).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "it: parameter \"hints.boxes[0].width\" is 0, but must be above 0"
    );
}
