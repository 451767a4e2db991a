//! Errors of experiments.

use crate::error::ErrorKind;
use chrono::NaiveDate;
use vitalcast_domain::{ExperimentId, PredictionMetric};

/// Why an experiment cannot be planned, read or changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExperimentError {
    /// The person has no experiment with this id.
    #[error("unknown experiment {0}")]
    Unknown(ExperimentId),
    /// Another experiment of the person has days in common with it.
    #[error(
        "experiment {0} has days in common with this one: start later, stop it, or allow the overlap"
    )]
    Overlap(ExperimentId),
    /// It has ended.
    #[error("experiment {0} has already ended")]
    Ended(ExperimentId),
    /// Somebody else changes it all the time.
    #[error("experiment {0} is being changed by another request: try again")]
    ChangedMeanwhile(ExperimentId),
    /// A day that is not one of the experiment.
    #[error("{day} is not a day of the experiment, which has the days {first} to {last}")]
    DayOutside {
        /// The day.
        day: NaiveDate,
        /// First day of the experiment.
        first: NaiveDate,
        /// Last day of the experiment.
        last: NaiveDate,
    },
    /// A day that has not come.
    #[error("{day} has not come yet: today is {today}")]
    DayNotYet {
        /// The day.
        day: NaiveDate,
        /// The person's day now.
        today: NaiveDate,
    },
    /// Too few days with a value to plan with.
    #[error(
        "not enough data: {got} days with {metric} from {first} to {last}, but a plan needs {needed} to \
         know how much your days vary"
    )]
    NotEnoughDays {
        /// The metric.
        metric: PredictionMetric,
        /// Days with a value.
        got: usize,
        /// Days that are needed.
        needed: usize,
        /// First day looked at.
        first: NaiveDate,
        /// Last day looked at.
        last: NaiveDate,
    },
    /// All days have the same value.
    #[error(
        "{metric} has the same value on every day from {first} to {last}: with values that do not vary \
         no experiment can be planned"
    )]
    NoVariance {
        /// The metric.
        metric: PredictionMetric,
        /// First day looked at.
        first: NaiveDate,
        /// Last day looked at.
        last: NaiveDate,
    },
    /// No plan that is short enough finds the difference.
    #[error(
        "no plan of at most {days} days finds so small a difference with this probability: ask for a \
         larger difference or a lower probability, choose other blocks, or give the number of pairs"
    )]
    TooSmallEffect {
        /// Days of the longest plan.
        days: usize,
    },
}

impl ExperimentError {
    /// The kind of the error.
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Unknown(_) => ErrorKind::NotFound,
            Self::Overlap(_) | Self::Ended(_) | Self::ChangedMeanwhile(_) => ErrorKind::Busy,
            Self::NotEnoughDays { .. } => ErrorKind::NotEnoughData,
            Self::DayOutside { .. }
            | Self::DayNotYet { .. }
            | Self::NoVariance { .. }
            | Self::TooSmallEffect { .. } => ErrorKind::InvalidRequest,
        }
    }

    /// A stable code for programs.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Unknown(_) => "UNKNOWN_EXPERIMENT",
            Self::Overlap(_) => "EXPERIMENT_OVERLAP",
            Self::Ended(_) => "EXPERIMENT_ENDED",
            Self::ChangedMeanwhile(_) => "BUSY",
            Self::DayOutside { .. } => "DAY_OUTSIDE_EXPERIMENT",
            Self::DayNotYet { .. } => "DAY_NOT_YET",
            Self::NotEnoughDays { .. } => "NOT_ENOUGH_DATA",
            Self::NoVariance { .. } => "NO_VARIANCE",
            Self::TooSmallEffect { .. } => "EFFECT_TOO_SMALL",
        }
    }
}
