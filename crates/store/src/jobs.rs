//! Jobs and API keys: what a service keeps beside the data of its people.

use crate::error::StoreError;
use chrono::{DateTime, Utc};
use vitalcast_domain::{
    JobError, JobId, JobKind, JobState, KeyId, KeyInfo, PredictionMetric, UserId,
};

/// A job to keep; it waits for its turn.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Its id.
    pub job_id: JobId,
    /// Whose.
    pub user_id: UserId,
    /// What it does.
    pub kind: JobKind,
    /// What it trains.
    pub metric: Option<PredictionMetric>,
    /// Its settings.
    pub request: serde_json::Value,
    /// How long it will take, estimated.
    pub cost_seconds: f64,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
}

/// A job that is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredJob {
    /// What was asked for.
    pub job: NewJob,
    /// How far it is.
    pub state: JobState,
    /// How often it was begun.
    pub attempts: u32,
    /// When it was begun last.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// What came of it.
    pub result: Option<serde_json::Value>,
    /// Why it failed.
    pub error: Option<JobError>,
}

/// How a job ended.
#[derive(Debug, Clone, PartialEq)]
pub enum JobOutcome {
    /// With an answer.
    Succeeded(serde_json::Value),
    /// With an error.
    Failed(JobError),
    /// Called off.
    Cancelled,
}

/// Jobs. Every method is one transaction; all fail with [`StoreError`] when the database cannot be
/// read or written.
pub trait Jobs: Send + Sync {
    /// Keeps a job. Fails with [`StoreError::NoSuchUser`].
    fn add_job(&self, job: &NewJob) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// A job by its id.
    fn job(&self, id: &JobId)
    -> impl Future<Output = Result<Option<StoredJob>, StoreError>> + Send;

    /// The jobs of a person, newest first, at most `limit`.
    fn jobs_of(
        &self,
        user: &UserId,
        limit: u32,
    ) -> impl Future<Output = Result<Vec<StoredJob>, StoreError>> + Send;

    /// Everything that has not ended, oldest first.
    fn open_jobs(&self) -> impl Future<Output = Result<Vec<StoredJob>, StoreError>> + Send;

    /// Marks a queued job as running and counts the attempt. `false` when it is no longer queued.
    fn start_job(
        &self,
        id: &JobId,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Puts running jobs back into the queue: what a process that is gone was at. Those that were called
    /// off have ended.
    fn requeue_running(
        &self,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Notes that a running job was called off, should its process not live to end it.
    fn call_off(&self, id: &JobId) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Puts one running job back into the queue as if it had not been begun: nothing went wrong with it.
    fn requeue_job(&self, id: &JobId) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Marks a job as ended, unless it has ended already. `false` in that case.
    fn finish_job(
        &self,
        id: &JobId,
        outcome: &JobOutcome,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

/// API keys. Every method is one transaction; all fail with [`StoreError`] when the database cannot
/// be read or written.
pub trait Keys: Send + Sync {
    /// Keeps a key with the hash of its secret.
    fn add_key(
        &self,
        key: &KeyInfo,
        hash: &str,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The key whose secret has this hash, revoked or not.
    fn key_by_hash(
        &self,
        hash: &str,
    ) -> impl Future<Output = Result<Option<KeyInfo>, StoreError>> + Send;

    /// Every key, oldest first.
    fn keys(&self) -> impl Future<Output = Result<Vec<KeyInfo>, StoreError>> + Send;

    /// Revokes a key; `None` when there is none of that id. A key that was revoked before keeps its
    /// moment.
    fn revoke_key(
        &self,
        id: &KeyId,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Option<KeyInfo>, StoreError>> + Send;
}
