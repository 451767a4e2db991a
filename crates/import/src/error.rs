//! Why an export cannot be read.

use std::path::PathBuf;

/// What a sink could not do.
pub type SinkError = Box<dyn std::error::Error + Send + Sync>;

/// Why an export cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The path is not there or cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which path.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Nothing here that any reader knows.
    #[error(
        "{} is {what}; expected one of: the reference tables meals, activities and health_metrics \
         (.csv or .jsonl, with columns such as userId, recordedAt, metricType, value), LifeSnaps' \
         daily table (a .csv with columns id, date, resting_hr, rmssd), T1D-UOM's folders \
         (\"Nutrition Data\", \"Activity Data\", \"Sleep Data\")", path.display()
    )]
    Unrecognised {
        /// Which path.
        path: PathBuf,
        /// What it is instead.
        what: String,
    },
    /// A table without a column it needs.
    #[error(
        "{} has no column {column:?}; it has: {found}", path.display()
    )]
    MissingColumn {
        /// Which file.
        path: PathBuf,
        /// The column, or the columns any of which would do.
        column: String,
        /// The columns there are.
        found: String,
    },
    /// The sink stopped the import.
    #[error("the import was interrupted; the records imported so far are kept")]
    Interrupted,
    /// The sink failed.
    #[error("cannot store the records")]
    Sink(#[source] SinkError),
}
