//! Which trace a call belongs to, for the server: W3C Trace Context in its metadata.

use opentelemetry::{global, propagation::Injector};
use tonic::metadata::{MetadataKey, MetadataMap};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Writes the current span, if this process traces: the server's spans become its children.
pub(crate) fn inject(metadata: &mut MetadataMap) {
    let context = Span::current().context();
    global::get_text_map_propagator(|form| form.inject_context(&context, &mut Fields(metadata)));
}

struct Fields<'a>(&'a mut MetadataMap);

impl Injector for Fields<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(key), Ok(value)) = (MetadataKey::from_bytes(key.as_bytes()), value.parse()) {
            self.0.insert(key, value);
        }
    }
}
