//! A cheap answer to "has anything been written since?".
//!
//! In write-ahead mode SQLite keeps an index of the log in a file beside the database, and its
//! first 48 bytes change with every commit of any process: a counter of transactions, the number of
//! frames, salts and a checksum (<https://sqlite.org/walformat.html>, "The WAL-Index Header").
//! Reading them takes about a microsecond, a query some tens of them and two changes of thread.

use std::fs::File;
use std::path::{Path, PathBuf};

/// Length of the header; it stands there twice, so that a half-written one can be told.
const HEADER: usize = 48;

/// What the database looked like at some moment: two equal marks mean that nothing was written in
/// between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeMark([u8; HEADER]);

/// Reads marks of one database.
#[derive(Debug)]
pub(super) struct MarkReader {
    path: PathBuf,
    file: Option<File>,
}

impl MarkReader {
    /// Of a database that is open, in write-ahead mode, and stays so.
    pub(super) fn of(database: &Path) -> Self {
        let mut path = database.as_os_str().to_owned();
        path.push("-shm");
        let path = PathBuf::from(path);
        let file = File::open(&path).ok();
        Self { path, file }
    }

    /// The mark now; `None` while a commit is just being written, or where there is no such file:
    /// then only a query can tell.
    pub(super) fn read(&self) -> Option<ChangeMark> {
        let mut both = [0; 2 * HEADER];
        let file = self.file.as_ref()?;
        if !self.path.exists() || read_start(file, &mut both).is_err() {
            return None;
        }
        let (first, second) = both.split_at(HEADER);
        let mark: [u8; HEADER] = first.try_into().expect("the header has this length");
        (first == second && mark != [0; HEADER]).then_some(ChangeMark(mark))
    }
}

#[cfg(unix)]
fn read_start(file: &File, into: &mut [u8]) -> std::io::Result<()> {
    use std::os::unix::fs::FileExt;
    file.read_exact_at(into, 0)
}

#[cfg(not(unix))]
fn read_start(_: &File, _: &mut [u8]) -> std::io::Result<()> {
    // Locks on the file are mandatory here, and the header may not be readable.
    Err(std::io::ErrorKind::Unsupported.into())
}
