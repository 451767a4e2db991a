//! Fits of models of many people beside a service.

use crate::engine::Engine;
use crate::engine::jobs::{Clock, failure, lower_priority, on_own_threads};
use crate::error::{EngineError, ErrorKind};
use chrono::{DateTime, Utc};
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use vitalcast_domain::{
    JobError, JobState, PredictionMetric, TrainPooledRequest, TrainPooledResponse,
};

/// A fit of a model of many people.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct PooledFit {
    /// The metric.
    pub metric: PredictionMetric,
    /// State of the fit.
    pub state: JobState,
    /// Number of people read so far.
    pub people_read: usize,
    /// Number of people to read.
    pub people: usize,
    /// Time of the start.
    pub started_at: DateTime<Utc>,
    /// Time of the end.
    pub finished_at: Option<DateTime<Utc>>,
    /// The fitted model.
    pub result: Option<TrainPooledResponse>,
    /// Why the fit failed.
    pub error: Option<JobError>,
}

/// Fits models of many people on threads of their own, one at a time for each metric. Clones share their
/// fits. What runs when the process ends has to be started again.
#[derive(Clone)]
pub struct PooledFits(Arc<Shared>);

struct Shared {
    engine: Arc<Engine>,
    clock: Clock,
    threads: usize,
    fits: Mutex<BTreeMap<PredictionMetric, PooledFit>>,
    stopping: AtomicBool,
}

impl Shared {
    fn fits(&self) -> MutexGuard<'_, BTreeMap<PredictionMetric, PooledFit>> {
        self.fits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, metric: PredictionMetric, change: impl FnOnce(&mut PooledFit)) {
        if let Some(fit) = self.fits().get_mut(&metric) {
            change(fit);
        }
    }

    fn run(&self, request: &TrainPooledRequest, now: DateTime<Utc>) {
        lower_priority();
        let metric = request.metric;
        let mut check = |done: usize, all: usize| {
            self.change(metric, |fit| {
                fit.people_read = done;
                fit.people = all;
            });
            if self.stopping.load(Ordering::SeqCst) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let work = std::panic::AssertUnwindSafe(|| {
            on_own_threads("pooled-fit", self.threads, || {
                self.engine.train_pooled(request, now, now, &mut check)
            })
        });
        let outcome = std::panic::catch_unwind(work).unwrap_or_else(|_| {
            tracing::error!("a fit of many people panicked");
            Err(EngineError::Damaged("a fit of many people".to_owned()))
        });
        let finished = (self.clock)();
        self.change(metric, |fit| {
            fit.finished_at = Some(finished);
            match outcome {
                Ok(result) => {
                    fit.people_read = fit.people;
                    fit.state = JobState::Succeeded;
                    fit.result = Some(result);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {
                    fit.state = JobState::Cancelled;
                }
                Err(error) => {
                    fit.state = JobState::Failed;
                    fit.error = Some(failure(&error));
                }
            }
        });
    }
}

impl PooledFits {
    /// Nothing is fitted yet; each fit will have so many threads, which requests go before.
    pub fn new(engine: Arc<Engine>, clock: Clock, threads: usize) -> Self {
        Self(Arc::new(Shared {
            engine,
            clock,
            threads,
            fits: Mutex::default(),
            stopping: AtomicBool::new(false),
        }))
    }

    /// Starts a fit; one that runs already for this metric is answered instead.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`] for a person who was named; [`EngineError::Io`] if no thread can be
    /// started.
    pub fn start(&self, request: TrainPooledRequest) -> Result<PooledFit, EngineError> {
        for user in &request.users {
            self.0.engine.profile(user)?;
        }
        let metric = request.metric;
        let now = (self.0.clock)();
        let fit = PooledFit {
            metric,
            state: JobState::Running,
            people_read: 0,
            people: 0,
            started_at: now,
            finished_at: None,
            result: None,
            error: None,
        };
        let mut fits = self.0.fits();
        if let Some(running) = fits.get(&metric).filter(|fit| !fit.state.is_final()) {
            return Ok(running.clone());
        }
        let shared = Arc::clone(&self.0);
        std::thread::Builder::new()
            .name("pooled-fit".to_owned())
            .spawn(move || shared.run(&request, now))
            .map_err(|source| EngineError::Io {
                doing: "start a thread for",
                path: self.0.engine.folder().to_owned(),
                source,
            })?;
        fits.insert(metric, fit.clone());
        Ok(fit)
    }

    /// The last fit of each metric since the start of the process.
    pub fn all(&self) -> Vec<PooledFit> {
        self.0.fits().values().cloned().collect()
    }

    /// Stops what runs at the next person; later fits stop at once.
    pub fn stop(&self) {
        self.0.stopping.store(true, Ordering::SeqCst);
    }
}
