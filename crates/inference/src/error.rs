//! Errors of forecasts.

use crate::explain::names::days;
use chrono::NaiveDate;
use vitalcast_domain::PredictionMetric;

/// An error of using a model or of forecasting a day.
#[derive(Debug, thiserror::Error)]
pub enum InferenceError {
    /// No data of the person were known at the cut-off time.
    #[error("no data of the days before {target} were known; the first record is from {first_day}")]
    NothingKnown {
        /// The requested day.
        target: NaiveDate,
        /// First day with a record, as text; "none" without any.
        first_day: String,
    },
    /// The requested day is beyond the longest horizon of the models.
    #[error(
        "{target} is {ahead} days after {origin}, the last day that is over or has data: expected at most \
         {limit} days, up to {last_possible}"
    )]
    TooFarAhead {
        /// The requested day.
        target: NaiveDate,
        /// Last day that is over or has data.
        origin: NaiveDate,
        /// Days between.
        ahead: i64,
        /// Longest horizon.
        limit: usize,
        /// Last day that can be forecast.
        last_possible: NaiveDate,
    },
    /// The input days of the model have no reading of the metric.
    #[error(
        "no reading of {metric} between {first} and {last}, the {lookback} days that a forecast may go \
         by, expected at least one"
    )]
    NoRecentReading {
        /// The metric.
        metric: PredictionMetric,
        /// First day read.
        first: NaiveDate,
        /// Last day read.
        last: NaiveDate,
        /// Number of days.
        lookback: usize,
    },
    /// A model whose parts do not match, or with features that this release does not have.
    #[error("the model cannot be used: {0}")]
    UnusableModel(String),
    /// The forecast is not finite.
    #[error("the forecast for {0} is not a finite number")]
    NotFinite(NaiveDate),
    /// Too few readings for a forecast without a training.
    #[error(
        "{metric} was measured on {} before {target}, and a forecast without training needs \
         {needed}: {missing} more.{}", days(*found), usual_in_words(usual.as_ref())
    )]
    TooFewReadings {
        /// The metric.
        metric: PredictionMetric,
        /// The requested day.
        target: NaiveDate,
        /// Days with a reading.
        found: usize,
        /// Days needed.
        needed: usize,
        /// Days missing.
        missing: usize,
        /// What is usual among people; `None` for a metric that no model of many people knows.
        usual: Option<UsualValues>,
    },
    /// No earlier day of the person to compare a forecast with.
    #[error(
        "the forecast for {0} cannot be explained yet: expected at least one earlier day that the model could \
         have forecast"
    )]
    NothingToCompare(NaiveDate),
    /// Numbers that are no forecast.
    #[error(transparent)]
    Evaluation(#[from] vitalcast_evaluation::EvaluationError),
    /// Features could not be computed.
    #[error(transparent)]
    Features(#[from] vitalcast_features::FeaturesError),
    /// Windows could not be laid out.
    #[error(transparent)]
    Windows(#[from] vitalcast_windows::WindowError),
    /// The network refused its weights or its input.
    #[error(transparent)]
    Model(#[from] vitalcast_models::ModelError),
    /// The contents of the artifact do not match its description.
    #[error(transparent)]
    Artifact(#[from] vitalcast_artifact::ArtifactError),
}

/// Where the values of four people in five lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UsualValues {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Unit of both.
    pub unit: &'static str,
}

fn usual_in_words(usual: Option<&UsualValues>) -> String {
    match usual {
        Some(UsualValues { low, high, unit }) => format!(
            " Among people whose data the model knows, values between {low:.1} and {high:.1} {unit} are usual"
        ),
        None => " No model of many people knows this metric, so nothing is said of what is usual among people"
            .to_owned(),
    }
}

impl InferenceError {
    /// Whether the error means only that there is too little data.
    pub fn is_too_little_data(&self) -> bool {
        match self {
            Self::NothingKnown { .. }
            | Self::NoRecentReading { .. }
            | Self::TooFewReadings { .. }
            | Self::NothingToCompare(_) => true,
            Self::TooFarAhead { .. }
            | Self::UnusableModel(_)
            | Self::NotFinite(_)
            | Self::Evaluation(_)
            | Self::Features(_)
            | Self::Windows(_)
            | Self::Model(_)
            | Self::Artifact(_) => false,
        }
    }
}
