//! Descriptors of segmenters and mark styles.

use serde_json::{Value, json};
use som_core::{Capability, Descriptor, Error, Named, Result};

use crate::{pb::v1 as pb, text::escaped};

/// Most bytes of an id, a version and what a plugin is about; and of a schema.
const MAX_TEXT: usize = 1 << 12;
const MAX_SCHEMA: usize = 1 << 20;

/// To the wire. The options stay where the instances are made.
pub fn to_wire(descriptor: &Descriptor) -> pb::Descriptor {
    pb::Descriptor {
        id: descriptor.id.clone(),
        version: descriptor.version.clone(),
        about: descriptor.about.clone(),
        capabilities: descriptor
            .capabilities
            .iter()
            .map(|&capability| capability_to_wire(capability).into())
            .collect(),
        params_schema: descriptor.params.to_string(),
    }
}

/// From the wire; the options are an empty object.
///
/// # Errors
/// Invalid, if the id is malformed, the schema is no JSON object, or a text is too long. Capabilities
/// that this version does not know are left out, and control characters are written out.
pub fn from_wire(wire: pb::Descriptor) -> Result<Descriptor> {
    for (what, text, most) in [
        ("id", &wire.id, MAX_TEXT),
        ("version", &wire.version, MAX_TEXT),
        ("about", &wire.about, MAX_TEXT),
        ("params_schema", &wire.params_schema, MAX_SCHEMA),
    ] {
        if text.len() > most {
            let bytes = text.len();
            return Err(Error::invalid(format!(
                "{what} has {bytes} bytes, but at most {most} are taken"
            )));
        }
    }
    Named::Plugin.check(&format!("id {:?}", wire.id), &wire.id)?;
    let params: Value = serde_json::from_str(&wire.params_schema)
        .map_err(|error| Error::invalid(format!("params_schema is not JSON: {error}")))?;
    if !params.is_object() {
        return Err(Error::invalid("params_schema is not a JSON object"));
    }
    Ok(Descriptor {
        capabilities: wire
            .capabilities()
            .filter_map(capability_from_wire)
            .collect(),
        id: wire.id,
        version: escaped(&wire.version).into_owned(),
        about: escaped(&wire.about).into_owned(),
        options: json!({"type": "object", "properties": {}, "additionalProperties": false}),
        params,
    })
}

fn capability_to_wire(capability: Capability) -> pb::Capability {
    match capability {
        Capability::Automatic => pb::Capability::Automatic,
        Capability::Points => pb::Capability::Points,
        Capability::Boxes => pb::Capability::Boxes,
        Capability::Masks => pb::Capability::Masks,
        Capability::Text => pb::Capability::Text,
        Capability::Labels => pb::Capability::Labels,
        Capability::Levels => pb::Capability::Levels,
        Capability::Examples => pb::Capability::Examples,
    }
}

fn capability_from_wire(wire: pb::Capability) -> Option<Capability> {
    match wire {
        pb::Capability::Unspecified => None,
        pb::Capability::Automatic => Some(Capability::Automatic),
        pb::Capability::Points => Some(Capability::Points),
        pb::Capability::Boxes => Some(Capability::Boxes),
        pb::Capability::Masks => Some(Capability::Masks),
        pb::Capability::Text => Some(Capability::Text),
        pb::Capability::Labels => Some(Capability::Labels),
        pb::Capability::Levels => Some(Capability::Levels),
        pb::Capability::Examples => Some(Capability::Examples),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor() -> Descriptor {
        use Capability::{Automatic, Boxes, Examples, Labels, Levels, Masks, Points, Text};
        Descriptor {
            id: "sam-2".into(),
            version: "1.2.3".into(),
            about: "Cuts.".into(),
            capabilities: vec![
                Automatic, Points, Boxes, Masks, Text, Labels, Levels, Examples,
            ],
            options: json!({"type": "object", "properties": {}, "additionalProperties": false}),
            params: json!({"type": "object", "properties": {"level": {"default": 3}}}),
        }
    }

    #[test]
    fn a_descriptor_comes_back_as_it_was() {
        assert_eq!(from_wire(to_wire(&descriptor())).unwrap(), descriptor());
    }

    #[test]
    fn unknown_capabilities_are_left_out() {
        let wire = pb::Descriptor {
            capabilities: vec![0, 1, 99],
            ..to_wire(&descriptor())
        };
        assert_eq!(
            from_wire(wire).unwrap().capabilities,
            [Capability::Automatic]
        );
    }

    #[test]
    fn malformed_descriptors_are_refused() {
        let good = || to_wire(&descriptor());
        let schema = |text: &str| pb::Descriptor {
            params_schema: text.to_owned(),
            ..good()
        };
        for (wire, why) in [
            (
                pb::Descriptor {
                    id: "Sam!".into(),
                    ..good()
                },
                r#"id "Sam!" must be one or more of a-z, 0-9 and -"#,
            ),
            (
                pb::Descriptor {
                    id: String::new(),
                    ..good()
                },
                r#"id "" must be one or more of"#,
            ),
            (schema("{"), "params_schema is not JSON: "),
            (
                pb::Descriptor {
                    version: "1".repeat(1 << 20),
                    ..good()
                },
                "version has 1048576 bytes, but at most 4096 are taken",
            ),
            (schema("7"), "params_schema is not a JSON object"),
        ] {
            let error = from_wire(wire).unwrap_err();
            assert!(error.message().starts_with(why), "{error}");
        }
    }
}
