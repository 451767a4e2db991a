//! The threads that run the jobs, and the choice of the next job.

use super::live::{Live, model_of};
use super::{ImportRequest, REMEMBERED, Shared, State, TuningJob, UPLOAD, locked, remove_upload};
use crate::engine::ImportSettings;
use crate::error::{EngineError, ErrorKind};
use chrono::{DateTime, Utc};
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Instant;
use vitalcast_domain::{JobError, JobId, JobKind, JobProgress, JobState, TrainModelRequest};
use vitalcast_import::Format;
use vitalcast_store::{JobOutcome, Jobs};
use vitalcast_training::{EpochReport, Proceed, TuningProgress};

impl Shared {
    pub(super) fn enqueue(&self, state: &mut State, live: Arc<Live>) {
        let (user, id) = (live.job.user_id.clone(), live.job.job_id.clone());
        state.live.insert(id.clone(), live);
        state.waiting.entry(user.clone()).or_default().push_back(id);
        if !state.turn.contains(&user) {
            state.turn.push_back(user);
        }
        self.wake.notify_all();
    }

    /// Chooses the next job: people take turns, each with their oldest job that can start.
    fn next(&self) -> Option<Arc<Live>> {
        let mut state = locked(&self.state);
        loop {
            if state.stopping {
                return None;
            }
            if let Some(live) = take_turn(&mut state) {
                state.busy.insert(live.subject());
                return Some(live);
            }
            state = self
                .wake
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The main loop of a job thread, until the runner stops.
    pub(super) fn work(&self, number: usize) {
        lower_priority();
        while let Some(live) = self.next() {
            let name = format!("job-{number}");
            let threads = self.options.threads_per_job;
            let run =
                std::panic::AssertUnwindSafe(|| on_own_threads(&name, threads, || self.run(&live)));
            let outcome = std::panic::catch_unwind(run).unwrap_or_else(|_| {
                tracing::error!(job = %live.job.job_id, "a job panicked");
                Some(JobOutcome::Failed(JobError {
                    code: "INTERNAL".to_owned(),
                    detail: "an internal error ended the job".to_owned(),
                }))
            });
            match outcome {
                Some(outcome) => self.finish(&live, outcome),
                // Stopping: the next process goes on with it.
                None => {
                    let id = &live.job.job_id;
                    if self.engine.wait(self.engine.store.requeue_job(id)).is_err() {
                        tracing::warn!(job = %id, "cannot return a job to the queue; the next \
                                                   start of the service will return it");
                    }
                }
            }
            locked(&self.state).busy.remove(&live.subject());
            self.wake.notify_all();
        }
    }

    /// Runs a job; `None` if it must return to the queue.
    fn run(&self, live: &Live) -> Option<JobOutcome> {
        let now = (self.clock)();
        let id = &live.job.job_id;
        match self.engine.wait(self.engine.store.start_job(id, now)) {
            Ok(true) => {}
            // Erased or ended meanwhile.
            Ok(false) => return Some(JobOutcome::Cancelled),
            Err(error) => return Some(failed(&error.into())),
        }
        let mut job = live.last();
        job.state = JobState::Running;
        job.started_at = Some(now);
        live.tell(job);
        let outcome = match live.job.kind {
            JobKind::Train => self.train(live, now),
            JobKind::Import => self.import(live, now),
            JobKind::Tune => self.tune(live, now),
        };
        match outcome {
            Ok(result) => Some(JobOutcome::Succeeded(result)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {
                let called_off = live.cancelled.load(Ordering::SeqCst);
                called_off.then_some(JobOutcome::Cancelled)
            }
            Err(error) => Some(self.without_paths(id, failed(&error))),
        }
    }

    /// Error texts without local file paths, for clients that uploaded a file.
    fn without_paths(&self, id: &JobId, outcome: JobOutcome) -> JobOutcome {
        let JobOutcome::Failed(mut error) = outcome else {
            return outcome;
        };
        let folder = format!(
            "{}{}",
            self.engine
                .uploads()
                .join(id.as_str())
                .join(UPLOAD)
                .display(),
            std::path::MAIN_SEPARATOR
        );
        error.detail = error.detail.replace(&folder, "");
        JobOutcome::Failed(error)
    }

    fn goes_on(live: &Live) -> ControlFlow<()> {
        if live.cancelled.load(Ordering::SeqCst) || live.handed_back.load(Ordering::SeqCst) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn train(&self, live: &Live, now: DateTime<Utc>) -> Result<serde_json::Value, EngineError> {
        let request: TrainModelRequest = serde_json::from_value(live.job.request.clone())
            .map_err(|_| damaged(&live.job.job_id))?;
        let begun = Instant::now();
        let limit = self.options.max_seconds;
        let mut too_long = false;
        let mut on_epoch = |report: &EpochReport| {
            live.progress(JobProgress {
                done: report.epoch as u64,
                total: report.epochs as u64,
                train_loss: Some(report.train_loss),
                val_loss: Some(report.validation_loss),
            });
            too_long = begun.elapsed().as_secs_f64() > limit;
            if too_long {
                ControlFlow::Break(())
            } else {
                Self::goes_on(live)
            }
        };
        Self::goes_on(live)
            .is_continue()
            .then_some(())
            .ok_or(EngineError::Interrupted)?;
        let trained = self.engine.train(&request, now, now, &mut on_epoch);
        match trained {
            Err(EngineError::Interrupted) if too_long => Err(EngineError::TookTooLong(limit)),
            Err(error) => Err(error),
            Ok(answer) => Ok(serde_json::to_value(answer).expect("answers are plain values")),
        }
    }

    fn tune(&self, live: &Live, now: DateTime<Utc>) -> Result<serde_json::Value, EngineError> {
        let TuningJob { request, seconds } = serde_json::from_value(live.job.request.clone())
            .map_err(|_| damaged(&live.job.job_id))?;
        let begun = Instant::now();
        // The comparison at the end comes on top of the time that was asked for.
        let limit = f64::from(seconds) + self.options.max_seconds;
        let mut too_long = false;
        let mut on_progress = |progress: &TuningProgress<'_>| {
            live.progress(JobProgress {
                done: progress.trials as u64,
                total: progress.of as u64,
                train_loss: None,
                val_loss: None,
            });
            too_long = begun.elapsed().as_secs_f64() > limit;
            if too_long || Self::goes_on(live).is_break() {
                Proceed::Stop
            } else if begun.elapsed().as_secs() >= u64::from(seconds) {
                Proceed::Finish
            } else {
                Proceed::Continue
            }
        };
        let users = std::slice::from_ref(&live.job.user_id);
        match self.engine.tune(users, &request, now, &mut on_progress) {
            Err(EngineError::Interrupted) if too_long => Err(EngineError::TookTooLong(limit)),
            Err(error) => Err(error),
            Ok(answer) => Ok(serde_json::to_value(answer).expect("answers are plain values")),
        }
    }

    fn import(&self, live: &Live, now: DateTime<Utc>) -> Result<serde_json::Value, EngineError> {
        let request: ImportRequest = serde_json::from_value(live.job.request.clone())
            .map_err(|_| damaged(&live.job.job_id))?;
        let path = self.engine.uploads().join(&request.file);
        let settings = ImportSettings {
            format: request
                .format
                .map(|word| word.parse::<Format>())
                .transpose()
                .map_err(|_| damaged(&live.job.job_id))?,
            zone: request.zone,
            user: Some(live.job.user_id.clone()),
            rejects_file: Some(path.with_extension("rejects.csv")),
            mirror: false,
            without_coverage: request.is_one_of_many,
            ..ImportSettings::default()
        };
        let mut told = None;
        let mut progress = |done: u64, total: u64| {
            // A hundred events at most, however large the file.
            let percent = done.saturating_mul(100) / total.max(1);
            if told.replace(percent) != Some(percent) {
                live.progress(JobProgress {
                    done,
                    total,
                    train_loss: None,
                    val_loss: None,
                });
            }
            Self::goes_on(live)
        };
        let summary = self.engine.import(&[path], &settings, now, &mut progress)?;
        // An app that posts every hour often has nothing new.
        let is_idle_post = request.is_one_of_many && summary.rows_read == 0;
        if summary.is_unusable() && !is_idle_post {
            return Err(EngineError::NothingUsable(summary.why_unusable()));
        }
        let mut result = serde_json::to_value(&summary).expect("summaries are plain values");
        if let Some(fields) = result.as_object_mut() {
            // The list of refused rows goes with the upload; their counts stay.
            fields.remove("rejects_file");
        }
        Ok(result)
    }

    /// Stores the end of a job and notifies its watchers.
    pub(super) fn finish(&self, live: &Live, outcome: JobOutcome) {
        let now = (self.clock)();
        let id = &live.job.job_id;
        let kept = self
            .engine
            .wait(self.engine.store.finish_job(id, &outcome, now));
        if kept.is_err() {
            tracing::error!(job = %id, "cannot store the end of a job");
        }
        if live.job.kind == JobKind::Import {
            remove_upload(&self.engine.uploads(), id);
        }
        let mut job = live.last();
        job.finished_at = Some(now);
        match outcome {
            JobOutcome::Succeeded(result) => {
                job.state = JobState::Succeeded;
                job.model_id = model_of(&result);
                job.result = Some(result);
            }
            JobOutcome::Failed(error) => {
                job.state = JobState::Failed;
                job.error = Some(error);
            }
            JobOutcome::Cancelled => job.state = JobState::Cancelled,
        }
        live.tell(job);
        let mut state = locked(&self.state);
        state.ended.push_back(id.clone());
        while state.ended.len() > REMEMBERED {
            if let Some(oldest) = state.ended.pop_front() {
                state.live.remove(&oldest);
            }
        }
    }
}

fn take_turn(state: &mut State) -> Option<Arc<Live>> {
    for _ in 0..state.turn.len() {
        let user = state.turn.pop_front()?;
        let queue = state.waiting.get_mut(&user)?;
        let free = queue.iter().position(|id| {
            state
                .live
                .get(id)
                .is_some_and(|live| !state.busy.contains(&live.subject()))
        });
        let taken = free.and_then(|place| queue.remove(place));
        if queue.is_empty() {
            state.waiting.remove(&user);
        } else {
            state.turn.push_back(user);
        }
        if let Some(live) = taken.and_then(|id| state.live.get(&id).cloned()) {
            return Some(live);
        }
    }
    None
}

/// Reads the request of a job, which was checked before it was stored.
fn damaged(id: &JobId) -> EngineError {
    EngineError::Damaged(format!("the request of job {id}"))
}

fn failed(error: &EngineError) -> JobOutcome {
    JobOutcome::Failed(failure(error))
}

/// An error as the one who started the work may see it.
pub(in crate::engine) fn failure(error: &EngineError) -> JobError {
    let ours = matches!(
        error.kind(),
        ErrorKind::Internal | ErrorKind::Unavailable | ErrorKind::Damaged
    );
    let detail = if ours {
        "the service could not finish the job: see the log of the service".to_owned()
    } else if error.names_files() {
        "a file or database that the job needs is locked or cannot be read: see the log of the \
         service"
            .to_owned()
    } else {
        error.to_string()
    };
    if ours || error.names_files() {
        tracing::error!(code = error.code(), "a job failed");
    }
    JobError {
        code: error.code().to_owned(),
        detail,
    }
}

/// Runs something on threads of its own. Made on this thread, they have the same low priority. They end with
/// the work: the memory that a training took would stay with threads that wait for the next one.
pub(in crate::engine) fn on_own_threads<T: Send>(
    name: &str,
    threads: usize,
    work: impl FnOnce() -> T + Send,
) -> T {
    let name = name.to_owned();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads.max(1))
        .thread_name(move |helper| format!("{name}-{helper}"))
        .build();
    match pool {
        Ok(pool) => pool.install(work),
        Err(_) => work(),
    }
}

/// Lowers the priority of the thread, so that requests come before trainings.
pub(in crate::engine) fn lower_priority() {
    // On Linux this concerns the calling thread and those it starts; elsewhere, or where it is
    // forbidden, jobs run as everything else does.
    #[cfg(target_os = "linux")]
    {
        use thread_priority::{
            NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
            set_thread_priority_and_policy, thread_native_id,
        };
        // A thread of the idle class makes way at once for one that wakes up, where a nice one of the
        // usual class first uses up its slice.
        let idle = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle);
        let here = thread_native_id();
        if set_thread_priority_and_policy(here, ThreadPriority::Min, idle).is_err() {
            let _ = rustix::process::nice(19);
        }
    }
}
