//! The identity of a record, and its content for comparisons.

use crate::error::StoreError;
use chrono::{DateTime, Utc};
use vitalcast_domain::Record;

/// Identity of a record of a person: kind, metric, source, source id. The parts are joined by a
/// character that JSON escapes, so identities are unambiguous.
pub(crate) fn identity(record: &Record) -> String {
    let provenance = record.provenance();
    let metric = match record {
        Record::HealthMetric(reading) => reading.metric.as_str(),
        Record::Meal(_) | Record::Activity(_) | Record::Tag(_) => "",
    };
    serde_json::json!([
        record.kind().as_str(),
        metric,
        provenance.source,
        provenance.source_id
    ])
    .to_string()
}

/// The record as text, without the time when it became known: a later import of the same record is not
/// a change.
pub(crate) fn content(record: &Record) -> String {
    let mut record = record.clone();
    record.provenance_mut().known_at = DateTime::UNIX_EPOCH;
    serde_json::to_string(&record).expect("records hold finite numbers and text only")
}

/// Restores a record from its text and the time when it became known.
pub(crate) fn record(content: &str, known_at: DateTime<Utc>) -> Result<Record, StoreError> {
    let mut record: Record = serde_json::from_str(content).map_err(|error| StoreError::BadRow {
        table: "records",
        what: format!("not a record (column {} of its text)", error.column()),
    })?;
    record.provenance_mut().known_at = known_at;
    Ok(record)
}
