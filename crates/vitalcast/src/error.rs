//! Errors of use cases: a kind for exit codes and HTTP statuses, a stable code for programs, and a
//! sentence for people that says what was expected.

use chrono::NaiveDate;
use std::path::PathBuf;
use vitalcast_domain::{JobId, KeyId, ModelArchitecture, ModelId, PredictionMetric, UserId};
use vitalcast_import::ImportError;
use vitalcast_inference::InferenceError;
use vitalcast_store::StoreError;
use vitalcast_training::TrainingError;

/// The kinds of errors that a caller can distinguish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// No such user, model or file.
    NotFound,
    /// An invalid request.
    InvalidRequest,
    /// Data or a file that cannot be used.
    InvalidData,
    /// Stored data are damaged: a row, an artifact or the database.
    Damaged,
    /// Too little data.
    NotEnoughData,
    /// A resource is in use; try again.
    Busy,
    /// Storage cannot be read or written.
    Unavailable,
    /// The caller asked to stop.
    Interrupted,
    /// An internal error.
    Internal,
}

impl ErrorKind {
    /// A stable code for programs.
    pub(crate) fn code(self) -> &'static str {
        match self {
            Self::NotFound => "NOT_FOUND",
            Self::InvalidRequest => "INVALID_REQUEST",
            Self::InvalidData => "INVALID_DATA",
            Self::Damaged => "DAMAGED",
            Self::NotEnoughData => "NOT_ENOUGH_DATA",
            Self::Busy => "BUSY",
            Self::Unavailable => "UNAVAILABLE",
            Self::Interrupted => "INTERRUPTED",
            Self::Internal => "INTERNAL",
        }
    }
}

/// An error of a use case.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// No person with this id has data here.
    #[error("unknown user {user}: this data folder contains {}", people(*known))]
    UnknownUser {
        /// The requested id.
        user: UserId,
        /// Number of people in the data folder.
        known: usize,
    },
    /// No model with this id.
    #[error("unknown model {0}")]
    UnknownModel(ModelId),
    /// No job with this id.
    #[error("unknown job {0}")]
    UnknownJob(JobId),
    /// No key with this id.
    #[error("unknown key {0}")]
    UnknownKey(KeyId),
    /// The job can no longer be cancelled.
    #[error("job {0} has already ended")]
    JobEnded(JobId),
    /// The person is being erased; no new work is accepted.
    #[error("{0} is being erased: try again later")]
    BeingErased(UserId),
    /// The active model is the oldest one.
    #[error("{0} is the oldest version")]
    NothingBefore(ModelId),
    /// The job queue is full.
    #[error(
        "{waiting} of {limit} places in the job queue are in use: try again when a job has ended"
    )]
    QueueFull {
        /// Number of waiting jobs.
        waiting: usize,
        /// Maximum number of waiting jobs.
        limit: usize,
    },
    /// The estimated run time of a training is above the limit.
    #[error(
        "this training would take about {estimated:.0} s, more than the limit of {limit:.0} s: \
         ask for a smaller hidden_dim, fewer epochs or a shorter lookback_days"
    )]
    TooCostly {
        /// Estimated run time, seconds.
        estimated: f64,
        /// Maximum run time, seconds.
        limit: f64,
    },
    /// A training reached the run time limit.
    #[error("the training was stopped after {0:.0} s, the limit of this service")]
    TookTooLong(f64),
    /// Another server uses the data folder.
    #[error("another server is using {}: stop it, or use another folder", .0.display())]
    FolderInUse(PathBuf),
    /// No model for this person and metric.
    #[error("no model of {metric} for {user}{wanted}: train one first")]
    NoModel {
        /// Id of the person.
        user: UserId,
        /// The metric.
        metric: PredictionMetric,
        /// Requested version and architecture, as text; empty if none was requested.
        wanted: String,
    },
    /// Attention weights of a model that has none.
    #[error(
        "attention weights exist for lstm_attention models only, and this forecast comes from a {0} model: train \
         one and ask for architecture lstm_attention, or use method shap, lime or permutation"
    )]
    NoAttention(ModelArchitecture),
    /// An explanation by day of a model that reads whole histories.
    #[error(
        "a {0} model reads the whole history at once, so its forecast cannot be explained by day: use grouping \
         feature, or ask for another architecture"
    )]
    NotByDay(ModelArchitecture),
    /// Nothing is recorded on the day that a what-if changes.
    #[error("nothing is recorded on {day}, so there is nothing to change{}", last_day(.last.as_ref()))]
    NothingOnDay {
        /// The day.
        day: NaiveDate,
        /// The last day before it with a record.
        last: Option<NaiveDate>,
    },
    /// The artifact of a model is not the registered one.
    #[error(
        "the file of model {model} was replaced: train the model again or restore {}",
        path.display()
    )]
    ForeignArtifact {
        /// Model architecture.
        model: ModelId,
        /// Expected path of the artifact.
        path: PathBuf,
    },
    /// No row of an uploaded file could be used.
    #[error("no row of the upload could be used: {0}")]
    NothingUsable(String),
    /// A file could not be read or written.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// The attempted operation.
        doing: &'static str,
        /// The path.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// An invalid setting.
    #[error("{0}")]
    InvalidSetting(String),
    /// Stored data cannot be read; the text names the data, never their content.
    #[error("{0} is damaged: restore the data folder from a backup")]
    Damaged(String),
    /// The caller stopped the use case; no partial result was stored.
    #[error("interrupted: no partial result was stored")]
    Interrupted,
    /// A request outside its bounds.
    #[error(transparent)]
    Request(#[from] vitalcast_domain::InvalidRequest),
    /// An invalid value.
    #[error(transparent)]
    Domain(#[from] vitalcast_domain::DomainError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The importer.
    #[error(transparent)]
    Import(#[from] ImportError),
    /// The features.
    #[error(transparent)]
    Features(#[from] vitalcast_features::FeaturesError),
    /// A model file.
    #[error(transparent)]
    Artifact(#[from] ModelFileError),
    /// The training.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// The forecast.
    #[error(transparent)]
    Inference(#[from] InferenceError),
    /// An experiment.
    #[error(transparent)]
    Experiment(#[from] crate::ExperimentError),
    /// An upload in parts.
    #[error(transparent)]
    Upload(#[from] crate::UploadError),
    /// The evaluation.
    #[error(transparent)]
    Evaluation(#[from] vitalcast_evaluation::EvaluationError),
}

/// What is wrong with a model file.
#[derive(Debug, thiserror::Error)]
pub enum ModelFileError {
    /// The file of a registered model cannot be used: it is damaged, or of a newer release.
    #[error("model {model} in {} cannot be used", path.display())]
    OfModel {
        /// The model.
        model: ModelId,
        /// Its file.
        path: PathBuf,
        /// Why.
        source: Box<EngineError>,
    },
    /// Any other file, or one that cannot be written.
    #[error(transparent)]
    Other(#[from] vitalcast_artifact::ArtifactError),
}

impl From<vitalcast_artifact::ArtifactError> for EngineError {
    fn from(error: vitalcast_artifact::ArtifactError) -> Self {
        Self::Artifact(error.into())
    }
}

impl EngineError {
    /// The kind of the error, for exit codes and HTTP statuses.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownUser { .. }
            | Self::UnknownModel(_)
            | Self::UnknownJob(_)
            | Self::UnknownKey(_)
            | Self::NoModel { .. } => ErrorKind::NotFound,
            Self::QueueFull { .. }
            | Self::JobEnded(_)
            | Self::NothingBefore(_)
            | Self::BeingErased(_)
            | Self::FolderInUse(_) => ErrorKind::Busy,
            Self::InvalidSetting(_)
            | Self::NoAttention(_)
            | Self::NotByDay(_)
            | Self::Request(_)
            | Self::Domain(_)
            | Self::TooCostly { .. }
            | Self::TookTooLong(_)
            | Self::Features(_)
            | Self::Evaluation(_) => ErrorKind::InvalidRequest,
            Self::ForeignArtifact { .. } | Self::Damaged(_) => ErrorKind::Damaged,
            Self::Io { source, .. } => io_kind(source),
            Self::Interrupted => ErrorKind::Interrupted,
            Self::Store(error) => store_kind(error),
            Self::Import(ImportError::Interrupted) => ErrorKind::Interrupted,
            Self::Import(error) => io_source(error).map_or(ErrorKind::InvalidData, io_kind),
            Self::Artifact(ModelFileError::OfModel { source, .. }) => source.kind(),
            Self::Artifact(ModelFileError::Other(error)) => {
                io_source(error).map_or(ErrorKind::Damaged, io_kind)
            }
            Self::Training(error) => training_kind(error),
            Self::Inference(error) => inference_kind(error),
            Self::Experiment(error) => error.kind(),
            Self::Upload(error) => error.kind(),
            Self::NothingOnDay { .. } => ErrorKind::NotEnoughData,
            Self::NothingUsable(_) => ErrorKind::InvalidData,
        }
    }

    /// Whether the sentence can contain local file paths, which clients of a service must not see.
    pub fn names_files(&self) -> bool {
        match self {
            Self::Io { .. }
            | Self::Artifact(_)
            | Self::ForeignArtifact { .. }
            | Self::FolderInUse(_) => true,
            Self::Store(error) => match error {
                StoreError::CannotOpen { .. }
                | StoreError::NotADatabase { .. }
                | StoreError::SchemaTooNew { .. }
                | StoreError::ReadOnly { .. }
                | StoreError::Full { .. }
                | StoreError::Io { .. }
                | StoreError::Busy { .. }
                | StoreError::Corrupt { .. }
                | StoreError::BadRow { .. }
                | StoreError::UnreadableModel(_)
                | StoreError::Database(_) => true,
                StoreError::InvalidRecord { .. }
                | StoreError::NoSuchUser
                | StoreError::ModelExists(_)
                | StoreError::NoSuchModel(_)
                | StoreError::BadPlace => false,
            },
            Self::UnknownUser { .. }
            | Self::UnknownModel(_)
            | Self::UnknownJob(_)
            | Self::UnknownKey(_)
            | Self::JobEnded(_)
            | Self::BeingErased(_)
            | Self::NothingBefore(_)
            | Self::QueueFull { .. }
            | Self::TooCostly { .. }
            | Self::TookTooLong(_)
            | Self::NoModel { .. }
            | Self::NoAttention(_)
            | Self::NotByDay(_)
            | Self::NothingOnDay { .. }
            | Self::NothingUsable(_)
            | Self::InvalidSetting(_)
            | Self::Damaged(_)
            | Self::Interrupted
            | Self::Request(_)
            | Self::Domain(_)
            | Self::Import(_)
            | Self::Features(_)
            | Self::Training(_)
            | Self::Inference(_)
            | Self::Experiment(_)
            | Self::Upload(_)
            | Self::Evaluation(_) => false,
        }
    }

    /// A stable code for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownUser { .. } => "UNKNOWN_USER",
            Self::UnknownModel(_) => "UNKNOWN_MODEL",
            Self::UnknownJob(_) => "UNKNOWN_JOB",
            Self::UnknownKey(_) => "UNKNOWN_KEY",
            Self::JobEnded(_) => "JOB_ENDED",
            Self::BeingErased(_) => "BEING_ERASED",
            Self::NothingBefore(_) => "NOTHING_BEFORE",
            Self::QueueFull { .. } => "QUEUE_FULL",
            Self::TooCostly { .. } => "TOO_COSTLY",
            Self::TookTooLong(_) => "TOOK_TOO_LONG",
            Self::FolderInUse(_) => "FOLDER_IN_USE",
            Self::NoModel { .. } => "NO_MODEL",
            Self::NoAttention(_) => "NO_ATTENTION",
            Self::NotByDay(_) => "NOT_BY_DAY",
            Self::ForeignArtifact { .. } => "FOREIGN_ARTIFACT",
            Self::NothingUsable(_) => "NOTHING_USABLE",
            Self::Store(StoreError::BadPlace) => "UNKNOWN_PLACE",
            Self::Inference(InferenceError::TooFarAhead { .. }) => "TOO_FAR_AHEAD",
            Self::Experiment(error) => error.code(),
            Self::Upload(error) => error.code(),
            Self::Io { .. }
            | Self::NothingOnDay { .. }
            | Self::InvalidSetting(_)
            | Self::Damaged(_)
            | Self::Interrupted
            | Self::Request(_)
            | Self::Domain(_)
            | Self::Store(_)
            | Self::Import(_)
            | Self::Features(_)
            | Self::Artifact(_)
            | Self::Training(_)
            | Self::Inference(_)
            | Self::Evaluation(_) => self.kind().code(),
        }
    }

    /// Whether the error means only that there is too little data.
    pub fn is_too_little_data(&self) -> bool {
        self.kind() == ErrorKind::NotEnoughData
    }
}

/// The operating system error at the root of an error, if there is one.
fn io_source<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a std::io::Error> {
    std::iter::successors(Some(error), |error| error.source())
        .find_map(|error| error.downcast_ref::<std::io::Error>())
}

fn io_kind(error: &std::io::Error) -> ErrorKind {
    use std::io::ErrorKind as Io;
    #[expect(clippy::wildcard_enum_match_arm, reason = "the standard library's")]
    match error.kind() {
        Io::NotFound => ErrorKind::NotFound,
        Io::InvalidData | Io::UnexpectedEof => ErrorKind::InvalidData,
        _ => ErrorKind::Unavailable,
    }
}

fn store_kind(error: &StoreError) -> ErrorKind {
    match error {
        StoreError::CannotOpen { .. }
        | StoreError::ReadOnly { .. }
        | StoreError::Full { .. }
        | StoreError::Io { .. } => ErrorKind::Unavailable,
        StoreError::NotADatabase { .. }
        | StoreError::SchemaTooNew { .. }
        | StoreError::Corrupt { .. }
        | StoreError::BadRow { .. }
        | StoreError::UnreadableModel(_) => ErrorKind::Damaged,
        StoreError::InvalidRecord { .. } | StoreError::BadPlace => ErrorKind::InvalidRequest,
        StoreError::Busy { .. } | StoreError::ModelExists(_) => ErrorKind::Busy,
        // Erased, deleted, while something was on its way for them.
        StoreError::NoSuchModel(_) | StoreError::NoSuchUser => ErrorKind::NotFound,
        StoreError::Database(_) => ErrorKind::Internal,
    }
}

fn training_kind(error: &TrainingError) -> ErrorKind {
    match error {
        error if error.is_too_little_data() => ErrorKind::NotEnoughData,
        TrainingError::NotEnoughDays { .. }
        | TrainingError::NotEnoughWindows { .. }
        | TrainingError::NothingKnown(_)
        | TrainingError::TooFewExamples(_)
        | TrainingError::NoPopulation(_)
        | TrainingError::NothingScored { .. }
        | TrainingError::Pooled(_) => ErrorKind::NotEnoughData,
        TrainingError::Cancelled => ErrorKind::Interrupted,
        TrainingError::Request(_) | TrainingError::Setting(_) => ErrorKind::InvalidRequest,
        TrainingError::Fit(_) => ErrorKind::InvalidData,
        TrainingError::Windows(_)
        | TrainingError::Features(_)
        | TrainingError::Inference(_)
        | TrainingError::Model(_)
        | TrainingError::Evaluation(_)
        | TrainingError::Artifact(_) => ErrorKind::Internal,
    }
}

fn inference_kind(error: &InferenceError) -> ErrorKind {
    match error {
        InferenceError::NothingKnown { .. }
        | InferenceError::NoRecentReading { .. }
        | InferenceError::TooFewReadings { .. }
        | InferenceError::NothingToCompare(_) => ErrorKind::NotEnoughData,
        InferenceError::TooFarAhead { .. } => ErrorKind::InvalidRequest,
        // Models are read from files that were written here.
        InferenceError::UnusableModel(_)
        | InferenceError::Model(_)
        | InferenceError::Artifact(_) => ErrorKind::Damaged,
        InferenceError::NotFinite(_)
        | InferenceError::Features(_)
        | InferenceError::Windows(_)
        | InferenceError::Evaluation(_) => ErrorKind::Internal,
    }
}

/// Where the data end, in words.
fn last_day(last: Option<&NaiveDate>) -> String {
    match (last, last.and_then(NaiveDate::succ_opt)) {
        (Some(last), Some(next)) => {
            format!(": the last day with data before it is {last}, so ask for {next} or earlier")
        }
        (_, _) => ": no day before it has data".to_owned(),
    }
}

/// A number of people in words.
fn people(known: usize) -> String {
    match known {
        0 => "no people yet".to_owned(),
        1 => "one other person".to_owned(),
        _ => format!("{known} other people"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_damaged_here_is_no_fault_of_the_request() {
        let bad_row = StoreError::BadRow {
            table: "jobs",
            what: "the request is not JSON".to_owned(),
        };
        for error in [
            EngineError::from(bad_row),
            EngineError::Damaged("job 17".to_owned()),
            EngineError::from(InferenceError::UnusableModel("no weights".to_owned())),
        ] {
            assert_eq!(error.kind(), ErrorKind::Damaged, "{error}");
            assert_eq!(error.code(), "DAMAGED");
        }
    }

    #[test]
    fn somebody_erased_in_between_is_not_there_and_no_fault_of_ours() {
        let error = EngineError::from(StoreError::NoSuchUser);
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}
