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
        "\"hello-2\": unknown capability \"point\" (did you mean \"points\"? known: automatic, \
         points, boxes, masks, text, labels, levels)"
    );
    assert_eq!(
        refusal(r#"{"capabilities": "automatic"}"#),
        "\"hello-2\": \"capabilities\" must be a list of names, not \"automatic\""
    );
    assert_eq!(
        refusal(r#"{"params": 3}"#),
        "\"hello-2\": \"params\" must be an object, not 3"
    );
    assert!(refusal("").contains("no JSON"));
    assert!(refusal("[]").contains("must be a JSON object"));
    let error = Descriptor::from_schema_json("Hello", "1", "", "{}").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the id \"Hello\" must be one or more of a-z, 0-9 and -"
    );
}
