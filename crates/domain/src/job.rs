//! Work that outlasts a request: trainings and imports.

use crate::id::{JobId, ModelId, UserId};
use crate::metric::{PredictionMetric, word_enum};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

word_enum! {
    /// What a job does.
    JobKind, "job kind" {
        /// Train a model.
        Train = "train",
        /// Read an export.
        Import = "import",
    }
}

word_enum! {
    /// How far a job is.
    JobState, "job state" {
        /// Waits for its turn.
        Queued = "queued",
        /// Is at it.
        Running = "running",
        /// Done; the result is there.
        Succeeded = "succeeded",
        /// Could not be done; the error says why.
        Failed = "failed",
        /// Was called off; nothing half-done was kept.
        Cancelled = "cancelled",
    }
}

impl JobState {
    /// Whether nothing more will happen.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// How far a running job is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JobProgress {
    /// Epochs trained, or bytes read.
    pub done: u64,
    /// Most epochs, or bytes in all.
    pub total: u64,
    /// Loss on training windows after the last epoch, standardised; null for imports.
    pub train_loss: Option<f64>,
    /// Loss on validation windows.
    pub val_loss: Option<f64>,
}

/// Why a job failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JobError {
    /// A stable word for programs.
    pub code: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

/// A job as it is told to its owner.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct JobInfo {
    /// Its id.
    pub job_id: JobId,
    /// Whose.
    pub user_id: UserId,
    /// What it does.
    pub kind: JobKind,
    /// What it trains; null for imports.
    pub metric: Option<PredictionMetric>,
    /// How far it is.
    pub state: JobState,
    /// Epochs or bytes; null until it runs, and after a restart until the next epoch.
    pub progress: Option<JobProgress>,
    /// How long it will take once it runs, seconds, estimated from its settings.
    pub estimated_seconds: f64,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When it began, the last time it began.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// The model it made.
    pub model_id: Option<ModelId>,
    /// The whole answer: that of the training, or the summary of the import.
    #[schema(value_type = Option<Object>)]
    pub result: Option<serde_json::Value>,
    /// Why it failed.
    pub error: Option<JobError>,
}
