//! The objects of a JSON file: one by one as rows, or one document.

use crate::batch::Importer;
use crate::error::ImportError;
use crate::fields::Object;
use crate::format::Columns;
use crate::json::Rows;
use crate::loose;
use crate::readings::Place;
use crate::report::RejectReason;
use crate::table::Fault;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// Number of rows between two progress reports.
const PROGRESS_ROWS: u64 = 2_000;
/// Bytes of a document that are read at most.
const LONGEST_DOCUMENT: u64 = 1 << 26;

/// Passes each object of a file on with its type. One that does not fit is rejected, and reading goes on.
pub(crate) fn each_object<'p, T: DeserializeOwned>(
    importer: &mut Importer<'_>,
    path: &'p Path,
    known: &dyn Fn(&Columns<'_>) -> bool,
    mut take: impl FnMut(&mut Importer<'_>, Place<'p>, T) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    each_text(importer, path, known, |importer, place, row| {
        match parsed(row) {
            Ok(row) => take(importer, place, row).map(Ok),
            Err(fault) => Ok(Err(fault)),
        }
    })
}

/// Passes the text of each object of a file on. One that cannot be read is rejected, and so is one for
/// which the function gives a fault.
pub(crate) fn each_text<'p>(
    importer: &mut Importer<'_>,
    path: &'p Path,
    known: &dyn Fn(&Columns<'_>) -> bool,
    take: impl FnMut(&mut Importer<'_>, Place<'p>, &[u8]) -> Result<Result<(), Fault>, ImportError>,
) -> Result<(), ImportError> {
    let (rows, _) = Rows::open(path, known)?;
    each_row(importer, path, rows, take)
}

/// The same, for rows that are open.
pub(crate) fn each_row<'p>(
    importer: &mut Importer<'_>,
    path: &'p Path,
    mut rows: Rows<'_>,
    mut take: impl FnMut(&mut Importer<'_>, Place<'p>, &[u8]) -> Result<Result<(), Fault>, ImportError>,
) -> Result<(), ImportError> {
    let mut count: u64 = 0;
    while let Some(found) = rows.next()? {
        count += 1;
        if count.is_multiple_of(PROGRESS_ROWS) {
            importer.progress(path, rows.position())?;
        }
        importer.report.rows_read += 1;
        let place = Place {
            file: path,
            line: found.line,
        };
        let outcome = match found.fault {
            Some(fault) => Err(fault),
            None => take(importer, place, rows.row())?,
        };
        if let Err(fault) = outcome {
            importer.reject(place.reject(fault))?;
        }
    }
    importer.progress(path, rows.position())
}

/// Shows the objects of a file for a first look; what is none is passed over.
pub(crate) fn first_look(
    path: &Path,
    known: &dyn Fn(&Columns<'_>) -> bool,
    mut see: impl FnMut(Place<'_>, &Object) -> Result<(), ImportError>,
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

/// A row of JSON with its type.
pub(crate) fn parsed<T: DeserializeOwned>(row: &[u8]) -> Result<T, Fault> {
    serde_json::from_slice(row).map_err(|error| {
        let (reason, what) = if loose::is_no_number(&error) {
            let what = "a field is a text that is not a number";
            (RejectReason::BadNumber, what)
        } else {
            let what = "not an object with the expected fields";
            (RejectReason::NotJson, what)
        };
        let (line, column) = (error.line(), error.column());
        let message = format!("{what} (line {line}, column {column} of the object)");
        (reason, message)
    })
}

/// The document of a file that is one object, however long: what has no field is passed over while it is
/// read. `None` if it was rejected.
pub(crate) fn document<T: DeserializeOwned>(
    importer: &mut Importer<'_>,
    path: &Path,
) -> Result<Option<T>, ImportError> {
    let failed = |source| ImportError::Read {
        path: path.to_owned(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    importer.report.rows_read += 1;
    let parsed = serde_json::from_reader(BufReader::new(file.take(LONGEST_DOCUMENT)));
    importer.progress(path, length)?;
    match parsed {
        Ok(document) => Ok(Some(document)),
        Err(error) => {
            let place = Place {
                file: path,
                line: error.line() as u64,
            };
            let (reason, what) = if loose::is_no_number(&error) {
                (
                    RejectReason::BadNumber,
                    "a field is a text that is not a number",
                )
            } else {
                (RejectReason::NotJson, "not an object as expected")
            };
            let message = format!("{what} (column {})", error.column());
            importer.reject(place.reject((reason, message)))?;
            Ok(None)
        }
    }
}
