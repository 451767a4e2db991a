//! Errors of trainings.

use crate::network::FitError;
use chrono::NaiveDate;
use vitalcast_domain::PredictionMetric;

/// An error of a training.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// Too few days with a reading of the metric.
    #[error(
        "not enough data: expected at least {needed} days with {metric} between {first} and \
         {last}, found {found} ({missing} too few); use a longer lookback_days, or wait for more data"
    )]
    NotEnoughDays {
        /// The metric to forecast.
        metric: PredictionMetric,
        /// Days found.
        found: usize,
        /// Days needed.
        needed: usize,
        /// Days missing.
        missing: usize,
        /// First day of the period.
        first: NaiveDate,
        /// Last day of the period.
        last: NaiveDate,
    },
    /// Enough days, but too few windows between them.
    #[error(
        "not enough data: expected at least {needed} windows of {sequence_length} days with \
         {metric} on the day after, between {first} and {last}, found {found} ({missing} too few); \
         use a shorter \
         sequence_length or a longer lookback_days"
    )]
    NotEnoughWindows {
        /// The metric to forecast.
        metric: PredictionMetric,
        /// Days a window reads.
        sequence_length: usize,
        /// Windows found.
        found: usize,
        /// Windows needed.
        needed: usize,
        /// Windows missing.
        missing: usize,
        /// First day of the period.
        first: NaiveDate,
        /// Last day of the period.
        last: NaiveDate,
    },
    /// A person without a single record known at the time.
    #[error("not enough data: no record was known at {0}")]
    NothingKnown(chrono::DateTime<chrono::Utc>),
    /// A metric without a model of many people in this release.
    #[error(
        "this release has no model of many people for {0}: choose another architecture, or train on \
         people of your own"
    )]
    NoPopulation(PredictionMetric),
    /// A model of many people that could not be fitted.
    #[error(transparent)]
    Pooled(#[from] vitalcast_pooled::PooledError),
    /// People with too few readings for a network of their days.
    #[error(
        "not enough data: {0} people have too few readings for a network of many people's days"
    )]
    TooFewExamples(usize),
    /// A setting of a replay outside its bounds.
    #[error("{0}")]
    Setting(String),
    /// No person has enough days to be scored.
    #[error("nobody can be scored: expected at least {needed} days with {metric} of a person")]
    NothingScored {
        /// The metric.
        metric: PredictionMetric,
        /// Days needed.
        needed: usize,
    },
    /// The caller asked to stop.
    #[error("training was cancelled")]
    Cancelled,
    /// A request outside its bounds.
    #[error(transparent)]
    Request(#[from] vitalcast_domain::InvalidRequest),
    /// The network could not be fitted.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// The windows could not be cut.
    #[error(transparent)]
    Windows(#[from] vitalcast_windows::WindowError),
    /// Features could not be computed.
    #[error(transparent)]
    Features(#[from] vitalcast_features::FeaturesError),
    /// The fitted model could not be run.
    #[error(transparent)]
    Inference(#[from] vitalcast_inference::InferenceError),
    /// The network refused its configuration or input.
    #[error(transparent)]
    Model(#[from] vitalcast_models::ModelError),
    /// The report could not be computed.
    #[error(transparent)]
    Evaluation(#[from] vitalcast_evaluation::EvaluationError),
    /// The artifact could not be assembled.
    #[error(transparent)]
    Artifact(#[from] vitalcast_artifact::ArtifactError),
}

impl TrainingError {
    /// Whether the error is only caused by the data: more or other data would help.
    pub fn is_too_little_data(&self) -> bool {
        matches!(
            self,
            Self::NotEnoughDays { .. }
                | Self::NotEnoughWindows { .. }
                | Self::NothingKnown(_)
                | Self::TooFewExamples(_)
                | Self::Model(vitalcast_models::ModelError::TooShort { .. })
        )
    }
}
