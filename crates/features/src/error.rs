//! Why features could not be computed.

use chrono::NaiveDate;

/// Why features could not be computed.
#[derive(Debug, thiserror::Error)]
pub enum FeaturesError {
    /// A range that ends before it begins.
    #[error("the range of days ends on {last}, before it begins on {first}")]
    Reversed {
        /// First day asked for.
        first: NaiveDate,
        /// Last day asked for.
        last: NaiveDate,
    },
    /// A range longer than a life.
    #[error("{days} days were asked for, at most {limit} are computed at once")]
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
