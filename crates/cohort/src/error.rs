//! Errors of cohort tables. None holds a value of a table.

use chrono::NaiveDate;
use std::path::PathBuf;
use vitalcast_domain::UserId;
use vitalcast_features::FeaturesError;

/// Errors of cohort tables.
#[derive(Debug, thiserror::Error)]
pub enum CohortError {
    /// The file name says neither of the two formats.
    #[error(
        "{} is neither Parquet nor Arrow: expected a name that ends in .parquet, or in .arrow or .feather",
        .0.display()
    )]
    UnknownEnding(PathBuf),
    /// The file name says none of the formats of a table of forecasts.
    #[error(
        "{} is neither CSV, Parquet nor Arrow: expected a name that ends in .csv, .parquet, .arrow or .feather",
        .0.display()
    )]
    UnknownEndingOfForecasts(PathBuf),
    /// The last day is before the first.
    #[error("the period ends on {last}, before its first day {first}")]
    Reversed {
        /// First day.
        first: NaiveDate,
        /// Last day.
        last: NaiveDate,
    },
    /// The features of a person cannot be computed.
    #[error("the days of {user}")]
    Features {
        /// Id of the person.
        user: UserId,
        /// The reason.
        source: FeaturesError,
    },
    /// Nobody has a day in the period.
    #[error("nobody has a day with data in this period: nothing was written")]
    NoRows,
    /// The file cannot be written.
    #[error("cannot write {}", path.display())]
    Write {
        /// The path.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file cannot be opened.
    #[error("cannot read {}", path.display())]
    Read {
        /// The path.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is damaged, or is not a cohort table.
    #[error("{} is not a cohort table, or is damaged: {what}", path.display())]
    NotACohort {
        /// The path.
        path: PathBuf,
        /// What was found.
        what: String,
    },
}
