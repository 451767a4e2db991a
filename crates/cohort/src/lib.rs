#![doc = include_str!("../README.md")]
#![cfg_attr(test, allow(clippy::unwrap_used))]

mod columns;
mod error;
mod forecasts;
mod read;
mod write;

pub use columns::{CohortColumn, cohort_columns};
pub use error::CohortError;
pub use forecasts::{ForecastRow, check_forecasts_name, write_forecasts};
pub use read::{CohortReader, read_cohort};
pub use write::{CohortQuery, CohortSummary, CohortWriter};

/// Rows of a cohort table: a batch of columns in Arrow's memory layout.
pub use arrow_array::RecordBatch;

use std::path::Path;

/// The formats of a cohort table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CohortFormat {
    /// Apache Parquet: small, for storage and for most programs.
    Parquet,
    /// Arrow IPC, also called Feather: as it lies in memory, fastest to open.
    ArrowIpc,
}

impl CohortFormat {
    /// The format that the ending of a file name stands for: `.parquet`, or `.arrow` and `.feather`.
    ///
    /// # Errors
    ///
    /// [`CohortError::UnknownEnding`] for any other ending.
    pub fn of(path: &Path) -> Result<Self, CohortError> {
        let ending = path.extension().and_then(|ending| ending.to_str());
        match ending.map(str::to_ascii_lowercase).as_deref() {
            Some("parquet") => Ok(Self::Parquet),
            Some("arrow" | "feather") => Ok(Self::ArrowIpc),
            Some(_) | None => Err(CohortError::UnknownEnding(path.to_owned())),
        }
    }
}
