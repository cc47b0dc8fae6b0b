//! All endpoints of one segmenter: which gets a call, and what happens when it fails.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::join_all;
use som_core::{Error, ErrorKind, Result};
use som_proto::pb::{plugin::v1::SegmentRequest, v1 as pb};
use tokio::time::sleep;

use super::{
    endpoint::{Described, Endpoint, Failure, Fitness},
    options::Options,
};

/// Endpoints that may die over one call: it may be the call that kills them.
const MAX_DEATHS: usize = 3;
/// Pauses after which all endpoints are tried again.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(50),
    Duration::from_millis(200),
    Duration::from_millis(800),
];
/// Pause between two rounds of asking who they are.
const ASK_AGAIN: Duration = Duration::from_millis(200);

/// All endpoints of one segmenter.
pub(super) struct Lane {
    id: String,
    endpoints: Vec<Arc<Endpoint>>,
    /// The most instances that are believed.
    max_instances: usize,
    /// What the endpoints describe, and how often that has changed.
    agreed: Mutex<Option<(u64, Arc<Described>)>>,
    /// Which of equally fit endpoints is next.
    turn: AtomicUsize,
}

/// The regions, and who cut them.
pub(super) struct Answer {
    pub(super) address: String,
    pub(super) regions: Vec<pb::Region>,
}

impl Lane {
    /// Connects lazily; needs a runtime.
    pub(super) fn new(id: &str, options: &Options, max_instances: usize) -> Result<Self> {
        let endpoints = options
            .connections()?
            .into_iter()
            .map(|connection| Endpoint::new(connection, options.health()).map(Arc::new));
        Ok(Self {
            id: id.to_owned(),
            endpoints: endpoints.collect::<Result<_>>()?,
            max_instances,
            agreed: Mutex::default(),
            turn: AtomicUsize::new(0),
        })
    }

    /// What the endpoints describe, and the number of that description; `None` before one was asked.
    pub(super) fn agreed(&self) -> Option<(u64, Arc<Described>)> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<(u64, Arc<Described>)>> {
        self.agreed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks again at what the endpoints say. If all that serve describe the same segmenter in
    /// another version, that is the one from now on; who describes something else gets no calls.
    pub(super) fn reconsider(&self) {
        let mut agreed = self.lock();
        let Some((number, current)) = &mut *agreed else {
            return;
        };
        let serving: Vec<_> = self
            .endpoints
            .iter()
            .filter_map(|one| one.serves())
            .collect();
        // Who was not looked at yet may describe it as before.
        if self.endpoints.iter().all(|one| one.is_checked())
            && let Some(first) = serving.first()
            && serving
                .iter()
                .all(|told| told.descriptor == first.descriptor)
            && first.id == current.id
            && first.descriptor != current.descriptor
        {
            let (from, to) = (&current.descriptor.version, &first.descriptor.version);
            tracing::info!(
                segmenter = self.id,
                from,
                to,
                "the endpoints describe it anew"
            );
            let instances = serving.iter().map(|told| told.instances).sum();
            *current = Arc::new(Described {
                id: first.id.clone(),
                descriptor: first.descriptor.clone(),
                instances: self.believed(instances),
            });
            *number += 1;
        }
        for endpoint in &self.endpoints {
            endpoint.compare(current);
        }
    }

    /// So many instances as are told, but no more than the settings allow.
    fn believed(&self, instances: usize) -> usize {
        if instances > self.max_instances {
            tracing::warn!(
                segmenter = self.id,
                instances,
                most = self.max_instances,
                "the endpoints tell more instances than are allowed (limits.instances)"
            );
        }
        instances.clamp(1, self.max_instances)
    }

    pub(super) fn endpoints(&self) -> &[Arc<Endpoint>] {
        &self.endpoints
    }

    pub(super) fn addresses(&self) -> Vec<String> {
        self.endpoints
            .iter()
            .map(|endpoint| endpoint.address().to_owned())
            .collect()
    }

    /// Asks the endpoints who they are: what the first one that answers says is what they
    /// [agree](Self::agreed) on, with the instances of all that do.
    ///
    /// # Errors
    /// Unavailable, with what happened at each, if no endpoint describes a segmenter before
    /// `patience` ends. Endpoints that answer, but are no segmenter, are not waited for. Denied, if
    /// all refuse what this process logs in with.
    pub(super) async fn describe(&self, patience: Duration) -> Result<()> {
        let started = Instant::now();
        loop {
            let answers = self.endpoints.iter();
            let answers = join_all(answers.map(|endpoint| endpoint.describe(&self.id))).await;
            let (answers, failures): (Vec<_>, Vec<_>) =
                answers.into_iter().partition(Result::is_ok);
            let answers: Vec<Described> = answers.into_iter().flatten().collect();
            let told = answers.iter().map(|described| described.instances);
            let instances = told.fold(0, usize::saturating_add);
            // Those that do not answer yet are taken to be like the others.
            let instances = instances.saturating_mul(self.endpoints.len());
            let instances = self.believed(instances.div_ceil(answers.len().max(1)));
            if let Some(first) = answers.into_iter().next() {
                *self.lock() = Some((1, Arc::new(Described { instances, ..first })));
                return Ok(());
            }
            let failures: Vec<Error> = failures.into_iter().filter_map(Result::err).collect();
            if let Some(denied) = all_denied(&failures) {
                return Err(denied);
            }
            let is_hopeless = failures
                .iter()
                .all(|error| error.kind() != ErrorKind::Unavailable);
            if is_hopeless || started.elapsed() + ASK_AGAIN > patience {
                return Err(Error::unavailable(format!(
                    "no endpoint can be used: {} (start one with `som backend`, or take out segmenter.{}.remote)",
                    list(&failures),
                    self.id
                )));
            }
            sleep(ASK_AGAIN).await;
        }
    }

    /// The regions of one image, from whichever endpoint can.
    ///
    /// # Errors
    /// What the segmenter reports; Unavailable or Exhausted, with what happened at each endpoint,
    /// if none could take the call.
    pub(super) async fn segment(&self, request: SegmentRequest) -> Result<Answer> {
        let mut deaths = 0;
        for pause in PAUSES.map(Some).into_iter().chain([None]) {
            let mut tried = vec![false; self.endpoints.len()];
            let mut failures = Vec::new();
            let mut is_hopeless = true;
            while let Some(index) = self.choose(&mut tried, &mut failures) {
                is_hopeless = false;
                let endpoint = &self.endpoints[index];
                match endpoint.segment(request.clone()).await {
                    Ok(regions) => {
                        return Ok(Answer {
                            address: endpoint.address().to_owned(),
                            regions,
                        });
                    }
                    Err(Failure::Final(error)) => return Err(error),
                    Err(Failure::Elsewhere(error)) => failures.push(error),
                    Err(Failure::Died(error)) => {
                        deaths += 1;
                        if deaths == MAX_DEATHS {
                            let why = format!(
                                "{deaths} endpoints in a row died over the call; the last: {error}"
                            );
                            return Err(Error::unavailable(why));
                        }
                        failures.push(error);
                    }
                }
                tracing::debug!(
                    segmenter = self.id,
                    endpoint = endpoint.address(),
                    "call goes to another endpoint"
                );
            }
            let is_full = failures
                .iter()
                .any(|error| error.kind() == ErrorKind::Exhausted);
            let is_denied = all_denied(&failures).is_some();
            match pause {
                Some(pause) if !is_full && !is_hopeless && !is_denied => sleep(pause).await,
                _ => return Err(give_up(&failures, is_full)),
            }
        }
        Err(give_up(&[], false))
    }

    /// The fittest endpoint that was not tried yet; in turn, where several are.
    fn choose(&self, tried: &mut [bool], failures: &mut Vec<Error>) -> Option<usize> {
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        let mut best: Option<(Fitness, usize)> = None;
        for offset in 0..self.endpoints.len() {
            let index = (first + offset) % self.endpoints.len();
            if tried[index] {
                continue;
            }
            match self.endpoints[index].fitness() {
                Ok(fitness) if best.is_none_or(|(known, _)| fitness < known) => {
                    best = Some((fitness, index));
                }
                Ok(_) => {}
                Err(error) => {
                    tried[index] = true;
                    failures.push(error);
                }
            }
        }
        let (_, index) = best?;
        tried[index] = true;
        Some(index)
    }
}

/// If nothing but the login stands in the way, that is what has to be told, and to whom.
fn all_denied(failures: &[Error]) -> Option<Error> {
    let denied = |error: &Error| error.kind() == ErrorKind::Denied;
    let first = failures.first().filter(|_| failures.iter().all(denied))?;
    Some(Error::denied(first.message()))
}

fn give_up(failures: &[Error], is_full: bool) -> Error {
    if let Some(denied) = all_denied(failures) {
        return denied;
    }
    let list = list(failures);
    match is_full {
        true => Error::exhausted(format!("every endpoint is busy: {list}")).passing(),
        false => Error::unavailable(format!("no endpoint could take the call: {list}")),
    }
}

fn list(failures: &[Error]) -> String {
    let failures: Vec<String> = failures.iter().map(Error::to_string).collect();
    failures.join("; ")
}
