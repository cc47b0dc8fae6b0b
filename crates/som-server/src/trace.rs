//! Which trace a call belongs to, from its client: W3C Trace Context in its headers.

use http::HeaderMap;
use opentelemetry::{global, propagation::Extractor};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Makes `span`, which nothing has entered yet, a child of the client's, if `headers` name one.
pub(crate) fn set_parent(span: &Span, headers: &HeaderMap) {
    let parent = global::get_text_map_propagator(|form| form.extract(&Fields(headers)));
    // Without a collector there are no traces to join.
    let _ = span.set_parent(parent);
}

struct Fields<'a>(&'a HeaderMap);

impl Extractor for Fields<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}
