//! The threads that wait, and those that do what blocks.

use std::time::Duration;

use som_core::{Error, Result};
use tokio::runtime::{Builder, Runtime};

/// A runtime that does blocking work even when the process may have no more threads.
///
/// # Errors
/// Exhausted, if its threads cannot start.
pub(crate) fn runtime() -> Result<Runtime> {
    const FOREVER: Duration = Duration::from_secs(u32::MAX as u64);
    let runtime = Builder::new_multi_thread()
        .enable_all()
        .thread_keep_alive(FOREVER)
        .build()
        .map_err(|error| Error::exhausted("no thread could be started").caused_by(error))?;
    // Without one such thread, work whose own thread cannot start would wait for ever.
    drop(runtime.spawn_blocking(|| ()));
    Ok(runtime)
}

/// Does what blocks (reading, writing, decoding) on a thread of its own, so that other images are
/// worked on meanwhile.
///
/// # Errors
/// What the work reports; Internal, if it panicked.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let span = tracing::Span::current();
    tokio::task::spawn_blocking(move || span.in_scope(work))
        .await
        .map_err(|error| Error::internal("work on an image panicked").caused_by(error))?
}
