//! Writing cohort tables, person by person.

use crate::columns::schema;
use crate::{CohortError, CohortFormat};
use arrow_array::{
    ArrayRef, Date32Array, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, SchemaRef};
use chrono::NaiveDate;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::schema::types::ColumnPath;
use std::fs::File;
use std::io::{BufWriter, Error as IoError, IntoInnerError, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::NamedTempFile;
use vitalcast_domain::{AsOf, History, PredictionMetric, Record};
use vitalcast_features::{FeatureTable, catalogue, feature_table, hindsight_table};

/// Rows of a group in Parquet, unless one person has more. A reader holds a group, so this bounds its
/// memory, and ours.
const ROWS_OF_A_GROUP: usize = 16_384;

/// Which days a table has, and as known when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CohortQuery {
    /// First day; default: each person's first day with data.
    pub first_day: Option<NaiveDate>,
    /// Last day; default: each person's last day with data.
    pub last_day: Option<NaiveDate>,
    /// The days as known at this time. Days that begin later have no row.
    pub as_of: AsOf,
    /// Each day as known on its own evening, if that was before `as_of`: what a model could have read.
    pub as_known_each_evening: bool,
}

/// What a table holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CohortSummary {
    /// People with at least one row.
    pub people: usize,
    /// Rows: one per person and day.
    pub rows: usize,
}

/// Writes a cohort table person by person, and holds only a few people in memory.
///
/// The file appears under its name once it is complete ([`CohortWriter::finish`]). The same people, in the
/// same order, with the same query give the same bytes.
#[derive(Debug)]
pub struct CohortWriter {
    path: PathBuf,
    query: CohortQuery,
    sink: Sink,
    summary: CohortSummary,
}

pub(crate) enum Sink {
    Parquet(Box<ArrowWriter<NamedTempFile>>),
    ArrowIpc(Box<FileWriter<BufWriter<NamedTempFile>>>),
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Parquet(_) => "Parquet",
            Self::ArrowIpc(_) => "ArrowIpc",
        })
    }
}

impl CohortWriter {
    /// Begins a table in a file of the format that its name says. The folder must exist.
    ///
    /// # Errors
    ///
    /// [`CohortError::UnknownEnding`], [`CohortError::Reversed`]; [`CohortError::Write`] if the folder does
    /// not exist or cannot be written.
    pub fn create(path: impl AsRef<Path>, query: CohortQuery) -> Result<Self, CohortError> {
        let path = path.as_ref();
        let format = CohortFormat::of(path)?;
        if let (Some(first), Some(last)) = (query.first_day, query.last_day)
            && first > last
        {
            return Err(CohortError::Reversed { first, last });
        }
        let sink = Sink::new(format, path, schema()).map_err(|source| unwritable(path, source))?;
        Ok(Self {
            path: path.to_owned(),
            query,
            sink,
            summary: CohortSummary { people: 0, rows: 0 },
        })
    }

    /// Adds the days of a person, from their first to their last day with data, and returns their number.
    ///
    /// # Errors
    ///
    /// [`CohortError::Features`] for days outside the calendar, or too many of them; [`CohortError::Write`].
    pub fn write(&mut self, history: &History) -> Result<usize, CohortError> {
        let Some((first, last)) = self.days_of(history) else {
            return Ok(0);
        };
        let of_evening = self.query.as_known_each_evening;
        let compute = if of_evening {
            feature_table
        } else {
            hindsight_table
        };
        let table = compute(history, first, last, self.query.as_of).map_err(|source| {
            CohortError::Features {
                user: history.user.clone(),
                source,
            }
        })?;
        let known_at: Vec<i64> = first
            .iter_days()
            .take(table.days())
            .map(|day| {
                if of_evening {
                    history.profile.evening_of(day).min(self.query.as_of)
                } else {
                    self.query.as_of
                }
            })
            .map(|moment| moment.timestamp_micros())
            .collect();
        let batch = batch_of(&table, known_at);
        self.sink
            .write(&batch)
            .map_err(|source| unwritable(&self.path, source))?;
        self.summary.people += 1;
        self.summary.rows += table.days();
        Ok(table.days())
    }

    /// The days of a person that the table has: those of the query, from the first to the last day of
    /// records that were known.
    fn days_of(&self, history: &History) -> Option<(NaiveDate, NaiveDate)> {
        let CohortQuery { as_of, .. } = self.query;
        let known = history.records.iter().map(Record::provenance);
        let days = known
            .filter(|provenance| provenance.known_at <= as_of)
            .map(|provenance| provenance.day);
        let today = history.profile.day_of(as_of);
        let first = days
            .clone()
            .min()?
            .max(self.query.first_day.unwrap_or(NaiveDate::MIN));
        let last = days
            .max()?
            .min(self.query.last_day.unwrap_or(NaiveDate::MAX));
        let last = last.min(today);
        (first <= last).then_some((first, last))
    }

    /// Completes the file and gives it its name; another file of that name is replaced.
    ///
    /// # Errors
    ///
    /// [`CohortError::NoRows`] if nobody had a day in the period; [`CohortError::Write`]. Then no file is
    /// written, and a file of that name stays as it was.
    pub fn finish(self) -> Result<CohortSummary, CohortError> {
        if self.summary.rows == 0 {
            return Err(CohortError::NoRows);
        }
        self.sink
            .finish()
            .and_then(|file| keep(file, &self.path))
            .map_err(|source| unwritable(&self.path, source))?;
        Ok(self.summary)
    }
}

impl Sink {
    pub(crate) fn new(
        format: CohortFormat,
        path: &Path,
        schema: SchemaRef,
    ) -> Result<Self, IoError> {
        let file = tempfile::Builder::new()
            .prefix(".vitalcast-")
            .suffix(".tmp")
            .tempfile_in(folder_of(path))?;
        Ok(match format {
            CohortFormat::Parquet => {
                let users = ColumnPath::from("user_id");
                let properties = WriterProperties::builder()
                    .set_created_by(concat!("vitalcast ", env!("CARGO_PKG_VERSION")).to_owned())
                    .set_compression(Compression::SNAPPY)
                    // Measured values seldom repeat; the id of a person does in every row.
                    .set_dictionary_enabled(false)
                    .set_column_dictionary_enabled(users, true)
                    .set_max_row_group_row_count(None)
                    .build();
                let writer = ArrowWriter::try_new(file, schema, Some(properties));
                Self::Parquet(Box::new(writer.map_err(of_parquet)?))
            }
            CohortFormat::ArrowIpc => {
                let writer = FileWriter::try_new_buffered(file, &schema);
                Self::ArrowIpc(Box::new(writer.map_err(of_arrow)?))
            }
        })
    }

    /// Writes the rows of one person. In Parquet, a person's rows are in one group.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), IoError> {
        match self {
            Self::Parquet(writer) => {
                let rows = writer.in_progress_rows();
                if rows > 0 && rows + batch.num_rows() > ROWS_OF_A_GROUP {
                    writer.flush().map_err(of_parquet)?;
                }
                writer.write(batch).map_err(of_parquet)
            }
            Self::ArrowIpc(writer) => writer.write(batch).map_err(of_arrow),
        }
    }

    pub(crate) fn finish(self) -> Result<NamedTempFile, IoError> {
        match self {
            Self::Parquet(writer) => writer.into_inner().map_err(of_parquet),
            Self::ArrowIpc(writer) => {
                let buffered = writer.into_inner().map_err(of_arrow)?;
                buffered.into_inner().map_err(IntoInnerError::into_error)
            }
        }
    }
}

/// The rows of one person.
fn batch_of(table: &FeatureTable, known_at: Vec<i64>) -> RecordBatch {
    let users = std::iter::repeat_n(table.user().as_str(), table.days());
    let dates = table.first_day().iter_days().take(table.days());
    let mut columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from_iter_values(users)),
        Arc::new(Date32Array::from_iter_values(dates.map(days_since_1970))),
        Arc::new(TimestampMicrosecondArray::from(known_at).with_timezone("UTC")),
    ];
    for feature in 0..catalogue().len() {
        let values = (0..table.days()).map(|row| table.row(row).and_then(|row| row[feature]));
        columns.push(Arc::new(values.collect::<Float64Array>()));
    }
    for metric in PredictionMetric::ALL {
        let values = table.own_history(*metric).iter().copied();
        columns.push(Arc::new(values.collect::<Float64Array>()));
    }
    RecordBatch::try_new(schema(), columns).expect("the columns are those of the schema")
}

fn days_since_1970(day: NaiveDate) -> i32 {
    (day - NaiveDate::default()).num_days() as i32
}

pub(crate) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

/// Gives a complete file its name, so that a crash leaves the old file or the new one.
pub(crate) fn keep(mut file: NamedTempFile, path: &Path) -> Result<(), IoError> {
    file.flush()?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|refused| refused.error)?;
    if cfg!(unix) {
        File::open(folder_of(path))?.sync_all()?;
    }
    Ok(())
}

pub(crate) fn unwritable(path: &Path, source: IoError) -> CohortError {
    CohortError::Write {
        path: path.to_owned(),
        source,
    }
}

/// What the operating system said, where it was it.
#[expect(clippy::wildcard_enum_match_arm, reason = "another library's")]
fn of_parquet(error: ParquetError) -> IoError {
    match error {
        ParquetError::External(source) => match source.downcast::<IoError>() {
            Ok(error) => *error,
            Err(other) => IoError::other(other),
        },
        other => IoError::other(other),
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "another library's")]
fn of_arrow(error: ArrowError) -> IoError {
    match error {
        ArrowError::IoError(_, source) => source,
        other => IoError::other(other),
    }
}
