//! An engine with everything that the rows of a run name.

use som_core::Result;
use som_engine::{Engine, registry::Registry, settings::Settings};
use som_eval::run::Row;

use crate::{General, embedded::PLUGINS};

/// An engine with everything that `rows` name, for so many images at a time.
///
/// # Errors
/// What loading settings and plugins reports.
pub(super) fn engine(rows: &[Row], jobs: usize, general: &General) -> Result<Engine> {
    let (mut settings, _) = general.ladder().load()?;
    for id in rows.iter().filter_map(|row| row.segmenter.as_ref()) {
        // Named, so that it is looked for among the installed libraries, too.
        settings.segmenter.entry(id.clone()).or_default();
    }
    let ids: Vec<String> = settings.segmenter.keys().cloned().collect();
    for id in ids.into_iter().chain([settings.mark.segmenter.clone()]) {
        // Samples of one run wait for one another; none is refused.
        let (worker, _) = settings.segmenter(&id)?;
        let queue = worker.queue.max(jobs);
        let table = settings.segmenter.entry(id).or_default();
        table.insert("queue".to_owned(), queue.into());
    }
    let registry = registry(rows, &settings)?;
    Engine::new(settings, registry)
}

fn registry(rows: &[Row], settings: &Settings) -> Result<Registry> {
    if rows.iter().any(|row| row.granularity.is_some()) {
        // Who is there decides who answers.
        return Registry::open(PLUGINS, settings);
    }
    let registry = Registry::open_for(PLUGINS, settings)?;
    let mut styles = rows.iter().flat_map(|row| row.styles.iter().flatten());
    match styles.all(|style| registry.style(style.id()).is_ok()) {
        true => Ok(registry),
        false => Registry::open(PLUGINS, settings),
    }
}
