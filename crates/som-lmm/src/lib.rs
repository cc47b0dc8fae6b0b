//! Large multimodal models: every one that the settings name, by that name.
//!
//! Most are asked over HTTP. What providers differ in is a dialect; sending,
//! waiting, trying again and reading are the same for all.

mod cassette;
mod dialect;
mod family;
mod http;
pub mod millis;
mod provider;
mod redactor;
mod secret;
mod settings;

use std::{collections::BTreeMap, sync::Arc};

use som_core::{Error, ErrorKind, LmmProvider, Named, ProviderInfo, Result};

use self::{
    cassette::{Player, Recorder},
    http::HttpProvider,
    provider::Reach,
    secret::Secrets,
};

pub use self::{
    family::Family, http::client as http_client, provider::ProviderKind, settings::LmmSettings,
};

/// Every large multimodal model that the settings name.
pub struct Lmms(BTreeMap<String, Arc<dyn LmmProvider>>);

impl Lmms {
    /// One provider for each of `tables` by the name of the model. Nothing is sent yet, and a
    /// missing key is an error of the first request. `variable` looks up an environment variable.
    ///
    /// # Errors
    /// Invalid, naming the table and the key that is wrong.
    pub fn open(
        tables: &BTreeMap<String, LmmSettings>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let mut providers = BTreeMap::new();
        for (name, lmm) in tables {
            let provider =
                open(name, lmm, &variable).map_err(|error| error.at(format!("lmm.{name}")))?;
            providers.insert(name.clone(), provider);
        }
        Ok(Self(providers))
    }

    /// Adds one under the name that it gives itself; it replaces another of that name.
    pub fn add(&mut self, provider: Arc<dyn LmmProvider>) {
        self.0.insert(provider.info().name.clone(), provider);
    }

    /// The one called `name`.
    ///
    /// # Errors
    /// NotFound, listing those there are.
    pub fn get(&self, name: &str) -> Result<&Arc<dyn LmmProvider>> {
        let known = self.0.keys().map(String::as_str);
        self.0
            .get(name)
            .ok_or_else(|| Error::unknown(ErrorKind::NotFound, "lmm", name, known))
    }

    /// What is known of each, by name.
    pub fn list(&self) -> impl Iterator<Item = &ProviderInfo> {
        self.0.values().map(|provider| provider.info())
    }
}

fn open(
    name: &str,
    lmm: &LmmSettings,
    variable: &dyn Fn(&str) -> Option<String>,
) -> Result<Arc<dyn LmmProvider>> {
    Named::Lmm.check("the name", name)?;
    let (records, replays) = (&lmm.record, &lmm.replay);
    if !records.as_os_str().is_empty() && !replays.as_os_str().is_empty() {
        return Err(Error::invalid("set record or replay, not both"));
    }
    let api = match lmm.provider.reach() {
        Reach::Embedded(make) => return Ok(make(name)),
        Reach::Http(api) => api,
    };
    let info = family::info(name, lmm, api.structured)?;
    if !replays.as_os_str().is_empty() {
        return Ok(Arc::new(Player::new(info, replays.clone())));
    }
    let secrets = Secrets::find(lmm, api.key_env, variable)?;
    let provider = Arc::new(HttpProvider::new(info, lmm, api, secrets.clone())?);
    if records.as_os_str().is_empty() {
        return Ok(provider);
    }
    Ok(Arc::new(Recorder::new(provider, records.clone(), secrets)))
}
