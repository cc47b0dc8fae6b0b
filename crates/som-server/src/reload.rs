//! Settings that are read again while the server runs.

use std::sync::{Arc, Mutex, PoisonError};

use som_core::Result;
use som_engine::settings::Settings;

use crate::{gate::Gate, tls::Tls};

/// The keys that take effect at once; with a dot at the end, whole tables.
const AT_ONCE: [&str; 4] = [
    "server.deadline_ms",
    "server.upload_ms",
    "server.token.",
    "server.tls.",
];

/// Takes new settings for a server that runs.
#[derive(Clone)]
pub struct Reloader {
    gate: Arc<Gate>,
    tls: Arc<Tls>,
    /// Those in effect.
    settings: Arc<Mutex<Settings>>,
}

/// What came of new settings: keys that were changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    /// They are in effect for calls and connections to come.
    pub at_once: Vec<String>,
    /// They wait for a restart.
    pub at_restart: Vec<String>,
}

impl Reloader {
    pub(crate) fn new(gate: Arc<Gate>, tls: Arc<Tls>, settings: Settings) -> Self {
        Self {
            gate,
            tls,
            settings: Arc::new(Mutex::new(settings)),
        }
    }

    /// Takes `new` settings as far as that can be done without a restart. Files of tokens and
    /// certificates are read again even where no key was changed.
    ///
    /// # Errors
    /// Invalid, naming what is wrong with them; then everything stays as it is.
    pub fn reload(&self, new: Settings) -> Result<Reloaded> {
        new.server.check()?;
        let tls = Tls::read(&new.server.tls)?;
        self.gate.reload(&new.server)?;
        self.tls.replace(tls);
        let mut settings = self.settings.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = settings.changed_keys(&new);
        let is_at_once = |key: &String| {
            let mut keys = AT_ONCE.into_iter();
            keys.any(|known| key == known || (known.ends_with('.') && key.starts_with(known)))
        };
        let (at_once, at_restart) = changed.into_iter().partition(is_at_once);
        // What waits for a restart differs from what is in effect the next time, too.
        settings.server.deadline = new.server.deadline;
        settings.server.upload = new.server.upload;
        settings.server.token = new.server.token;
        settings.server.tls = new.server.tls;
        Ok(Reloaded {
            at_once,
            at_restart,
        })
    }
}
