//! Background jobs: trainings, imports and searches for settings.

use crate::id::{JobId, ModelId, UserId};
use crate::metric::{PredictionMetric, word_enum};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

word_enum! {
    /// The kind of a job.
    JobKind, "job kind" {
        /// Train a model.
        Train = "train",
        /// Import a file.
        Import = "import",
        /// Search settings of a training.
        Tune = "tune",
    }
}

word_enum! {
    /// The state of a job.
    JobState, "job state" {
        /// Waits in the queue.
        Queued = "queued",
        /// Is running.
        Running = "running",
        /// Finished; the result is available.
        Succeeded = "succeeded",
        /// Failed; the error gives the reason.
        Failed = "failed",
        /// Cancelled; no partial result was stored.
        Cancelled = "cancelled",
    }
}

impl JobState {
    /// Whether the job has ended.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// The progress of a running job.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JobProgress {
    /// Number of epochs trained, of bytes read, or of trials.
    pub done: u64,
    /// Maximum number of epochs, total number of bytes, or trials that were asked for.
    pub total: u64,
    /// Loss on training windows after the last epoch, standardised; null for imports and
    /// searches.
    pub train_loss: Option<f64>,
    /// Loss on validation windows.
    pub val_loss: Option<f64>,
}

/// Why a job failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JobError {
    /// A stable code for programs.
    pub code: String,
    /// What is wrong and what was expected.
    pub detail: String,
}

/// The jobs of a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JobList {
    /// Id of the person.
    pub user_id: UserId,
    /// Newest first.
    pub jobs: Vec<JobInfo>,
    /// Those among the newest that this release cannot read, newest first.
    #[serde(default)]
    pub unreadable_jobs: Vec<UnreadableJobInfo>,
}

/// A job that this release cannot read: it is damaged, or of a newer release. It waits for one that can.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct UnreadableJobInfo {
    /// Id of the job.
    pub job_id: JobId,
    /// What cannot be read.
    pub reason: String,
}

/// A job as its owner sees it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JobInfo {
    /// Id of the job.
    pub job_id: JobId,
    /// Id of the person.
    pub user_id: UserId,
    /// Kind of the job.
    pub kind: JobKind,
    /// The metric to train; null for imports.
    pub metric: Option<PredictionMetric>,
    /// State of the job.
    pub state: JobState,
    /// Progress in epochs, bytes or trials; null until the job runs, and after a restart until the next epoch.
    pub progress: Option<JobProgress>,
    /// Estimated run time, seconds, from the settings of the job.
    pub estimated_seconds: f64,
    /// Time of the request.
    pub created_at: DateTime<Utc>,
    /// Time of the last start.
    pub started_at: Option<DateTime<Utc>>,
    /// Time of the end.
    pub finished_at: Option<DateTime<Utc>>,
    /// Id of the trained model.
    pub model_id: Option<ModelId>,
    /// The result: the response to the training request, the summary of the import, or what a search found.
    #[schema(value_type = Option<Object>)]
    pub result: Option<serde_json::Value>,
    /// Error of a failed job.
    pub error: Option<JobError>,
}
