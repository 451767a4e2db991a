//! SQLite databases: their tables, row by row. Columns that a table does not have are empty: the tables of
//! apps grow with every release.

use crate::batch::Importer;
use crate::error::ImportError;
use crate::readings::Place;
use crate::sample::file_name;
use chrono::{DateTime, Datelike, Utc};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags, Row};
use std::fmt::Write as _;
use std::path::Path;

/// Number of rows between two progress reports.
const PROGRESS_ROWS: u64 = 2_000;
/// Most tables of a database whose names are read.
const MOST_TABLES: u32 = 2_000;

/// An open database.
pub(crate) struct Database<'p> {
    path: &'p Path,
    connection: Connection,
}

impl<'p> Database<'p> {
    pub(crate) fn open(path: &'p Path) -> Result<Self, ImportError> {
        let connection = open(path).map_err(|error| damaged(path, &error))?;
        Ok(Self { path, connection })
    }

    /// Names of the columns of a table; none if there is no such table.
    fn columns(&self, table: &str) -> Result<Vec<String>, ImportError> {
        let names = || -> rusqlite::Result<Vec<String>> {
            let mut is_table = self.connection.prepare(
                "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1 COLLATE NOCASE",
            )?;
            if !is_table.exists([table])? {
                return Ok(Vec::new());
            }
            let mut names = self
                .connection
                .prepare("SELECT name FROM pragma_table_info(?1)")?;
            let names = names.query_map([table], |row| row.get(0))?;
            names.collect()
        };
        names().map_err(|error| damaged(self.path, &error))
    }

    /// Passes the rows of a table on, in the order of a column or, without one, as they are stored; nothing
    /// if there is no such table. Names are those of this program, never of a file.
    pub(crate) fn each(
        &self,
        importer: &mut Importer<'_>,
        table: &str,
        columns: &[&str],
        order: &str,
        mut take: impl FnMut(&mut Importer<'_>, Place<'p>, &Cells<'_>) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let found = self.columns(table)?;
        if found.is_empty() {
            return Ok(());
        }
        let has = |name: &str| found.iter().any(|found| found.eq_ignore_ascii_case(name));
        let mut text = "SELECT ".to_owned();
        for (number, name) in columns.iter().enumerate() {
            let separator = if number > 0 { ", " } else { "" };
            let name = if has(name) { *name } else { "NULL" };
            let _ = write!(text, "{separator}{name}");
        }
        let _ = write!(text, " FROM {table}");
        if has(order) {
            let _ = write!(text, " ORDER BY {order}");
        }
        let damaged = |error| damaged(self.path, &error);
        let mut statement = self.connection.prepare(&text).map_err(damaged)?;
        let mut rows = statement.query([]).map_err(damaged)?;
        let mut line = 0;
        loop {
            let row = match rows.next() {
                Ok(Some(row)) => row,
                Ok(None) => break,
                // The other tables may be whole.
                Err(_) => {
                    importer.note(format!(
                        "{}: the table {table} is damaged after {line} rows; the rest of it is not read",
                        file_name(self.path)
                    ));
                    break;
                }
            };
            line += 1;
            if line % PROGRESS_ROWS == 0 {
                importer.progress(self.path, 0)?;
            }
            importer.report.rows_read += 1;
            let place = Place {
                file: self.path,
                line,
            };
            take(importer, place, &Cells(row))?;
        }
        Ok(())
    }
}

/// Opens a database for reading only. Nothing in it is executed: no triggers or views of its schema are
/// trusted, and beside it no file is made.
///
/// # Errors
///
/// Errors of SQLite, also for what is no database.
fn open(path: &Path) -> rusqlite::Result<Connection> {
    let name = path.to_str().ok_or(rusqlite::Error::InvalidQuery)?;
    let mut uri = String::with_capacity(name.len() + 30);
    uri.push_str("file:");
    for letter in name.chars() {
        match letter {
            '%' => uri.push_str("%25"),
            '?' => uri.push_str("%3f"),
            '#' => uri.push_str("%23"),
            _ => uri.push(letter),
        }
    }
    uri.push_str("?mode=ro&immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    let database = Connection::open_with_flags(uri, flags)?;
    database.pragma_update(None, "trusted_schema", "OFF")?;
    database.pragma_update(None, "cell_size_check", "ON")?;
    Ok(database)
}

/// Names of the tables of a database; views are not tables.
pub(crate) fn tables(path: &Path) -> rusqlite::Result<Vec<String>> {
    let database = open(path)?;
    let mut statement =
        database.prepare("SELECT name FROM sqlite_master WHERE type = 'table' LIMIT ?1")?;
    let names = statement.query_map([MOST_TABLES], |row| row.get(0))?;
    names.collect()
}

fn damaged(path: &Path, _: &rusqlite::Error) -> ImportError {
    ImportError::Unrecognised {
        path: path.to_owned(),
        what: "a damaged database".to_owned(),
    }
}

/// The cells of a row, in the order in which they were asked for.
pub(crate) struct Cells<'r>(&'r Row<'r>);

impl Cells<'_> {
    fn cell(&self, column: usize) -> ValueRef<'_> {
        self.0.get_ref(column).unwrap_or(ValueRef::Null)
    }

    /// A finite number, also as a text.
    pub(crate) fn number(&self, column: usize) -> Option<f64> {
        let number = match self.cell(column) {
            ValueRef::Integer(number) => Some(number as f64),
            ValueRef::Real(number) => Some(number),
            ValueRef::Text(text) => std::str::from_utf8(text).ok()?.trim().parse().ok(),
            ValueRef::Null | ValueRef::Blob(_) => None,
        };
        number.filter(|number: &f64| number.is_finite())
    }

    /// A whole number.
    pub(crate) fn whole(&self, column: usize) -> Option<i64> {
        match self.cell(column) {
            ValueRef::Integer(number) => Some(number),
            ValueRef::Real(number) if number.abs() < 9e15 => Some(number as i64),
            ValueRef::Text(text) => std::str::from_utf8(text).ok()?.trim().parse().ok(),
            ValueRef::Real(_) | ValueRef::Null | ValueRef::Blob(_) => None,
        }
    }

    /// A text that is not empty; bytes as hexadecimal digits.
    pub(crate) fn text(&self, column: usize) -> Option<String> {
        let text = match self.cell(column) {
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Real(number) => number.to_string(),
            ValueRef::Text(text) => String::from_utf8_lossy(text).trim().to_owned(),
            ValueRef::Blob(bytes) => {
                let mut text = String::with_capacity(2 * bytes.len().min(64));
                for byte in bytes.iter().take(64) {
                    let _ = write!(text, "{byte:02x}");
                }
                text
            }
            ValueRef::Null => String::new(),
        };
        (!text.is_empty()).then_some(text)
    }

    /// A time in milliseconds since 1970.
    pub(crate) fn millis(&self, column: usize) -> Option<DateTime<Utc>> {
        plausible(DateTime::from_timestamp_millis(self.whole(column)?)?)
    }

    /// A time in seconds since 1970.
    pub(crate) fn seconds(&self, column: usize) -> Option<DateTime<Utc>> {
        plausible(DateTime::from_timestamp(self.whole(column)?, 0)?)
    }
}

/// A time in a century with which one can calculate; others are damage.
fn plausible(at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (1_900..2_200).contains(&at.year()).then_some(at)
}
