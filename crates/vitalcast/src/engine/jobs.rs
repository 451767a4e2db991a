//! Background jobs: trainings, imports and searches for settings are queued, run on separate threads, and can be watched and
//! cancelled.

mod cost;
mod imports;
mod leaving;
mod live;
mod uploads;
mod work;

pub use cost::estimated_seconds;
use imports::ImportRequest;
pub use imports::ImportUpload;
pub(super) use live::info;
pub use live::{JobEvent, JobWatch};
pub use uploads::{NewUpload, UploadError, UploadInfo, UploadPart};
pub(super) use work::{failure, lower_priority, on_own_threads};

use super::Engine;
use crate::error::EngineError;
use chrono::{DateTime, TimeDelta, Utc};
use live::Live;
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::{File, TryLockError};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use vitalcast_domain::{
    History, JobError, JobId, JobInfo, JobKind, JobList, JobState, PredictionMetric, Profile,
    TrainModelRequest, UnreadableJobInfo, UserId,
};
use vitalcast_store::{JobOutcome, Jobs, NewJob, Store, StoredJob};
use vitalcast_training::TuningRequest;

/// The clock for the start and end times of jobs.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// The folder of uploaded files that wait for their import.
const UPLOADS: &str = "uploads";
/// The folder of an upload, in the folder of its job.
const UPLOAD: &str = "upload";
/// The lock file of the server that uses a data folder.
const LOCK: &str = "server.lock";
/// A job that was interrupted this number of times fails: it may be the cause of the crashes.
pub(super) const MAX_ATTEMPTS: u32 = 3;
/// Number of ended jobs whose events stay in memory for their watchers.
const REMEMBERED: usize = 1_000;

/// Limits for the number and the run time of jobs.
#[derive(Debug, Clone)]
pub struct JobOptions {
    /// Maximum number of jobs that run at the same time.
    pub parallel: usize,
    /// Number of threads per training.
    pub threads_per_job: usize,
    /// Maximum number of waiting jobs, of all people together.
    pub max_waiting: usize,
    /// Maximum number of waiting jobs per person.
    pub max_waiting_per_user: usize,
    /// Maximum estimated run time of a training, seconds.
    pub max_estimated_seconds: f64,
    /// Maximum run time of a training, seconds.
    pub max_seconds: f64,
    /// How long an unfinished upload is kept after its last part.
    pub keep_uploads: TimeDelta,
}

impl Default for JobOptions {
    /// Two jobs at the same time with two threads each, 1,000 waiting jobs, 10 per person, 15 minutes
    /// each; unfinished uploads are kept for a day.
    fn default() -> Self {
        Self {
            parallel: 2,
            threads_per_job: 2,
            max_waiting: 1_000,
            max_waiting_per_user: 10,
            max_estimated_seconds: 900.0,
            max_seconds: 900.0,
            keep_uploads: TimeDelta::days(1),
        }
    }
}

/// A search in the queue.
#[derive(Debug, Serialize, Deserialize)]
struct TuningJob {
    request: TuningRequest,
    /// The time after which it ends with what it found.
    seconds: u32,
}

/// A lock on a data folder against other servers, until it is dropped or the process ends.
#[derive(Debug)]
pub struct FolderLock {
    folder: PathBuf,
    _file: File,
}

impl FolderLock {
    pub(super) fn is_of(&self, folder: &Path) -> bool {
        self.folder == folder
    }
}

/// Runs the jobs of a data folder. Clones share one queue; [`JobRunner::stop`] ends it.
#[derive(Clone)]
pub struct JobRunner(Arc<Shared>);

struct Shared {
    engine: Arc<Engine>,
    options: JobOptions,
    clock: Clock,
    state: Mutex<State>,
    wake: Condvar,
    threads: Mutex<Vec<std::thread::JoinHandle<()>>>,
    turns: uploads::Turns,
    /// Lock of the data folder: only one server uses it. It is released on stop, even if clones still
    /// exist.
    lock: Mutex<Option<FolderLock>>,
}

#[derive(Default)]
struct State {
    live: HashMap<JobId, Arc<Live>>,
    ended: VecDeque<JobId>,
    /// Queue of people: each person with waiting jobs is here once.
    turn: VecDeque<UserId>,
    waiting: HashMap<UserId, VecDeque<JobId>>,
    busy: HashSet<Subject>,
    /// People who are being erased; no new jobs are accepted for them.
    leaving: HashSet<UserId>,
    stopping: bool,
}

/// Resources that only one job can use at a time.
type Subject = (UserId, JobKind, Option<PredictionMetric>);

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl JobRunner {
    /// Continues the queue of a stopped or killed process, and starts the threads.
    ///
    /// # Errors
    ///
    /// [`EngineError::FolderInUse`] if another runner uses the same folder, [`EngineError::Store`],
    /// [`EngineError::Io`].
    pub fn start(
        engine: Arc<Engine>,
        options: JobOptions,
        clock: Clock,
    ) -> Result<Self, EngineError> {
        let lock = engine.lock_folder()?;
        let uploads = engine.uploads();
        std::fs::create_dir_all(&uploads).map_err(|source| EngineError::Io {
            doing: "create the folder of uploads",
            path: uploads.clone(),
            source,
        })?;
        engine.finish_erasures();
        engine.wait(engine.store.requeue_running(clock()))?;
        let open = engine.wait(engine.store.open_jobs())?;
        // One that this release cannot read waits, with its upload, for a release that can.
        let unreadable = open.unreadable.iter().map(|job| &job.id);
        let waiting = open.rows.iter().map(|stored| &stored.job.job_id);
        remove_orphans(&uploads, &waiting.chain(unreadable).collect::<Vec<_>>());
        engine.remove_broken_uploads();
        let shared = Arc::new(Shared {
            engine,
            options,
            clock,
            state: Mutex::default(),
            wake: Condvar::new(),
            threads: Mutex::default(),
            turns: Mutex::default(),
            lock: Mutex::new(Some(lock)),
        });
        for stored in &open.rows {
            let live = Arc::new(Live::new(stored));
            if stored.attempts >= MAX_ATTEMPTS {
                let error = JobError {
                    code: "GAVE_UP".to_owned(),
                    detail: format!("the job was interrupted {MAX_ATTEMPTS} times"),
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
                .spawn(move || worker.work(number))
                .map_err(|source| EngineError::Io {
                    doing: "start a thread for jobs in",
                    path: uploads.clone(),
                    source,
                })?;
            locked(&shared.threads).push(thread);
        }
        let runner = Self(shared);
        runner.remove_expired_uploads();
        Ok(runner)
    }

    /// Requests a training. If the same training is queued or running already, its job is returned and
    /// `id` is not used.
    ///
    /// # Errors
    ///
    /// [`EngineError::Training`] immediately for a person without data, [`EngineError::TooCostly`],
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

    /// Requests a search for settings of a person's model, which ends after `seconds` with what it found. If
    /// the same search is queued or running already, its job is returned and `id` is not used.
    ///
    /// # Errors
    ///
    /// [`EngineError::UnknownUser`], [`EngineError::Training`] for a request outside its bounds,
    /// [`EngineError::TooCostly`], [`EngineError::QueueFull`], [`EngineError::Store`].
    pub fn tune(
        &self,
        user: &UserId,
        request: &TuningRequest,
        seconds: u32,
        id: JobId,
    ) -> Result<JobInfo, EngineError> {
        request.validate()?;
        let (estimated, limit) = (f64::from(seconds), self.0.options.max_estimated_seconds);
        if estimated > limit {
            return Err(EngineError::TooCostly { estimated, limit });
        }
        let engine = &self.0.engine;
        engine
            .generation(user)?
            .ok_or_else(|| engine.unknown(user))?;
        let job = TuningJob {
            request: request.clone(),
            seconds,
        };
        self.submit(NewJob {
            job_id: id,
            user_id: user.clone(),
            kind: JobKind::Tune,
            metric: Some(request.metric),
            request: serde_json::to_value(job).expect("requests are plain values"),
            cost_seconds: estimated,
            created_at: (self.0.clock)(),
        })
    }

    fn submit(&self, job: NewJob) -> Result<JobInfo, EngineError> {
        let shared = &self.0;
        let mut state = locked(&shared.state);
        if state.leaving.contains(&job.user_id) {
            return Err(EngineError::BeingErased(job.user_id));
        }
        let same = state.live.values().find(|live| {
            joins_the_same(job.kind)
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

    /// The current state of a job.
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

    /// The newest jobs of a person, at most `limit`, newest first.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`].
    pub fn jobs_of(&self, user: &UserId, limit: u32) -> Result<JobList, EngineError> {
        let engine = &self.0.engine;
        let stored = engine.wait(engine.store.jobs_of(user, limit))?;
        let state = locked(&self.0.state);
        let jobs = stored.rows.iter();
        let unreadable = stored.unreadable.into_iter();
        Ok(JobList {
            user_id: user.clone(),
            jobs: jobs
                .map(|stored| match state.live.get(&stored.job.job_id) {
                    Some(live) => live.last(),
                    None => info(stored),
                })
                .collect(),
            unreadable_jobs: unreadable
                .map(|job| UnreadableJobInfo {
                    job_id: job.id,
                    reason: job.what,
                })
                .collect(),
        })
    }

    /// Follows a job; `None` if it ended so long ago that its events are no longer in memory.
    pub fn watch(&self, id: &JobId) -> Option<JobWatch> {
        let live = locked(&self.0.state).live.get(id).cloned()?;
        let changed = live.changed.subscribe();
        Some(JobWatch { live, changed })
    }

    /// Cancels a job. A queued job ends immediately, a running job at its next safe point.
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
        } else {
            // Should this process be killed before the job has noticed, the next one knows.
            let engine = &self.0.engine;
            engine.wait(engine.store.call_off(id))?;
        }
        Ok(live.last())
    }

    /// The number of running and of waiting jobs.
    pub fn load(&self) -> (usize, usize) {
        let state = locked(&self.0.state);
        let waiting = state.waiting.values().map(VecDeque::len).sum();
        (state.busy.len(), waiting)
    }

    /// Stops the runner: running jobs end at their next safe point and return to the queue, for the
    /// next process on this folder. Returns when all threads have ended and the folder is unlocked.
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
        locked(&self.0.lock).take();
    }
}

/// Whether a request that equals a waiting or running job joins it. The files of two imports are never the
/// same.
fn joins_the_same(kind: JobKind) -> bool {
    match kind {
        JobKind::Train | JobKind::Tune => true,
        JobKind::Import => false,
    }
}

impl Engine {
    /// The folder of uploaded files that wait for their import; it exists after a [`JobRunner`] was
    /// started.
    pub fn uploads(&self) -> PathBuf {
        self.folder.join(UPLOADS)
    }

    /// Locks this folder against servers while the lock is held.
    ///
    /// # Errors
    ///
    /// [`EngineError::FolderInUse`] while a server uses it, [`EngineError::Io`].
    pub fn lock_folder(&self) -> Result<FolderLock, EngineError> {
        let path = self.folder.join(LOCK);
        let failed = |source| EngineError::Io {
            doing: "lock the data folder with",
            path: path.clone(),
            source,
        };
        let file = File::create(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(FolderLock {
                folder: self.folder.clone(),
                _file: file,
            }),
            Err(TryLockError::WouldBlock) => Err(EngineError::FolderInUse(self.folder.clone())),
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// The error of a training for a person without data, with counts and dates.
    fn nothing_to_train_on(&self, request: &TrainModelRequest, now: DateTime<Utc>) -> EngineError {
        let nobody = History::new(request.user_id.clone(), Profile::default());
        let trained =
            vitalcast_training::train(&nobody, request, now, self.device, None, &mut |_| {
                ControlFlow::Continue(())
            });
        match trained {
            Err(error) => error.into(),
            Ok(_) => EngineError::Interrupted,
        }
    }
}

/// Removes uploads that belong to no waiting job, but not those that can be gone on with.
fn remove_orphans(folder: &Path, open: &[&JobId]) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let wanted = open.iter().any(|id| name.starts_with(id.as_str()));
        if !wanted && name != uploads::UNFINISHED {
            remove(&entry.path());
        }
    }
}

/// Removes the upload of a job.
fn remove_upload(uploads: &Path, id: &JobId) {
    remove(&uploads.join(id.as_str()));
}

/// Removes a file or a folder. If this fails, the next start tries again.
fn remove(path: &Path) {
    let _ = if path.is_dir() {
        std::fs::remove_dir_all(path)
    } else {
        std::fs::remove_file(path)
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A training of somebody that was asked for.
    fn waiting_training(engine: &Engine) -> JobId {
        let user_id = UserId::new("anna").unwrap();
        engine.set_profile(&user_id, &Profile::default()).unwrap();
        let job = NewJob {
            job_id: JobId::from_random([7; 16]),
            user_id,
            kind: JobKind::Train,
            metric: Some(PredictionMetric::RestingHeartRate),
            request: serde_json::json!({}),
            cost_seconds: 1.0,
            created_at: DateTime::UNIX_EPOCH,
        };
        engine.wait(engine.store.add_job(&job)).unwrap();
        job.job_id
    }

    #[test]
    fn a_job_that_was_cut_off_too_often_is_given_up() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Arc::new(Engine::open(folder.path()).unwrap());
        let moment = DateTime::UNIX_EPOCH;
        let id = waiting_training(&engine);
        for _ in 0..MAX_ATTEMPTS {
            assert!(engine.wait(engine.store.start_job(&id, moment)).unwrap());
            // Killed: nobody hands it back, the next start finds it running.
            engine.wait(engine.store.requeue_running(moment)).unwrap();
        }
        let jobs =
            JobRunner::start(engine, JobOptions::default(), Arc::new(move || moment)).unwrap();
        let given_up = jobs.job(&id).unwrap();
        assert_eq!(given_up.state, JobState::Failed);
        assert_eq!(given_up.error.unwrap().code, "GAVE_UP");
        jobs.stop();
    }

    #[test]
    fn a_job_that_was_called_off_before_a_kill_does_not_run_again() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Arc::new(Engine::open(folder.path()).unwrap());
        let moment = DateTime::UNIX_EPOCH;
        let id = waiting_training(&engine);
        assert!(engine.wait(engine.store.start_job(&id, moment)).unwrap());
        engine.wait(engine.store.call_off(&id)).unwrap();
        // Killed here.
        let jobs =
            JobRunner::start(engine, JobOptions::default(), Arc::new(move || moment)).unwrap();
        let ended = jobs.job(&id).unwrap();
        assert_eq!(ended.state, JobState::Cancelled);
        assert_eq!(ended.finished_at, Some(moment));
        jobs.stop();
    }

    /// A queued job of a kind that this release does not know kept the service from starting.
    #[test]
    fn a_job_of_a_newer_release_waits_for_it_with_its_upload() {
        let folder = tempfile::tempdir().unwrap();
        let open = || Arc::new(Engine::open(folder.path()).unwrap());
        let engine = open();
        let id = waiting_training(&engine);
        let upload = engine.uploads().join(id.as_str());
        std::fs::create_dir_all(&upload).unwrap();
        drop(engine);
        // What was written last comes into the file itself when nothing has it open.
        let log = folder.path().join("vitalcast.db-wal");
        for _ in 0..100 {
            if log.exists() {
                drop(open());
            }
        }
        let file = folder.path().join("vitalcast.db");
        let mut bytes = std::fs::read(&file).unwrap();
        // The columns of the row, one behind the other: the person and the kind.
        let (before, after) = (b"annatrain", b"annatrAIN");
        let places = 0..bytes.len() - before.len();
        let found = places.filter(|place| bytes[*place..].starts_with(before));
        let found: Vec<usize> = found.collect();
        assert_eq!(found.len(), 1);
        bytes[found[0]..][..after.len()].copy_from_slice(after);
        std::fs::write(&file, bytes).unwrap();

        let moment = DateTime::UNIX_EPOCH;
        let clock: Clock = Arc::new(move || moment);
        let engine = open();
        let options = JobOptions::default();
        let jobs = JobRunner::start(Arc::clone(&engine), options, clock).unwrap();
        let user = UserId::new("anna").unwrap();
        let list = jobs.jobs_of(&user, 10).unwrap();
        assert_eq!(list.jobs, []);
        let [unreadable] = &list.unreadable_jobs[..] else {
            panic!("{list:?}")
        };
        assert_eq!(unreadable.job_id, id);
        assert!(
            unreadable.reason.contains("newer release"),
            "{unreadable:?}"
        );
        assert!(upload.exists());
        let export = std::io::Cursor::new(Vec::new());
        let export = engine.export_user(&user, moment, export).unwrap();
        let mut export = zip::ZipArchive::new(export).unwrap();
        let unreadable = export.by_name("unreadable.json").unwrap();
        let unreadable: serde_json::Value = serde_json::from_reader(unreadable).unwrap();
        assert_eq!(unreadable[0]["job_id"], id.as_str());
        assert_eq!(unreadable[0]["content"], "{}");
        // It goes with its person, though nobody can call it off.
        assert!(jobs.erase_user(&user).unwrap().erased);
        assert!(!upload.exists());
        jobs.stop();
    }

    #[test]
    fn an_erasure_that_was_cut_off_is_gone_on_with() {
        let folder = tempfile::tempdir().unwrap();
        let engine = Arc::new(Engine::open(folder.path()).unwrap());
        let user = UserId::new("anna").unwrap();
        let left = engine.model_path("0123.vcm");
        let erased_halfway = || {
            engine.set_profile(&user, &Profile::default()).unwrap();
            engine.wait(engine.store.erase_user(&user)).unwrap();
            std::fs::write(&left, "a model of somebody who is gone").unwrap();
        };
        // Killed there; asked for again.
        erased_halfway();
        let erased = engine.erase(&user).unwrap();
        assert_eq!((erased.model_files, erased.log_emptied), (1, true));
        assert!(!left.exists());
        let again = engine.erase(&user).unwrap_err();
        assert_eq!(again.code(), "UNKNOWN_USER");
        // Or never asked for again.
        erased_halfway();
        let moment = DateTime::UNIX_EPOCH;
        let started = JobRunner::start(
            Arc::clone(&engine),
            JobOptions::default(),
            Arc::new(move || moment),
        );
        assert!(!left.exists());
        let pending = engine.wait(engine.store.pending_erasures()).unwrap();
        assert!(pending.is_empty());
        started.unwrap().stop();
    }
}
