//! Why there is no forecast.

use chrono::NaiveDate;
use vitalcast_domain::PredictionMetric;

/// Why a model could not be used or a day could not be forecast.
#[derive(Debug, thiserror::Error)]
pub enum InferenceError {
    /// Nothing of the person was known at the moment of knowledge.
    #[error(
        "no data were known on the evening before {target}; the first record is from {first_day}"
    )]
    NothingKnown {
        /// Day asked for.
        target: NaiveDate,
        /// First day with a record, as text; "none" without any.
        first_day: String,
    },
    /// The day asked for lies further ahead than models reach.
    #[error(
        "{target} is {ahead} days after {origin}, the last day with data: expected at most {limit} days, up to \
         {last_possible}"
    )]
    TooFarAhead {
        /// Day asked for.
        target: NaiveDate,
        /// Last day known.
        origin: NaiveDate,
        /// Days between.
        ahead: i64,
        /// Longest horizon.
        limit: usize,
        /// Last day that can be forecast.
        last_possible: NaiveDate,
    },
    /// The days the model reads hold no reading of the metric.
    #[error(
        "no reading of {metric} between {first} and {last}, the {lookback} days that the model \
         reads, expected at least one"
    )]
    NoRecentReading {
        /// What is forecast.
        metric: PredictionMetric,
        /// First day read.
        first: NaiveDate,
        /// Last day read.
        last: NaiveDate,
        /// How many days.
        lookback: usize,
    },
    /// A model whose parts do not fit together, or that reads features this release does not have.
    #[error("the model cannot be used: {0}")]
    UnusableModel(String),
    /// The model gave no finite number.
    #[error("the forecast for {0} is not a finite number")]
    NotFinite(NaiveDate),
    /// Features could not be computed.
    #[error(transparent)]
    Features(#[from] vitalcast_features::FeaturesError),
    /// Windows could not be laid out.
    #[error(transparent)]
    Windows(#[from] vitalcast_windows::WindowError),
    /// The network refused its weights or its input.
    #[error(transparent)]
    Model(#[from] vitalcast_models::ModelError),
    /// The artifact holds something else than it says.
    #[error(transparent)]
    Artifact(#[from] vitalcast_artifact::ArtifactError),
}
