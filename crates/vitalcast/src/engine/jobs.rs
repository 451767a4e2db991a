//! Trainings and imports that outlast a request: queued, run on threads of their own, watched and
//! called off.

use super::{Engine, ImportSettings};
use crate::error::{EngineError, ErrorKind};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::{File, TryLockError};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;
use vitalcast_domain::{
    History, JobError, JobId, JobInfo, JobKind, JobProgress, JobState, ModelArchitecture,
    PredictionMetric, Profile, TrainModelRequest, UserId, Zone,
};
use vitalcast_import::Format;
use vitalcast_store::{JobOutcome, Jobs, NewJob, Store, StoredJob};
use vitalcast_training::EpochReport;

/// Where the moments come from at which jobs begin and end.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// The folder of files that wait to be imported.
const UPLOADS: &str = "uploads";
/// Held by the one server that works on a data folder.
const LOCK: &str = "server.lock";
/// A job that was cut off this often is given up: it may be what kills the process.
const MAX_ATTEMPTS: u32 = 3;
/// Ended jobs whose progress is remembered for those who still watch.
const REMEMBERED: usize = 1_000;
/// Arithmetic per second that an estimate counts on, floating-point operations.
const ASSUMED_SPEED: f64 = 1e11;
/// Time everything around the fitting takes, seconds.
const OVERHEAD_SECONDS: f64 = 0.3;
/// Bytes an import reads in a second, counted on.
const ASSUMED_READING: f64 = 5e6;

/// How many jobs run, wait and last.
#[derive(Debug, Clone)]
pub struct JobOptions {
    /// Jobs that run at once.
    pub parallel: usize,
    /// Threads of one training.
    pub threads_per_job: usize,
    /// Jobs that may wait, of everyone together.
    pub max_waiting: usize,
    /// Jobs that may wait, of one person.
    pub max_waiting_per_user: usize,
    /// Longest training by its estimate, seconds.
    pub max_estimated_seconds: f64,
    /// Longest training by the clock, seconds.
    pub max_seconds: f64,
}

impl Default for JobOptions {
    /// Two at once, two threads each, 1,000 waiting, 10 of one person, a quarter of an hour each.
    fn default() -> Self {
        Self {
            parallel: 2,
            threads_per_job: 2,
            max_waiting: 1_000,
            max_waiting_per_user: 10,
            max_estimated_seconds: 900.0,
            max_seconds: 900.0,
        }
    }
}

/// A file to import for one person.
#[derive(Debug, Clone)]
pub struct ImportUpload {
    /// Whose.
    pub user_id: UserId,
    /// The file; it is moved away, and gone when the import has ended.
    pub file: PathBuf,
    /// Its name where it came from; the ending tells CSV from JSON lines.
    pub name: String,
    /// What it is; recognised by content when not given.
    pub format: Option<Format>,
    /// The person's zone.
    pub zone: Option<Zone>,
}

/// An import as the queue keeps it.
#[derive(Debug, Serialize, Deserialize)]
struct ImportRequest {
    file: String,
    format: Option<String>,
    zone: Option<Zone>,
    bytes: u64,
}

/// Something that happened to a job, numbered from 1.
#[derive(Debug, Clone, PartialEq)]
pub struct JobEvent {
    /// Its number.
    pub number: u64,
    /// The job as it was then.
    pub job: JobInfo,
}

/// Runs the jobs of a data folder. Clones share one queue; the last [`JobRunner::stop`] ends it.
#[derive(Clone)]
pub struct JobRunner(Arc<Shared>);

struct Shared {
    engine: Arc<Engine>,
    options: JobOptions,
    clock: Clock,
    state: Mutex<State>,
    wake: Condvar,
    threads: Mutex<Vec<std::thread::JoinHandle<()>>>,
    /// One server works on a folder, so that what is running there is its own.
    _lock: File,
}

#[derive(Default)]
struct State {
    live: HashMap<JobId, Arc<Live>>,
    ended: VecDeque<JobId>,
    /// Whose turn it is: each person who waits stands here once.
    turn: VecDeque<UserId>,
    waiting: HashMap<UserId, VecDeque<JobId>>,
    busy: HashSet<Subject>,
    stopping: bool,
}

/// What only one job works on at a time.
type Subject = (UserId, JobKind, Option<PredictionMetric>);

struct Live {
    job: NewJob,
    events: Mutex<Vec<JobEvent>>,
    changed: watch::Sender<u64>,
    cancelled: AtomicBool,
    /// The process ends: hand the job back.
    handed_back: AtomicBool,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Live {
    fn new(stored: &StoredJob) -> Self {
        let live = Self {
            job: stored.job.clone(),
            events: Mutex::default(),
            changed: watch::Sender::new(0),
            cancelled: AtomicBool::new(false),
            handed_back: AtomicBool::new(false),
        };
        live.tell(info(stored));
        live
    }

    fn subject(&self) -> Subject {
        (self.job.user_id.clone(), self.job.kind, self.job.metric)
    }

    fn last(&self) -> JobInfo {
        let events = locked(&self.events);
        events
            .last()
            .expect("a job begins with an event")
            .job
            .clone()
    }

    fn tell(&self, job: JobInfo) {
        let mut events = locked(&self.events);
        let number = events.len() as u64 + 1;
        events.push(JobEvent { number, job });
        self.changed.send_replace(number);
    }

    fn progress(&self, progress: JobProgress) {
        let mut job = self.last();
        job.progress = Some(progress);
        self.tell(job);
    }
}

/// Follows one job. Every event is seen, also those from before.
pub struct JobWatch {
    live: Arc<Live>,
    changed: watch::Receiver<u64>,
}

impl JobWatch {
    /// The events after a number, waiting until there is one. Empty once the job has ended and all
    /// were seen, or when the process stops.
    pub async fn after(&mut self, number: u64) -> Vec<JobEvent> {
        loop {
            self.changed.borrow_and_update();
            let events: Vec<JobEvent> = {
                let events = locked(&self.live.events);
                let from = usize::try_from(number).unwrap_or(usize::MAX);
                events.get(from..).unwrap_or_default().to_vec()
            };
            if !events.is_empty()
                || self.live.last().state.is_final()
                || self.live.handed_back.load(Ordering::SeqCst)
            {
                return events;
            }
            if self.changed.changed().await.is_err() {
                return Vec::new();
            }
        }
    }

    /// The job when it has ended, or as it is when the process stops.
    pub async fn end(&mut self) -> JobInfo {
        loop {
            self.changed.borrow_and_update();
            let last = self.live.last();
            if last.state.is_final()
                || self.live.handed_back.load(Ordering::SeqCst)
                || self.changed.changed().await.is_err()
            {
                return last;
            }
        }
    }
}

impl JobRunner {
    /// Takes up what a stopped or killed process left in the queue, and starts the threads.
    ///
    /// # Errors
    ///
    /// [`EngineError::FolderInUse`] when another runner works on the same folder,
    /// [`EngineError::Store`], [`EngineError::Io`].
    pub fn start(
        engine: Arc<Engine>,
        options: JobOptions,
        clock: Clock,
    ) -> Result<Self, EngineError> {
        let lock = lock_folder(engine.folder())?;
        let uploads = engine.uploads();
        std::fs::create_dir_all(&uploads).map_err(|source| EngineError::Io {
            doing: "create the folder of uploads",
            path: uploads.clone(),
            source,
        })?;
        engine.wait(engine.store.requeue_running())?;
        let open = engine.wait(engine.store.open_jobs())?;
        remove_orphans(&uploads, &open);
        let shared = Arc::new(Shared {
            engine,
            options,
            clock,
            state: Mutex::default(),
            wake: Condvar::new(),
            threads: Mutex::default(),
            _lock: lock,
        });
        for stored in &open {
            let live = Arc::new(Live::new(stored));
            if stored.attempts >= MAX_ATTEMPTS {
                let error = JobError {
                    code: "GAVE_UP".to_owned(),
                    detail: format!("the job was cut off {MAX_ATTEMPTS} times"),
                };
                shared.finish(&live, JobOutcome::Failed(error));
            } else {
                shared.enqueue(&mut locked(&shared.state), live);
            }
        }
        for number in 0..shared.options.parallel.max(1) {
            let worker = Arc::clone(&shared);
            let thread = std::thread::Builder::new()
                .name(format!("job-{number}"))
                .spawn(move || worker.work())
                .map_err(|source| EngineError::Io {
                    doing: "start a thread for jobs in",
                    path: uploads.clone(),
                    source,
                })?;
            locked(&shared.threads).push(thread);
        }
        Ok(Self(shared))
    }

    /// Asks for a training. One like it that waits or runs is joined, and `id` is then not used.
    ///
    /// # Errors
    ///
    /// [`EngineError::Training`] at once for a person without any data, [`EngineError::TooCostly`],
    /// [`EngineError::QueueFull`], [`EngineError::Request`], [`EngineError::Store`].
    pub fn train(&self, request: &TrainModelRequest, id: JobId) -> Result<JobInfo, EngineError> {
        request.validate()?;
        let estimated = estimated_seconds(request);
        let limit = self.0.options.max_estimated_seconds;
        if estimated > limit {
            return Err(EngineError::TooCostly { estimated, limit });
        }
        let engine = &self.0.engine;
        if engine
            .wait(engine.store.profile(&request.user_id))?
            .is_none()
        {
            return Err(engine.nothing_to_train_on(request, (self.0.clock)()));
        }
        self.submit(NewJob {
            job_id: id,
            user_id: request.user_id.clone(),
            kind: JobKind::Train,
            metric: Some(request.metric),
            request: serde_json::to_value(request).expect("requests are plain values"),
            cost_seconds: estimated,
            created_at: (self.0.clock)(),
        })
    }

    /// Asks for an import. The file is moved into the data folder.
    ///
    /// # Errors
    ///
    /// [`EngineError::QueueFull`], [`EngineError::Io`], [`EngineError::Store`].
    pub fn import(&self, upload: ImportUpload, id: JobId) -> Result<JobInfo, EngineError> {
        let engine = &self.0.engine;
        let ending: String = Path::new(&upload.name)
            .extension()
            .and_then(|ending| ending.to_str())
            .filter(|ending| ending.len() <= 8 && ending.bytes().all(|b| b.is_ascii_alphanumeric()))
            .map_or_else(|| "csv".to_owned(), str::to_ascii_lowercase);
        let file = format!("{id}.{ending}");
        let path = engine.uploads().join(&file);
        let failed = |source| EngineError::Io {
            doing: "keep the upload",
            path: path.clone(),
            source,
        };
        let bytes = std::fs::metadata(&upload.file).map_err(failed)?.len();
        std::fs::rename(&upload.file, &path).map_err(failed)?;
        if engine
            .wait(engine.store.profile(&upload.user_id))?
            .is_none()
        {
            let profile = Profile {
                zone: upload.zone.unwrap_or(Zone::UTC),
                ..Profile::default()
            };
            engine.set_profile(&upload.user_id, &profile)?;
        }
        let request = ImportRequest {
            file,
            format: upload.format.map(|format| format.to_string()),
            zone: upload.zone,
            bytes,
        };
        let submitted = self.submit(NewJob {
            job_id: id,
            user_id: upload.user_id,
            kind: JobKind::Import,
            metric: None,
            request: serde_json::to_value(request).expect("requests are plain values"),
            cost_seconds: bytes as f64 / ASSUMED_READING,
            created_at: (self.0.clock)(),
        });
        if submitted.is_err() {
            // Nobody will read it.
            let _ = std::fs::remove_file(&path);
        }
        submitted
    }

    fn submit(&self, job: NewJob) -> Result<JobInfo, EngineError> {
        let shared = &self.0;
        let mut state = locked(&shared.state);
        let same = state.live.values().find(|live| {
            job.kind == JobKind::Train
                && live.job.user_id == job.user_id
                && live.job.metric == job.metric
                && live.job.request == job.request
                && !live.last().state.is_final()
                && !live.cancelled.load(Ordering::SeqCst)
        });
        if let Some(live) = same {
            return Ok(live.last());
        }
        let waiting: usize = state.waiting.values().map(VecDeque::len).sum();
        let of_user = state.waiting.get(&job.user_id).map_or(0, VecDeque::len);
        for (waiting, limit) in [
            (waiting, shared.options.max_waiting),
            (of_user, shared.options.max_waiting_per_user),
        ] {
            if waiting >= limit {
                return Err(EngineError::QueueFull { waiting, limit });
            }
        }
        shared.engine.wait(shared.engine.store.add_job(&job))?;
        let live = Arc::new(Live::new(&StoredJob {
            job,
            state: JobState::Queued,
            attempts: 0,
            started_at: None,
            finished_at: None,
            result: None,
            error: None,
        }));
        shared.enqueue(&mut state, Arc::clone(&live));
        Ok(live.last())
    }

    /// A job as it is now.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownJob`], [`EngineError::Store`].
    pub fn job(&self, id: &JobId) -> Result<JobInfo, EngineError> {
        let live = locked(&self.0.state).live.get(id).cloned();
        if let Some(live) = live {
            return Ok(live.last());
        }
        let engine = &self.0.engine;
        let stored = engine.wait(engine.store.job(id))?;
        stored
            .as_ref()
            .map(info)
            .ok_or_else(|| EngineError::UnknownJob(id.clone()))
    }

    /// The last jobs of a person, newest first.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub fn jobs_of(&self, user: &UserId, limit: u32) -> Result<Vec<JobInfo>, EngineError> {
        let engine = &self.0.engine;
        let stored = engine.wait(engine.store.jobs_of(user, limit))?;
        let state = locked(&self.0.state);
        Ok(stored
            .iter()
            .map(|stored| match state.live.get(&stored.job.job_id) {
                Some(live) => live.last(),
                None => info(stored),
            })
            .collect())
    }

    /// Follows a job; `None` when it ended so long ago that only its end is kept.
    pub fn watch(&self, id: &JobId) -> Option<JobWatch> {
        let live = locked(&self.0.state).live.get(id).cloned()?;
        let changed = live.changed.subscribe();
        Some(JobWatch { live, changed })
    }

    /// Calls a job off. One that waits ends at once, one that runs at its next safe point.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownJob`], [`EngineError::JobEnded`], [`EngineError::Store`].
    pub fn cancel(&self, id: &JobId) -> Result<JobInfo, EngineError> {
        let live = locked(&self.0.state).live.get(id).cloned();
        let Some(live) = live else {
            self.job(id)?;
            return Err(EngineError::JobEnded(id.clone()));
        };
        let before = live.last();
        if before.state.is_final() {
            return Err(EngineError::JobEnded(id.clone()));
        }
        live.cancelled.store(true, Ordering::SeqCst);
        let waited = {
            let mut state = locked(&self.0.state);
            match state.waiting.get_mut(&live.job.user_id) {
                Some(queue) => {
                    let length = queue.len();
                    queue.retain(|waiting| waiting != id);
                    queue.len() < length
                }
                None => false,
            }
        };
        if waited {
            self.0.finish(&live, JobOutcome::Cancelled);
        }
        Ok(live.last())
    }

    /// Erases a person with everything of theirs, after calling off their jobs.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`], [`EngineError::Store`], [`EngineError::Io`].
    pub fn erase_user(&self, user: &UserId) -> Result<super::Erasure, EngineError> {
        let jobs: Vec<Arc<Live>> = locked(&self.0.state)
            .live
            .values()
            .filter(|live| live.job.user_id == *user)
            .cloned()
            .collect();
        for live in &jobs {
            match self.cancel(&live.job.job_id) {
                Ok(_) | Err(EngineError::JobEnded(_) | EngineError::UnknownJob(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let mut state = locked(&self.0.state);
        while state.busy.iter().any(|(busy, ..)| busy == user) {
            let waited = self.0.wake.wait_timeout(state, Duration::from_millis(50));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        for live in &jobs {
            state.live.remove(&live.job.job_id);
        }
        // New jobs of theirs wait for this lock, and find nobody.
        let erased = self.0.engine.erase_user(user);
        drop(state);
        erased
    }

    /// How many jobs run and wait.
    pub fn load(&self) -> (usize, usize) {
        let state = locked(&self.0.state);
        let waiting = state.waiting.values().map(VecDeque::len).sum();
        (state.busy.len(), waiting)
    }

    /// Stops: running jobs end at their next safe point and go back into the queue, for the next
    /// process on this folder. Returns when all threads have ended.
    pub fn stop(&self) {
        {
            let mut state = locked(&self.0.state);
            state.stopping = true;
            for live in state.live.values() {
                live.handed_back.store(true, Ordering::SeqCst);
                live.changed.send_modify(|_| {});
            }
        }
        self.0.wake.notify_all();
        for thread in locked(&self.0.threads).drain(..) {
            // A thread that panicked has nothing left to say.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn enqueue(&self, state: &mut State, live: Arc<Live>) {
        let (user, id) = (live.job.user_id.clone(), live.job.job_id.clone());
        state.live.insert(id.clone(), live);
        state.waiting.entry(user.clone()).or_default().push_back(id);
        if !state.turn.contains(&user) {
            state.turn.push_back(user);
        }
        self.wake.notify_all();
    }

    /// The next job: people take turns, each with their oldest job that nothing stands in the way of.
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

    fn work(&self) {
        lower_priority();
        // Made on this thread, its threads have the same low priority.
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(self.options.threads_per_job.max(1))
            .build();
        while let Some(live) = self.next() {
            let run = std::panic::AssertUnwindSafe(|| match &pool {
                Ok(pool) => pool.install(|| self.run(&live)),
                Err(_) => self.run(&live),
            });
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
                        tracing::warn!(job = %id, "a job could not be handed back; the next start will");
                    }
                }
            }
            locked(&self.state).busy.remove(&live.subject());
            self.wake.notify_all();
        }
    }

    /// Runs a job; `None` when it has to be handed back.
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
        };
        match outcome {
            Ok(result) => Some(JobOutcome::Succeeded(result)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {
                let called_off = live.cancelled.load(Ordering::SeqCst);
                called_off.then_some(JobOutcome::Cancelled)
            }
            Err(error) => Some(self.without_paths(failed(&error))),
        }
    }

    /// Where files lie here is nobody's business who only sent one.
    fn without_paths(&self, outcome: JobOutcome) -> JobOutcome {
        let JobOutcome::Failed(mut error) = outcome else {
            return outcome;
        };
        let folder = format!(
            "{}{}",
            self.engine.uploads().display(),
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
            .map_err(|error| EngineError::InvalidSetting(error.to_string()))?;
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

    fn import(&self, live: &Live, now: DateTime<Utc>) -> Result<serde_json::Value, EngineError> {
        let unusable = |what: String| EngineError::InvalidSetting(what);
        let request: ImportRequest = serde_json::from_value(live.job.request.clone())
            .map_err(|error| unusable(error.to_string()))?;
        let path = self.engine.uploads().join(&request.file);
        let settings = ImportSettings {
            format: request
                .format
                .map(|word| word.parse::<Format>())
                .transpose()
                .map_err(|error| unusable(error.to_string()))?,
            zone: request.zone,
            user: Some(live.job.user_id.clone()),
            rejects_file: Some(path.with_extension("rejects.csv")),
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
        let summary = self.engine.import(&path, &settings, now, &mut progress)?;
        let mut result = serde_json::to_value(&summary).expect("summaries are plain values");
        if let Some(fields) = result.as_object_mut() {
            // The list of refused rows goes with the upload; their counts stay.
            fields.remove("rejects_file");
        }
        Ok(result)
    }

    /// Writes down how a job ended, and tells whoever watches.
    fn finish(&self, live: &Live, outcome: JobOutcome) {
        let now = (self.clock)();
        let id = &live.job.job_id;
        let kept = self
            .engine
            .wait(self.engine.store.finish_job(id, &outcome, now));
        if kept.is_err() {
            tracing::error!(job = %id, "the end of a job could not be written down");
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

fn failed(error: &EngineError) -> JobOutcome {
    let (code, detail) = match error.kind() {
        ErrorKind::Internal | ErrorKind::Unavailable => {
            tracing::error!(code = error.code(), "a job failed");
            let detail = match error {
                EngineError::TookTooLong(_) => error.to_string(),
                _ => "the job could not be done here; the log says more".to_owned(),
            };
            (error.code(), detail)
        }
        _ => (error.code(), error.to_string()),
    };
    JobOutcome::Failed(JobError {
        code: code.to_owned(),
        detail,
    })
}

fn model_of(result: &serde_json::Value) -> Option<vitalcast_domain::ModelId> {
    result.get("model_id")?.as_str()?.parse().ok()
}

pub(super) fn info(stored: &StoredJob) -> JobInfo {
    JobInfo {
        job_id: stored.job.job_id.clone(),
        user_id: stored.job.user_id.clone(),
        kind: stored.job.kind,
        metric: stored.job.metric,
        state: stored.state,
        progress: None,
        estimated_seconds: stored.job.cost_seconds,
        created_at: stored.job.created_at,
        started_at: stored.started_at,
        finished_at: stored.finished_at,
        model_id: stored.result.as_ref().and_then(model_of),
        result: stored.result.clone(),
        error: stored.error.clone(),
    }
}

/// How long a training takes, from its settings: multiplications and additions of the network for
/// every day of every window and epoch, forwards and backwards, at a speed any machine has.
pub fn estimated_seconds(request: &TrainModelRequest) -> f64 {
    if !request.architecture.is_lstm() {
        let per_epoch = match request.architecture {
            ModelArchitecture::Linear => request.epochs as f64 * 1e-3,
            _ => 0.0,
        };
        return OVERHEAD_SECONDS + per_epoch;
    }
    // 51 features, the metric itself, and a mask for each.
    let inputs = 104.0;
    let hidden = request.hidden_dim as f64;
    let directions = if request.bidirectional { 2.0 } else { 1.0 };
    let layers = request.num_layers as f64;
    let first = 4.0 * hidden * (inputs + hidden);
    let further = (layers - 1.0) * 4.0 * hidden * (directions * hidden + hidden);
    let weights = directions * (first + further);
    let windows = request
        .lookback_days
        .saturating_sub(request.sequence_length)
        .max(10) as f64;
    let steps = windows * request.sequence_length as f64 * request.epochs as f64;
    OVERHEAD_SECONDS + 6.0 * weights * steps / ASSUMED_SPEED
}

impl Engine {
    /// The folder of files that wait to be imported; there once a [`JobRunner`] was started.
    pub fn uploads(&self) -> PathBuf {
        self.folder.join(UPLOADS)
    }

    /// The error of a training of someone without any data: counts and dates as for anyone else.
    fn nothing_to_train_on(&self, request: &TrainModelRequest, now: DateTime<Utc>) -> EngineError {
        let nobody = History::new(request.user_id.clone(), Profile::default());
        let trained = vitalcast_training::train(&nobody, request, now, self.device, &mut |_| {
            ControlFlow::Continue(())
        });
        match trained {
            Err(error) => error.into(),
            Ok(_) => EngineError::Interrupted,
        }
    }
}

fn lock_folder(folder: &Path) -> Result<File, EngineError> {
    let path = folder.join(LOCK);
    let failed = |source| EngineError::Io {
        doing: "lock the data folder with",
        path: path.clone(),
        source,
    };
    let file = File::create(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(EngineError::FolderInUse(folder.to_owned())),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// Removes uploads that no job waits for.
fn remove_orphans(uploads: &Path, open: &[StoredJob]) {
    for entry in std::fs::read_dir(uploads).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let wanted = open
            .iter()
            .any(|stored| name.starts_with(stored.job.job_id.as_str()));
        if !wanted {
            // What cannot be removed now is tried again at the next start.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Removes what was uploaded for a job.
fn remove_upload(uploads: &Path, id: &JobId) {
    for entry in std::fs::read_dir(uploads).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(id.as_str()) {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Lets everything else go first: requests are answered while a training takes what is left.
fn lower_priority() {
    // On Linux this concerns the calling thread and those it starts; elsewhere, or where it is
    // forbidden, jobs run as everything else does.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(10);
}
