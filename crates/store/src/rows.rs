//! Conversion between database rows and values.

use crate::error::StoreError;
use crate::store::{RegisteredModel, StoredForecast};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::str::FromStr;

pub(crate) fn instant(table: &'static str, micros: i64) -> Result<DateTime<Utc>, StoreError> {
    DateTime::from_timestamp_micros(micros).ok_or_else(|| StoreError::BadRow {
        table,
        what: "an instant out of range".to_owned(),
    })
}

/// A column with a word, a date or an id.
pub(crate) fn parsed<T: FromStr>(
    table: &'static str,
    row: &SqliteRow,
    column: &str,
) -> Result<T, StoreError> {
    let text: String = get(table, row, column)?;
    text.parse().map_err(|_| StoreError::BadRow {
        table,
        what: format!(
            "column {column} has a value that this release does not know: it is damaged, or of a newer release"
        ),
    })
}

pub(crate) fn get<'r, T>(
    table: &'static str,
    row: &'r SqliteRow,
    column: &str,
) -> Result<T, StoreError>
where
    T: sqlx::Decode<'r, sqlx::Sqlite> + sqlx::Type<sqlx::Sqlite>,
{
    row.try_get(column).map_err(|_| StoreError::BadRow {
        table,
        what: format!("column {column} is missing or of another type"),
    })
}

pub(crate) fn model(row: &SqliteRow) -> Result<RegisteredModel, StoreError> {
    const TABLE: &str = "models";
    let summary: String = get(TABLE, row, "summary")?;
    Ok(RegisteredModel {
        model_id: parsed(TABLE, row, "model_id")?,
        user_id: match get::<Option<&str>>(TABLE, row, "user_id")? {
            Some(_) => Some(parsed(TABLE, row, "user_id")?),
            None => None,
        },
        metric: parsed(TABLE, row, "metric")?,
        architecture: parsed(TABLE, row, "architecture")?,
        version: get(TABLE, row, "version")?,
        trained_at: instant(TABLE, get(TABLE, row, "trained_at")?)?,
        file_name: get(TABLE, row, "file_name")?,
        file_hash: get(TABLE, row, "file_hash")?,
        size_bytes: get::<i64>(TABLE, row, "size_bytes")?.unsigned_abs(),
        training_seconds: get(TABLE, row, "training_seconds")?,
        summary: serde_json::from_str(&summary).map_err(|_| StoreError::BadRow {
            table: TABLE,
            what: "the summary is not JSON".to_owned(),
        })?,
        is_active: get(TABLE, row, "is_active")?,
    })
}

pub(crate) fn forecast(row: &SqliteRow) -> Result<StoredForecast, StoreError> {
    const TABLE: &str = "forecasts";
    Ok(StoredForecast {
        id: get(TABLE, row, "id")?,
        metric: parsed(TABLE, row, "metric")?,
        target_date: parsed::<NaiveDate>(TABLE, row, "target_date")?,
        as_of: instant(TABLE, get(TABLE, row, "as_of")?)?,
        model_id: parsed(TABLE, row, "model_id")?,
        value: get(TABLE, row, "value")?,
        lower: get(TABLE, row, "lower")?,
        upper: get(TABLE, row, "upper")?,
        level: get(TABLE, row, "level")?,
        predicted_at: instant(TABLE, get(TABLE, row, "predicted_at")?)?,
        confidence: get(TABLE, row, "confidence")?,
        actual: get(TABLE, row, "actual")?,
    })
}
