//! Large multimodal models: every one that the settings name, by that name.
//!
//! Most are asked over HTTP. What providers differ in is a dialect; sending,
//! waiting, trying again and reading are the same for all.

mod cassette;
mod dialect;
mod family;
mod http;
mod keeper;
pub mod millis;
mod provider;
mod redactor;
mod secret;
mod settings;

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use som_core::{Error, ErrorKind, LmmProvider, Named, ProviderInfo, Result};

use self::{
    cassette::{Player, Recorder},
    http::HttpProvider,
    keeper::Keeper,
    provider::Reach,
    secret::Secrets,
};

pub use self::{
    family::Family, http::client as http_client, provider::ProviderKind, settings::LmmSettings,
};

/// Every large multimodal model that the settings name.
pub struct Lmms(BTreeMap<String, Lmm>);

/// A model, and what of its answers must not be kept.
struct Lmm {
    provider: Arc<dyn LmmProvider>,
    secrets: Secrets,
}

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
            let lmm =
                open(name, lmm, &variable).map_err(|error| error.at(format!("lmm.{name}")))?;
            providers.insert(name.clone(), lmm);
        }
        Ok(Self(providers))
    }

    /// Adds one under the name that it gives itself; it replaces another of that name.
    pub fn add(&mut self, provider: Arc<dyn LmmProvider>) {
        let lmm = Lmm::without_secrets(provider);
        self.0.insert(lmm.provider.info().name.clone(), lmm);
    }

    /// From now on the answers of the model called `name` are those in `folder`. One that is not
    /// there is asked of what `ask` makes of the model, and kept there unless it broke off; the files
    /// are those of the setting `record`.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub fn keep_answers(
        &mut self,
        name: &str,
        folder: PathBuf,
        ask: impl FnOnce(Arc<dyn LmmProvider>) -> Arc<dyn LmmProvider>,
    ) -> Result<()> {
        let asked = ask(self.get(name)?.clone());
        if let Some(lmm) = self.0.get_mut(name) {
            lmm.provider = Arc::new(Keeper::new(asked, folder, lmm.secrets.clone()));
        }
        Ok(())
    }

    /// The one called `name`.
    ///
    /// # Errors
    /// NotFound, listing those there are.
    pub fn get(&self, name: &str) -> Result<&Arc<dyn LmmProvider>> {
        let known = self.0.keys().map(String::as_str);
        self.0
            .get(name)
            .map(|lmm| &lmm.provider)
            .ok_or_else(|| Error::unknown(ErrorKind::NotFound, "lmm", name, known))
    }

    /// What is known of each, by name.
    pub fn list(&self) -> impl Iterator<Item = &ProviderInfo> {
        self.0.values().map(|lmm| lmm.provider.info())
    }
}

fn open(name: &str, lmm: &LmmSettings, variable: &dyn Fn(&str) -> Option<String>) -> Result<Lmm> {
    Named::Lmm.check("the name", name)?;
    let (records, replays) = (&lmm.record, &lmm.replay);
    if !records.as_os_str().is_empty() && !replays.as_os_str().is_empty() {
        return Err(Error::invalid("set record or replay, not both"));
    }
    let api = match lmm.provider.reach() {
        Reach::Embedded(make) => return Ok(Lmm::without_secrets(make(name))),
        Reach::Http(api) => api,
    };
    let info = family::info(name, lmm, api.structured)?;
    if !replays.as_os_str().is_empty() {
        let player = Player::new(info, replays.clone());
        return Ok(Lmm::without_secrets(Arc::new(player)));
    }
    let secrets = Secrets::find(lmm, api.key_env, variable)?;
    let mut provider: Arc<dyn LmmProvider> =
        Arc::new(HttpProvider::new(info, lmm, api, secrets.clone())?);
    if !records.as_os_str().is_empty() {
        provider = Arc::new(Recorder::new(provider, records.clone(), secrets.clone()));
    }
    Ok(Lmm { provider, secrets })
}

impl Lmm {
    fn without_secrets(provider: Arc<dyn LmmProvider>) -> Self {
        Self {
            provider,
            secrets: Secrets::none(),
        }
    }
}
