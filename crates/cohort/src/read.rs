//! Reading cohort tables.

use crate::columns::{UNIT, fault_of};
use crate::{CohortError, CohortFormat};
use arrow_array::RecordBatch;
use arrow_ipc::reader::FileReader;
use arrow_schema::{ArrowError, SchemaRef};
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// The rows of a cohort table, batch by batch; see [`read_cohort`].
#[derive(Debug)]
pub struct CohortReader {
    path: PathBuf,
    schema: SchemaRef,
    rows: Rows,
}

enum Rows {
    Parquet(ParquetRecordBatchReader),
    ArrowIpc(FileReader<BufReader<File>>),
}

impl std::fmt::Debug for Rows {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Parquet(_) => "Parquet",
            Self::ArrowIpc(_) => "ArrowIpc",
        })
    }
}

/// Opens a cohort table, of a format that the name says, and reads it batch by batch.
///
/// Columns are those that were written: a table of another version can have other features.
///
/// # Errors
///
/// [`CohortError::UnknownEnding`]; [`CohortError::Read`] if the file cannot be opened;
/// [`CohortError::NotACohort`] if it is another file or damaged.
pub fn read_cohort(path: impl AsRef<Path>) -> Result<CohortReader, CohortError> {
    let path = path.as_ref();
    let format = CohortFormat::of(path)?;
    let unreadable = |source| CohortError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(unreadable(std::io::ErrorKind::IsADirectory.into()));
    }
    let (schema, rows) = match format {
        CohortFormat::Parquet => {
            let reader = ParquetRecordBatchReaderBuilder::try_new(file)
                .and_then(ParquetRecordBatchReaderBuilder::build)
                .map_err(|error| damaged(path, &error.into()))?;
            (
                arrow_array::RecordBatchReader::schema(&reader),
                Rows::Parquet(reader),
            )
        }
        CohortFormat::ArrowIpc => {
            let reader =
                FileReader::try_new_buffered(file, None).map_err(|error| damaged(path, &error))?;
            (reader.schema(), Rows::ArrowIpc(reader))
        }
    };
    if let Some(what) = fault_of(&schema) {
        return Err(CohortError::NotACohort {
            path: path.to_owned(),
            what,
        });
    }
    Ok(CohortReader {
        path: path.to_owned(),
        schema,
        rows,
    })
}

impl CohortReader {
    /// Names of the columns, in order.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.schema
            .fields()
            .iter()
            .map(|field| field.name().as_str())
    }

    /// Unit of a column, if it has one.
    pub fn unit_of(&self, column: &str) -> Option<&str> {
        let field = self.schema.field_with_name(column).ok()?;
        field.metadata().get(UNIT).map(AsRef::as_ref)
    }
}

impl Iterator for CohortReader {
    type Item = Result<RecordBatch, CohortError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match &mut self.rows {
            Rows::Parquet(reader) => reader.next(),
            Rows::ArrowIpc(reader) => reader.next(),
        };
        batch.map(|batch| batch.map_err(|error| damaged(&self.path, &error)))
    }
}

fn damaged(path: &Path, error: &ArrowError) -> CohortError {
    CohortError::NotACohort {
        path: path.to_owned(),
        what: error.to_string(),
    }
}
