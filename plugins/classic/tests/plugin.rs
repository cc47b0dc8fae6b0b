//! The segmenter as the host sees it.

use serde_json::json;
use som_core::{Call, Capability, Params, SegmenterFactory};
use som_plugin::host::adopt;

use crate::support::{borrowed, photograph, segment};

#[test]
fn the_host_gets_the_same_regions_across_the_boundary() {
    let plugin = adopt(som_classic::PLUGIN).unwrap();
    let factory = &plugin.segmenters[0];
    let descriptor = factory.descriptor();
    assert_eq!(descriptor.id, "classic");
    for capability in Capability::ALL {
        let is_expected = !matches!(
            capability,
            Capability::Text | Capability::Labels | Capability::Examples
        );
        assert_eq!(descriptor.can(capability), is_expected, "{capability}");
    }
    let picture = photograph("chelsea.png");
    let params = json!({"level": 4, "hierarchy": true});
    let object: Params = params.as_object().cloned().unwrap();
    let none = Params::new();
    let mut instance = factory.create(&Call::uncancellable(&none)).unwrap();
    let regions = instance
        .segment(&borrowed(&picture), &Call::uncancellable(&object))
        .unwrap();
    assert_eq!(regions, segment(&picture, params).unwrap());
}

/// The defaults of the schema are those of a call that names nothing.
#[test]
fn the_defaults_are_those_of_the_schema() {
    let plugin = adopt(som_classic::PLUGIN).unwrap();
    let schema = &plugin.segmenters[0].descriptor().params["properties"];
    let picture = photograph("coffee.png");
    let mut params = json!({});
    for key in ["level", "min_area", "max_regions", "hierarchy"] {
        params[key] = schema[key]["default"].clone();
    }
    assert_eq!(params["level"], 3);
    assert_eq!(
        segment(&picture, params).unwrap(),
        segment(&picture, json!({})).unwrap()
    );
}
