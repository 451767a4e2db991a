//! Why features could not be computed.

use chrono::NaiveDate;

/// Why features could not be computed.
#[derive(Debug, thiserror::Error)]
pub enum FeaturesError {
    /// A range that ends before it begins.
    #[error("the period ends on {last}, before its first day {first}")]
    Reversed {
        /// First day asked for.
        first: NaiveDate,
        /// Last day asked for.
        last: NaiveDate,
    },
    /// A range longer than a life.
    #[error("the period has {days} days, expected at most {limit}")]
    TooManyDays {
        /// Days asked for.
        days: i64,
        /// The limit.
        limit: i64,
    },
    /// A day at the end of the calendar.
    #[error("{0} is too close to the end of the calendar")]
    EndOfCalendar(NaiveDate),
}
