//! Why a use case failed: a kind for exit codes and HTTP statuses, a stable word for programs, and
//! a sentence for people that says what would be right.

use std::path::PathBuf;
use vitalcast_domain::{JobId, KeyId, ModelId, PredictionMetric, UserId};
use vitalcast_training::TrainingError;

/// The families of failure a caller reacts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No such user, model or file.
    NotFound,
    /// A request that does not fit its bounds.
    InvalidRequest,
    /// Data or a file that cannot be used.
    InvalidData,
    /// The data are fine but too few.
    NotEnoughData,
    /// Someone else is at it; try again.
    Busy,
    /// Storage cannot be read or written.
    Unavailable,
    /// The caller asked to stop.
    Interrupted,
    /// A fault of this library.
    Internal,
}

/// Why a use case failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// Nobody of that name has data here.
    #[error("unknown user {user}: {known} are in this data folder, see `vitalcast users`")]
    UnknownUser {
        /// Who was asked for.
        user: UserId,
        /// How many people there are.
        known: usize,
    },
    /// No model of that id.
    #[error("unknown model {0}: see `vitalcast models list`")]
    UnknownModel(ModelId),
    /// No job of that id.
    #[error("unknown job {0}")]
    UnknownJob(JobId),
    /// No key of that id.
    #[error("unknown key {0}: see `vitalcast keys list`")]
    UnknownKey(KeyId),
    /// A job that can no longer be called off.
    #[error("job {0} has ended already")]
    JobEnded(JobId),
    /// Nothing is taken on for someone who is being erased.
    #[error("{0} is being erased: try again when that is done")]
    BeingErased(UserId),
    /// The active model is the oldest one.
    #[error("there is no version before {0}")]
    NothingBefore(ModelId),
    /// Too many jobs wait already.
    #[error("{waiting} jobs wait already, at most {limit} may: try again when one has ended")]
    QueueFull {
        /// How many wait.
        waiting: usize,
        /// How many may.
        limit: usize,
    },
    /// A training that would take longer than is allowed here.
    #[error(
        "this training would take about {estimated:.0} s, more than the {limit:.0} s allowed here: \
         a smaller hidden_dim, fewer epochs or a shorter lookback_days would be right"
    )]
    TooCostly {
        /// How long it would take, seconds.
        estimated: f64,
        /// How long it may take, seconds.
        limit: f64,
    },
    /// A training that took longer than is allowed here.
    #[error("the training was stopped after {0:.0} s, the longest allowed here")]
    TookTooLong(f64),
    /// A server works on the data folder.
    #[error("a server works on {} already: stop it, or give another folder", .0.display())]
    FolderInUse(PathBuf),
    /// Nothing trained yet for this person and metric.
    #[error(
        "no model of {metric} for {user}{wanted}: train one with \
         `vitalcast train --user {user} --metric {metric}`"
    )]
    NoModel {
        /// For whom.
        user: UserId,
        /// Of what.
        metric: PredictionMetric,
        /// Version and architecture asked for, as text; empty when none was.
        wanted: String,
    },
    /// The artifact of a registered model is not the one that was registered.
    #[error(
        "the file of model {model} is not the one that was registered: train again or restore {}",
        path.display()
    )]
    ForeignArtifact {
        /// Which model.
        model: ModelId,
        /// Where it should be.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A setting that does not fit.
    #[error("{0}")]
    InvalidSetting(String),
    /// The caller asked to stop; nothing half-done was kept.
    #[error("interrupted: nothing half-done was kept")]
    Interrupted,
    /// A request outside its bounds.
    #[error(transparent)]
    Request(#[from] vitalcast_domain::InvalidRequest),
    /// A value that is not what its type promises.
    #[error(transparent)]
    Domain(#[from] vitalcast_domain::DomainError),
    /// The store.
    #[error(transparent)]
    Store(#[from] vitalcast_store::StoreError),
    /// The importer.
    #[error(transparent)]
    Import(#[from] vitalcast_import::ImportError),
    /// The features.
    #[error(transparent)]
    Features(#[from] vitalcast_features::FeaturesError),
    /// The artifact.
    #[error(transparent)]
    Artifact(#[from] vitalcast_artifact::ArtifactError),
    /// The training.
    #[error(transparent)]
    Training(#[from] TrainingError),
    /// The forecast.
    #[error(transparent)]
    Inference(#[from] vitalcast_inference::InferenceError),
    /// The evaluation.
    #[error(transparent)]
    Evaluation(#[from] vitalcast_evaluation::EvaluationError),
}

impl EngineError {
    /// The family of the failure: what an exit code or a status is made from.
    pub fn kind(&self) -> ErrorKind {
        use vitalcast_import::ImportError;
        use vitalcast_inference::InferenceError;
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
            | Self::Request(_)
            | Self::Domain(_)
            | Self::TooCostly { .. }
            | Self::TookTooLong(_) => ErrorKind::InvalidRequest,
            Self::ForeignArtifact { .. } => ErrorKind::InvalidData,
            Self::Io { source, .. } => io_kind(source),
            Self::Interrupted => ErrorKind::Interrupted,
            Self::Store(error) => store_kind(error),
            Self::Import(ImportError::Interrupted) => ErrorKind::Interrupted,
            Self::Import(error) => match io_source(error) {
                Some(source) => io_kind(source),
                None => ErrorKind::InvalidData,
            },
            Self::Features(_) | Self::Evaluation(_) => ErrorKind::InvalidRequest,
            Self::Artifact(error) => match io_source(error) {
                Some(source) => io_kind(source),
                None => ErrorKind::InvalidData,
            },
            Self::Training(error) => match error {
                error if error.is_too_little_data() => ErrorKind::NotEnoughData,
                TrainingError::Cancelled => ErrorKind::Interrupted,
                TrainingError::Request(_) => ErrorKind::InvalidRequest,
                TrainingError::Fit(_) => ErrorKind::InvalidData,
                _ => ErrorKind::Internal,
            },
            Self::Inference(error) => match error {
                InferenceError::NothingKnown { .. } | InferenceError::NoRecentReading { .. } => {
                    ErrorKind::NotEnoughData
                }
                InferenceError::TooFarAhead { .. } => ErrorKind::InvalidRequest,
                InferenceError::UnusableModel(_)
                | InferenceError::Model(_)
                | InferenceError::Artifact(_) => ErrorKind::InvalidData,
                _ => ErrorKind::Internal,
            },
        }
    }

    /// Whether the sentence may name files of this machine, which are nobody's business who only asks a
    /// service.
    pub fn names_files(&self) -> bool {
        use vitalcast_store::StoreError;
        match self {
            Self::Io { .. }
            | Self::Artifact(_)
            | Self::ForeignArtifact { .. }
            | Self::FolderInUse(_) => true,
            Self::Store(error) => !matches!(
                error,
                StoreError::NoSuchUser
                    | StoreError::NoSuchModel(_)
                    | StoreError::ModelExists(_)
                    | StoreError::InvalidRecord { .. }
                    | StoreError::BadPlace
            ),
            _ => false,
        }
    }

    /// A stable word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownUser { .. } => "UNKNOWN_USER",
            Self::UnknownModel(_) => "UNKNOWN_MODEL",
            Self::UnknownJob(_) => "UNKNOWN_JOB",
            Self::UnknownKey(_) => "UNKNOWN_KEY",
            Self::JobEnded(_) => "JOB_ENDED",
            Self::BeingErased(_) => "BEING_ERASED",
            Self::NothingBefore(_) => "NOTHING_BEFORE",
            Self::Store(vitalcast_store::StoreError::BadPlace) => "UNKNOWN_PLACE",
            Self::QueueFull { .. } => "QUEUE_FULL",
            Self::TooCostly { .. } => "TOO_COSTLY",
            Self::TookTooLong(_) => "TOOK_TOO_LONG",
            Self::FolderInUse(_) => "FOLDER_IN_USE",
            Self::NoModel { .. } => "NO_MODEL",
            Self::ForeignArtifact { .. } => "FOREIGN_ARTIFACT",
            Self::Inference(vitalcast_inference::InferenceError::TooFarAhead { .. }) => {
                "TOO_FAR_AHEAD"
            }
            _ => match self.kind() {
                ErrorKind::NotFound => "NOT_FOUND",
                ErrorKind::InvalidRequest => "INVALID_REQUEST",
                ErrorKind::InvalidData => "INVALID_DATA",
                ErrorKind::NotEnoughData => "NOT_ENOUGH_DATA",
                ErrorKind::Busy => "BUSY",
                ErrorKind::Unavailable => "UNAVAILABLE",
                ErrorKind::Interrupted => "INTERRUPTED",
                ErrorKind::Internal => "INTERNAL",
            },
        }
    }

    /// Whether more data would help, and nothing else.
    pub fn is_too_little_data(&self) -> bool {
        self.kind() == ErrorKind::NotEnoughData
    }
}

/// The operating system's error at the root of another, if there is one.
fn io_source<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a std::io::Error> {
    std::iter::successors(Some(error), |error| error.source())
        .find_map(|error| error.downcast_ref::<std::io::Error>())
}

fn io_kind(error: &std::io::Error) -> ErrorKind {
    use std::io::ErrorKind as Io;
    match error.kind() {
        Io::NotFound => ErrorKind::NotFound,
        Io::InvalidData | Io::UnexpectedEof => ErrorKind::InvalidData,
        _ => ErrorKind::Unavailable,
    }
}

fn store_kind(error: &vitalcast_store::StoreError) -> ErrorKind {
    use vitalcast_store::StoreError;
    match error {
        StoreError::CannotOpen { .. } | StoreError::ReadOnly { .. } | StoreError::Full { .. } => {
            ErrorKind::Unavailable
        }
        StoreError::NotADatabase { .. }
        | StoreError::SchemaTooNew { .. }
        | StoreError::Corrupt { .. }
        | StoreError::BadRow { .. } => ErrorKind::InvalidData,
        StoreError::InvalidRecord { .. } | StoreError::BadPlace => ErrorKind::InvalidRequest,
        StoreError::Busy { .. } | StoreError::ModelExists(_) => ErrorKind::Busy,
        // Erased, deleted, while something was on its way for them.
        StoreError::NoSuchModel(_) | StoreError::NoSuchUser => ErrorKind::NotFound,
        _ => ErrorKind::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_erased_in_between_is_not_there_and_no_fault_of_ours() {
        let error = EngineError::from(vitalcast_store::StoreError::NoSuchUser);
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
}
