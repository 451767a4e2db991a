//! The objects of a JSON file, one by one, for readers of exports with many shapes of them.

use crate::batch::Importer;
use crate::error::ImportError;
use crate::format::Columns;
use crate::json::Rows;
use crate::readings::Place;
use crate::report::RejectReason;
use serde_json::{Map, Value};
use std::path::Path;

/// Number of objects between two progress reports.
const PROGRESS: u64 = 2_000;

/// Passes every object of a file on; what is none is rejected.
pub(crate) fn each(
    importer: &mut Importer<'_>,
    path: &Path,
    known: &dyn Fn(&Columns<'_>) -> bool,
    mut read: impl FnMut(&mut Importer<'_>, Place<'_>, Map<String, Value>) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let (mut rows, _) = Rows::open(path, known)?;
    let mut count: u64 = 0;
    while let Some(found) = rows.next()? {
        count += 1;
        if count.is_multiple_of(PROGRESS) {
            importer.progress(path, rows.position())?;
        }
        importer.report.rows_read += 1;
        let place = Place {
            file: path,
            line: found.line,
        };
        let object = match found.fault {
            Some(fault) => Err(fault),
            None => serde_json::from_slice(rows.row()).map_err(|error| {
                let message = format!("not a JSON object (column {})", error.column());
                (RejectReason::NotJson, message)
            }),
        };
        match object {
            Ok(object) => read(importer, place, object)?,
            Err(fault) => importer.reject(place.reject(fault))?,
        }
    }
    importer.progress(path, rows.position())
}

/// A number, also one in a text.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => crate::numbers::number(text.trim(), "").ok().flatten(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The text of a field; empty if there is none.
pub(crate) fn text<'v>(object: &'v Map<String, Value>, key: &str) -> &'v str {
    object
        .get(key)
        .and_then(Value::as_str)
        .map_or("", str::trim)
}

/// The number of a field.
pub(crate) fn amount(object: &Map<String, Value>, key: &str) -> Option<f64> {
    object.get(key).and_then(number)
}

/// Shows the objects of a file for a first look; what is none is passed over.
pub(crate) fn first_look(
    path: &Path,
    known: &dyn Fn(&Columns<'_>) -> bool,
    mut see: impl FnMut(Place<'_>, &Map<String, Value>) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let (mut rows, _) = Rows::open(path, known)?;
    while let Some(found) = rows.next()? {
        if found.fault.is_none()
            && let Ok(object) = serde_json::from_slice(rows.row())
        {
            let line = found.line;
            see(Place { file: path, line }, &object)?;
        }
    }
    Ok(())
}
