//! A cheap answer to "has anything been written since?".
//!
//! `PRAGMA data_version` is a number that another one follows with every commit of any other
//! connection, in this process or another (<https://sqlite.org/pragma.html#pragma_data_version>). A
//! connection that never writes is asked for it on the caller's thread, which takes a few
//! microseconds; through the pool it would be two changes of thread.
//!
//! SQLite has to be asked: opening and closing one of its files beside it takes away the locks that
//! this process holds on that file (<https://sqlite.org/howtocorrupt.html>, 2.2).

use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// What the database looked like at some moment: two equal marks of one store mean that nothing was
/// written in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeMark(i64);

/// Reads marks of one database.
#[derive(Debug)]
pub(super) struct MarkReader(Option<Mutex<Connection>>);

impl MarkReader {
    /// Of a database in a file.
    pub(super) fn of(database: &Path) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(database, flags)?;
        Ok(Self(Some(Mutex::new(connection))))
    }

    /// Of a database in memory, which nobody else can open: only a query can tell.
    pub(super) fn of_memory() -> Self {
        Self(None)
    }

    /// The mark now; `None` where only a query can tell.
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
