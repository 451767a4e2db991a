//! Fits of models of many people beside a service.
//!
//! What was asked for is noted in the data folder until it is finished, so that a fit that was cut by a
//! restart is started again, as jobs are. One that was cut three times may be what ended the process: it
//! fails, with that reason.

use crate::engine::jobs::{Clock, MAX_ATTEMPTS, failure, lower_priority, on_own_threads};
use crate::engine::{Engine, make_private_folder};
use crate::error::{EngineError, ErrorKind};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use vitalcast_artifact::write_atomically;
use vitalcast_domain::{
    JobError, JobState, PredictionMetric, TrainPooledRequest, TrainPooledResponse, UserId,
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
    /// How often it was started: more than once after restarts of the service.
    pub attempts: u32,
    /// Time of the last start.
    pub started_at: DateTime<Utc>,
    /// Time of the end.
    pub finished_at: Option<DateTime<Utc>>,
    /// The fitted model.
    pub result: Option<TrainPooledResponse>,
    /// Why the fit failed.
    pub error: Option<JobError>,
}

/// The folder of the notes of fits that are not finished.
const FITS: &str = "fits";

/// A fit that is not finished, as it is noted in the data folder.
#[derive(Debug, Serialize, Deserialize)]
struct Unfinished {
    request: TrainPooledRequest,
    attempts: u32,
}

/// Fits models of many people on threads of their own, one at a time for each metric. Clones share their
/// fits.
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
        // What was stopped with the service goes on at the next start.
        let is_finished = !matches!(&outcome, Err(error) if error.kind() == ErrorKind::Interrupted);
        if is_finished && let Err(error) = self.engine.forget_fit(metric) {
            tracing::warn!(code = error.code(), "the note of a fit cannot be deleted");
        }
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
    /// Starts again what an earlier process has not finished. Each fit has so many threads, which requests
    /// go before.
    pub fn new(engine: Arc<Engine>, clock: Clock, threads: usize) -> Self {
        let fits = Self(Arc::new(Shared {
            engine,
            clock,
            threads,
            fits: Mutex::default(),
            stopping: AtomicBool::new(false),
        }));
        for noted in fits.0.engine.noted_fits() {
            if let Err(error) = fits.start_again(noted) {
                tracing::warn!(code = error.code(), "a fit cannot be started again");
            }
        }
        fits
    }

    /// Starts a fit; one that runs already for this metric is answered instead.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`] for a person who was named; [`EngineError::Io`] and
    /// [`EngineError::Artifact`] if it cannot be noted, or no thread can be started.
    pub fn start(&self, request: TrainPooledRequest) -> Result<PooledFit, EngineError> {
        for user in &request.users {
            self.0.engine.profile(user)?;
        }
        self.run(Unfinished {
            request,
            attempts: 1,
        })
    }

    /// Starts a fit that was cut; one that was cut too often has failed.
    fn start_again(&self, noted: Unfinished) -> Result<(), EngineError> {
        let attempts = noted.attempts;
        if attempts < MAX_ATTEMPTS {
            let attempts = attempts + 1;
            return self.run(Unfinished { attempts, ..noted }).map(drop);
        }
        let metric = noted.request.metric;
        self.0.engine.forget_fit(metric)?;
        let now = (self.0.clock)();
        let failed = PooledFit {
            state: JobState::Failed,
            finished_at: Some(now),
            error: Some(JobError {
                code: "GAVE_UP".to_owned(),
                detail: format!("the fit was interrupted {attempts} times"),
            }),
            ..begun(metric, attempts, now)
        };
        self.0.fits().insert(metric, failed);
        Ok(())
    }

    fn run(&self, fit: Unfinished) -> Result<PooledFit, EngineError> {
        let metric = fit.request.metric;
        let now = (self.0.clock)();
        let begun = begun(metric, fit.attempts, now);
        let mut fits = self.0.fits();
        if let Some(running) = fits.get(&metric).filter(|fit| !fit.state.is_final()) {
            return Ok(running.clone());
        }
        self.0.engine.note_fit(&fit)?;
        let shared = Arc::clone(&self.0);
        std::thread::Builder::new()
            .name("pooled-fit".to_owned())
            .spawn(move || shared.run(&fit.request, now))
            .map_err(|source| EngineError::Io {
                doing: "start a thread for",
                path: self.0.engine.folder().to_owned(),
                source,
            })?;
        fits.insert(metric, begun.clone());
        Ok(begun)
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

fn begun(metric: PredictionMetric, attempts: u32, now: DateTime<Utc>) -> PooledFit {
    PooledFit {
        metric,
        state: JobState::Running,
        people_read: 0,
        people: 0,
        attempts,
        started_at: now,
        finished_at: None,
        result: None,
        error: None,
    }
}

impl Engine {
    fn fits_folder(&self) -> PathBuf {
        self.folder().join(FITS)
    }

    fn note_of(&self, metric: PredictionMetric) -> PathBuf {
        self.fits_folder().join(format!("{metric}.json"))
    }

    fn note_fit(&self, fit: &Unfinished) -> Result<(), EngineError> {
        let folder = self.fits_folder();
        make_private_folder(&folder).map_err(|source| EngineError::Io {
            doing: "note a fit in",
            path: folder,
            source,
        })?;
        let bytes = serde_json::to_vec(fit).expect("notes are plain values");
        write_atomically(self.note_of(fit.request.metric), &bytes)?;
        Ok(())
    }

    fn forget_fit(&self, metric: PredictionMetric) -> Result<(), EngineError> {
        let path = self.note_of(metric);
        match std::fs::remove_file(&path) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(EngineError::Io {
                doing: "delete the note of a fit",
                path,
                source,
            }),
            _ => Ok(()),
        }
    }

    /// The fits that are not finished. A note that cannot be read is none.
    fn noted_fits(&self) -> Vec<Unfinished> {
        let notes = PredictionMetric::ALL.iter().filter_map(|metric| {
            let bytes = std::fs::read(self.note_of(*metric)).ok()?;
            serde_json::from_slice(&bytes).ok()
        });
        notes.collect()
    }

    /// Forgets fits that name a person, who is erased: they would fail, and their notes hold the id.
    pub(in crate::engine) fn forget_fits_of(&self, user: &UserId) -> Result<(), EngineError> {
        for fit in self.noted_fits() {
            if fit.request.users.contains(user) {
                self.forget_fit(fit.request.metric)?;
            }
        }
        Ok(())
    }
}
