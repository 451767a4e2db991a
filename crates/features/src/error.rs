//! Errors of the computation of features.

use chrono::{DateTime, NaiveDate, Utc};

/// Errors of the computation of features.
#[derive(Debug, thiserror::Error)]
pub enum FeaturesError {
    /// A period that ends before its start.
    #[error("the period ends on {last}, before its first day {first}")]
    Reversed {
        /// First requested day.
        first: NaiveDate,
        /// Last requested day.
        last: NaiveDate,
    },
    /// A period above the limit.
    #[error("the period has {days} days, expected at most {limit}")]
    TooManyDays {
        /// Number of requested days.
        days: i64,
        /// The limit.
        limit: i64,
    },
    /// A day at the end of the calendar.
    #[error("{0} is too close to the end of the calendar")]
    EndOfCalendar(NaiveDate),
    /// Days that were made at another moment, and do not hold at this one.
    #[error("the days were made at another moment than {0}")]
    OtherMoment(DateTime<Utc>),
}

/// A name that no feature of the catalogue has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{name:?} is no feature: expected one of the catalogue, for example nutrition_protein_daily"
)]
pub struct UnknownFeature {
    name: String,
}

impl UnknownFeature {
    /// Longest name that is repeated, characters.
    const LONGEST_NAME: usize = 80;

    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.chars().take(Self::LONGEST_NAME).collect(),
        }
    }
}
