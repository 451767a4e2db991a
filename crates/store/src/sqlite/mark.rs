//! A cheap check whether the database has changed.
//!
//! `PRAGMA data_version` changes with each commit of another connection, in this process or another
//! (<https://sqlite.org/pragma.html#pragma_data_version>). It is read from a connection that never
//! writes, on the thread of the caller, which takes a few microseconds; through the pool it would need
//! two thread switches.
//!
//! The files must not be read directly: opening and closing a database file outside of SQLite releases
//! the locks of this process on that file (<https://sqlite.org/howtocorrupt.html>, 2.2).

use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// A mark of the database state: two equal marks of one store mean that nothing was written in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeMark(i64);

/// Reads marks of one database.
#[derive(Debug)]
pub(super) struct MarkReader(Option<Mutex<Connection>>);

impl MarkReader {
    /// Marks of a database in a file.
    pub(super) fn of(database: &Path) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(database, flags)?;
        Ok(Self(Some(Mutex::new(connection))))
    }

    /// Marks of a database in memory: always `None`, so that a query is needed.
    pub(super) fn of_memory() -> Self {
        Self(None)
    }

    /// The current mark; `None` if a query is needed.
    pub(super) fn read(&self) -> Option<ChangeMark> {
        // A panic leaves the connection as it was: reading changes nothing.
        let connection = self.0.as_ref()?.lock();
        let connection = connection.unwrap_or_else(PoisonError::into_inner);
        let mut statement = connection.prepare_cached("PRAGMA data_version").ok()?;
        statement
            .query_row([], |row| row.get(0))
            .ok()
            .map(ChangeMark)
    }
}
