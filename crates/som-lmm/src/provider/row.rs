//! A row of the list of providers: all that is known of one outside of its file.

use std::sync::Arc;

use som_core::LmmProvider;

use crate::dialect::{Dialect, Model};

/// A provider.
pub(super) struct Provider {
    /// As the settings have it.
    pub(super) name: &'static str,
    pub(super) reach: Reach,
}

/// How a provider is reached.
pub(crate) enum Reach {
    /// Over HTTP.
    Http(Api),
    /// Not at all: it is part of this program. Makes one of a name in the settings.
    Embedded(fn(&str) -> Arc<dyn LmmProvider>),
}

/// A provider's interface over HTTP.
pub(crate) struct Api {
    /// Its own address; empty, if the settings must say where the server is.
    pub(crate) base_url: &'static str,
    /// The environment variable where its own tools look for the key; empty, if it needs none.
    pub(crate) key_env: &'static str,
    /// The header of the key, in lower case, and what stands before the key in it.
    pub(crate) key_header: (&'static str, &'static str),
    /// It answers by a JSON schema.
    pub(crate) structured: bool,
    /// How it is spoken to.
    pub(crate) dialect: fn(Model) -> Box<dyn Dialect>,
}
