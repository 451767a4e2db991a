//! Conversion between database rows and values.

use crate::error::StoreError;
use crate::store::{Listed, RegisteredModel, StoredForecast, Unreadable, UnreadableModel};
use chrono::{DateTime, NaiveDate, Utc};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use std::str::FromStr;
use vitalcast_domain::UserId;

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

/// A row of the registry; what cannot be read of it otherwise.
pub(crate) fn model(row: &SqliteRow) -> Result<RegisteredModel, StoreError> {
    const TABLE: &str = "models";
    let summary: String = get(TABLE, row, "summary")?;
    Ok(RegisteredModel {
        model_id: parsed(TABLE, row, "model_id")?,
        user_id: owner(row)?,
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

fn owner(row: &SqliteRow) -> Result<Option<UserId>, StoreError> {
    const TABLE: &str = "models";
    match get::<Option<&str>>(TABLE, row, "user_id")? {
        Some(_) => Ok(Some(parsed(TABLE, row, "user_id")?)),
        None => Ok(None),
    }
}

/// What is known of a row of the registry that [`model`] cannot read.
///
/// # Errors
///
/// Where not even the id, the owner and the file are known: such a model could not be deleted.
pub(crate) fn unreadable_model(
    row: &SqliteRow,
    error: StoreError,
) -> Result<UnreadableModel, StoreError> {
    const TABLE: &str = "models";
    let StoreError::BadRow { what, .. } = error else {
        return Err(error);
    };
    Ok(UnreadableModel {
        model_id: parsed(TABLE, row, "model_id")?,
        user_id: owner(row)?,
        metric: parsed(TABLE, row, "metric").ok(),
        architecture: parsed(TABLE, row, "architecture").ok(),
        version: get(TABLE, row, "version")?,
        file_name: get(TABLE, row, "file_name")?,
        file_hash: get(TABLE, row, "file_hash")?,
        is_active: get(TABLE, row, "is_active")?,
        what,
    })
}

/// The rows of a list. One that this release cannot read costs only itself, unless not even its id is known.
///
/// # Errors
///
/// What `read` fails with, but for rows that cannot be read.
pub(crate) fn listed<T, I: FromStr>(
    table: &'static str,
    (id, content): (&str, &str),
    rows: &[SqliteRow],
    read: impl Fn(&SqliteRow) -> Result<T, StoreError>,
) -> Result<Listed<T, I>, StoreError> {
    let mut list = Listed {
        rows: Vec::with_capacity(rows.len()),
        unreadable: Vec::new(),
    };
    for row in rows {
        match read(row) {
            Ok(value) => list.rows.push(value),
            Err(StoreError::BadRow { what, .. }) => list.unreadable.push(Unreadable {
                id: parsed(table, row, id)?,
                what,
                content: get::<&str>(table, row, content)?.to_owned(),
            }),
            Err(error) => return Err(error),
        }
    }
    Ok(list)
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
