//! Health: of the server as a whole, of each service by its name, and of each segmenter by its id.

use std::{sync::Arc, time::Duration};

use som_engine::{Engine, registry::SegmenterEntry};
use tokio::time::sleep;
use tonic_health::{ServingStatus, server::HealthReporter};

/// How often the endpoints of segmenters are looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Who is told of.
pub(crate) struct Health {
    reporter: HealthReporter,
    engine: Arc<Engine>,
    services: Vec<&'static str>,
    segmenters: Vec<String>,
}

impl Health {
    /// Of `services` and `segmenters` of `engine`.
    pub(crate) fn new(
        reporter: HealthReporter,
        engine: Arc<Engine>,
        services: Vec<&'static str>,
        segmenters: Vec<String>,
    ) -> Self {
        Self {
            reporter,
            engine,
            services,
            segmenters,
        }
    }

    /// Tells that the server serves, and of the segmenters for as long as nobody drops this.
    pub(crate) async fn tell(&self) {
        self.tell_all(ServingStatus::Serving).await;
        loop {
            for id in &self.segmenters {
                let entry = self.engine.registry().segmenter(id);
                let status = match entry.is_ok_and(SegmenterEntry::is_up) {
                    true => ServingStatus::Serving,
                    false => ServingStatus::NotServing,
                };
                self.reporter.set_service_status(id, status).await;
            }
            sleep(LOOK).await;
        }
    }

    /// Tells that nothing serves any more.
    pub(crate) async fn tell_end(&self) {
        self.tell_all(ServingStatus::NotServing).await;
        for id in &self.segmenters {
            let status = ServingStatus::NotServing;
            self.reporter.set_service_status(id, status).await;
        }
    }

    async fn tell_all(&self, status: ServingStatus) {
        for service in [""].iter().chain(&self.services) {
            self.reporter.set_service_status(service, status).await;
        }
    }
}
