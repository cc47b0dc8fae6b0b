//! What is told while an answer is made.

use std::sync::Arc;

use som_core::{Error, Result, Usage, ground::Mention};
use tokio::sync::mpsc;

use crate::{Marking, Segmented};

/// A stage that is done.
#[derive(Clone, Debug)]
pub enum AskEvent {
    /// An image was cut.
    Regions {
        /// Its index, from 0.
        image: usize,
        /// Its regions.
        segmented: Arc<Segmented>,
    },
    /// An image was marked.
    Marked {
        /// Its index, from 0.
        image: usize,
        /// Its marks and pages.
        marking: Arc<Marking>,
    },
    /// The model is asked, for the first time or because its answer named marks that are not
    /// there. What came before is void.
    Round {
        /// From 1.
        number: u32,
    },
    /// More of the answer.
    Text(String),
    /// A mention in the lines that are complete; of the final answer those of
    /// [`AskOutcome::grounded`](super::AskOutcome::grounded) count.
    Mention(Mention),
    /// What all requests have taken so far.
    Usage(Usage),
}

/// Sends an event.
///
/// # Errors
/// Cancelled, if nobody receives events any more.
pub(super) async fn send(events: &mpsc::Sender<AskEvent>, event: AskEvent) -> Result<()> {
    events.send(event).await.map_err(|_| Error::cancelled())
}
