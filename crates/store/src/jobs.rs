//! Jobs and API keys: the data of a service other than the data of its people.

use crate::error::StoreError;
use crate::store::Listed;
use chrono::{DateTime, Utc};
use vitalcast_domain::{
    JobError, JobId, JobKind, JobState, KeyId, KeyInfo, PredictionMetric, UserId,
};

/// A new job for the queue.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    /// Id of the job.
    pub job_id: JobId,
    /// Id of the person.
    pub user_id: UserId,
    /// Kind of the job.
    pub kind: JobKind,
    /// The metric to train.
    pub metric: Option<PredictionMetric>,
    /// Settings of the job.
    pub request: serde_json::Value,
    /// Estimated run time.
    pub cost_seconds: f64,
    /// Time of the request.
    pub created_at: DateTime<Utc>,
}

/// A stored job.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredJob {
    /// The requested job.
    pub job: NewJob,
    /// State of the job.
    pub state: JobState,
    /// Number of starts.
    pub attempts: u32,
    /// Time of the last start.
    pub started_at: Option<DateTime<Utc>>,
    /// Time of the end.
    pub finished_at: Option<DateTime<Utc>>,
    /// Result of the job.
    pub result: Option<serde_json::Value>,
    /// Error of the job.
    pub error: Option<JobError>,
}

/// The end of a job.
#[derive(Debug, Clone, PartialEq)]
pub enum JobOutcome {
    /// With a result.
    Succeeded(serde_json::Value),
    /// With an error.
    Failed(JobError),
    /// Cancelled.
    Cancelled,
}

/// Jobs. Every method is one transaction; all fail with [`StoreError`] when the database cannot be
/// read or written.
pub trait Jobs: Send + Sync {
    /// Stores a job. Fails with [`StoreError::NoSuchUser`].
    fn add_job(&self, job: &NewJob) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// A job by its id.
    fn job(&self, id: &JobId)
    -> impl Future<Output = Result<Option<StoredJob>, StoreError>> + Send;

    /// The newest jobs of a person, newest first, at most `limit`.
    fn jobs_of(
        &self,
        user: &UserId,
        limit: u32,
    ) -> impl Future<Output = Result<Listed<StoredJob, JobId>, StoreError>> + Send;

    /// All jobs that have not ended, oldest first.
    fn open_jobs(
        &self,
    ) -> impl Future<Output = Result<Listed<StoredJob, JobId>, StoreError>> + Send;

    /// Marks a queued job as running and counts the attempt. `false` if it is no longer queued.
    fn start_job(
        &self,
        id: &JobId,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Returns running jobs of an ended process to the queue. Cancelled jobs are marked as ended.
    fn requeue_running(
        &self,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Records that a running job was cancelled, in case its process ends before the job does.
    fn call_off(&self, id: &JobId) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Returns a running job to the queue without counting the attempt: the job did not fail.
    fn requeue_job(&self, id: &JobId) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Marks a job as ended. `false` if it has already ended.
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
    /// Stores a key with the hash of its secret.
    fn add_key(
        &self,
        key: &KeyInfo,
        hash: &str,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The key with this secret hash, revoked or not.
    fn key_by_hash(
        &self,
        hash: &str,
    ) -> impl Future<Output = Result<Option<KeyInfo>, StoreError>> + Send;

    /// All keys, oldest first.
    fn keys(&self) -> impl Future<Output = Result<Vec<KeyInfo>, StoreError>> + Send;

    /// Revokes a key; `None` if the id is unknown. A key that was revoked before keeps its time of
    /// revocation.
    fn revoke_key(
        &self,
        id: &KeyId,
        now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Option<KeyInfo>, StoreError>> + Send;
}
